package directory

import (
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/outbox"
)

// UserInput is what is typed to put somebody on the list.
type UserInput struct{ Email, Name, Role string }

// NewUser is somebody who shall come onto the list, all of it in one transaction:
// the person, what the audit trail is to say, and what Stytch must hear of.
type NewUser struct {
	User  User
	Event event.Event
	Jobs  []outbox.Job
	Claim idempotency.Claim // linked to the user; zero for none
}

// repeatWithin is how long the same invitation counts as the same.
const repeatWithin = 2 * time.Minute

// repeats reports whether the arrival asks for what was just done by the same
// administrator: the user was invited with the same name and role.
func (a NewUser) repeats(was User) bool {
	age := a.User.CreatedAt.Sub(was.CreatedAt)
	return len(a.Jobs) > 0 && was.Status == Invited && was.InvitedBy == a.User.InvitedBy && was.Name == a.User.Name && was.Role == a.User.Role &&
		0 <= age && age < repeatWithin
}

// Validate checks all fields and returns who comes onto the list by them, if nobody
// there has their address. invite says whether they are mailed an invitation. The
// error is *ValidationError.
func (e UserInput) Validate(by event.Origin, invite bool, now time.Time) (NewUser, error) {
	email, emailErr := ParseEmail(e.Email)
	name, nameErr := ParseName(e.Name)
	role, roleErr := ParseRole(e.Role)
	if err := validate(map[string]error{"email": emailErr, "name": nameErr, "role": roleErr}); err != nil {
		return NewUser{}, err
	}
	u := User{
		ID: ids.New(), Name: name, Email: email, Role: role, Status: Invited,
		InvitedBy: by.ActorID, CreatedAt: now, UpdatedAt: now,
	}
	if !invite {
		return NewUser{User: u, Event: u.event(by, event.UserAdded, now, "")}, nil
	}
	return NewUser{User: u, Event: u.event(by, event.UserInvited, now, ""), Jobs: []outbox.Job{inviteJob(u, now)}}, nil
}
