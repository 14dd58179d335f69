package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxAddress is the maximum length of an address in bytes (RFC 5321, 4.5.3.1.3, without
// the angle brackets).
const MaxAddress = 254

// ParseAddress parses one email address: a local part of ASCII letters, digits and
// .!#$%&'*+/=?^_{|}~- (no dot at either end, no two in a row) without an encoded word
// (RFC 2047), an @, and a host name with a dot, which may be international. Quotes,
// comments, display names and lists are refused.
//
// Surrounding spaces and invisible characters are removed; inside the address they are
// refused, because the address would not be what it looks like.
//
// typed is the trimmed address. key is the form to compare and to send to: lower case, the
// host name in ASCII.
func ParseAddress(s string) (typed, key string, ok bool) {
	typed = strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || IsInvisible(r) })
	local, host, found := strings.Cut(typed, "@")
	if !found || len(typed) > MaxAddress || !isLocalPart(local) || !utf8.ValidString(host) || Clean(host) != host {
		return "", "", false
	}
	ascii, ok := asciiHost(host)
	key = strings.ToLower(local) + "@" + ascii
	if !ok || len(key) > MaxAddress {
		return "", "", false
	}
	return typed, key, true
}

func isLocalPart(local string) bool {
	if local == "" || len(local) > 64 || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	if _, word, ok := strings.Cut(local, "=?"); ok && strings.Contains(word, "?=") {
		return false // mail programs would decode it and send to another address
	}
	for i := range len(local) {
		c := local[i]
		if !isAlphanumeric(c) && strings.IndexByte(".!#$%&'*+/=?^_{|}~-", c) < 0 {
			return false
		}
	}
	return true
}

// asciiHost returns a host name in lower-case ASCII.
func asciiHost(host string) (string, bool) {
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil || len(ascii) > 253 {
		return "", false
	}
	// Some characters have an ASCII form that is not a valid name. The key must parse to
	// itself.
	if again, err := idna.Lookup.ToASCII(ascii); err != nil || again != ascii {
		return "", false
	}
	labels := strings.Split(strings.ToLower(ascii), ".")
	if len(labels) < 2 {
		return "", false
	}
	for _, label := range labels {
		if !isLabel(label) {
			return "", false
		}
	}
	top := labels[len(labels)-1]
	if strings.Trim(top, "0123456789") == "" { // an IP address
		return "", false
	}
	return strings.Join(labels, "."), true
}

func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		if !isAlphanumeric(label[i]) && label[i] != '-' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
