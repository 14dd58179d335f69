package proxy

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/token"
)

// forwardingNames are headers from which an application may take the client's address, the
// original URL or the user, and Proxy, which CGI programs take for HTTP_PROXY
// (https://httpoxy.org). They are compared without separators, because many application
// servers don't distinguish them.
var forwardingNames = map[string]bool{
	"forwarded": true, "xrealip": true, "xclientip": true, "xclusterclientip": true, "trueclientip": true,
	"cfconnectingip": true, "flyclientip": true, "fastlyclientip": true,
	"xoriginalurl": true, "xoriginaluri": true, "xoriginalmethod": true, "xoriginalhost": true, "xrewriteurl": true,
	"xremoteuser": true, "xwebauthuser": true, "proxy": true,
}

// forwardingPrefixes are the beginnings of more such names.
var forwardingPrefixes = []string{"xforwarded", "xauthrequest"}

// removeOwn removes headers that a visitor must not set, and credentials for Guestlist.
func (p *Proxy) removeOwn(h http.Header) {
	identity.StripHeaders(h)
	for name := range h {
		if isForwarding(name) {
			delete(h, name)
		}
	}
	if slices.ContainsFunc(h["Authorization"], token.IsBearer) {
		h.Del("Authorization")
	}
	p.removeOwnCookies(h)
}

// isForwarding reports whether a header is one of forwardingNames or an alias.
func isForwarding(name string) bool {
	var buffer [64]byte // on the stack: this runs for every request
	plain := string(identity.AppendLetters(buffer[:0], name))
	return forwardingNames[plain] || slices.ContainsFunc(forwardingPrefixes, func(prefix string) bool { return strings.HasPrefix(plain, prefix) })
}

// removeOwnCookies removes Guestlist's cookies from the request and leaves the others as
// they are.
func (p *Proxy) removeOwnCookies(h http.Header) {
	lines := h["Cookie"]
	kept := lines[:0]
	for _, line := range lines {
		if line = p.withoutOwnCookies(line); line != "" {
			kept = append(kept, line)
		}
	}
	if len(kept) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = kept
}

func (p *Proxy) withoutOwnCookies(line string) string {
	found := false
	for pair := range strings.SplitSeq(line, ";") {
		found = found || p.isOwnCookie(pair)
	}
	if !found {
		return line
	}
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		if !p.isOwnCookie(pair) && strings.TrimSpace(pair) != "" {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	return strings.Join(kept, "; ")
}

// isOwnCookie reports whether name=value is a cookie of Guestlist. Browsers send a cookie
// with an empty name as its value alone, so "=name=value" counts as well.
func (p *Proxy) isOwnCookie(pair string) bool {
	pair = strings.TrimLeft(pair, " \t=")
	name, _, _ := strings.Cut(pair, "=")
	return p.cookies[strings.ToLower(strings.TrimRight(name, " \t"))]
}

// removeOwnSetCookies removes Guestlist's cookies from those that an application sets.
func (p *Proxy) removeOwnSetCookies(h http.Header) {
	lines := h["Set-Cookie"]
	if len(lines) == 0 {
		return
	}
	kept := slices.DeleteFunc(lines, func(line string) bool {
		pair, _, _ := strings.Cut(line, ";")
		return p.isOwnCookie(pair)
	})
	if len(kept) == 0 {
		delete(h, "Set-Cookie")
		return
	}
	h["Set-Cookie"] = kept
}

// setForwarded describes the visitor's request. Only the client's address is passed on, so
// that an application needs no list of trusted proxies but this one.
func setForwarded(h http.Header, app *url.URL, clientIP string) {
	h["X-Forwarded-Host"] = []string{app.Host}
	h["X-Forwarded-Proto"] = []string{app.Scheme}
	forwarded := `host="` + app.Host + `";proto=` + app.Scheme
	if clientIP != "" {
		h["X-Forwarded-For"] = []string{clientIP}
		h["X-Real-Ip"] = []string{clientIP}
		forwarded = "for=" + forwardedNode(clientIP) + ";" + forwarded
	}
	h["Forwarded"] = []string{forwarded} // https://www.rfc-editor.org/rfc/rfc7239
}

// forwardedNode returns an address as RFC 7239 writes it.
func forwardedNode(ip string) string {
	if strings.Contains(ip, ":") {
		return `"[` + ip + `]"`
	}
	return ip
}

// isLoop reports whether this installation has passed on the request already
// (https://www.rfc-editor.org/rfc/rfc8586).
func (p *Proxy) isLoop(h http.Header) bool {
	for _, line := range h["Cdn-Loop"] {
		for entry := range strings.SplitSeq(line, ",") {
			id, _, _ := strings.Cut(entry, ";")
			if strings.TrimSpace(id) == p.loopID {
				return true
			}
		}
	}
	return false
}
