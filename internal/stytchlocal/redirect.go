package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// pages are parsed when the first is shown: most starts show none.
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(templateFiles, "templates/page_*.html"))
})

// pageHeaders are those of every page: nothing but the program's own style sheet,
// no trace of the address in caches, referrers or search engines.
func pageHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
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
	pageHeaders(w)
	s.render(w, r, status, "page_redirect.html", page)
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

// render sends a page whole or not at all. Its headers are set before.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, page any) {
	var body strings.Builder
	if err := pages().ExecuteTemplate(&body, name, page); err != nil {
		s.opts.Log.Error("local stytch: page not made", "page", name, "error", err)
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(body.String())) // the reader may be gone: nothing to be done about it
	}
}
