package directory

import (
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/outbox"
)

// RuleState is the input of a rule.
type RuleState struct {
	User        User
	OtherAdmins int // active administrators besides User
}

// Change is the result of a rule. All of it is written in one transaction.
type Change struct {
	User          User
	Remove        bool   // delete the user
	CancelInvites bool   // delete pending invitations from the outbox
	Ended         *Ended // set to the numbers of what was ended; may be nil
	Jobs          []outbox.Job
	Events        []event.Event
	Claim         idempotency.Claim // linked to the user; zero for none

	// EndSession is called for each of the user's sessions. If it returns true, the
	// session ends. It may be nil, in which case no session ends.
	EndSession func(tokenHash, stytchSessionID string) (SessionEnd, bool)
	// RevokeToken is called with the name of each of the user's API tokens, and
	// returns the event of its revocation. It may be nil, in which case the tokens stay.
	RevokeToken func(name string) event.Event
}

// Ended counts the sessions and API tokens that a change ended.
type Ended struct{ Sessions, Tokens int }

// SessionEnd is written when a session ends: the event, and the job that revokes the
// session at Stytch.
type SessionEnd struct {
	Event event.Event
	Job   outbox.Job
}

// EndSession returns what to write when a session of the user ends.
func (u User) EndSession(by event.Origin, stytchSessionID, reason string, now time.Time) SessionEnd {
	return SessionEnd{
		Event: u.event(by, event.SessionEnded, now, reason),
		Job:   outbox.New(outbox.RevokeSession, u.Email.Normalized, u.ID, stytchSessionID, "", now),
	}
}

// RevokeToken returns the event of the revocation of an API token of the user.
// reason may be empty.
func (u User) RevokeToken(by event.Origin, name, reason string, now time.Time) event.Event {
	if reason != "" {
		name += ": " + reason
	}
	return u.event(by, event.TokenRevoked, now, name)
}

// endSessions makes the change end all sessions but the one with the token hash keep,
// which may be empty.
func (c *Change) endSessions(by event.Origin, reason, keep string, now time.Time) {
	u := c.User
	c.EndSession = func(tokenHash, stytchSessionID string) (SessionEnd, bool) {
		return u.EndSession(by, stytchSessionID, reason, now), tokenHash != keep
	}
}

// revokeTokens makes the change revoke all API tokens.
func (c *Change) revokeTokens(by event.Origin, reason string, now time.Time) {
	u := c.User
	c.RevokeToken = func(name string) event.Event { return u.RevokeToken(by, name, reason, now) }
}

// refuseLinks invalidates all links made so far. The invitation of a user who never signed
// in is also revoked at Stytch.
func (c *Change) refuseLinks(now time.Time) {
	u := &c.User
	sent := u.InviteSentAt
	if sent.After(u.LinksAfter) {
		u.CancelledInviteAt = sent
	}
	u.LinksAfter = now
	if u.LastSeenAt.IsZero() && !sent.IsZero() {
		u.InviteSentAt = time.Time{}
		c.Jobs = append(c.Jobs, outbox.New(outbox.RevokeInvite, u.Email.Normalized, u.ID, "", "", now))
	}
}

// Edit is a change of some fields of a user; nil fields stay as they are.
type Edit struct{ Name, Role, Status *string }

// apply is the rule of an edit.
func (e Edit) apply(actor Actor, s RuleState, now time.Time) (Change, error) {
	by := actor.Origin
	c := Change{User: s.User}
	old, u := s.User, &c.User
	var nameErr, roleErr, statusErr error
	if e.Name != nil {
		u.Name, nameErr = ParseName(*e.Name)
	}
	if e.Role != nil && *e.Role == "" {
		roleErr = errRole
	} else if e.Role != nil {
		u.Role, roleErr = ParseRole(*e.Role)
	}
	if e.Status != nil {
		u.Status, statusErr = newStatus(old, Status(*e.Status))
	}
	if err := validate(map[string]error{"name": nameErr, "role": roleErr, "status": statusErr}); err != nil {
		return Change{}, err
	}
	if old.IsActiveAdmin() && !u.IsActiveAdmin() {
		if s.OtherAdmins == 0 {
			return Change{}, ErrLastAdmin
		}
		c.revokeTokens(by, "no longer an active administrator", now)
	}
	if changesAdmins(old, *u) && !actor.MayDoDangerous() {
		return Change{}, ErrNotFresh
	}
	if *u != old {
		u.UpdatedAt = now
		c.Events = append(c.Events, editEvent(by, old, *u, now))
	}
	if u.Status != old.Status || changesAccount(old, *u) {
		c.refuseLinks(now)
	}
	switch {
	case u.Status == Suspended && old.Status != Suspended:
		c.endSessions(by, "suspended", "", now)
		c.CancelInvites = true
	case u.Status == Invited && !old.InviteSentAt.IsZero() && u.InviteSentAt.IsZero():
		c.CancelInvites = true
		c.Jobs = append(c.Jobs, inviteJob(*u, now)) // replaces the cancelled one
	}
	return c, nil
}

// newStatus returns the status of a user for whom an administrator requests a status.
func newStatus(u User, requested Status) (Status, error) {
	switch {
	case requested == u.Status, requested == Suspended:
		return requested, nil
	case requested == Active && u.Status == Suspended && u.LastSeenAt.IsZero():
		return Invited, nil // has never signed in
	case requested == Active && u.Status == Suspended:
		return Active, nil
	case requested == Active || requested == Invited:
		return "", fieldError("A person becomes active by signing in.")
	}
	return "", fieldError("Choose active or suspended.")
}

// changesAccount reports whether a change of role makes earlier links grant another role
// than they were sent for. The invitation of a user whose role is reduced stays valid.
func changesAccount(old, u User) bool {
	return old.Role != u.Role && (u.Role == Admin || !u.LastSeenAt.IsZero())
}

// changesAdmins reports whether an edit changes who is an administrator, or may act as one.
func changesAdmins(old, u User) bool {
	return (old.Role == Admin || u.Role == Admin) && (old.Role != u.Role || old.Status != u.Status)
}

// editEvent returns the event of an edit. A change of status takes precedence as its kind.
func editEvent(by event.Origin, old, u User, now time.Time) event.Event {
	e := u.event(by, event.UserEdited, now, "")
	for _, c := range []event.Change{
		{Field: "name", Old: old.Name, New: u.Name},
		{Field: "role", Old: string(old.Role), New: string(u.Role)},
		{Field: "status", Old: string(old.Status), New: string(u.Status)},
	} {
		if c.Old != c.New {
			e.Changes = append(e.Changes, c)
		}
	}
	switch {
	case old.Status == u.Status:
	case u.Status == Suspended:
		e.Kind = event.UserSuspended
	case old.Status == Suspended:
		e.Kind = event.UserReinstated
	}
	return e
}
