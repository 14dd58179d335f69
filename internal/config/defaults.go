package config

import (
	"net"
	"strings"
)

// Defaults that depend on other settings, in the order of [Settings].

func unset(*loader) string { return "" }

func projectEnv(l *loader) string {
	if strings.HasPrefix(l.Stytch.ProjectID, "project-live-") {
		return "live"
	}
	if l.Stytch.ProjectID != "" {
		return "test"
	}
	return ""
}

// defaultAddr restricts the local Stytch to this machine unless the base URL is public.
func defaultAddr(l *loader) string {
	if l.usesLocalStytch() && (l.BaseURL == nil || isLocalName(l.BaseURL.Hostname())) {
		return net.JoinHostPort("127.0.0.1", l.port)
	}
	return ":" + l.port
}

func defaultBaseURL(l *loader) string {
	_, port, _ := net.SplitHostPort(l.Addr)
	return "http://" + net.JoinHostPort("localhost", port)
}

func defaultProxies(l *loader) string {
	if l.fly {
		return "fly"
	}
	return "none"
}

// defaultCookieName returns the name with the strictest prefix that browsers accept; __Host-
// requires the path /. https://developer.mozilla.org/docs/Web/HTTP/Guides/Cookies#cookie_prefixes
func defaultCookieName(l *loader) string {
	switch {
	case l.BaseURL.Scheme != "https":
		return "guestlist"
	case l.BaseURL.Path != "":
		return "__Secure-guestlist"
	}
	return "__Host-guestlist"
}

func defaultMailFrom(l *loader) string {
	if l.SMTPURL == "" {
		return ""
	}
	return "Guestlist <guestlist@" + l.BaseURL.Hostname() + ">"
}

func defaultLog(l *loader) string {
	if l.terminal {
		return "text"
	}
	return "json"
}
