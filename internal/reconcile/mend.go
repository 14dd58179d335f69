package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

// mend makes an end of a difference, in one transaction with the event that
// tells of it. sessions are those of the account at Stytch. It reports whether
// the list was still as found; else nothing is done.
func (r *Reconciler) mend(ctx context.Context, d Difference, sessions []string) (bool, error) {
	now := r.Now()
	told := event.New(event.StytchDiffers, now, d.User.ID, d.Address(), d.Reason())
	var jobs []outbox.Job
	for _, id := range sessions {
		jobs = append(jobs, outbox.New(outbox.RevokeSession, d.Address(), d.User.ID, id, "", now))
	}
	if d.Kind == Stranger {
		return r.store.AddJobsOfStranger(ctx, d.Account.keys(), told, jobs)
	}
	asFound := false
	_, err := r.store.ChangeUser(ctx, d.User.ID, func(s directory.State) (directory.Change, error) {
		if asFound = sameButSeen(s.User, d.User); !asFound {
			return directory.Change{User: s.User}, nil
		}
		return directory.Change{
			User: forgotten(s.User, now), EndSessions: d.Reason(), Jobs: jobs, Events: []event.Event{told},
		}, nil
	})
	if errors.Is(err, directory.ErrNotFound) { // removed in the meantime
		return false, nil
	}
	return asFound && err == nil, err
}

// forgotten is a person whose account at Stytch is no longer known. An invitation
// that they never followed was that account's.
func forgotten(u directory.User, now time.Time) directory.User {
	u.StytchUserID, u.UpdatedAt = "", now
	if u.LastSeenAt.IsZero() {
		u.InviteSentAt = time.Time{}
	}
	return u
}

// sameButSeen reports whether a person is as they were; that they were seen again
// is no change.
func sameButSeen(a, b directory.User) bool {
	a.LastSeenAt = b.LastSeenAt
	return a == b
}
