package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/session"
)

// callTimeout bounds each call to Stytch. A search may take nine seconds.
const callTimeout = 15 * time.Second

// retryPauses are the pauses before a call is tried again.
var retryPauses = []time.Duration{2 * time.Second, 20 * time.Second}

// throttledCall makes a call to Stytch when its time has come, and again if Stytch could
// not be reached or wants a pause.
func (p *run) throttledCall(ctx context.Context, fn func(context.Context) error) error {
	for attempt := 0; ; attempt++ {
		if err := retry.Sleep(ctx, min(p.next.Sub(p.opts.Now()), p.opts.Pace)); err != nil { // the clock may have been set back
			return err
		}
		p.next = p.opts.Now().Add(p.opts.Pace)
		bounded, cancel := context.WithTimeout(ctx, callTimeout)
		err := fn(bounded)
		cancel()
		passing := errors.Is(err, session.ErrUnavailable) || errors.Is(err, session.ErrTooMany)
		if !passing || errors.Is(err, outbox.ErrRefused) || attempt == len(retryPauses) {
			return err
		}
		p.opts.Log.Warn("reconcile: call to Stytch is tried again", "error", err)
		if err := retry.Sleep(ctx, retryPauses[attempt]); err != nil {
			return err
		}
	}
}
