package stytchlocal

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
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

// redirectPage sends the browser on; without a target it says why it can't.
type redirectPage struct {
	Stylesheet string
	Product    string
	Home       string // the product's start page
	Target     string
	Title      string
	Text       string
}

// showRedirect is the page that a mailed link opens. It spends nothing, however
// often it is opened and by whom, and sends the browser to where the link was made
// to lead, with the token. The address comes from the link's row alone. A link
// that was used or has expired is sent on too: the other end has words for that.
func (s *Server) showRedirect(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
		return
	}
	page := redirectPage{Stylesheet: s.opts.Stylesheet, Product: s.opts.Product, Home: s.opts.BaseURL + "/", Title: "One moment"}
	status := http.StatusOK
	target, err := s.target(r.Context(), withoutPunctuation(r.URL.Query().Get("token")))
	switch {
	case err == nil:
		page.Target = target
	case errors.Is(err, errLinkNotFound):
		status, page.Title = http.StatusNotFound, "This link is not known here"
		page.Text = "It may have been cut short on its way, or be very old. Open the link in the mail once more, or ask for a new one."
	default:
		s.opts.Log.Error("local stytch: link not opened", "error", s.opts.Explain(err))
		status, page.Title = http.StatusServiceUnavailable, "This link can't be opened just now"
		page.Text = "Nothing is lost: please open it again in a minute."
	}
	s.render(w, r, status, "redirect.html", page)
}

// withoutPunctuation removes what mail programs take into a link from the text
// around it, such as a bracket or a full stop.
func withoutPunctuation(token string) string {
	return strings.TrimFunc(token, func(c rune) bool { return !strings.ContainsRune(alphanumeric+"-_=", c) })
}

// target returns where a link leads, with its token.
func (s *Server) target(ctx context.Context, token string) (string, error) {
	link, err := s.read.GetLink(ctx, hashToken(token))
	if errors.Is(err, sql.ErrNoRows) || err == nil && link.Kind == kindEmbedded {
		return "", errLinkNotFound
	}
	if err != nil {
		return "", fmt.Errorf("get link: %w", err)
	}
	var details linkDetails
	if err := json.Unmarshal([]byte(link.Details), &details); err != nil {
		return "", fmt.Errorf("read link: %w", err)
	}
	u, err := url.Parse(details.RedirectURL)
	if err != nil {
		return "", fmt.Errorf("read link: %w", err)
	}
	added := url.Values{"stytch_token_type": {"magic_links"}, "token": {token}}.Encode()
	if u.RawQuery != "" {
		added = u.RawQuery + "&" + added
	}
	u.RawQuery = added
	return u.String(), nil
}
