package stytchlocal

import (
	"net/http"
	"net/url"
	"slices"
)

// checkRedirectURL refuses an address that a link may not lead to. An empty address stands
// for the project's default.
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

// redirectURL returns a checked address or, if it is empty, the project's only redirect
// URL.
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
