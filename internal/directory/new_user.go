package directory

import (
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/outbox"
)

// UserInput is the input for a new user, as typed.
type UserInput struct {
	Email, Name, Role string
	Groups            []Group // to add the user to
	Until             string  // when those memberships end, see ParseUntil; empty for no end
}

// NewUser is a user to create, with everything written in the same transaction.
type NewUser struct {
	User  User
	Event event.Event
	Jobs  []outbox.Job
	Claim idempotency.Claim // linked to the user; zero for none

	Memberships []Membership
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
	until, untilErr := ParseUntil(in.Until, now)
	if untilErr == nil && !until.IsZero() && len(in.Groups) == 0 {
		untilErr = errUntilAlone
	}
	if err := validate(map[string]error{"email": emailErr, "name": nameErr, "role": roleErr, "until": untilErr}); err != nil {
		return NewUser{}, err
	}
	u := User{
		ID: ids.New(), Name: name, Email: email, Role: role, Status: Invited,
		InvitedBy: by.ActorID, CreatedAt: now, UpdatedAt: now,
	}
	n := NewUser{User: u, Event: u.event(by.Origin, event.UserAdded, now, ""), Claim: by.Claim}
	if invite {
		n.Event.Kind = event.UserInvited
		n.Jobs = []outbox.Job{inviteJob(u, now)}
	}
	n.join(in.Groups, until, now)
	return n, nil
}

// Join makes the new user a member of a group until a time, zero for no end, and records it in
// the user's event.
func (n *NewUser) Join(g Group, until, now time.Time) {
	n.Memberships = append(n.Memberships, Membership{
		GroupID: g.ID, GroupName: g.Name, UserID: n.User.ID, Until: until, AddedBy: n.User.InvitedBy, CreatedAt: now,
	})
	text := g.Name
	if !until.IsZero() {
		text += " until " + formatUntil(until)
	}
	for i := range n.Event.Changes {
		if n.Event.Changes[i].Field == "groups" {
			n.Event.Changes[i].New += ", " + text
			return
		}
	}
	n.Event.Changes = append(n.Event.Changes, event.Change{Field: "groups", New: text})
}

// join makes the new user a member of groups until a time, zero for no end, and records it
// in the user's event.
func (n *NewUser) join(groups []Group, until, now time.Time) {
	var names []string
	for _, g := range groups {
		n.Memberships = append(n.Memberships, Membership{
			GroupID: g.ID, GroupName: g.Name, UserID: n.User.ID, Until: until, AddedBy: n.User.InvitedBy, CreatedAt: now,
		})
		names = append(names, g.Name)
	}
	if len(names) == 0 {
		return
	}
	n.Event.Changes = append(n.Event.Changes, event.Change{Field: "groups", New: strings.Join(names, ", ")})
	if !until.IsZero() {
		n.Event.Changes = append(n.Event.Changes, event.Change{Field: "until", New: formatUntil(until)})
	}
}
