package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/safego"
)

const (
	interval      = 24 * time.Hour   // from one run to the next
	retryInterval = time.Hour        // after a failed run
	pollInterval  = 10 * time.Minute // average time between checks whether a run is due
)

// Daily runs once a day, on one of all instances, until ctx ends. If apply is not set,
// differences are only reported: in the log, and with one event in the audit log. Failures
// are logged.
func (r *Reconciler) Daily(ctx context.Context, apply bool) {
	poll := backoff.ExponentialBackOff{InitialInterval: pollInterval, MaxInterval: pollInterval, Multiplier: 1, RandomizationFactor: 0.5}
	poll.Reset()
	for retry.Sleep(ctx, poll.NextBackOff()) == nil {
		if err := r.RunIfDue(ctx, apply); err != nil && ctx.Err() == nil {
			r.log.Error("comparison with Stytch failed; it will be retried in an hour", "error", err)
		}
	}
}

// RunIfDue makes the daily run if it is due and no other instance does. After a failure
// or a stop, the run is due again in an hour.
func (r *Reconciler) RunIfDue(ctx context.Context, apply bool) error {
	now := r.opts.Now()
	acquired, err := r.store.AcquireRun(ctx, now, now.Add(-interval))
	if err != nil || !acquired {
		return err
	}
	err = errors.New("panic") // unless replaced below; safego logs the details
	safego.Recover(r.log, "reconcile", func() { err = r.runAndReport(ctx, apply) })
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		if err := r.store.ReleaseRun(ctx, r.opts.Now().Add(retryInterval-interval)); err != nil {
			r.log.Warn("run not rescheduled; the next is tomorrow", "error", err)
		}
	}
	return err
}

func (r *Reconciler) runAndReport(ctx context.Context, apply bool) error {
	counts, err := r.Run(ctx, event.Origin{}, apply, func(d Difference, repaired bool) {
		r.log.Warn("Stytch and the directory differ", "reason", d.Reason(), "user", d.User.ID, "account", d.Account.ID, "repaired", repaired)
	})
	if err != nil {
		return err
	}
	r.log.Info("compared with Stytch", "users", counts.Users, "accounts", counts.Accounts,
		"differences", counts.Differences(), "repaired", counts.Repaired)
	if apply || counts.Differences() == 0 {
		return nil // repairs have their own events
	}
	return r.store.AddEvents(ctx, event.New(event.StytchMismatch, r.opts.Now(), "", "", counts.String()+"; not mended"))
}
