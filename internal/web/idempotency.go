package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/idempotency"
)

// retryInProgress is the Retry-After for a request that is still in progress under the same key.
// Most take less.
const retryInProgress = time.Second

// idempotentOperation is a POST of the API that changes one thing: a user, a group or an app. The
// change and the response are separate, so that a request that was cut off in between is answered
// without being repeated.
type idempotentOperation[T any] struct {
	run     func(*http.Request) (T, error)
	find    func(ctx context.Context, id string) (T, error)
	respond func(*http.Request, T) (idempotency.Response, error)
}

// idempotent returns a handler that may be called again with the same Idempotency-Key.
func idempotent[T any](s *server, k idempotentOperation[T]) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := serveIdempotent(s, r, k)
		if errors.Is(err, idempotency.ErrInProgress) {
			setRetryAfter(w, retryInProgress)
		}
		if err != nil {
			return err
		}
		if a.Location != "" {
			w.Header().Set("Location", a.Location)
		}
		writeResponse(w, a.Status, jsonType, []byte(a.Body))
		return nil
	}
}

// serveIdempotent returns the response saved under the request's key, or runs the operation.
func serveIdempotent[T any](s *server, r *http.Request, k idempotentOperation[T]) (idempotency.Response, error) {
	claim, found, err := s.claimKey(r)
	if err != nil || found.Answer.Status != 0 {
		return found.Answer, err
	}
	stateOf(r).actor.Claim = claim
	var changed T
	if found.UserID == "" {
		changed, err = k.run(r)
	} else {
		changed, err = k.find(r.Context(), found.UserID)
	}
	var a idempotency.Response
	if err == nil {
		a, err = k.respond(r, changed)
	}
	s.finishKey(r, claim, a, err)
	return a, err
}

// claimKey claims the request's key, if it has one, and returns what was saved under it.
func (s *server) claimKey(r *http.Request) (idempotency.Claim, idempotency.Result, error) {
	header, given := r.Header["Idempotency-Key"]
	if !given {
		return idempotency.Claim{}, idempotency.Result{}, nil
	}
	body, err := readJSONBody(r)
	if err != nil {
		return idempotency.Claim{}, idempotency.Result{}, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	claim, err := idempotency.NewClaim(viewer(r).UserID, r.Pattern, header, body)
	if err != nil {
		return claim, idempotency.Result{}, err
	}
	found, err := s.opts.Idempotency.ClaimKey(r.Context(), claim, s.opts.Now())
	return claim, found, err
}

// finishKey saves the response under the request's key, also if the client is gone. A response of
// 500 or above is not saved. After an error, the change is kept and the next request only builds
// the response; a response that says the change failed resets the key, so that the next
// request tries again.
func (s *server) finishKey(r *http.Request, c idempotency.Claim, a idempotency.Response, err error) {
	if c == (idempotency.Claim{}) {
		return
	}
	if err != nil {
		a = marshalResponse(jsonErrorOf(err))
	}
	ctx := context.WithoutCancel(r.Context())
	var saveErr error
	switch {
	case errors.Is(err, directory.ErrNotFresh): // nothing was changed, and the user can confirm it's them
		saveErr = s.opts.Idempotency.ResetKey(ctx, c)
	case a.Status < http.StatusInternalServerError:
		saveErr = s.opts.Idempotency.SaveResponse(ctx, c, a)
	case err != nil:
		saveErr = s.opts.Idempotency.ReleaseKey(ctx, c)
	default:
		saveErr = s.opts.Idempotency.ResetKey(ctx, c)
	}
	if saveErr != nil { // the key's lease expires, and the change itself is recorded
		s.opts.Log.Warn("response not saved", "error", saveErr, "request_id", requestID(r))
	}
}
