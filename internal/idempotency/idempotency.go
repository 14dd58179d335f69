// Package idempotency implements idempotency keys: a request that is sent again with the
// same key isn't executed again but gets the first response
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
//
// A request claims its key first. The transaction of its change records what it changed, a
// user, group or app, with the claim, so that after a crash before the response, the next
// request with the key finds that and only responds. A request whose claim was taken over
// by another one can't write. The claim is part of the directory.Actor of the change.
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
	// Retention is how long a key and its response are kept after the first request.
	Retention = 24 * time.Hour
	// Lease is how long a request holds its key before another one may take it over.
	// It is longer than any request takes.
	Lease = 30 * time.Second
	// MaxKey is the maximum length of a key.
	MaxKey = 255
)

// Errors of keys.
var (
	ErrKey        = errors.New("Idempotency-Key must be one of 1 to 255 printable ASCII characters")
	ErrReused     = errors.New("this Idempotency-Key came with another body before: use a new one for another request")
	ErrInProgress = errors.New("a request with this Idempotency-Key is still under way: try again in a moment")
)

// Claim is a request's claim on its key. It is zero for a request without a key.
type Claim struct {
	ID          string // hash of the user, the route and the key
	Fingerprint string // hash of the body
	Lease       string // random, identifies this request
}

// NewClaim returns a claim for a user's request to a route. header has the values of
// the request's Idempotency-Key header. It returns ErrKey if the key is invalid.
func NewClaim(userID, route string, header []string, body []byte) (Claim, error) {
	if len(header) != 1 || header[0] == "" || len(header[0]) > MaxKey || strings.ContainsFunc(header[0], func(c rune) bool { return c < ' ' || c > '~' }) {
		return Claim{}, ErrKey
	}
	return Claim{
		ID: digest.SHA256Hex(userID + "\x00" + route + "\x00" + header[0]), Fingerprint: digest.SHA256Hex(body), Lease: rand.Text(),
	}, nil
}

// Response is the response to a request.
type Response struct {
	Status   int // 0 if there is no response yet
	Location string
	Body     string // JSON
}

// Result is the result of earlier requests with a key.
type Result struct {
	Answer Response // to be sent again; zero if there is none
	UserID string   // if there is no response, the id of the user, group or app that a request has changed; empty if none has
}

// Store stores keys and responses for all instances. Errors wrap ErrReused,
// ErrInProgress or directory.ErrUnavailable.
type Store interface {
	// ClaimKey claims a key for c, unless there is a response. An expired key counts as
	// new.
	ClaimKey(ctx context.Context, c Claim, now time.Time) (Result, error)
	// SaveResponse ends a request with a response. ReleaseKey ends it without one, but
	// keeps the changed user. ResetKey deletes the key. All three do nothing if another
	// request has taken over the key.
	SaveResponse(ctx context.Context, c Claim, r Response) error
	ReleaseKey(ctx context.Context, c Claim) error
	ResetKey(ctx context.Context, c Claim) error
}
