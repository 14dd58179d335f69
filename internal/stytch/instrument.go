package stytch

import (
	"context"
	"errors"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// CallObserver is told of each call by its method, before, and returns whom to tell the
// outcome: "ok"; "refused", where Stytch says no, to a link that was used as to
// anything; "not_mailed", where its mail server did not take a mail; "too_many"; "unavailable"; "cancelled", by whoever asked; or "not_tried",
// because it failed so often of late.
type CallObserver func(ctx context.Context, method string) (done func(outcome string))

// observe makes a call, gives the error its meaning, and tells whoever watches.
func (c *Client) observe(ctx context.Context, method string, fn func() error) error {
	if c.Watch == nil {
		return translate(method, fn())
	}
	done := c.Watch(ctx, method)
	err := translate(method, fn())
	done(outcome(err))
	return err
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
