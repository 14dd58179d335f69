package directory

import (
	"slices"
	"time"
)

// Admission is the rule by which people are let in. It is asked twice: when
// somebody wants a sign-in link, and again when they come with one, inside the
// transaction that makes their session.
type Admission struct {
	Open       bool     // anyone may join
	Domains    []string // people with an address there may join, lower-cased, in ASCII
	FirstAdmin bool     // while there is no administrator, the first to come becomes one
}

// Verdict is how an address may come in.
type Verdict struct {
	Listed bool // on the list; else they join by coming
	Role   Role // theirs, or the one they join with
}

// Decide says whether an address may come in: found is the person who has it,
// nil if nobody does, and admins the number of administrators who are not
// suspended (looked at only if nobody was found). The error is ErrNotListed or
// ErrSuspended.
func (a Admission) Decide(found *User, admins int, email Email) (Verdict, error) {
	switch {
	case found != nil && found.Status == Suspended:
		return Verdict{}, ErrSuspended
	case found != nil:
		return Verdict{Listed: true, Role: found.Role}, nil
	case a.FirstAdmin && admins == 0:
		return Verdict{Role: Admin}, nil
	case a.Open || slices.Contains(a.Domains, email.Domain()):
		return Verdict{Role: Member}, nil
	}
	return Verdict{}, ErrNotListed
}

// Welcome returns the person as they are once they have come in with a proven
// address: found changed, or somebody new. Errors as Decide.
func (a Admission) Welcome(found *User, admins int, email Email, stytchUserID string, now time.Time) (User, error) {
	verdict, err := a.Decide(found, admins, email)
	if err != nil {
		return User{}, err
	}
	u := User{ID: newID(), Email: email, Role: verdict.Role, CreatedAt: now, UpdatedAt: now}
	if found != nil {
		u = *found
	}
	if u.Status != Active || u.StytchUserID != stytchUserID {
		u.Status, u.StytchUserID, u.UpdatedAt = Active, stytchUserID, now
	}
	u.LastSeenAt = now
	return u, nil
}
