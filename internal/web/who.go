package web

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/guestlist/guestlist/internal/session"
)

// session returns the session of the request's cookie. A cookie whose session has
// ended is deleted; one that can't be opened is ignored. Errors: errNoSession,
// session.ErrEnded, session.ErrUnavailable, directory.ErrUnavailable; on the last two
// the browser keeps its cookie.
func (s *server) session(w http.ResponseWriter, r *http.Request) (session.Session, error) {
	token, _ := s.Cookies.Token(r)
	if token == "" {
		return session.Session{}, errNoSession
	}
	current, err := s.Sessions.Check(r.Context(), token)
	if errors.Is(err, session.ErrEnded) {
		s.Cookies.ClearToken(w, r)
	}
	return current, err
}

// browser is what is known of the browser behind a request.
func (s *server) browser(r *http.Request) session.Browser {
	return session.Browser{Address: s.clientAddress(r), UserAgent: r.UserAgent()}
}

// clientAddress is the network address that a request came from. A proxy's word
// on it is taken only if the proxy is a trusted one: its own header where it has
// one, else the last address in X-Forwarded-For that is no trusted proxy's.
func (s *server) clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	peer, parseErr := netip.ParseAddr(host)
	if err != nil || parseErr != nil || !s.trusted(peer) {
		return host
	}
	if s.ClientIPHeader != "" {
		if ip, err := netip.ParseAddr(r.Header.Get(s.ClientIPHeader)); err == nil {
			return ip.Unmap().String()
		}
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		ip, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		host = ip.Unmap().String()
		if !s.trusted(ip) {
			break
		}
	}
	return host
}

func (s *server) trusted(ip netip.Addr) bool {
	for _, prefix := range s.TrustedProxies {
		if prefix.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}

// describeBrowser says in words what a User-Agent header stands for. The order
// matters: most browsers also call themselves by another's name.
func describeBrowser(userAgent string) string {
	browser := firstOf(userAgent, []string{
		"Edg", "Edge", "OPR", "Opera", "SamsungBrowser", "Samsung Internet",
		"Firefox", "Firefox", "FxiOS", "Firefox", "HeadlessChrome", "Chrome", "CriOS", "Chrome", "Chrome", "Chrome",
		"Safari", "Safari", "curl", "curl",
	})
	system := firstOf(userAgent, []string{
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

// firstOf returns the word that goes with the first mark found in s; marks and
// words alternate.
func firstOf(s string, marksAndWords []string) string {
	for i := 0; i < len(marksAndWords); i += 2 {
		if strings.Contains(s, marksAndWords[i]) {
			return marksAndWords[i+1]
		}
	}
	return ""
}
