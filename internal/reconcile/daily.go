package reconcile

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/guestlist/guestlist/internal/background"
	"github.com/guestlist/guestlist/internal/event"
)

// How long after a pass the next one is due, after one that failed too, and about
// how often an instance looks whether one is.
const (
	day       = 24 * time.Hour
	afterFail = time.Hour
	lookEvery = 10 * time.Minute
)

// Daily makes a pass once a day, over all instances together, until ctx ends. If
// apply is set it mends, else it only tells what differs: in the log, and in the
// audit trail by one event with the counts. Nothing that goes wrong ends it.
func (r *Reconciler) Daily(ctx context.Context, apply bool) {
	for wait(ctx, lookEvery/2+rand.N(lookEvery)) == nil {
		if err := r.Turn(ctx, apply); err != nil && ctx.Err() == nil {
			r.Log.Error("reconcile: the list was not compared with all of Stytch; tried again in an hour", "error", err)
		}
	}
}

// Turn makes the daily pass if it is due and no other instance has it. A pass that
// fails, or was stopped, is due again in an hour.
func (r *Reconciler) Turn(ctx context.Context, apply bool) error {
	now := r.Now()
	mine, err := r.store.TakeTurn(ctx, now, now.Add(-day))
	if err != nil || !mine {
		return err
	}
	err = r.turn(ctx, apply)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		if err := r.store.GiveBackTurn(ctx, r.Now().Add(afterFail-day)); err != nil {
			r.Log.Warn("reconcile: turn not given back; the next is tomorrow", "error", err)
		}
	}
	return err
}

// errPanic: the log says more.
var errPanic = errors.New("panic")

// turn makes a pass and sums it up. A panic is an error like any other.
func (r *Reconciler) turn(ctx context.Context, apply bool) error {
	err := errPanic
	background.Safely(r.Log, "reconcile", func() { err = r.report(ctx, apply) })
	return err
}

func (r *Reconciler) report(ctx context.Context, apply bool) error {
	counts, err := r.Run(ctx, apply, func(d Difference, mended bool) {
		r.Log.Warn("Stytch and the list do not agree",
			"reason", d.Reason(), "user", d.User.ID, "account", d.Account.ID, "mended", mended)
	})
	if err != nil {
		return err
	}
	r.Log.Info("compared with Stytch", "people", counts.People, "accounts", counts.Accounts,
		"differ", counts.Differences(), "mended", counts.Mended)
	if apply || counts.Differences() == 0 {
		return nil // what was mended has events of its own
	}
	return r.store.AddEvents(ctx, event.New(event.StytchDiffers, r.Now(), "", "", counts.String()+"; not mended"))
}
