package reconcile

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/safego"
)

// How long after a pass the next one is due, after one that failed too, and about
// how often an instance looks whether one is.
const (
	interval      = 24 * time.Hour
	retryInterval = time.Hour
	pollInterval  = 10 * time.Minute
)

// Daily makes a pass once a day, over all instances together, until ctx ends. If
// apply is set it mends, else it only tells what differs: in the log, and in the
// audit trail by one event with the counts. Nothing that goes wrong ends it.
func (r *Reconciler) Daily(ctx context.Context, apply bool) {
	for retry.Sleep(ctx, pollInterval/2+rand.N(pollInterval)) == nil {
		if err := r.RunIfDue(ctx, apply); err != nil && ctx.Err() == nil {
			r.opts.Log.Error("reconcile: the list was not compared with all of Stytch; tried again in an hour", "error", err)
		}
	}
}

// RunIfDue makes the daily pass if it is due and no other instance has it. A pass that
// fails, or was stopped, is due again in an hour.
func (r *Reconciler) RunIfDue(ctx context.Context, apply bool) error {
	now := r.opts.Now()
	mine, err := r.store.AcquireRun(ctx, now, now.Add(-interval))
	if err != nil || !mine {
		return err
	}
	err = r.runScheduled(ctx, apply)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		if err := r.store.ReleaseRun(ctx, r.opts.Now().Add(retryInterval-interval)); err != nil {
			r.opts.Log.Warn("reconcile: turn not given back; the next is tomorrow", "error", err)
		}
	}
	return err
}

// errPanic: the log says more.
var errPanic = errors.New("panic")

// runScheduled makes a pass and sums it up. A panic is an error like any other.
func (r *Reconciler) runScheduled(ctx context.Context, apply bool) error {
	err := errPanic
	safego.Recover(r.opts.Log, "reconcile", func() { err = r.report(ctx, apply) })
	return err
}

func (r *Reconciler) report(ctx context.Context, apply bool) error {
	counts, err := r.Run(ctx, event.Origin{}, apply, func(d Difference, mended bool) {
		r.opts.Log.Warn("Stytch and the list do not agree",
			"reason", d.Reason(), "user", d.User.ID, "account", d.Account.ID, "mended", mended)
	})
	if err != nil {
		return err
	}
	r.opts.Log.Info("compared with Stytch", "people", counts.People, "accounts", counts.Accounts,
		"differ", counts.Differences(), "mended", counts.Repaired)
	if apply || counts.Differences() == 0 {
		return nil // what was mended has events of its own
	}
	return r.store.AddEvents(ctx, event.New(event.StytchMismatch, r.opts.Now(), "", "", counts.String()+"; not mended"))
}
