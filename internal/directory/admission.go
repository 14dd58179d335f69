package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/ids"
)

// AdmissionPolicy is the rule by which people are let in. It is asked twice: when
// somebody wants a sign-in link, and again when they come with one, inside the
// transaction that makes their session.
type AdmissionPolicy struct {
	Open       bool     // anyone may join
	Domains    []string // people with an address there may join, lower-cased, in ASCII
	FirstAdmin bool     // while there is no administrator, the first to come becomes one
}

// Decision is how an address may come in.
type Decision struct {
	Listed bool // on the list; else they join by coming
	Role   Role // theirs, or the one they join with
}

// Applicant is an address that asks to come in, with what the directory knows of it.
type Applicant struct {
	Email     Email
	User      *User     // the user who has the address; nil if there is none
	Admins    int       // administrators who are not suspended; may be 0 if User is set
	RemovedAt time.Time // when the address, or one of the same mailbox, was removed; zero if none was, or it was invited since
	Alias     string    // a listed address of the same mailbox, in its compared form; empty if there is none
}

// Reasons why an address may not join by itself where others may. Each wraps ErrNotListed.
var (
	ErrRemoved     = fmt.Errorf("%w: removed earlier, and not invited since", ErrNotListed)
	ErrAlias       = fmt.Errorf("%w: another address of the same mailbox is", ErrNotListed)
	ErrSourceRoute = fmt.Errorf("%w: %% and ! can send mail on to another address", ErrNotListed)
)

// Decide says whether an address may come in. The error wraps ErrNotListed or
// ErrSuspended.
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

// joinRole returns the role with which the setting lets a new address join, and
// false if it lets it not.
func (a AdmissionPolicy) joinRole(from Applicant) (Role, bool) {
	if a.FirstAdmin && from.Admins == 0 {
		return Admin, true
	}
	return Member, a.Open || slices.Contains(a.Domains, from.Email.Domain())
}

// Admit returns the user as they are once they have come in with a proven
// address: from.User changed, or a new one. Errors as Decide.
func (a AdmissionPolicy) Admit(from Applicant, stytchUserID string, now time.Time) (User, error) {
	verdict, err := a.Decide(from)
	if err != nil {
		return User{}, err
	}
	u := User{ID: ids.New(), Email: from.Email, Role: verdict.Role, CreatedAt: now, UpdatedAt: now}
	if from.User != nil {
		u = *from.User
	}
	if from.User != nil && u.LastSeenAt.IsZero() { // their first sign-in ends all other links
		u.LinksAfter, u.CancelledInviteAt = now, time.Time{}
	}
	if u.Status != Active || u.StytchUserID != stytchUserID {
		u.Status, u.StytchUserID, u.UpdatedAt = Active, stytchUserID, now
	}
	u.LastSeenAt = now
	return u, nil
}
