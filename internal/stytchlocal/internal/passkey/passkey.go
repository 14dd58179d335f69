// Package passkey makes the options that a browser needs to create and use passkeys, and
// verifies what authenticators answer: https://www.w3.org/TR/webauthn-3/
//
// It keeps no state. The caller stores challenges and credentials, uses each challenge
// once, and compares signature counters.
package passkey

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// ErrMalformed reports that a text is not a credential in the form of a browser's
// PublicKeyCredential.toJSON.
var ErrMalformed = errors.New("not a public key credential")

// Credential is what is stored about a passkey besides its signature counter.
type Credential struct {
	ID             []byte   `json:"id"`
	PublicKey      []byte   `json:"public_key"`  // a COSE key
	UserHandle     []byte   `json:"user_handle"` // the id of the user that the authenticator knows
	Transports     []string `json:"transports,omitempty"`
	UserVerified   bool     `json:"user_verified"`   // at the latest use
	BackupEligible bool     `json:"backup_eligible"` // it may be synchronized between devices; never changes
	BackedUp       bool     `json:"backed_up"`       // at the latest use
}

// Expected is what a response must fit.
type Expected struct {
	Domain           string // the relying party's id
	UserVerification bool   // whether the authenticator must have verified the user
}

// maxDomain is the limit of a host name, in bytes.
const maxDomain = 253

var domainPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// ParseDomain returns a relying party's id in lower case. It must be a host name with a
// dot, or localhost: browsers accept no address, port or scheme.
func ParseDomain(typed string) (domain string, ok bool) {
	domain = strings.ToLower(typed)
	if len(domain) > maxDomain || !domainPattern.MatchString(domain) {
		return "", false
	}
	if _, err := netip.ParseAddr(domain); err == nil {
		return "", false
	}
	return domain, domain == "localhost" || strings.Contains(domain, ".")
}

// isOriginOf reports whether a page of an origin may use passkeys of a relying party, by
// the rules of browsers: the host is the relying party's id or a subdomain of it, and the
// scheme is https, or http on this machine.
func isOriginOf(origin, domain string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if host != domain && !strings.HasSuffix(host, "."+domain) {
		return false
	}
	switch u.Scheme {
	case "https":
		return true
	case "http":
		return host == "localhost" || strings.HasSuffix(host, ".localhost")
	}
	return false
}
