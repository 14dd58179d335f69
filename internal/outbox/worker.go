package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/safego"
)

// The lease outlives the call, so that no two instances execute a job at the same time.
const (
	callTimeout  = 8 * time.Second
	leaseTime    = 20 * time.Second
	pollInterval = 5 * time.Second
	workers      = 4

	logoutWorkers = 4 // besides the others, so that slow apps don't delay calls to Stytch

	maxUnconfirmedAttempts = 3 // each may have sent an email
)

// Options are the dependencies of a Worker.
type Options struct {
	Store    Store
	Accounts Accounts
	Mailer   Mailer // sends notices; may be nil, in which case they are parked
	Now      func() time.Time
	Log      *slog.Logger
}

// Worker executes jobs: in the background while Run runs, and at once for one subject
// by Deliver.
type Worker struct {
	opts  Options
	store Store
	log   *slog.Logger
	wake  chan struct{}
	calls sync.WaitGroup

	logouts    LogoutSender // nil if this instance sends no logouts
	wakeLogout chan struct{}
	sending    sync.Mutex // guards busy
	busy       []string   // ids of the apps to which a logout is being sent
}

// NewWorker returns a Worker. It does nothing until Run or Deliver is called.
func NewWorker(o Options) *Worker {
	return &Worker{
		opts: o, store: o.Store, log: o.Log.With("component", "outbox"),
		wake: make(chan struct{}, workers), wakeLogout: make(chan struct{}, logoutWorkers),
	}
}

// Run executes jobs as they fall due, until ctx ends. It returns when the calls in
// progress have ended.
func (w *Worker) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			repeat(ctx, w.wake, func() bool {
				found, _ := w.processNext(ctx, "")
				return found
			})
		})
	}
	if w.logouts != nil {
		for range logoutWorkers {
			all.Go(func() {
				repeat(ctx, w.wakeLogout, func() (found bool) {
					safego.Recover(w.log, "outbox", func() { found = w.processLogout(ctx) })
					return found
				})
			})
		}
	}
	all.Wait()
	w.calls.Wait()
}

// repeat calls process until ctx ends. While it finds nothing, repeat waits to be woken.
func repeat(ctx context.Context, wake <-chan struct{}, process func() bool) {
	for ctx.Err() == nil {
		if process() {
			continue
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-time.After(pollInterval):
		}
	}
}

// Wake tells the worker that there are new jobs. It returns at once.
func (w *Worker) Wake() {
	for _, wake := range []chan struct{}{w.wake, w.wakeLogout} {
		select {
		case wake <- struct{}{}:
		default: // enough of them are awake already
		}
	}
}

// Deliver executes the pending jobs of a subject. It returns when they are done or ctx
// ends; a job in progress is completed in the background.
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

// processNext executes the next job: of the subject, or any that is due. It reports
// whether there was one, and whether it is done; neither after a panic.
func (w *Worker) processNext(ctx context.Context, subject string) (found, done bool) {
	safego.Recover(w.log, "outbox", func() { found, done = w.process(ctx, subject) })
	return found, done
}

func (w *Worker) process(ctx context.Context, subject string) (found, done bool) {
	now := w.opts.Now()
	job, err := w.store.LeaseJob(ctx, subject, now, now.Add(leaseTime))
	if err != nil {
		w.logLeaseError(ctx, err)
		return false, false
	}
	return true, w.execute(ctx, job)
}

// logLeaseError logs why no job was leased, unless there is none.
func (w *Worker) logLeaseError(ctx context.Context, err error) {
	if !errors.Is(err, ErrNoJob) && ctx.Err() == nil {
		w.log.Error("no job could be leased", "error", err)
	}
}

