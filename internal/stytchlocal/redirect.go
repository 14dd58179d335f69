package stytchlocal

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/pages"
)

//go:embed templates
var templateFiles embed.FS

// pageTemplates are parsed on first use: most commands show no page.
var pageTemplates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(templateFiles, "templates/*.html"))
})

func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	pages.SetHeaders(w)
	pages.Render(w, r, s.opts.Log, status, pageTemplates().Lookup(name), data)
}

// Redirect serves the page that emailed links open and nothing else: the public part of
// the local Stytch.
func (s *Server) Redirect() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != redirectPath {
			http.NotFound(w, r)
			return
		}
		s.showRedirect(w, r)
	})
}

// redirectPage sends the browser to Target. If that is empty, it shows Text.
type redirectPage struct {
	Stylesheet string
	Product    string
	Home       string // the program's start page
	Target     string
	Title      string
	Text       string
}

// showRedirect sends a browser with an emailed link to the redirect URL in the link's row,
// with the token. Opening the page does not redeem the link. A used or expired link is sent
// on as well: the app explains it.
func (s *Server) showRedirect(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
		return
	}
	page := redirectPage{Stylesheet: s.opts.Stylesheet, Product: s.opts.Product, Home: s.opts.BaseURL + "/", Title: "One moment"}
	status := http.StatusOK
	target, err := s.redirectTarget(r.Context(), trimPunctuation(r.URL.Query().Get("token")))
	switch {
	case err == nil:
		page.Target = target
	case errors.Is(err, errLinkNotFound):
		status = http.StatusNotFound
		page.Title = "We don’t recognize this link"
		page.Text = "It may be incomplete or very old. Open the link in the email again, or request a new one."
	default:
		s.opts.Log.Error("cannot open link", "error", s.opts.Explain(err))
		status = http.StatusServiceUnavailable
		page.Title = "We can’t open this link right now"
		page.Text = "Your link still works. Please open it again in a minute."
	}
	s.render(w, r, status, "redirect.html", page)
}

// trimPunctuation removes characters that mail programs include in a link from the text
// around it, such as a bracket or a full stop.
func trimPunctuation(token string) string {
	return strings.TrimFunc(token, func(c rune) bool { return !strings.ContainsRune(alphanumeric+"-_=", c) })
}

func (s *Server) redirectTarget(ctx context.Context, token string) (string, error) {
	link, details, err := s.findLink(ctx, token)
	if err != nil {
		return "", err
	}
	if link.Kind == kindEmbedded {
		return "", errLinkNotFound
	}
	u, err := url.Parse(details.RedirectURL)
	if err != nil {
		return "", wrap("read link", err)
	}
	query := url.Values{"stytch_token_type": {"magic_links"}, "token": {token}}.Encode()
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = query
	return u.String(), nil
}
