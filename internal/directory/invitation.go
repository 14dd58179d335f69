package directory

import (
	"time"

	"github.com/guestlist/guestlist/internal/outbox"
)

// Invitation is the state of a user's invitation.
type Invitation struct {
	Sent      time.Time // when the newest was sent; zero if none was
	Expires   time.Time
	Expired   bool
	Cancelled time.Time // when the newest cancelled one was sent; zero if none was
	Pending   bool      // one is still to be sent
	Refused   bool      // Stytch refused it for good
	Reason    string    // why it is pending or refused, as a sentence; may be empty
}

func inviteJob(u User, now time.Time) outbox.Job {
	return outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, now)
}

// Label describes the user's state in a few words, given their pending jobs and how long
// an invitation is valid.
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

// Invitation returns the state of the user's invitation, given their pending jobs and
// how long an invitation is valid.
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
