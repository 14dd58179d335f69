package directory

import (
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Entry is what is typed to put somebody on the list.
type Entry struct{ Email, Name, Role string }

// Arrival is somebody who shall come onto the list, all of it in one transaction:
// the person, what the audit trail is to say, and what Stytch must hear of.
type Arrival struct {
	User  User
	Event event.Event
	Jobs  []outbox.Job
}

// repeatWithin is how long the same invitation counts as the same.
const repeatWithin = 2 * time.Minute

// repeats reports whether the arrival asks for what was just done by the same
// administrator: the user was invited with the same name and role.
func (a Arrival) repeats(was User) bool {
	age := a.User.CreatedAt.Sub(was.CreatedAt)
	return len(a.Jobs) > 0 && was.Status == Invited && was.InvitedBy == a.User.InvitedBy && was.Name == a.User.Name && was.Role == a.User.Role &&
		0 <= age && age < repeatWithin
}

// Arrival checks all fields and returns who comes onto the list by them, if nobody
// there has their address. by is the administrator's id; invite says whether they
// are mailed an invitation. The error is *Invalid.
func (e Entry) Arrival(by string, invite bool, now time.Time) (Arrival, error) {
	email, emailErr := ParseEmail(e.Email)
	name, nameErr := ParseName(e.Name)
	role, roleErr := ParseRole(e.Role)
	if err := invalid(map[string]error{"email": emailErr, "name": nameErr, "role": roleErr}); err != nil {
		return Arrival{}, err
	}
	u := User{
		ID: newID(), Name: name, Email: email, Role: role, Status: Invited,
		InvitedBy: by, CreatedAt: now, UpdatedAt: now,
	}
	if !invite {
		return Arrival{User: u, Event: u.event(event.UserAdded, now, "")}, nil
	}
	return Arrival{User: u, Event: u.event(event.UserInvited, now, ""), Jobs: []outbox.Job{inviteJob(u, now)}}, nil
}
