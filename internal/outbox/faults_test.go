package outbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

// flaky is a store whose LeaseJob and FinishJob fail while the functions return true.
type flaky struct {
	outbox.Store
	leaseFails, finishFails func() bool // may be nil
}

func (s flaky) LeaseJob(ctx context.Context, subject string, now, until time.Time) (outbox.Job, error) {
	if s.leaseFails != nil && s.leaseFails() {
		return outbox.Job{}, directory.ErrUnavailable
	}
	return s.Store.LeaseJob(ctx, subject, now, until)
}

func (s flaky) FinishJob(ctx context.Context, id string) error {
	if s.finishFails != nil && s.finishFails() {
		return directory.ErrUnavailable
	}
	return s.Store.FinishJob(ctx, id)
}

func TestWorker_DatabaseUnavailable(t *testing.T) {
	first := func() func() bool { // returns true once
		calls := 0
		return func() bool { calls++; return calls == 1 }
	}
	t.Run("after the call, the job is repeated when its lease expires", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.add(outbox.RevokeInvite, "ada")
			f.add(outbox.DeleteUser, "ada")
			f.start(outbox.NewWorker(outbox.Options{Store: flaky{Store: f.db, finishFails: first()}, Accounts: f.stytch, Now: time.Now, Log: discard}))
			time.Sleep(9 * time.Second) // longer than a call may take
			if got := f.stytch.made(); len(got) != 1 || len(f.pending("ada")) != 2 {
				t.Errorf("during the lease: calls %v, jobs %+v", got, f.pending("ada"))
			}
			time.Sleep(time.Minute)
			if got := f.stytch.made(); len(got) != 3 || got[1] != "revoke_invite ada" || got[2] != "delete_user ada" {
				t.Errorf("after the lease: calls %v", got)
			}
			if jobs := f.pending("ada"); len(jobs) != 0 {
				t.Errorf("left over: %+v", jobs)
			}
		})
	})
	t.Run("before the call, none is made", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			down := true
			f.add(outbox.RevokeInvite, "ada")
			w := outbox.NewWorker(outbox.Options{Store: flaky{Store: f.db, leaseFails: func() bool { return down }}, Accounts: f.stytch, Now: time.Now, Log: discard})
			w.Deliver(t.Context(), address("ada"))
			if got := f.stytch.made(); len(got) != 0 || len(f.pending("ada")) != 1 {
				t.Errorf("calls %v, jobs %+v", got, f.pending("ada"))
			}
			down = false
			w.Deliver(t.Context(), address("ada"))
			if got := f.stytch.made(); len(got) != 1 || len(f.pending("ada")) != 0 {
				t.Errorf("database available again: calls %v, jobs %+v", got, f.pending("ada"))
			}
		})
	})
}

func TestWorker_UserRemovedDuringInvitation(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		u := f.invite("ada")
		f.stytch.answer = func(_ context.Context, what string, _ int) error {
			if what != "invite ada" {
				return nil
			}
			_, err := f.db.ChangeUser(t.Context(), u.ID, func(s directory.RuleState) (directory.Change, error) {
				return directory.Change{User: s.User, Remove: true, CancelInvites: true}, nil
			})
			return err
		}
		f.start(f.worker())
		time.Sleep(time.Minute)
		if got := f.stytch.made(); len(got) != 2 || got[1] != "delete_user ada" {
			t.Errorf("calls %v, want the invitation undone by a delete_user", got)
		}
		if jobs := f.pending("ada"); len(jobs) != 0 {
			t.Errorf("left over: %+v", jobs)
		}
	})
}

func TestWorker_UserRemovedBeforeInvitation(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		u := f.invite("ada")
		if _, err := f.db.ChangeUser(t.Context(), u.ID, func(s directory.RuleState) (directory.Change, error) {
			return directory.Change{User: s.User, Remove: true}, nil // keeps the invite job, as if it was written a moment later
		}); err != nil {
			t.Fatal(err)
		}
		f.worker().Deliver(t.Context(), address("ada"))
		if got := f.stytch.made(); len(got) != 0 || len(f.pending("ada")) != 0 {
			t.Errorf("calls %v, jobs %+v, want neither", got, f.pending("ada"))
		}
	})
}
