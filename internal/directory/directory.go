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

// event is something that happened to the person.
func (u User) event(kind event.Kind, now time.Time, reason string) event.Event {
	return event.New(kind, now, u.ID, u.Email.Normalized, reason)
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
	User          User          // the person as they shall be
	Remove        bool          // or rather not be at all
	EndSessions   string        // why their sessions end, here and at Stytch by the outbox; empty: they go on
	KeepSession   string        // token hash of a session that goes on all the same; empty for none
	RevokeTokens  string        // why their API tokens end; empty: they stay
	CancelInvites bool          // invitations not handed over yet are dropped
	Ended         *Ended        // is set to what was ended; may be nil
	Jobs          []outbox.Job  // what Stytch must hear of besides
	Events        []event.Event // what is to stand in the audit trail
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
	// CreateUser writes a new person, with what the audit trail is to say of it
	// and the calls to Stytch that go with it. If the address was removed before,
	// that is forgotten.
	CreateUser(ctx context.Context, u User, e event.Event, jobs ...outbox.Job) error
	// CreateUserUnlessRemoved does the same, or returns ErrRemoved for an address
	// that was removed and not invited since.
	CreateUserUnlessRemoved(ctx context.Context, u User, e event.Event, jobs ...outbox.Job) error
	// RememberRemovals has addresses count as removed that were before this was
	// remembered by itself, as far as the audit trail knows. It does so once.
	RememberRemovals(ctx context.Context) error
	// ChangeUser runs rule on the person's row, locked against other changes of
	// people, and carries out what it returns. The rule may run more than once.
	ChangeUser(ctx context.Context, id string, rule func(RuleState) (Change, error)) (User, error)
	// ReleaseJob makes a call due now, parked or not; DropJob gives it up. The
	// audit trail says so.
	ReleaseJob(ctx context.Context, id string) (outbox.Job, error)
	DropJob(ctx context.Context, id string) (outbox.Job, error)
	// AddEvents writes what happened and changed nothing, such as a refusal.
	AddEvents(ctx context.Context, events ...event.Event) error
}
