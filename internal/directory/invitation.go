package directory

import (
	"time"

	"github.com/guestlist/guestlist/internal/outbox"
)

// Invitation is how it stands with a person's invitation.
type Invitation struct {
	Sent      time.Time // when the newest was handed over; zero: none was
	Expires   time.Time
	Expired   bool
	Cancelled time.Time // when the one had been handed over that was cancelled since; zero: none was
	Pending   bool      // one is waiting to be handed over
	Refused   bool      // Stytch refused it for good
	Reason    string    // why it waits or was refused, in a sentence; may be empty
}

// Label says in a few words where the user stands, given their invitation jobs and
// how long an invitation works.
func (u User) Label(jobs []outbox.Job, life time.Duration, now time.Time) string {
	if u.Status == Suspended {
		return "Suspended"
	}
	if u.Status == Active {
		return "Active"
	}
	switch i := u.Invitation(jobs, life, now); {
	case i.Refused:
		return "Email refused"
	case i.Pending:
		return "Not sent yet"
	case i.Sent.IsZero():
		return "Not invited"
	case i.Expired:
		return "Invitation expired"
	}
	return "Invited"
}

// Invitation says how it stands with the person's invitation: life is how long
// one works, jobs are the calls that wait for the person.
func (u User) Invitation(jobs []outbox.Job, life time.Duration, now time.Time) Invitation {
	i := Invitation{Sent: u.InviteSentAt}
	if i.Sent.IsZero() {
		i.Cancelled = u.CancelledInviteAt
	} else {
		i.Expires = i.Sent.Add(life)
		i.Expired = !now.Before(i.Expires)
	}
	for _, job := range jobs {
		if job.Kind == outbox.Invite {
			i.Refused, i.Reason = !job.ParkedAt.IsZero(), job.LastError
			i.Pending = !i.Refused
		}
	}
	return i
}
