package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/safego"
)

// The worker's times. The lease outlives the call, so that a job is never with
// two instances while the first is still at it.
const (
	callTimeout  = 8 * time.Second
	leaseTime    = 20 * time.Second
	pollInterval = 5 * time.Second
	minBackoff   = 2 * time.Second
	maxBackoff   = 10 * time.Minute
	workers      = 4

	maxUnconfirmedAttempts = 3 // a mail each, perhaps
)

// Options are the dependencies of a Worker.
type Options struct {
	Store    Store
	Accounts Accounts
	Mailer   Mailer // sends notices; may be nil, in which case they are parked
	Now      func() time.Time
	Log      *slog.Logger
}

// Worker executes jobs: in the background while Run runs, and at once for one
// subject by Deliver.
type Worker struct {
	store    Store
	accounts Accounts
	mailer   Mailer
	now      func() time.Time
	log      *slog.Logger
	wake     chan struct{}
	calls    sync.WaitGroup
}

// NewWorker returns a Worker. It does nothing until Run or Deliver is called.
func NewWorker(o Options) *Worker {
	return &Worker{
		store: o.Store, accounts: o.Accounts, mailer: o.Mailer, now: o.Now, log: o.Log, wake: make(chan struct{}, workers),
	}
}

// Run carries out jobs as they fall due, until ctx ends; it returns when the
// calls under way are done.
func (w *Worker) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				if found, _ := w.processNext(ctx, ""); found {
					continue
				}
				select {
				case <-ctx.Done():
				case <-w.wake:
				case <-time.After(pollInterval):
				}
			}
		})
	}
	all.Wait()
	w.calls.Wait()
}

// Wake tells the worker that there is something new to do.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // enough of them are awake already
	}
}

// Deliver carries out what is waiting for the subject and returns when that is
// done or ctx ends; what was begun goes on by itself then.
func (w *Worker) Deliver(ctx context.Context, subject string) {
	done := make(chan struct{})
	w.calls.Go(func() {
		defer close(done)
		for more := true; more; {
			_, more = w.processNext(context.WithoutCancel(ctx), subject)
		}
	})
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// processNext carries out one job: of the subject, or any that is due. It reports
// whether there was one, and whether that one is done; neither after a panic.
func (w *Worker) processNext(ctx context.Context, subject string) (found, done bool) {
	safego.Recover(w.log, "outbox", func() { found, done = w.process(ctx, subject) })
	return found, done
}

func (w *Worker) process(ctx context.Context, subject string) (found, done bool) {
	now := w.now()
	job, err := w.store.LeaseJob(ctx, subject, now, now.Add(leaseTime))
	if errors.Is(err, ErrNoJob) {
		return false, false
	}
	if err != nil {
		if ctx.Err() == nil {
			w.log.Error("outbox: no job could be leased", "error", err)
		}
		return false, false
	}
	if job.Gone { // no mail leaves for somebody who was removed
		if err := w.store.FinishJob(ctx, job.ID); err != nil {
			w.log.Error("outbox: a mail to somebody removed is not deleted yet", "job", job.ID, "error", err)
			return true, false
		}
		return true, true
	}
	// A call that was begun is brought to its end also while the program stops.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	stytchID, callErr := "", error(panicError{})
	safego.Recover(w.log, "outbox", func() { stytchID, callErr = w.call(ctx, job) })
	cancel()
	if err := w.recordResult(job, stytchID, callErr); err != nil {
		w.log.Error("outbox: outcome not noted; the call will be repeated", "job", job.ID, "kind", job.Kind, "error", err)
		return true, false
	}
	return true, callErr == nil
}

// panicError is the error of a call that panicked: an error like any other, so that the
// job comes back later and later and an administrator sees it.
type panicError struct{}

func (panicError) Error() string  { return "the call panicked" }
func (panicError) Reason() string { return "Guestlist failed at it by itself; its log says how." }

// call makes the job's call; for an invitation it returns the Stytch user id.
func (w *Worker) call(ctx context.Context, job Job) (string, error) {
	switch job.Kind {
	case Invite:
		return w.accounts.Invite(ctx, job.Subject, job.Name, job.Actor)
	case RevokeInvite:
		return "", w.accounts.RevokeInvite(ctx, job.Subject)
	case DeleteUser:
		return "", w.accounts.DeleteUser(ctx, job.StytchID, job.Subject)
	case RevokeSession:
		return "", w.accounts.RevokeSession(ctx, job.StytchID)
	case Notify:
		return "", w.notify(ctx, job)
	}
	return "", ErrRefused // a kind that only a newer release knows
}

// recordResult writes down how the call went.
func (w *Worker) recordResult(job Job, stytchID string, callErr error) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	now := w.now()
	switch {
	case callErr == nil && job.Kind == Invite:
		return w.store.FinishInvite(ctx, job.Sent(stytchID, now))
	case callErr == nil:
		return w.store.FinishJob(ctx, job.ID)
	case errors.Is(callErr, ErrUnconfirmed) && job.Attempts >= maxUnconfirmedAttempts:
		w.log.Error("outbox: never confirmed", "job", job.ID, "kind", job.Kind, "user", job.UserID, "error", callErr)
		return w.store.ParkJob(ctx, job.Park(now, Reason(callErr)))
	case errors.Is(callErr, ErrRefused):
		w.log.Error("outbox: refused for good", "job", job.ID, "kind", job.Kind, "user", job.UserID, "error", callErr)
		return w.store.ParkJob(ctx, job.Park(now, Reason(callErr)))
	default:
		due := now.Add(backoff(job.Attempts))
		w.log.Warn("outbox: will try again", "job", job.ID, "kind", job.Kind, "user", job.UserID,
			"attempt", job.Attempts, "due", due, "error", callErr)
		return w.store.RetryJob(ctx, job.ID, due, Reason(callErr))
	}
}

// backoff grows twofold from firstPause to longestPause, less up to a third at
// random so that instances don't come back in step.
func backoff(attempts int) time.Duration {
	p := maxBackoff
	if attempts < 10 {
		p = min(p, minBackoff<<max(attempts-1, 0))
	}
	return p - rand.N(p/3)
}
