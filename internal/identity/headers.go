package identity

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
)

// The headers that describe the signed-in user to an app. Values are ASCII.
const (
	UserHeader   = "Remote-User"     // the handle
	EmailHeader  = "Remote-Email"    // the address in lower case
	NameHeader   = "Remote-Name"     // percent-encoded
	GroupsHeader = "Remote-Groups"   // names, percent-encoded and separated by commas
	JWTHeader    = "X-Guestlist-Jwt" // signed; contains all of the above
)

// HeaderNames are the names of all identity headers, in canonical form.
var HeaderNames = []string{UserHeader, EmailHeader, NameHeader, GroupsHeader, JWTHeader}

// maxText is the length of name, address and groups together beyond which groups are left out.
// The JWT repeats them, and by default nginx refuses an answer whose headers are longer than 4 KB.
const maxText = 900

// Headers returns the identity headers, with a signed JWT. Headers without a value are left
// out. Callers must not change them: like the JWT, they are the same for half a minute. The
// error is that of Mint.
func (s *Signer) Headers(_ context.Context, id Identity) (http.Header, error) {
	signed, err := s.describe(id)
	return signed.headers, err
}

// newHeaders returns the identity headers with a JWT.
func newHeaders(id Identity, token string) http.Header {
	h := make(http.Header, len(HeaderNames))
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	groups, _ := fitGroups(id)
	for i, name := range groups {
		groups[i] = percentEncode(name, ',')
	}
	set(UserHeader, percentEncode(id.Handle, 0))
	set(EmailHeader, percentEncodeNonASCII(id.Email))
	set(NameHeader, percentEncode(id.Name, 0))
	set(GroupsHeader, strings.Join(groups, ","))
	set(JWTHeader, token)
	return h
}

// fitGroups returns the names of an identity's groups in order, as many as fit, and whether that
// is all of them.
func fitGroups(id Identity) (fitting []string, all bool) {
	sorted := slices.Sorted(slices.Values(id.Groups))
	length := len(percentEncode(id.Name, 0)) + len(id.Email)
	for i, name := range sorted {
		if length += len(percentEncode(name, ',')) + 1; length > maxText {
			return sorted[:i], false
		}
	}
	return sorted, true
}

// percentEncode encodes each byte that is not printable ASCII, the percent sign and one other
// character, so that decoding always returns the text.
func percentEncode(s string, other byte) string {
	return encodeBytes(s, func(c byte) bool { return c < ' ' || c > '~' || c == '%' || c == other })
}

// percentEncodeNonASCII is for addresses, which are ASCII and may contain a percent sign.
func percentEncodeNonASCII(s string) string {
	return encodeBytes(s, func(c byte) bool { return c < ' ' || c > '~' })
}

func encodeBytes(s string, isEncoded func(byte) bool) string {
	const hex = "0123456789ABCDEF"
	plain := 0
	for plain < len(s) && !isEncoded(s[plain]) {
		plain++
	}
	if plain == len(s) {
		return s // most are, and this runs for every request to an app
	}
	var b strings.Builder
	b.WriteString(s[:plain])
	for i := plain; i < len(s); i++ {
		c := s[i]
		if !isEncoded(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// StripHeaders removes from a request for an app everything that the app might take for an
// identity or that is meant for Guestlist: identity headers, all others that begin with
// Remote- or X-Guestlist-, and those with the same letters but other separators or none.
func StripHeaders(h http.Header) {
	for name := range h {
		if _, reserved := reservedName(name); reserved {
			delete(h, name)
		}
	}
}

// Aliases returns the names of headers that have the letters of an identity header or of one
// that begins with X-Guestlist-, with other separators or none: Remote_User, Remote.User,
// RemoteUser. Many servers don't tell them apart, and proxies that remove a forged
// Remote-User pass them on. It returns nil if there are none.
func Aliases(h http.Header) []string {
	var found []string
	for name := range h {
		if proper, reserved := reservedName(name); reserved && !proper {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// reservedName reports whether a header is one that StripHeaders removes, and whether it is
// spelled properly, which is true unless it is one of Aliases.
func reservedName(name string) (proper, reserved bool) {
	first := strings.IndexFunc(name, isAlphanumeric)
	if first < 0 || strings.IndexByte("rRxX", name[first]) < 0 {
		return true, false // nearly all headers
	}
	var buffer [64]byte // on the stack: this runs for every request
	letters := AppendLetters(buffer[:0], name)
	if header, found := headerByLetters[string(letters)]; found {
		return strings.EqualFold(name, header), true
	}
	if bytes.HasPrefix(letters, []byte("xguestlist")) {
		return hasPrefixFold(name, "x-guestlist-") && !strings.ContainsFunc(name, isOtherSeparator), true
	}
	const remote = "remote"
	return true, hasPrefixFold(name, remote) && len(name) > len(remote) && !isAlphanumeric(rune(name[len(remote)]))
}

// headerByLetters has the identity headers by their letters.
var headerByLetters = func() map[string]string {
	byLetters := map[string]string{}
	for _, header := range HeaderNames {
		byLetters[string(AppendLetters(nil, header))] = header
	}
	return byLetters
}()

// AppendLetters appends the letters and digits of a header's name in lower case: what many
// servers compare names by.
func AppendLetters(to []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		if !isAlphanumeric(rune(c)) {
			continue
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func isOtherSeparator(r rune) bool { return r != '-' && !isAlphanumeric(r) }

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
