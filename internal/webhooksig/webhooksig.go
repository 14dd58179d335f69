// Package webhooksig signs and verifies webhooks as Stytch does. Stytch sends them
// through Svix (https://docs.svix.com/receiving/verifying-payloads/how-manual), whose
// scheme is that of Standard Webhooks with headers named svix-….
package webhooksig

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Key is the secret shared with the sender.
type Key []byte

// Headers holds the values of a webhook's signature headers.
type Headers struct {
	ID        string // svix-id: the same each time a webhook is sent again
	Timestamp string // svix-timestamp: when it was sent, in seconds since 1970
	Signature string // svix-signature: one or more v1,<base64>, separated by spaces; several while the sender's secret is rotated
}

// Errors of Verify.
var (
	ErrIncomplete = errors.New("webhook must have the headers svix-id, svix-timestamp and svix-signature")
	ErrTime       = errors.New("webhook was sent more than five minutes before or after now")
	ErrSignature  = errors.New("webhook is not signed with the secret that is set")
)

const (
	tolerance   = 5 * time.Minute
	maxIDLength = 128 // bytes
)

// ParseKey parses a secret in the form that the sender shows, whsec_<base64>.
func ParseKey(secret string) (Key, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) == 0 {
		return nil, errors.New("no secret of the form whsec_<base64>")
	}
	return key, nil
}

// Verify returns nil if the body was signed with the key at most five minutes before or
// after now. An eavesdropper can replay a webhook within that time, so callers must
// remember its id. Errors: ErrIncomplete, ErrTime, ErrSignature.
func (k Key) Verify(h Headers, body []byte, now time.Time) error {
	seconds, err := strconv.ParseInt(h.Timestamp, 10, 64)
	if err != nil || h.ID == "" || len(h.ID) > maxIDLength || h.Signature == "" {
		return ErrIncomplete
	}
	verifier, err := standardwebhooks.NewWebhookRaw(k)
	if err != nil {
		return err
	}
	headers := http.Header{}
	headers.Set(standardwebhooks.HeaderWebhookID, h.ID)
	headers.Set(standardwebhooks.HeaderWebhookTimestamp, h.Timestamp)
	headers.Set(standardwebhooks.HeaderWebhookSignature, h.Signature)
	// The library compares the timestamp with the system's clock. Checking it here, after the
	// signature, also reveals nothing about this clock to strangers.
	if verifier.VerifyIgnoringTimestamp(body, headers) != nil {
		return ErrSignature
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return ErrTime
	}
	return nil
}

// Sign returns the signature of a webhook sent at the given time, v1,<base64>.
func (k Key) Sign(id string, at time.Time, body []byte) (string, error) {
	signer, err := standardwebhooks.NewWebhookRaw(k)
	if err != nil {
		return "", err
	}
	return signer.Sign(id, at, body)
}
