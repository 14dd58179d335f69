package openid

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/identity"
)

// Client is what an app needs to sign users in. An app has at most one. Times are UTC.
type Client struct {
	ID                string             // the client_id: the id of the app
	Public            bool               // it can't keep a secret, as programs on users' devices can't; it must use PKCE
	Algorithm         identity.Algorithm // of its ID tokens
	RedirectURIs      []string           // where a sign-in may end, at least one unless it only signs in devices
	PostLogoutURIs    []string           // where a sign-out may end; may be empty
	BackchannelLogout string             // URL to notify when a session ends; may be empty
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// Secret is a secret of a client. Times are UTC.
type Secret struct {
	ID        string // UUIDv7; not secret
	AppID     string
	Hash      string
	Hint      string // its last characters
	CreatedBy string // id of the administrator; empty for the program
	CreatedAt time.Time
	ExpiresAt time.Time // zero for no end
}

// Expired reports whether the secret has ended at a time.
func (s Secret) Expired(now time.Time) bool { return !s.ExpiresAt.IsZero() && !now.Before(s.ExpiresAt) }

// allowsRedirect reports whether a sign-in may end at a URI. It must be equal to one of the client's
// (https://www.rfc-editor.org/rfc/rfc9700#section-2.1). Only the port of a loopback address may
// differ, because a program on the user's device takes a free one
// (https://www.rfc-editor.org/rfc/rfc8252#section-7.3).
func (c Client) allowsRedirect(uri string) bool {
	rest, isLoopback := afterLoopback(uri)
	return slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		if registered == uri {
			return true
		}
		other, wasLoopback := afterLoopback(registered)
		return isLoopback && wasLoopback && rest == other
	})
}

// allowsPostLogout reports whether a sign-out may end at a URI.
func (c Client) allowsPostLogout(uri string) bool { return slices.Contains(c.PostLogoutURIs, uri) }

// loopbackPattern is an http URI of a loopback address, with the address and what follows the port. The
// name localhost isn't an address (https://www.rfc-editor.org/rfc/rfc8252#section-8.3).
var loopbackPattern = regexp.MustCompile(`^http://(127\.0\.0\.1|\[::1\])(?::([1-9][0-9]{0,4}))?(/.*)?$`)

// afterLoopback returns an http URI of a loopback address without its port, as it was written.
// ok is false for any other URI.
func afterLoopback(uri string) (rest string, ok bool) {
	parts := loopbackPattern.FindStringSubmatch(uri)
	if parts == nil {
		return "", false
	}
	if port, err := strconv.Atoi(parts[2]); parts[2] != "" && (err != nil || port > maxPort) {
		return "", false
	}
	return parts[1] + parts[3], true
}

const maxPort = 65535

// Limits of clients.
const (
	MaxURIs    = 20
	MaxURI     = 500 // bytes
	MaxSecrets = 5
)

// ClientInput is a client as typed.
type ClientInput struct {
	Public            bool
	Algorithm         string // RS256, ES256 or empty for RS256
	RedirectURIs      string // one in a line
	PostLogoutURIs    string // one in a line
	BackchannelLogout string // may be empty
}

// Input returns the input that describes the client as it is.
func (c Client) Input() ClientInput {
	return ClientInput{
		Public: c.Public, Algorithm: string(c.Algorithm), RedirectURIs: strings.Join(c.RedirectURIs, "\n"),
		PostLogoutURIs: strings.Join(c.PostLogoutURIs, "\n"), BackchannelLogout: c.BackchannelLogout,
	}
}

// Parse validates the input and returns a client without id and times. The error is a
// *directory.ValidationError.
func (in ClientInput) Parse() (Client, error) {
	fields := map[string]string{}
	c := Client{Public: in.Public, Algorithm: identity.Algorithm(in.Algorithm)}
	if c.Algorithm == "" {
		c.Algorithm = identity.RS256
	}
	if c.Algorithm != identity.RS256 && c.Algorithm != identity.ES256 {
		fields["id_token_signed_response_alg"] = "Choose RS256 or ES256."
	}
	parse := func(field, text string, check func(uri string, public bool) string) []string {
		var list []string
		for line := range strings.Lines(text) {
			uri := strings.TrimSpace(line)
			if uri == "" || slices.Contains(list, uri) {
				continue
			}
			if problem := check(uri, in.Public); problem != "" {
				fields[field] = problem
			}
			list = append(list, uri)
		}
		if len(list) > MaxURIs {
			fields[field] = "At most 20 addresses fit."
		}
		return list
	}
	c.RedirectURIs = parse("redirect_uris", in.RedirectURIs, checkRedirectURI)
	c.PostLogoutURIs = parse("post_logout_redirect_uris", in.PostLogoutURIs, checkRedirectURI)
	c.BackchannelLogout = strings.TrimSpace(in.BackchannelLogout)
	if c.BackchannelLogout != "" {
		if problem := checkWebURI(c.BackchannelLogout); problem != "" {
			fields["backchannel_logout_uri"] = problem
		}
	}
	if len(fields) > 0 {
		return Client{}, &directory.ValidationError{Fields: fields}
	}
	return c, nil
}

// checkRedirectURI returns what is wrong with a URI to which a browser is sent, or "".
func checkRedirectURI(uri string, public bool) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil, !u.IsAbs(), len(uri) > MaxURI, strings.ContainsFunc(uri, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }):
		return "Write each address in full, such as https://wiki.example.com/callback: " + shorten(uri)
	case strings.Contains(uri, "#"):
		return "An address can’t contain #: " + shorten(uri)
	case strings.Contains(uri, "*"):
		return "Write each address in full, without *: " + shorten(uri)
	case u.Scheme == "https" || u.Scheme == "http":
		return checkWebURI(uri)
	case dangerousSchemes[u.Scheme]:
		return "Addresses of this kind can’t be used: " + shorten(uri)
	case u.User != nil:
		return "An address can’t contain a user name: " + shorten(uri)
	case !public:
		return "Only a public client can use an address that opens a program on a device: " + shorten(uri)
	}
	return ""
}

// dangerousSchemes run code or show files in the browser that opens them.
var dangerousSchemes = map[string]bool{
	"javascript": true, "data": true, "vbscript": true, "file": true, "blob": true, "about": true, "view-source": true, "filesystem": true, "intent": true,
	"ws": true, "wss": true, "ftp": true, "mailto": true, "tel": true, "sms": true, "ssh": true, "smb": true,
}

// checkWebURI returns what is wrong with an http or https URI, or "".
func checkWebURI(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.Contains(uri, "#") || len(uri) > MaxURI ||
		strings.ContainsFunc(uri, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }) {
		return "Write the address in full, such as https://wiki.example.com/callback: " + shorten(uri)
	}
	return ""
}

func shorten(uri string) string {
	const max = 60
	if r := []rune(uri); len(r) > max {
		return string(r[:max]) + "…"
	}
	return uri
}
