package stytchlocal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"regexp"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/ids"
)

// newID returns an id of a kind, like user-test-<uuid>. Ids of one kind sort by
// age, so that lists ordered by id are in the order of making.
func newID(kind string) string { return kind + "-test-" + ids.New() }

// isID reports whether id has the form of ids of the kind.
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

// alphanumeric are the characters of a link's token. Mail programs take - and _ at
// the end of an address for punctuation and leave them out of the link.
const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newToken returns a magic link's token: 44 letters and digits, 262 random bits.
func newToken() string {
	token := make([]byte, 0, 44)
	for len(token) < cap(token) {
		for _, b := range randomBytes(cap(token) - len(token)) {
			if n := int(b & 63); n < len(alphanumeric) { // drops what would favor some of them
				token = append(token, alphanumeric[n])
			}
		}
	}
	return string(token)
}

// sessionToken returns a session's token. It is made from the id with a secret
// key, so that a caller who holds only a session JWT can be told it, although
// the database has no more than its hash.
func (s *Server) sessionToken(sessionID string) string {
	mac := hmac.New(sha512.New, s.project.TokenKey)
	mac.Write([]byte(sessionID))
	return base64.URLEncoding.EncodeToString(mac.Sum(nil)[:33])
}

// lazyRegexp returns a regular expression that is compiled when it is first used, so that
// no start waits for it.
func lazyRegexp(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// tokenForm is the form of link and session tokens. Stytch's sandbox tokens end
// in an equals sign.
var tokenForm = lazyRegexp(`^[A-Za-z0-9_-]{43}[A-Za-z0-9_=-]$`)

func hashToken(token string) string { return digest.SHA256Hex(token) }
