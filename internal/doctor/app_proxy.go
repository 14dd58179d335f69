package doctor

import (
	"net/http"
	"strings"
)

// proxyKind is the kind of proxy in front of an app.
type proxyKind int

const (
	unknownProxy proxyKind = iota
	builtIn
	nginx
	caddy
)

// detectProxy returns the kind of proxy that sent a response. Traefik and HAProxy don't tell.
func detectProxy(h http.Header) proxyKind {
	names := strings.ToLower(h.Get("Server") + " " + h.Get("Via"))
	switch {
	case strings.Contains(names, "nginx"), strings.Contains(names, "openresty"):
		return nginx
	case strings.Contains(names, "caddy"):
		return caddy
	}
	return unknownProxy
}

func (k proxyKind) label() string {
	return [...]string{"a proxy", "its built-in proxy", "nginx", "Caddy"}[k]
}

// fixes says how to correct a proxy's config, by what is wrong.
type fixes struct{ check, address, visitor, identity string }

// fix returns the corrections for an app's proxy.
func (c *appChecker) fix() fixes {
	switch c.proxy {
	case builtIn:
		const own = "This is a fault of Guestlist: please report it."
		return fixes{own, "Set GUESTLIST_BASE_URL to the address that visitors use.", own, own}
	case nginx:
		return fixes{
			check:    "Put auth_request into the location of the tool, and into every other location of this server.",
			address:  "In the location of the check: proxy_set_header X-Original-URL " + c.App.URL() + "$request_uri; proxy_set_header X-Original-Method $request_method;",
			visitor:  "In the location of the check, add: proxy_set_header X-Forwarded-For $remote_addr;",
			identity: "In the location of the tool, set Remote-User, Remote-Email, Remote-Name, Remote-Groups and X-Guestlist-Jwt with proxy_set_header, each from its auth_request_set variable.",
		}
	case caddy:
		return fixes{
			check:    "Put forward_auth before reverse_proxy, in a route without a matcher.",
			address:  "Use uri /guard/forward, and remove header_up lines about X-Forwarded headers from forward_auth.",
			visitor:  "Remove visitors' networks from trusted_proxies.",
			identity: "Use Caddy 2.11.2 or later, with: copy_headers Remote-User Remote-Email Remote-Name Remote-Groups X-Guestlist-Jwt X-Guestlist-Token Authorization",
		}
	}
	return fixes{
		check:    "Let the proxy ask Guestlist about every request; see docs/protect-a-tool.md.",
		address:  "Let the proxy set X-Forwarded-Method, -Proto, -Host and -Uri itself. In Traefik, remove trustForwardHeader and forwardedHeaders.insecure; in HAProxy, set them with http-request set-header.",
		visitor:  "Let the proxy replace X-Forwarded-For and X-Real-IP. In Traefik, remove forwardedHeaders.insecure and visitors' networks from trustedIPs.",
		identity: "Let the proxy replace all five identity headers. In Traefik, list Remote-User, Remote-Email, Remote-Name, Remote-Groups and X-Guestlist-Jwt in authResponseHeaders; in HAProxy, delete them first.",
	}
}
