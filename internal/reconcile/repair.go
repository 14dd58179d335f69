package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

// repair makes an end of a difference, in one transaction with the event that
// tells of it. sessions are those of the account at Stytch. It reports whether
// the list was still as found; else nothing is done.
func (r *Reconciler) repair(ctx context.Context, by event.Origin, d Difference, sessions []string) (bool, error) {
	now := r.opts.Now()
	told := by.NewEvent(event.StytchMismatch, now, d.User.ID, d.Address(), d.Reason())
	var jobs []outbox.Job
	for _, id := range sessions {
		jobs = append(jobs, outbox.New(outbox.RevokeSession, d.Address(), d.User.ID, id, "", now))
	}
	if d.Kind == Unlisted {
		return r.store.AddJobsUnlessListed(ctx, d.Account.keys(), told, jobs)
	}
	asFound := false
	_, err := r.store.ChangeUser(ctx, d.User.ID, func(s directory.RuleState) (directory.Change, error) {
		if asFound = equalExceptLastSeen(s.User, d.User); !asFound {
			return directory.Change{User: s.User}, nil
		}
		return directory.Change{
			User: withoutAccount(s.User, now), Jobs: jobs, Events: []event.Event{told},
			EndSession: func(_, stytchSessionID string) (directory.SessionEnd, bool) {
				return s.User.EndSession(by, stytchSessionID, d.Reason(), now), true
			},
		}, nil
	})
	if errors.Is(err, directory.ErrNotFound) { // removed in the meantime
		return false, nil
	}
	return asFound && err == nil, err
}

// withoutAccount is a person whose account at Stytch is no longer known. An invitation
// that they never followed was that account's.
func withoutAccount(u directory.User, now time.Time) directory.User {
	u.StytchUserID, u.UpdatedAt = "", now
	if u.LastSeenAt.IsZero() {
		u.InviteSentAt = time.Time{}
	}
	return u
}

// equalExceptLastSeen reports whether a person is as they were; that they were seen again
// is no change.
func equalExceptLastSeen(a, b directory.User) bool {
	a.LastSeenAt = b.LastSeenAt
	return a == b
}
