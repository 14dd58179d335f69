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

// idempotentOperation is a POST of the API that changes one user. The change and the response are
// separate, so that a request that was cut off in between is answered without being repeated.
type idempotentOperation struct {
	run     func(*http.Request) (directory.User, error)
	respond func(*http.Request, directory.User) (idempotency.Response, error)
}

// idempotent returns a handler that may be called again with the same Idempotency-Key.
func (s *server) idempotent(k idempotentOperation) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := s.serveIdempotent(r, k)
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
func (s *server) serveIdempotent(r *http.Request, k idempotentOperation) (idempotency.Response, error) {
	claim, found, err := s.claimKey(r)
	if err != nil || found.Answer.Status != 0 {
		return found.Answer, err
	}
	stateOf(r).actor.Claim = claim
	var u directory.User
	if found.UserID == "" {
		u, err = k.run(r)
	} else {
		u, err = s.opts.Directory.GetUser(r.Context(), found.UserID)
	}
	var a idempotency.Response
	if err == nil {
		a, err = k.respond(r, u)
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
