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

// retryInProgress is how long who asks for a request that is under way is to wait:
// most are done sooner.
const retryInProgress = time.Second

// idempotentOperation is what a POST of the API does to one person, and what is answered when it
// is done. They are two so that a request whose work was done before, but that was
// cut off before its answer, is answered without being done again.
type idempotentOperation struct {
	run     func(*http.Request) (directory.User, error)
	respond func(*http.Request, directory.User) (idempotency.Response, error)
}

// idempotent is a POST of the API that may be sent again with the same Idempotency-Key.
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

// serveIdempotent returns the answer that was given under the request's key, or works.
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

// claimKey claims the request's key, if it has one, and says what was found under it.
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

// finishKey ends a request's hold on its key, also where the client has gone. An
// answer of 500 and more is not the last word, and is not kept: after an error,
// what was done stays done, and the next request goes on from there; where the
// answer is that it was in vain, the next is a new try.
func (s *server) finishKey(r *http.Request, c idempotency.Claim, a idempotency.Response, err error) {
	if c == (idempotency.Claim{}) {
		return
	}
	if err != nil {
		a = marshalResponse(jsonErrorOf(err))
	}
	ctx, settled := context.WithoutCancel(r.Context()), error(nil)
	switch {
	case a.Status < http.StatusInternalServerError:
		settled = s.opts.Idempotency.SaveResponse(ctx, c, a)
	case err != nil:
		settled = s.opts.Idempotency.ReleaseKey(ctx, c)
	default:
		settled = s.opts.Idempotency.ResetKey(ctx, c)
	}
	if settled != nil { // the key is free when its lease is over, and what was done is noted with what was done
		s.opts.Log.Warn("web: answer not kept", "error", settled, "request_id", requestID(r))
	}
}
