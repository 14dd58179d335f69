// Package factor decides how strong and how fresh a sign-in is, and manages the passkeys and
// authenticator apps that users have set up.
//
// A session keeps the factors that its user has proven, and when ([Proofs]). [Policy.Check]
// is the one function that decides what they allow; pages, the API and apps ask it.
package factor

import (
	"iter"
	"strconv"
	"strings"
	"time"
)

// Kind is a kind of authentication factor.
type Kind string

// The kinds of factors. They are stored.
const (
	EmailLink    Kind = "email_link"
	EmailCode    Kind = "email_code"
	OAuth        Kind = "oauth" // an account at another provider than the next three
	Google       Kind = "oauth_google"
	GitHub       Kind = "oauth_github"
	Microsoft    Kind = "oauth_microsoft"
	Passkey      Kind = "passkey" // with user verification
	TOTP         Kind = "totp"    // a code of an authenticator app
	RecoveryCode Kind = "recovery_code"
	HostLink     Kind = "host_link" // a link that the operator printed on the host
)

// isKnown reports whether a stored kind is one of the above.
func (k Kind) isKnown() bool {
	switch k {
	case EmailLink, EmailCode, OAuth, Google, GitHub, Microsoft, Passkey, TOTP, RecoveryCode, HostLink:
		return true
	}
	return false
}

// isSecond reports whether the kind proves more than access to the user's mailbox or
// provider. A passkey with user verification is two factors in one.
func (k Kind) isSecond() bool {
	switch k {
	case Passkey, TOTP, RecoveryCode, HostLink:
		return true
	}
	return false
}

// IsOAuth reports whether the kind is an account at another provider.
func (k Kind) IsOAuth() bool {
	switch k {
	case OAuth, Google, GitHub, Microsoft:
		return true
	}
	return false
}

// Label returns the kind in words, such as "email code".
func (k Kind) Label() string {
	switch k {
	case EmailLink:
		return "email link"
	case EmailCode:
		return "email code"
	case OAuth:
		return "another account"
	case Google:
		return "Google account"
	case GitHub:
		return "GitHub account"
	case Microsoft:
		return "Microsoft account"
	case Passkey:
		return "passkey"
	case TOTP:
		return "authenticator app"
	case RecoveryCode:
		return "recovery code"
	case HostLink:
		return "link from the server"
	}
	return string(k)
}

// Proof is a factor that a session's user has proven.
type Proof struct {
	Kind Kind
	At   time.Time // when it was last proven, whole seconds
}

// Proofs are the factors of a session, at most one of each kind, in the form in which they
// are stored: "passkey@1764521234 email_link@1764520000", the newest first, with times in
// seconds since 1970, at most 255 bytes. Parts that can't be read, such as those of a
// newer release, don't count.
type Proofs string

// With returns the proofs with a factor proven at a time.
func (p Proofs) With(kind Kind, at time.Time) Proofs {
	out := string(kind) + "@" + strconv.FormatInt(at.Unix(), 10)
	for proof := range p.All() {
		if proof.Kind != kind {
			out += " " + string(proof.Kind) + "@" + strconv.FormatInt(proof.At.Unix(), 10)
		}
	}
	return Proofs(out)
}

// All returns the proofs, newest first.
func (p Proofs) All() iter.Seq[Proof] {
	return func(yield func(Proof) bool) {
		for part := range strings.FieldsSeq(string(p)) {
			kind, at, _ := strings.Cut(part, "@")
			seconds, err := strconv.ParseInt(at, 10, 64)
			if err != nil || !Kind(kind).isKnown() {
				continue
			}
			if !yield(Proof{Kind(kind), time.Unix(seconds, 0).UTC()}) {
				return
			}
		}
	}
}

// HasSecond reports whether a proof of a second factor, or one that counts as two, is among them.
func (p Proofs) HasSecond() bool { return p.any(func(p Proof) bool { return p.Kind.isSecond() }) }

// Has reports whether a factor of a kind was proven.
func (p Proofs) Has(kind Kind) bool { return p.any(func(p Proof) bool { return p.Kind == kind }) }

// any reports whether a proof matches.
func (p Proofs) any(match func(Proof) bool) bool {
	for proof := range p.All() {
		if match(proof) {
			return true
		}
	}
	return false
}
