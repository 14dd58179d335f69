package guard

import (
	"net/http"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
)

// Request is a visitor's request to an app, as a proxy describes it. Its fields but Header
// come from the proxy; visitors can write anything into headers.
type Request struct {
	Scheme  string // http or https, as the proxy knows it; it decides about the default port only
	Host    string // with the port, as the visitor sent it
	Method  string
	Target  string // path and query, undecoded
	Header  http.Header
	Browser session.Browser
	Direct  bool // the answer goes to the visitor as it is; otherwise a proxy passes on refusals only
}

// FromRequest returns the request that a visitor sent to this server.
func FromRequest(r *http.Request, scheme string, b session.Browser) Request {
	return Request{
		Scheme: scheme, Host: r.Host, Method: r.Method, Target: requestTarget(r), Header: r.Header, Browser: b, Direct: true,
	}
}

// requestTarget returns the undecoded path and query of a request, without the host of an
// absolute-form request (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2).
func requestTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	target := r.URL.EscapedPath()
	if r.URL.ForceQuery || r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	return target
}

// path returns the target without its query, undecoded.
func (r Request) path() string {
	path, _, _ := strings.Cut(r.Target, "?")
	return path
}

// isOwn reports whether the guard itself answers the request.
func (r Request) isOwn() bool { return strings.HasPrefix(r.Target, apps.OwnPath) }

// isRead reports whether the method only reads.
func (r Request) isRead() bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// isPage reports whether a browser shows the answer as a page, so that it can be led to sign
// in. Scripts and programs can't be: they follow redirects without showing them. Browsers
// describe requests in headers that pages can't set (https://www.w3.org/TR/fetch-metadata/);
// older ones accept HTML for pages only.
func (r Request) isPage() bool {
	h := r.Header
	switch {
	case !r.isRead(), h["Sec-Websocket-Key"] != nil, h["X-Requested-With"] != nil:
		return false
	case h["Sec-Fetch-Mode"] != nil || h["Sec-Fetch-Dest"] != nil:
		return h.Get("Sec-Fetch-Mode") == "navigate" && (h["Sec-Fetch-Dest"] == nil || h.Get("Sec-Fetch-Dest") == "document")
	}
	accept := strings.ToLower(h.Get("Accept"))
	return strings.Contains(accept, "text/html") && !strings.Contains(accept, "text/event-stream")
}

// CookieName returns the name of the cookie that holds a browser's credential for an app.
// Browsers accept the prefix over https only, and then from no other host
// (https://www.rfc-editor.org/rfc/rfc6265#section-4.1).
func CookieName(scheme string) string {
	if scheme == "https" {
		return secureCookie
	}
	return plainCookie
}

const (
	secureCookie = "__Host-guestlist-app"
	plainCookie  = "guestlist-app"
)

// TokenHeader is the header in which programs send an app token.
const TokenHeader = "X-Guestlist-Token"

// credential is what a request says about its sender.
type credential struct {
	token  string // an app token; the cookie doesn't count then
	cookie string // the secure one if there are both; empty unless it can be a credential
	plain  bool   // the cookie isn't the secure one, so that it is a credential of http apps only
}

// readCredential reads the credential of a request. An app token may also be the bearer token
// of Authorization, which otherwise belongs to the app.
func readCredential(h http.Header) credential {
	if v := h[TokenHeader]; len(v) > 0 && v[0] != "" {
		return credential{token: v[0] + strings.Repeat("?", len(v)-1)} // several are none
	}
	if v := h["Authorization"]; len(v) > 0 {
		secret, _ := token.ParseBearer(v[0])
		if strings.HasPrefix(secret, apps.TokenPrefix) {
			return credential{token: secret}
		}
	}
	return readCookie(h["Cookie"])
}

// readCookie returns the first credential in Cookie headers. It allocates nothing, unlike
// http.Request.Cookies: it runs for every request to an app.
func readCookie(lines []string) credential {
	found := credential{plain: true}
	for _, line := range lines {
		for len(line) > 0 {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			name, value, _ := strings.Cut(strings.TrimLeft(pair, " "), "=")
			switch {
			case name != secureCookie && name != plainCookie, !apps.IsCredential(value):
			case name == secureCookie:
				return credential{cookie: value}
			case found.cookie == "":
				found.cookie = value
			}
		}
	}
	return found
}
