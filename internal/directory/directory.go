// Package directory is who is on the list: the people, their roles, and the
// rules by which they are invited, edited, removed and let in.
//
// A rule is a plain function of what is there now; package store runs it inside
// the transaction that writes the outcome ([Store.ChangeUser]), so a rule such
// as "one administrator must stay" also holds for two changes at the same
// moment on two instances. What Stytch must hear of goes into the outbox in the
// same transaction.
package directory

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Role says what a person may do.
type Role string

// The roles.
const (
	Admin  Role = "admin"  // invites, edits and removes people
	Member Role = "member" // signs in
)

// Status says where a person stands.
type Status string

// The statuses.
const (
	Invited   Status = "invited"   // on the list, never signed in
	Active    Status = "active"    // has signed in
	Suspended Status = "suspended" // kept on the list, kept out
)

// User is a person on the list. Times are UTC, whole microseconds, zero for never.
type User struct {
	ID           string // UUIDv7
	Name         string // as typed, at most MaxName characters; may be empty
	Email        Email
	Role         Role
	Status       Status
	StytchUserID string    // empty until Stytch told it
	InvitedBy    string    // id of the administrator; empty: by the program, or joined by themselves
	InviteSentAt time.Time // when Stytch took the newest invitation
	CreatedAt    time.Time
	UpdatedAt    time.Time
	LastSeenAt   time.Time // to within the re-check period

	LinksAfter        time.Time // sign-in links made before this are refused
	CancelledInviteAt time.Time // when the newest invitation that was cancelled had been handed over
}

// IsActiveAdmin reports whether the person can administer the directory now.
func (u User) IsActiveAdmin() bool { return u.Role == Admin && u.Status == Active }

// DisplayName is the name, or the address of somebody without one.
func (u User) DisplayName() string {
	if u.Name == "" {
		return u.Email.Display
	}
	return u.Name
}

// event returns an event about the user.
func (u User) event(by event.Origin, kind event.Kind, now time.Time, reason string) event.Event {
	return by.NewEvent(kind, now, u.ID, u.Email.Normalized, reason)
}

// Actor is the cause of a change: its origin for the audit log, and the claim on
// an idempotency key if the request has one.
type Actor struct {
	event.Origin
	Claim idempotency.Claim
}

// Errors of the directory. Callers tell them apart with errors.Is.
var (
	ErrNotFound    = errors.New("user not found")
	ErrEmailTaken  = errors.New("email already on the list")
	ErrLastAdmin   = errors.New("somebody must be able to administer the list: make another active person an administrator first")
	ErrNotListed   = errors.New("not on the list")
	ErrSuspended   = errors.New("suspended")
	ErrUnavailable = errors.New("database out of reach")
)

// ValidationError is an error about input: for each field that is not acceptable, a
// sentence to show beside it.
type ValidationError struct{ Fields map[string]string }

func (e *ValidationError) Error() string { return "invalid input" }

// fieldError is an error to be read beside a field, as it stands.
type fieldError string

func (s fieldError) Error() string { return string(s) }

// RuleState is what a rule may look at: the person as they are now, and how many
// others can administer.
type RuleState struct {
	User        User
	OtherAdmins int // active administrators besides this person
}

// Change is what a rule wants done, all of it in one transaction.
type Change struct {
	User          User   // the person as they shall be
	Remove        bool   // or rather not be at all
	CancelInvites bool   // pending invitations are deleted from the outbox
	Ended         *Ended // set to the number of sessions and tokens ended; may be nil
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

// SessionEnd is written when a session ends: the event, and the job that revokes
// the session at Stytch.
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

// endSessions makes the change end all sessions but the one with the token hash
// keep, which may be empty.
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

// Ended is how much was ended of a user's access.
type Ended struct{ Sessions, Tokens int }

// Reader reads the directory. Its errors wrap ErrNotFound or ErrUnavailable.
type Reader interface {
	GetUser(ctx context.Context, id string) (User, error)
	GetUserByEmail(ctx context.Context, email Email) (User, error)
	ListUsers(ctx context.Context, q Query) (Page, error)
	// CountAdmins counts administrators who are not suspended.
	CountAdmins(ctx context.Context) (int, error)
	// ListJobs returns the pending jobs of a user, oldest first.
	ListJobs(ctx context.Context, email Email) ([]outbox.Job, error)
	// ListInviteJobs returns the users' pending and parked invitations, by Email.Normalized.
	ListInviteJobs(ctx context.Context, users []User) (map[string][]outbox.Job, error)
	// ListWaiting returns up to limit jobs of all users, parked ones first, and
	// whether there are more.
	ListWaiting(ctx context.Context, limit int) (jobs []outbox.Job, more bool, err error)
	// HasStuckJobs reports whether the first attempt of any job failed.
	HasStuckJobs(ctx context.Context) (bool, error)
}

// Store keeps the directory. Its errors wrap ErrNotFound, ErrEmailTaken, those of
// the rules it runs, or ErrUnavailable.
type Store interface {
	Reader
	// CreateUser writes a new user with its event and jobs. An earlier removal of
	// the address is forgotten.
	CreateUser(ctx context.Context, u NewUser) error
	// CreateUserUnlessRemoved does the same, or returns ErrRemoved if the address
	// was removed and not invited since.
	CreateUserUnlessRemoved(ctx context.Context, u NewUser) error
	// RememberRemovals has addresses count as removed that were before this was
	// remembered by itself, as far as the audit trail knows. It does so once.
	RememberRemovals(ctx context.Context) error
	// ChangeUser runs rule on the person's row, locked against other changes of
	// people, and carries out what it returns. The rule may run more than once.
	ChangeUser(ctx context.Context, id string, rule func(RuleState) (Change, error)) (User, error)
	// ReleaseJob makes a job due now, parked or not; DropJob deletes it. Both write
	// the event that record returns for the job.
	ReleaseJob(ctx context.Context, id string, record func(outbox.Job) event.Event) (outbox.Job, error)
	DropJob(ctx context.Context, id string, record func(outbox.Job) event.Event) (outbox.Job, error)
	// AddEvents writes what happened and changed nothing, such as a refusal.
	AddEvents(ctx context.Context, events ...event.Event) error
}
