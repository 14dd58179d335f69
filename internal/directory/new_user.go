package directory

import (
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/outbox"
)

// UserInput is the input for a new user, as typed.
type UserInput struct{ Email, Name, Role string }

// NewUser is a user to create, with everything written in the same transaction.
type NewUser struct {
	User  User
	Event event.Event
	Jobs  []outbox.Job
	Claim idempotency.Claim // linked to the user; zero for none
}

// repeatWindow is how long an invitation counts as a repetition.
const repeatWindow = 2 * time.Minute

// repeats reports whether n is the same invitation, by the same administrator, as the one
// that created the existing user.
func (n NewUser) repeats(existing User) bool {
	age := n.User.CreatedAt.Sub(existing.CreatedAt)
	return existing.Status == Invited && existing.InvitedBy == n.User.InvitedBy && existing.Name == n.User.Name &&
		existing.Role == n.User.Role && 0 <= age && age < repeatWindow
}

// Validate checks all fields and returns the user to create. invite mails an invitation.
// The error is a *ValidationError.
func (in UserInput) Validate(by event.Origin, invite bool, now time.Time) (NewUser, error) {
	return in.validate(Actor{Origin: by}, invite, now)
}

func (in UserInput) validate(by Actor, invite bool, now time.Time) (NewUser, error) {
	email, emailErr := ParseEmail(in.Email)
	name, nameErr := ParseName(in.Name)
	role, roleErr := ParseRole(in.Role)
	if err := validate(map[string]error{"email": emailErr, "name": nameErr, "role": roleErr}); err != nil {
		return NewUser{}, err
	}
	u := User{
		ID: ids.New(), Name: name, Email: email, Role: role, Status: Invited,
		InvitedBy: by.ActorID, CreatedAt: now, UpdatedAt: now,
	}
	if !invite {
		return NewUser{User: u, Event: u.event(by.Origin, event.UserAdded, now, ""), Claim: by.Claim}, nil
	}
	return NewUser{
		User: u, Event: u.event(by.Origin, event.UserInvited, now, ""), Jobs: []outbox.Job{inviteJob(u, now)}, Claim: by.Claim,
	}, nil
}
