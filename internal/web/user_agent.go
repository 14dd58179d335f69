package web

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/guestlist/guestlist/internal/session"
)

// session returns the session of the request's cookie. The cookie is deleted if the session has
// ended, and ignored if it can't be read. Errors: errNoSession, session.ErrEnded,
// session.ErrUnavailable, directory.ErrUnavailable; on the last two the browser keeps its cookie.
func (s *server) session(w http.ResponseWriter, r *http.Request) (session.Session, error) {
	token, _ := s.opts.Cookies.Token(r)
	if token == "" {
		return session.Session{}, errNoSession
	}
	current, err := s.opts.Sessions.Check(r.Context(), token, s.browser(r))
	if errors.Is(err, session.ErrEnded) {
		s.opts.Cookies.ClearToken(w, r)
	}
	return current, err
}

// browser describes the browser of a request.
func (s *server) browser(r *http.Request) session.Browser {
	return session.Browser{Address: s.proxies.ClientIP(r), UserAgent: r.UserAgent(), RequestID: requestID(r)}
}

// describeBrowser names the browser and system of a User-Agent header. The order matters, because
// most browsers include the names of others.
func describeBrowser(userAgent string) string {
	browser := firstMatch(userAgent, []string{
		"Edg", "Edge", "OPR", "Opera", "SamsungBrowser", "Samsung Internet",
		"Firefox", "Firefox", "FxiOS", "Firefox", "HeadlessChrome", "Chrome", "CriOS", "Chrome", "Chrome", "Chrome",
		"Safari", "Safari", "curl", "curl",
	})
	system := firstMatch(userAgent, []string{
		"iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "CrOS", "ChromeOS",
		"Windows", "Windows", "Mac OS X", "macOS", "Linux", "Linux",
	})
	if system == "" {
		return cmp.Or(browser, "Unknown browser")
	}
	return cmp.Or(browser, "Browser") + " on " + system
}

// firstMatch returns the name after the first mark found in s. Marks and names alternate.
func firstMatch(s string, marksAndNames []string) string {
	for i := 0; i < len(marksAndNames); i += 2 {
		if strings.Contains(s, marksAndNames[i]) {
			return marksAndNames[i+1]
		}
	}
	return ""
}