// execute makes the call of a leased job and saves the result. It reports whether the job is done.
func (w *Worker) execute(ctx context.Context, job Job) bool {
	// A call that was begun is completed even if the program stops.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if job.Gone { // the recipient was removed
		if err := w.store.FinishJob(ctx, job.ID); err != nil {
			w.log.Error("job for a removed user not deleted", "job", job.ID, "error", err)
			return false
		}
		return true
	}
	stytchID, callErr := "", error(panicError{})
	safego.Recover(w.log, "outbox", func() { stytchID, callErr = w.call(ctx, job) })
	if err := w.recordResult(job, stytchID, callErr); err != nil {
		w.log.Error("result of a call not saved; the call will be repeated", "job", job.ID, "kind", job.Kind, "error", err)
		return false
	}
	return callErr == nil
}

// panicError reports a panic in a job, which is retried like any other failure.
type panicError struct{}

func (panicError) Error() string  { return "the call panicked" }
func (panicError) Reason() string { return "Guestlist failed at it by itself; its log says how." }

// call makes the job's call. For an invitation, it returns the Stytch user id.
func (w *Worker) call(ctx context.Context, job Job) (string, error) {
	accounts := w.opts.Accounts
	switch job.Kind {
	case Invite:
		return accounts.Invite(ctx, job.Subject, job.Name, job.Actor)
	case RevokeInvite:
		return "", accounts.RevokeInvite(ctx, job.Subject)
	case DeleteUser:
		return "", accounts.DeleteUser(ctx, job.StytchID, job.Subject)
	case RevokeSession:
		return "", accounts.RevokeSession(ctx, job.StytchID)
	case DeletePasskey:
		return "", accounts.DeletePasskey(ctx, job.StytchID)
	case DeleteTOTP:
		return "", accounts.DeleteTOTP(ctx, job.StytchID)
	case Notify:
		return "", w.notify(ctx, job)
	case BackchannelLogout:
		if w.logouts == nil {
			return "", errNoSender
		}
		return "", w.logouts.SendLogout(ctx, job.AppID, job.UserID, job.StytchID)
	}
	return "", ErrRefused // a kind of a newer release
}

// recordResult saves the result of the call.
func (w *Worker) recordResult(job Job, stytchID string, callErr error) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	now := w.opts.Now()
	log := w.log.With("job", job.ID, "kind", job.Kind, "user", job.UserID, "error", callErr)
	switch {
	case callErr == nil && job.Kind == Invite:
		return w.store.FinishInvite(ctx, job.Sent(stytchID, now))
	case callErr == nil:
		return w.store.FinishJob(ctx, job.ID)
	case errors.Is(callErr, ErrUnconfirmed) && job.Attempts >= maxUnconfirmedAttempts:
		log.Error("call never confirmed; the job is parked")
		return w.store.ParkJob(ctx, job.Park(now, Reason(callErr)))
	case errors.Is(callErr, ErrRefused):
		log.Error("call refused for good; the job is parked")
		return w.store.ParkJob(ctx, job.Park(now, Reason(callErr)))
	case job.isTooOld(now):
		log.Error("an app was not told in a day that a session has ended; the job is dropped")
		_, err := w.store.DropJob(ctx, job.ID, func(Job) event.Event { return job.givenUp(now, Reason(callErr)) })
		return err
	}
	due := now.Add(retryDelay(job.Attempts))
	log.Warn("call failed; it will be retried", "attempt", job.Attempts, "due", due)
	return w.store.RetryJob(ctx, job.ID, due, Reason(callErr))
}

// retryDelay returns the pause after a number of failed attempts: about 2 seconds after
// the first, doubling to 10 minutes, less up to a third at random so that instances don't
// retry in step.
func retryDelay(attempts int) time.Duration {
	b := backoff.ExponentialBackOff{ // each interval varies by a fifth of its value
		InitialInterval: 2 * time.Second * 5 / 6, Multiplier: 2, MaxInterval: 10 * time.Minute * 5 / 6, RandomizationFactor: 1. / 5,
	}
	b.Reset()
	for range min(attempts-1, 10) {
		b.NextBackOff()
	}
	return b.NextBackOff()
}
