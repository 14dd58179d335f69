// Package session is who holds this browser: asking for a sign-in link, coming
// in with it, the check of every request, and signing out.
//
// A session is a row. The browser's cookie holds the opaque Stytch session
// token, encrypted and signed (cookie.go); the row is found by the token's hash
// and read together with the person, so that a removal, a suspension, a change
// of role and a sign-out hold on the very next request. Whether Stytch still
// stands by the session is asked again when the last answer is older than the
// re-check period (check.go).
//
// Who may come in is not decided here but by directory.Admission.
package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Session is one browser of one person. Times are UTC.
type Session struct {
	TokenHash       string // see Hash
	UserID          string
	StytchSessionID string // Stytch's id of the session; not secret
	UserAgent       string
	Address         string // network address that signed in
	CreatedAt       time.Time
	VerifiedAt      time.Time // when Stytch last stood by it
	ExpiresAt       time.Time
	User            directory.User // filled by GetSession and SignIn
}

// Hash is the form in which a session token is kept: SHA-256 in hex. The token
// is 256 random bits, so that it needs no salt.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Browser is the client that makes a request.
type Browser struct {
	Address   string // network address
	UserAgent string
	RequestID string
	KnownID   string // identifies a browser that has signed in before with the address it asks for; empty for others
}

// origin returns the origin of events that the browser causes without being signed in.
func (b Browser) origin() event.Origin {
	return event.Origin{Address: b.Address, UserAgent: b.UserAgent, RequestID: b.RequestID}
}

// Errors of signing in and of sessions; besides these, Manager returns those of
// directory: ErrNotListed, ErrSuspended, ErrUnavailable (of the database).
var (
	ErrEnded           = errors.New("session ended")                              // expired, revoked, signed out or unknown
	ErrLinkSpent       = errors.New("link used or expired")                       // Stytch doesn't say which
	ErrLinkUnknown     = errors.New("link unknown")                               // cut, made up, or of a person since removed
	ErrLinkOld         = errors.New("link made before a change of access")        // which ended all links of the person
	ErrOtherBrowser    = errors.New("link belongs to another browser")            // asked for with PKCE elsewhere
	ErrTooManyLinks    = errors.New("too many links asked for")                   // for one address
	ErrTooManyFromHere = errors.New("too many links asked for from this network") // or from all together
	ErrTooMany         = errors.New("too many tries")                             // Stytch wants a pause
	ErrUnavailable     = errors.New("login service out of reach")                 // Stytch is down, slow or answers nonsense
	ErrNotMailed       = errors.New("mail not handed over")                       // Stytch is well, its mail server is not; from SendMagicLink only
	ErrNoAccount       = errors.New("nobody at Stytch has this address")          // from SendMagicLink only
	ErrNoChallenge     = errors.New("link was made without a challenge")          // from AuthenticateMagicLink only
)

// Link is a sign-in link to be mailed.
type Link struct {
	Email         string // compared form
	CreateAccount bool   // may be made a new Stytch user; else an unknown address is ErrNoAccount
	Challenge     string // PKCE code challenge (S256); empty: works in any browser
	Browser       Browser
}

// Authentication is what Stytch says of somebody who came with a good link.
type Authentication struct {
	Email        string // the address that the link was mailed to, so proven
	StytchUserID string
	SessionID    string
	SessionToken string
	ExpiresAt    time.Time
	MadeAt       time.Time // the link was not made before this; zero: nothing is known of that
}

// ProviderSession is what Stytch says of a session.
type ProviderSession struct {
	StytchUserID string
	SessionID    string
	ExpiresAt    time.Time
}

// Provider is the login service. Every call ends by the context's deadline and
// returns the errors above; whatever it can't make sense of is ErrUnavailable.
type Provider interface {
	// Ready reports whether the service can be reached; it may answer from what
	// it saw some seconds ago.
	Ready(ctx context.Context) error
	SendMagicLink(ctx context.Context, link Link) error
	// AuthenticateMagicLink spends a link and starts a session. verifier is the
	// PKCE code verifier, empty for none.
	AuthenticateMagicLink(ctx context.Context, token, verifier string, b Browser) (Authentication, error)
	// AuthenticateSession asks whether a session still stands; ErrEnded if not.
	AuthenticateSession(ctx context.Context, token string) (ProviderSession, error)
	// LockedUntil returns until when somebody's account is locked, the zero time
	// for one that is not; ErrNoAccount if there is none.
	LockedUntil(ctx context.Context, stytchUserID string) (time.Time, error)
}

// SignInRequest is somebody who has proven an address and wants a session.
type SignInRequest struct {
	Email     directory.Email
	Session   Session // without UserID and User
	AttemptID string  // of the attempt that is finished by it; empty for none

	Replaces    string                             // token hash of the browser's previous session; empty for none
	EndReplaced func(Session) directory.SessionEnd // returns what to write when that session ends
}

// Store keeps the sessions. Errors wrap directory.ErrNotFound,
// directory.ErrUnavailable, or are those of a rule it runs.
type Store interface {
	GetUserByEmail(ctx context.Context, email directory.Email) (directory.User, error)
	// Applicant returns what the directory knows of an address. It does the same
	// work for every address.
	Applicant(ctx context.Context, email directory.Email) (directory.Applicant, error)
	// CreateSession runs welcome on what the directory knows of the address and writes the
	// user and the events it returns, the session, and the end of the session it
	// replaces, in one transaction. welcome may run more than once.
	CreateSession(ctx context.Context, a SignInRequest, welcome func(directory.Applicant) (directory.User, []event.Event, error)) (Session, error)
	// ClaimAttempt begins an attempt. If there is one with its id that has not expired,
	// and is proven or leased, it returns that one and false.
	ClaimAttempt(ctx context.Context, a Attempt, now time.Time) (found Attempt, claimed bool, err error)
	// SaveAttemptProof keeps the sealed proof of an attempt.
	SaveAttemptProof(ctx context.Context, id, proof string) error
	// DropAttempt forgets an attempt, unless it has made a session.
	DropAttempt(ctx context.Context, id string) error
	// GetSession returns a session with its person, who is on the list, as far as
	// a request needs them: without the session's UserAgent and Address, and without
	// the person's InvitedBy, InviteSentAt and UpdatedAt.
	GetSession(ctx context.Context, tokenHash string) (Session, error)
	// ListSessions returns a person's sessions, newest first.
	ListSessions(ctx context.Context, userID string) ([]Session, error)
	// SaveVerification notes that Stytch stood by a session, and that its person was seen.
	SaveVerification(ctx context.Context, s Session) error
	// EndSessions calls end for each session of a user. If it returns true, the
	// session is deleted and the event and job written. EndSessions returns the
	// number of deleted sessions.
	EndSessions(ctx context.Context, userID string, end func(directory.User, Session) (directory.SessionEnd, bool)) (int, error)
	// AddJob writes a call to Stytch that must still happen.
	AddJob(ctx context.Context, job outbox.Job) error
	limit.Store
	event.Reader
	// ListJobs returns the calls to Stytch still waiting for a person, oldest first.
	ListJobs(ctx context.Context, email directory.Email) ([]outbox.Job, error)
	// AddEvents writes what happened and changed nothing, such as a refusal.
	AddEvents(ctx context.Context, events ...event.Event) error
}
