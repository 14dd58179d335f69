package openid

import (
	"crypto/rand"
	"errors"
	"strings"
)

// User codes have eight of these letters: no vowels, so that they spell no words, and none that look
// like digits (https://www.rfc-editor.org/rfc/rfc8628#section-6.1).
const (
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
)

// ErrUserCodeFormat reports a text that can't be a user code.
var ErrUserCodeFormat = errors.New("not a user code")

// newUserCode returns a random user code without a separator.
func newUserCode() string {
	const fair = 256 - 256%len(userCodeLetters) // bytes from here on would favor some letters
	code := make([]byte, 0, userCodeLength)
	var random [1]byte
	for len(code) < userCodeLength {
		_, _ = rand.Read(random[:]) // never fails
		if int(random[0]) < fair {
			code = append(code, userCodeLetters[int(random[0])%len(userCodeLetters)])
		}
	}
	return string(code)
}

// formatUserCode returns a user code as it is shown, such as WDJB-MJHT.
func formatUserCode(code string) string {
	return code[:userCodeLength/2] + "-" + code[userCodeLength/2:]
}

// parseUserCode returns the user code in a text, in upper or lower case and with separators of any
// kind. Error: ErrUserCodeFormat.
func parseUserCode(text string) (string, error) {
	var code strings.Builder
	for _, c := range strings.ToUpper(text) {
		switch {
		case c < 0x80 && strings.ContainsRune(userCodeLetters, c):
			code.WriteRune(c)
		case strings.ContainsRune(" \t\r\n\u00a0-‐‑‒–—−_.", c):
		default:
			return "", ErrUserCodeFormat
		}
	}
	if code.Len() != userCodeLength {
		return "", ErrUserCodeFormat
	}
	return code.String(), nil
}
