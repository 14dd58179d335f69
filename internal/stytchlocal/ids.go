package stytchlocal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/ids"
)

// newID returns an id of a kind, such as user-test-<uuid>. Ids of one kind sort by their
// time of creation.
func newID(kind string) string { return kind + "-test-" + ids.New() }

func isID(kind, id string) bool {
	tail, ok := strings.CutPrefix(id, kind+"-test-")
	if !ok {
		tail, ok = strings.CutPrefix(id, kind+"-live-")
	}
	return ok && len(tail) == 36 && uuid.Validate(tail) == nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// alphanumeric are the characters of a link's token. Mail programs take - and _ at the end
// of an address for punctuation and leave them out of the link.
const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newToken returns the token of a link: 44 letters and digits, 262 random bits.
func newToken() string {
	token := make([]byte, 0, 44)
	for len(token) < cap(token) {
		for _, b := range randomBytes(cap(token) - len(token)) {
			if n := int(b & 63); n < len(alphanumeric) { // rejects the values that would make some characters more likely
				token = append(token, alphanumeric[n])
			}
		}
	}
	return string(token)
}

// sessionToken returns the token of a session. It is derived from the id with a secret key:
// a caller who has only a session JWT gets it back, although the database has only its
// hash.
func (s *Server) sessionToken(sessionID string) string {
	mac := hmac.New(sha512.New, s.project.TokenKey)
	mac.Write([]byte(sessionID))
	return base64.URLEncoding.EncodeToString(mac.Sum(nil)[:33])
}

// tokenPattern matches link and session tokens. Stytch's sandbox tokens end in an equals
// sign.
var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}[A-Za-z0-9_=-]$`)

func hashToken(token string) string { return digest.SHA256Hex(token) }
