package factor

import "time"

// Requirement says which users need a second factor to sign in.
type Requirement string

// The requirements, as in GUESTLIST_SECOND_FACTOR.
const (
	Off      Requirement = "off"
	Admins   Requirement = "admins"
	Everyone Requirement = "everyone"
)

// FreshFor is how long a proof counts as fresh. Dangerous actions need a fresh one.
const FreshFor = 10 * time.Minute

// Policy decides what the proofs of a session allow. The zero value requires no second
// factor.
type Policy struct {
	SecondFactor Requirement
}

// Subject is a session whose proofs are judged.
type Subject struct {
	Proofs          Proofs
	Admin           bool // the user is an administrator
	HasSecondFactor bool // the user had set up an authenticator app when signing in, and is asked for it whatever the policy
}

// Standing is what the proofs of a session allow.
type Standing struct {
	NeedsSecondFactor bool // nothing is open until a second factor is proven
	Fresh             bool // dangerous actions are allowed; never with NeedsSecondFactor
}

// Check decides how strong and how fresh a session's proofs are at a time. A user who needs
// a second factor must also prove one for a fresh sign-in: a mailbox alone isn't enough.
func (p Policy) Check(s Subject, now time.Time) Standing {
	if !p.Requires(s) {
		return Standing{Fresh: s.Proofs.any(func(p Proof) bool { return p.isFresh(now) })}
	}
	return Standing{
		NeedsSecondFactor: !s.Proofs.HasSecond(),
		Fresh:             s.Proofs.any(func(p Proof) bool { return p.Kind.isSecond() && p.isFresh(now) }),
	}
}

// MaySetUp reports whether a session may set up a passkey or an authenticator app at a time.
// It needs a fresh sign-in. A user who has set up nothing yet can't prove a second factor, so
// any fresh proof will do, also if the session needs a second factor. hasFactor says whether
// the user has set up anything.
func (p Policy) MaySetUp(s Subject, hasFactor bool, now time.Time) bool {
	if hasFactor {
		return p.Check(s, now).Fresh
	}
	return s.Proofs.any(func(p Proof) bool { return p.isFresh(now) })
}

// Requires reports whether a session needs a second factor, proven or not.
func (p Policy) Requires(s Subject) bool {
	return s.HasSecondFactor || p.SecondFactor == Everyone || p.SecondFactor == Admins && s.Admin
}

// isFresh reports whether the proof is recent. A time in the future, such as after the
// clock was set back, is not.
func (p Proof) isFresh(now time.Time) bool {
	age := now.Sub(p.At)
	return age < FreshFor && age > -time.Minute
}
