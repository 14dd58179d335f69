package stytchlocal

import (
	"encoding/base32"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/pages"
)

// DevPages serves the developer pages, each as HTML and as JSON:
//
//	/dev/inbox    the emails of the last 24 hours, at most 200, newest first
//	/dev/faults   the simulated faults and the clocks
//	/dev/oauth/…  a page that plays an OAuth provider; only as HTML
//
// A reader of the emails can sign in as any user, so every request must show DevKey, and
// the pages must be served behind LoopbackOnly. Cross-site writes are refused.
func (s *Server) DevPages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/inbox", s.showInbox)
	mux.HandleFunc("GET /dev/inbox.json", s.listInbox)
	mux.HandleFunc("GET "+oauthPagePrefix+"{provider}", s.showOAuthPage)
	mux.HandleFunc("POST "+oauthPagePrefix+"{provider}", s.submitOAuthPage)
	s.faults.Register(mux)
	return http.NewCrossOriginProtection().Handler(s.requireDevKey(mux))
}

const devCookieLifetime = 30 * 24 * time.Hour

// DevKey returns the key of the developer pages: 32 characters of base32, 160 bits. It is
// derived from the project, so it is the same for all instances and after a restart.
func (s *Server) DevKey() string { return s.project.devKey() }

func (p *project) devKey() string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(p.derive("developer pages")[:20]))
}

// requireDevKey responds 404 unless a request shows the key: as the query parameter key, as
// a bearer token, or by the cookie that the query parameter sets.
//
// No header proves that a request comes from this machine: a forwarder such as nginx with
// proxy_pass alone connects from loopback, sends the host 127.0.0.1 and adds nothing. But
// it does not know the key.
func (s *Server) requireDevKey(next http.Handler) http.Handler {
	key := s.DevKey()
	cookie := s.devCookie(key)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case equal(r.URL.Query().Get("key"), key):
			http.SetCookie(w, cookie)
		case equal(r.Header.Get("Authorization"), "Bearer "+key):
		case slices.ContainsFunc(r.CookiesNamed(cookie.Name), func(c *http.Cookie) bool { return equal(c.Value, key) }):
		default:
			s.showLocked(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// devCookie returns the cookie that holds the key. Browsers send cookies to every port of a
// host, so its name contains a part of the project's id: two programs on one host do not
// overwrite each other's. It is not Secure because the pages are served over plain HTTP.
func (s *Server) devCookie(key string) *http.Cookie {
	id := strings.TrimPrefix(s.project.ProjectID, "project-test-")
	return &http.Cookie{
		Name: "guestlist-dev-" + id[:min(8, len(id))], Value: key, Path: "/dev/", MaxAge: int(devCookieLifetime.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

const lockedText = "Open the inbox address that Guestlist printed in the terminal when it started. It contains the key, and this browser will remember it."

type lockedPage struct {
	Stylesheet, Text, Home string

	// Retry is the address of the page that plays an OAuth provider, and empty for others.
	// Browsers leave out the cookie if another site leads there, but not if this page does.
	Retry string
}

func (s *Server) showLocked(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, ".json") {
		pages.WriteJSON(w, http.StatusNotFound, map[string]string{"error": lockedText})
		return
	}
	page := lockedPage{Stylesheet: s.opts.Stylesheet, Text: lockedText, Home: s.opts.BaseURL + "/"}
	if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, oauthPagePrefix) {
		page.Retry = r.URL.EscapedPath() + "?" + oauthQuery(r)
	}
	s.render(w, r, http.StatusNotFound, "locked.html", page)
}
