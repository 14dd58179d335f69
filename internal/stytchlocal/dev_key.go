package stytchlocal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/pages"
)

// devKeyParam is the query parameter that holds the key of the developer pages.
const devKeyParam = "key"

// devCookieLife is how long a browser that has shown the key keeps it.
const devCookieLife = 30 * 24 * time.Hour

// DevKey returns the key that every request to DevPages must show: 32 characters
// of base32, 160 bits. It is derived from the project's random token key, so it is
// the same for all instances on a database and after a restart, and is not stored.
func (s *Server) DevKey() string { return s.project.devKey() }

func (p *project) devKey() string {
	mac := hmac.New(sha256.New, p.TokenKey)
	mac.Write([]byte("developer pages"))
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:20]))
}

// requireDevKey answers 404 unless the request shows the key: in its address
// (?key=…), as a bearer token, or by the cookie that the first of these sets.
//
// No header can prove that a request comes from this machine: a forwarder such as
// nginx with proxy_pass alone connects from loopback, names 127.0.0.1 as the host
// and adds nothing. A forwarder does not know the key.
func (s *Server) requireDevKey(next http.Handler) http.Handler {
	key := s.DevKey()
	cookie := s.devCookie(key)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case equal(r.URL.Query().Get(devKeyParam), key):
			http.SetCookie(w, cookie)
		case equal(r.Header.Get("Authorization"), "Bearer "+key):
		case hasCookie(r, cookie):
		default:
			s.showLocked(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// devCookie keeps the key in a browser. Browsers send cookies to every port of a
// host, so its name has a part of the project's id in it: two programs on one host
// leave each other's alone. It is not Secure because the pages come by plain http.
func (s *Server) devCookie(key string) *http.Cookie {
	id := strings.TrimPrefix(s.project.ProjectID, "project-test-")
	return &http.Cookie{
		Name: "guestlist-dev-" + id[:min(8, len(id))], Value: key, Path: "/dev/", MaxAge: int(devCookieLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

func hasCookie(r *http.Request, want *http.Cookie) bool {
	for _, c := range r.CookiesNamed(want.Name) {
		if equal(c.Value, want.Value) {
			return true
		}
	}
	return false
}

const lockedText = "Open the inbox address that Guestlist printed in the terminal when it started. It ends in a key, which this browser then remembers."

// showLocked answers a request without the key.
func (s *Server) showLocked(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, ".json") {
		pages.WriteJSON(w, http.StatusNotFound, map[string]string{"error": lockedText})
		return
	}
	s.render(w, r, http.StatusNotFound, "locked.html", lockedPage{Stylesheet: s.opts.Stylesheet, Text: lockedText, Home: s.opts.BaseURL + "/"})
}

type lockedPage struct{ Stylesheet, Text, Home string }
