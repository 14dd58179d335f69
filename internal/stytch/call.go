package stytch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// CallObserver is called with the method before each call. The function it returns
// receives the outcome: "ok"; "refused" if Stytch rejects the request, for example because
// a link was used before; "not_mailed" if its mail server did not accept an email;
// "too_many"; "unavailable"; "cancelled" by the caller; or "not_tried" because the circuit
// breaker is open.
type CallObserver func(ctx context.Context, method string) (done func(outcome string))

// callKind says what the failure of a call means.
type callKind int

const (
	refusable  callKind = iota // Stytch may refuse the call
	required                   // a refusal means that the project is misconfigured: Stytch is unavailable
	background                 // like required, and without effect on the circuit breaker: slow searches must not block sign-ins
)

// fairTime is how long a call may take before its timeout counts as Stytch's failure.
const fairTime = 4 * time.Second

// do makes a call to Stytch: fn, which calls the SDK and checks the response. It consults
// the circuit breaker, reports to the observer and translates the error.
func (c *Client) do(ctx context.Context, method string, kind callKind, fn func() error) error {
	done := c.opts.ObserveCall(ctx, method)
	if kind != background && !c.breaker.allow() {
		done("not_tried")
		return fmt.Errorf("stytch: %s: not tried: %w", method, session.ErrUnavailable)
	}
	shortOfTime := isShortOfTime(ctx)
	err := translate(method, fn())
	done(outcome(err))
	if kind != background {
		if shortOfTime && errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || isDatabaseFault(err) {
			c.breaker.ignore()
		} else {
			c.breaker.record(!errors.Is(err, session.ErrUnavailable))
		}
	}
	if kind != refusable && errors.Is(err, outbox.ErrRefused) {
		return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
	}
	return err
}

// isShortOfTime reports whether the context ends before Stytch had a fair chance.
func isShortOfTime(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	left := time.Until(deadline)
	return ok && left > 0 && left < fairTime
}

// isDatabaseFault reports whether a call to the local Stytch failed because of the
// database, which it shares with the program. That says nothing about Stytch.
func isDatabaseFault(err error) bool {
	var fault interface{ DatabaseFault() bool }
	return errors.As(err, &fault) && fault.DatabaseFault()
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, session.ErrUnavailable):
		return "unavailable"
	case errors.Is(err, session.ErrTooMany):
		return "too_many"
	case errors.Is(err, session.ErrNotMailed), errors.Is(err, outbox.ErrUnconfirmed):
		return "not_mailed"
	}
	return "refused"
}
