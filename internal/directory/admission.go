package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/ids"
)

// AdmissionPolicy decides who may sign in. It is evaluated when a link is requested, and
// again when it is redeemed, inside the transaction that creates the session.
type AdmissionPolicy struct {
	Open       bool     // anyone may join
	Domains    []string // addresses of these domains may join; lower case, ASCII
	FirstAdmin bool     // while there is no administrator, the first user to sign in becomes one
}

// Decision is the result of an admission.
type Decision struct {
	Listed bool // false if the address joins by signing in
	Role   Role // of the user, or the one they join with
}

// Applicant is an address to be admitted, with what the directory knows about it.
type Applicant struct {
	Email     Email
	User      *User     // nil if no user has the address
	Admins    int       // administrators who are not suspended; may be 0 if User is set
	RemovedAt time.Time // when an address of the same mailbox was removed; zero if none was, or it was invited since
	Alias     string    // a listed address of the same mailbox, normalized; empty if there is none
}

// Reasons why an address that the policy admits may not join. Each wraps ErrNotListed.
var (
	ErrRemoved     = fmt.Errorf("%w: removed earlier, and not invited since", ErrNotListed)
	ErrAlias       = fmt.Errorf("%w: another address of the same mailbox is", ErrNotListed)
	ErrSourceRoute = fmt.Errorf("%w: %% and ! can send mail on to another address", ErrNotListed)
)

// Decide decides whether an address may sign in. The error wraps ErrNotListed or ErrSuspended.
func (a AdmissionPolicy) Decide(from Applicant) (Decision, error) {
	switch {
	case from.User != nil && from.User.Status == Suspended:
		return Decision{}, ErrSuspended
	case from.User != nil:
		return Decision{Listed: true, Role: from.User.Role}, nil
	}
	role, joins := a.joinRole(from)
	switch {
	case !joins:
		return Decision{}, ErrNotListed
	case !from.RemovedAt.IsZero():
		return Decision{}, ErrRemoved
	case from.Alias != "":
		return Decision{}, ErrAlias
	case strings.ContainsAny(from.Email.Normalized, "%!"):
		return Decision{}, ErrSourceRoute
	}
	return Decision{Role: role}, nil
}

// joinRole returns the role that a new address joins with, and false if it may not join.
func (a AdmissionPolicy) joinRole(from Applicant) (Role, bool) {
	if a.FirstAdmin && from.Admins == 0 {
		return Admin, true
	}
	return Member, a.Open || slices.Contains(a.Domains, from.Email.Domain())
}

// Admit returns the user to store after a sign-in with a proven address: from.User with
// changes, or a new user. Errors are those of Decide.
func (a AdmissionPolicy) Admit(from Applicant, stytchUserID string, now time.Time) (User, error) {
	decision, err := a.Decide(from)
	if err != nil {
		return User{}, err
	}
	u := User{ID: ids.New(), Email: from.Email, Role: decision.Role, CreatedAt: now, UpdatedAt: now}
	if from.User != nil {
		u = *from.User
	}
	if from.User != nil && u.LastSeenAt.IsZero() { // the first sign-in invalidates all other links
		u.LinksAfter, u.CancelledInviteAt = now, time.Time{}
	}
	if u.Status != Active || u.StytchUserID != stytchUserID {
		u.Status, u.StytchUserID, u.UpdatedAt = Active, stytchUserID, now
	}
	u.LastSeenAt = now
	return u, nil
}
