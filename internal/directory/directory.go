// Package directory holds the users, their roles, and the rules for inviting, editing,
// removing and admitting them.
//
// A rule is a plain function of the current state. Package store runs it inside the
// transaction that writes its result ([Store.ChangeUser]), so a rule such as "one
// administrator must remain" also holds for concurrent changes on two instances. What
// Stytch must know about is written to the outbox in the same transaction.
package directory

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Role is what a user may do.
type Role string

// The roles.
const (
	Admin  Role = "admin"  // manages users
	Member Role = "member" // signs in
)

// Status is the state of a user.
type Status string

// The statuses.
const (
	Invited   Status = "invited"   // has never signed in
	Active    Status = "active"    // has signed in
	Suspended Status = "suspended" // may not sign in
)

// User is a user in the directory. Times are UTC in whole microseconds, zero for never.
type User struct {
	ID           string // UUIDv7
	Name         string // as typed, at most MaxName characters; may be empty
	Email        Email
	Role         Role
	Status       Status
	StytchUserID string    // empty until known
	InvitedBy    string    // id of the administrator; empty if invited by the program or joined
	InviteSentAt time.Time // when Stytch accepted the newest invitation
	CreatedAt    time.Time
	UpdatedAt    time.Time
	LastSeenAt   time.Time // as precise as the re-check period of sessions

	LinksAfter        time.Time // sign-in links made before this are refused
	CancelledInviteAt time.Time // InviteSentAt of the newest cancelled invitation
}

// IsActiveAdmin reports whether the user may manage the directory now.
func (u User) IsActiveAdmin() bool { return u.Role == Admin && u.Status == Active }

// DisplayName returns the name, or the address if the name is empty.
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

// Actor is the cause of a change: its origin for the audit log, and the claim on an
// idempotency key if the request has one.
type Actor struct {
	event.Origin
	Claim idempotency.Claim
	Fresh bool // the user has proven a factor a few minutes ago; see MayDoDangerous
}

// MayDoDangerous reports whether the actor may do what a stolen session must not be enough
// for, such as making someone an administrator. A user needs a fresh sign-in. The program,
// the operator on the host, and API tokens, which were created with one, don't.
func (a Actor) MayDoDangerous() bool { return a.Fresh || a.ActorID == "" || a.Token != "" }

// mayAdd checks that the actor may add a new user. The error is ErrNotFresh.
func (a Actor) mayAdd(u User) error {
	if u.Role == Admin && !a.MayDoDangerous() {
		return ErrNotFresh
	}
	return nil
}

// Errors of the directory.
var (
	ErrNotFound    = errors.New("user not found")
	ErrEmailTaken  = errors.New("email already on the list")
	ErrLastAdmin   = errors.New("the list needs at least one active administrator: make another active person an administrator first")
	ErrNotFresh    = errors.New("fresh sign-in required")
	ErrNotListed   = errors.New("not on the list")
	ErrSuspended   = errors.New("suspended")
	ErrUnavailable = errors.New("database out of reach")
)

// ValidationError reports invalid input, with a message for each invalid field.
type ValidationError struct{ Fields map[string]string }

func (e *ValidationError) Error() string { return "invalid input" }

// fieldError is a message to show beside a field.
type fieldError string

func (s fieldError) Error() string { return string(s) }

// validate returns a *ValidationError with the fields that have an error, or nil.
func validate(fields map[string]error) error {
	e := &ValidationError{Fields: map[string]string{}}
	for field, err := range fields {
		if err != nil {
			e.Fields[field] = err.Error()
		}
	}
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

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
	// RememberRemovals records, once, the removals made before they were recorded, as
	// far as the audit log has them.
	RememberRemovals(ctx context.Context) error
	// ChangeUser runs rule on the user's row, locked against other changes, and applies
	// the change it returns. The rule may run more than once.
	ChangeUser(ctx context.Context, id string, rule func(RuleState) (Change, error)) (User, error)
	// ReleaseJob makes a job due now, parked or not; DropJob deletes it. Both write
	// the event that record returns for the job.
	ReleaseJob(ctx context.Context, id string, record func(outbox.Job) event.Event) (outbox.Job, error)
	DropJob(ctx context.Context, id string, record func(outbox.Job) event.Event) (outbox.Job, error)
	// AddEvents writes events without a change, such as a refusal.
	AddEvents(ctx context.Context, events ...event.Event) error
}
