package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxAddress is the length of the longest address, in bytes (RFC 5321, 4.5.3.1.3,
// less the brackets).
const MaxAddress = 254

// ParseAddress reads one mailbox: a local part of ASCII letters, digits and
// .!#$%&'*+/=?^_{|}~- (dots only between others) that holds no encoded word
// (RFC 2047), an @, and a host name with a dot, which may be international. There
// are no quotes, comments, display names or second addresses.
//
// Spaces and invisible characters around the address are removed first; inside
// there are none, for an address that has them is not what it looks like.
//
// typed is the address without those around it, key what it is compared by and sent to: in
// lower case, the host name in ASCII.
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
		return false // a mail program would decode it, and send to another address
	}
	for i := range len(local) {
		c := local[i]
		if !isAlphanumeric(c) && strings.IndexByte(".!#$%&'*+/=?^_{|}~-", c) < 0 {
			return false
		}
	}
	return true
}

// asciiHost returns a host name in its ASCII form, in lower case.
func asciiHost(host string) (string, bool) {
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil || len(ascii) > 253 {
		return "", false
	}
	// A few characters have an ASCII form that is no name itself. An address must be
	// read the same again in its compared form.
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
	if strings.Trim(top, "0123456789") == "" { // an IP address, or no top-level domain
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
