// Package webhooksig checks that a webhook was signed in the way of Svix, through whom
// Stytch sends its own: https://docs.svix.com/receiving/verifying-payloads/how-manual.
// It knows nothing of what webhooks say, and remembers none.
package webhooksig

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Key is the secret shared with the sender.
type Key []byte

// Headers is what the headers of a webhook say.
type Headers struct {
	ID        string // svix-id: the same each time a webhook is sent again
	Timestamp string // svix-timestamp: when it was sent, in seconds since 1970
	Signature string // svix-signature: one or more v1,<base64>, with spaces between
}

// Errors of Verify.
var (
	ErrIncomplete = errors.New("webhook must have the headers svix-id, svix-timestamp and svix-signature")
	ErrTime       = errors.New("webhook was sent more than five minutes before or after now")
	ErrSignature  = errors.New("webhook is not signed with the secret that is set")
)

const (
	tolerance = 5 * time.Minute
	maxID     = 128 // bytes
)

// ParseKey reads a secret as the sender shows it, whsec_<base64>.
func ParseKey(secret string) (Key, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) == 0 {
		return nil, errors.New("no secret of the form whsec_<base64>")
	}
	return key, nil
}

// Verify returns nil if a webhook with this body was signed with the key, at most
// five minutes ago or ahead. Whoever can overhear one can send it again in that
// time: remember the id. Errors: ErrIncomplete, ErrTime, ErrSignature.
func (k Key) Verify(s Headers, body []byte, now time.Time) error {
	seconds, err := strconv.ParseInt(s.Timestamp, 10, 64)
	if err != nil || s.ID == "" || len(s.ID) > maxID || s.Signature == "" {
		return ErrIncomplete
	}
	// The signature comes first: what is told of the clock is told to the sender alone.
	if !k.hasValidSignature(s, body) {
		return ErrSignature
	}
	if sent := time.Unix(seconds, 0); sent.Before(now.Add(-tolerance)) || sent.After(now.Add(tolerance)) {
		return ErrTime
	}
	return nil
}

// hasValidSignature reports whether one of the signatures is right. There are several while
// the secret is being changed.
func (k Key) hasValidSignature(s Headers, body []byte) bool {
	want := k.Sign(s.ID, s.Timestamp, body)
	for _, signature := range strings.Fields(s.Signature) {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return true
		}
	}
	return false
}

// Sign returns the signature of a webhook, v1,<base64>.
func (k Key) Sign(id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, k)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
