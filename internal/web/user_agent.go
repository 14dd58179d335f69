package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/guestlist/guestlist/internal/session"
)

// session returns the session of the request's cookie. A cookie whose session has
// ended is deleted; one that can't be opened is ignored. Errors: errNoSession,
// session.ErrEnded, session.ErrUnavailable, directory.ErrUnavailable; on the last two
// the browser keeps its cookie.
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

// browser is what is known of the browser behind a request.
func (s *server) browser(r *http.Request) session.Browser {
	return session.Browser{Address: s.proxies.ClientIP(r), UserAgent: r.UserAgent(), RequestID: requestID(r)}
}

// describeBrowser says in words what a User-Agent header stands for. The order
// matters: most browsers also call themselves by another's name.
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
	switch {
	case browser == "" && system == "":
		return "Unknown browser"
	case browser == "":
		return "Browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// firstMatch returns the word that goes with the first mark found in s; marks and
// words alternate.
func firstMatch(s string, marksAndWords []string) string {
	for i := 0; i < len(marksAndWords); i += 2 {
		if strings.Contains(s, marksAndWords[i]) {
			return marksAndWords[i+1]
		}
	}
	return ""
}
