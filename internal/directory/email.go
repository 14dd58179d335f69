package directory

import (
	"strings"

	"golang.org/x/net/idna"
)

// Email is an address that has passed ParseEmail.
type Email struct {
	Typed string // as typed, without surrounding space
	Key   string // what it is compared by and sent to: lower-cased, the domain in ASCII
}

// String returns the address as typed.
func (e Email) String() string { return e.Typed }

// Domain is the part behind the @ in its compared form.
func (e Email) Domain() string {
	_, domain, _ := strings.Cut(e.Key, "@")
	return domain
}

// MaxEmail is the length of the longest address, in bytes (RFC 5321, 4.5.3.1.3,
// less the brackets).
const MaxEmail = 254

// errEmail is what people read beside the field.
const errEmail = sentence("Enter one e-mail address, like ada@example.com.")

// ParseEmail reads one mailbox by the one grammar that all doors use: a local
// part of ASCII letters, digits, .!#$%&'*+/=?^_{|}~- (dots only between others),
// an @, and a host name with a dot, which may be international. No quotes, no
// comments, no display name, no second address. The error is a sentence for the
// field.
func ParseEmail(s string) (Email, error) {
	typed := strings.TrimSpace(s)
	local, domain, ok := strings.Cut(typed, "@")
	if !ok || len(typed) > MaxEmail || !validLocal(local) {
		return Email{}, errEmail
	}
	ascii, ok := asciiDomain(domain)
	key := strings.ToLower(local) + "@" + ascii
	if !ok || len(key) > MaxEmail {
		return Email{}, errEmail
	}
	return Email{Typed: typed, Key: key}, nil
}

func validLocal(local string) bool {
	if local == "" || len(local) > 64 || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	for i := range len(local) {
		c := local[i]
		if !isAlphanumeric(c) && !strings.ContainsRune(".!#$%&'*+/=?^_{|}~-", rune(c)) {
			return false
		}
	}
	return true
}

// asciiDomain returns a host name in its ASCII form, lower-cased.
func asciiDomain(domain string) (string, bool) {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || len(ascii) > 253 {
		return "", false
	}
	// A few characters, and bytes that are no text, have an ASCII form that is no
	// name itself. An address must be read the same again in its compared form.
	if again, err := idna.Lookup.ToASCII(ascii); err != nil || again != ascii {
		return "", false
	}
	labels := strings.Split(strings.ToLower(ascii), ".")
	if len(labels) < 2 {
		return "", false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
		for i := range len(label) {
			if !isAlphanumeric(label[i]) && label[i] != '-' {
				return "", false
			}
		}
	}
	top := labels[len(labels)-1]
	if strings.Trim(top, "0123456789") == "" { // an IP address, or nothing that can be a top-level domain
		return "", false
	}
	return strings.Join(labels, "."), true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
