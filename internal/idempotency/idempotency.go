// Package idempotency has a request that a program sends again, because it does
// not know what became of it, do its work once: the request bears a key that the
// program made up, and the same key gets the answer that was given first
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
//
// A request claims its key before it works. What it does notes the claim in its
// own transaction, so that the work is done and known to be, or neither: after a
// crash between the work and the answer, the next request with the key finds
// whom the work was about, and only answers. A request whose claim was taken by
// another writes nothing. The claim is part of the directory.Actor that makes the
// change.
package idempotency

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/digest"
)

const (
	// Retention is how long a key and its answer are kept, from the first request on.
	Retention = 24 * time.Hour
	// Lease is how long a request may be at its key before another takes it over:
	// longer than any works. Nothing depends on it but how soon that is.
	Lease = 30 * time.Second
	// MaxKey is the length of the longest key.
	MaxKey = 255
)

// Errors of keys. Callers tell them apart with errors.Is.
var (
	ErrKey        = errors.New("Idempotency-Key must be one of 1 to 255 printable ASCII characters")
	ErrReused     = errors.New("this Idempotency-Key came with another body before: use a new one for another request")
	ErrInProgress = errors.New("a request with this Idempotency-Key is still under way: try again in a moment")
)

// Claim is a request's hold on its key. The zero Claim is that of a request
// without one.
type Claim struct {
	ID          string // hash of who sends it, the route and the key
	Fingerprint string // hash of the body
	Lease       string // made up for this request
}

// NewClaim returns a claim on the key in a header's values, for a person's
// request to a route; the key counts as it is written. Errors: ErrKey.
func NewClaim(person, route string, header []string, body []byte) (Claim, error) {
	if len(header) != 1 || header[0] == "" || len(header[0]) > MaxKey || strings.ContainsFunc(header[0], func(c rune) bool { return c < ' ' || c > '~' }) {
		return Claim{}, ErrKey
	}
	return Claim{
		ID: digest.SHA256Hex(person + "\x00" + route + "\x00" + header[0]), Fingerprint: digest.SHA256Hex(body), Lease: rand.Text(),
	}, nil
}

// Response is what is answered to a request, in JSON.
type Response struct {
	Status   int // 0: there is no answer yet
	Location string
	Body     string
}

// Result is what earlier requests with a key have left.
type Result struct {
	Answer Response // to be given again
	UserID string   // or else whom the work was about that is done already; empty: nothing is
}

// Store keeps keys and answers, for all instances. Errors wrap ErrReused,
// ErrUnderWay or directory.ErrUnavailable.
type Store interface {
	// ClaimKey has a request begin, unless there is an answer already. A key whose
	// time is over counts as new.
	ClaimKey(ctx context.Context, c Claim, now time.Time) (Result, error)
	// SaveResponse ends a request with an answer, ReleaseKey without one: what it has
	// done stays known. ResetKey makes the key as new. All three do nothing where
	// another request has taken the key.
	SaveResponse(ctx context.Context, c Claim, a Response) error
	ReleaseKey(ctx context.Context, c Claim) error
	ResetKey(ctx context.Context, c Claim) error
}
