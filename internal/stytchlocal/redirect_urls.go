package stytchlocal

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// The kinds of links. Each has a redirect URL of its own in the API.
const (
	kindLogin    = "login"
	kindSignup   = "signup"
	kindInvite   = "invite"
	kindEmbedded = "embedded" // handed to the caller, not mailed
)

// How long links work when the caller doesn't say.
var defaultLifetimes = map[string]time.Duration{
	kindLogin: time.Hour, kindSignup: 7 * 24 * time.Hour, kindInvite: time.Hour, kindEmbedded: time.Hour,
}

// checkRedirectURL refuses an address that a link must not lead to. An empty one
// is fine: it means the project's own.
func (s *Server) checkRedirectURL(kind, address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > 2000 {
		return newError(http.StatusBadRequest, "invalid_"+kind+"_magic_link_url", "The redirect URL is not a valid URL.")
	}
	if slices.Contains(s.opts.RedirectURLs, address) || u.Scheme == "http" && u.Hostname() == "localhost" {
		return nil
	}
	return errRedirectNotListed
}

// redirectURL returns where a link of the kind leads: the address given, which
// has passed checkRedirectURL, or the only one that the project lists.
func (s *Server) redirectURL(kind, address string) (string, error) {
	switch {
	case address != "":
		return address, nil
	case len(s.opts.RedirectURLs) == 0:
		return "", newError(http.StatusBadRequest, "no_"+kind+"_redirect_urls_set", "The project has no redirect URL of this kind.")
	case len(s.opts.RedirectURLs) > 1:
		return "", newError(http.StatusBadRequest, "no_default_"+kind+"_redirect_url_set", "The project has no default redirect URL of this kind.")
	}
	return s.opts.RedirectURLs[0], nil
}

// lifetime reads a link's expiration in minutes; nil means the default of its kind.
func lifetime(kind string, minutes *int64) (time.Duration, error) {
	if minutes == nil {
		return defaultLifetimes[kind], nil
	}
	if *minutes < 5 || *minutes > 10080 {
		return 0, errInvalidExpiration
	}
	return time.Duration(*minutes) * time.Minute, nil
}
