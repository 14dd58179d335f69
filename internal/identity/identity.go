// Package identity tells protected apps who is signed in: the headers of a request and the
// signed JWT among them, the keys that sign it, and the rules for headers that visitors forge.
//
// Forward auth and the built-in proxy use the same [Signer], so an app receives the same
// whatever is in front of it. docs/identity.md describes it for app developers.
package identity

import (
	"strings"

	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/directory"
)

// Identity describes to one app a signed-in user or a program with an app token.
type Identity struct {
	AppID     string   `json:"aud"` // required
	UserID    string   `json:"sub"` // required; a program without a user has the id of its token
	Email     string   `json:"email,omitempty"`
	Name      string   `json:"name,omitempty"`
	Handle    string   `json:"preferred_username,omitempty"` // see Handle
	Groups    []string `json:"groups"`
	SessionID string   `json:"sid,omitempty"` // empty for a program
}

// Of returns the identity of a user in a session. A user without a name is called by their
// address.
func Of(u directory.User, appID string, groups []string, sessionID string) Identity {
	return Identity{
		AppID: appID, UserID: u.ID, Email: u.Email.Normalized, Name: u.DisplayName(), Handle: Handle(u.Email),
		Groups: groups, SessionID: sessionID,
	}
}

// maxHandle is the maximum length of a handle. Gitea allows 40 characters and FreshRSS 39,
// the least of the tools that were looked at.
const maxHandle = 39

// Handle returns a user name for apps that don't accept an address as one. It is unique, and
// the same for the same address for all time: the address with _ instead of @, as in
// ada_example.com.
//
// This is unique because a host name contains no underscore, so the last one is where the @
// was. An address that would make a bad user name, because of its length or of characters
// other than letters, digits and single . _ - between them, is shortened to those, and 80
// bits of its SHA-256 digest are appended. The digest has no dot and a host name has one, so
// the two kinds can't be equal.
func Handle(email directory.Email) string {
	local, host, _ := strings.Cut(email.Normalized, "@")
	if plain := local + "_" + host; len(plain) <= maxHandle && plain == simplify(plain) {
		return plain
	}
	const digits = 20
	name := simplify(local)
	name = strings.TrimRight(name[:min(len(name), maxHandle-digits-1)], "._-")
	if name == "" {
		name = "user"
	}
	return name + "_" + digest.SHA256Hex(email.Normalized)[:digits]
}

// simplify returns the letters, digits and single . _ - between them of a text in lower case.
func simplify(s string) string {
	var b strings.Builder
	separator := byte(0) // seen since the last letter or digit
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			if separator != 0 && b.Len() > 0 {
				b.WriteByte(separator)
			}
			separator = 0
			b.WriteByte(c)
		case separator != 0:
		case strings.IndexByte("._-", c) >= 0:
			separator = c
		default:
			separator = '-'
		}
	}
	return b.String()
}
