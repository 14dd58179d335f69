// Package session manages sign-in: requesting links, redeeming them, verifying
// sessions on each request, and signing out.
//
// A session is a row. The browser's cookie holds the opaque Stytch session token,
// encrypted and signed (cookie.go). The row is found by the token's hash and read
// together with its user, so that a removal, suspension, role change or sign-out
// takes effect on the next request. A session is verified with Stytch again when
// the last verification is older than Options.Recheck (verify.go).
//
// directory.AdmissionPolicy decides who may sign in.
package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Session is a user's session in one browser. Times are UTC.
type Session struct {
	TokenHash       string // see Hash
	UserID          string
	StytchSessionID string // not secret
	UserAgent       string
	Address         string // network address of the sign-in
	CreatedAt       time.Time
	VerifiedAt      time.Time // when Stytch last confirmed the session
	ExpiresAt       time.Time
	Proofs          factor.Proofs  // the factors that the user has proven
	HasSecondFactor bool           // the user had an authenticator app when signing in
	User            directory.User // set by Store.GetSession and Store.CreateSession only
}

// Hash returns the form in which a session token is stored: its SHA-256 in hex. The
// token has 256 random bits, so it needs no salt.
func Hash(token string) string { return digest.SHA256Hex(token) }

// isLive reports whether the session has not expired and its user is active.
func (s Session) isLive(now time.Time) bool {
	return now.Before(s.ExpiresAt) && s.User.Status == directory.Active
}

// subject returns the session as a factor.Policy judges it.
func (s Session) subject() factor.Subject {
	return factor.Subject{Proofs: s.Proofs, Admin: s.User.Role == directory.Admin, HasSecondFactor: s.HasSecondFactor}
}

// Browser is the client that makes a request.
type Browser struct {
	Address   string // network address
	UserAgent string
	RequestID string
	KnownID   string // identifies a browser that has signed in before with the address it asks for; empty for others
}

// Origin returns the origin of events that the browser causes without being signed in.
func (b Browser) Origin() event.Origin {
	return event.Origin{Address: b.Address, UserAgent: b.UserAgent, RequestID: b.RequestID}
}

// Errors of sign-ins and sessions. Methods of Service also return those of package
// directory: ErrNotListed, ErrSuspended, ErrUnavailable (of the database).
var (
	ErrEnded           = errors.New("session ended")                              // expired, revoked, signed out or unknown
	ErrLinkSpent       = errors.New("link used or expired")                       // Stytch doesn't distinguish these
	ErrLinkUnknown     = errors.New("link unknown")                               // truncated, invented, or of a user since removed
	ErrLinkOld         = errors.New("link made before a change of access")        // which invalidated the user's earlier links
	ErrOtherBrowser    = errors.New("link belongs to another browser")            // requested with PKCE in another browser
	ErrTooManyLinks    = errors.New("too many links asked for")                   // for one address
	ErrTooManyFromHere = errors.New("too many links asked for from this network") // or in total
	ErrTooMany         = errors.New("too many tries")                             // also if Stytch limits the rate
	ErrTooManyCodes    = fmt.Errorf("%w of codes for an address", ErrTooMany)     // wrong ones; links work
	ErrUnavailable     = errors.New("login service out of reach")                 // down, slow or answering nonsense
	ErrNotMailed       = errors.New("mail not handed over")                       // the service works, its mail server doesn't; of SendMagicLink only
	ErrNoAccount       = errors.New("nobody at Stytch has this address")          // of SendMagicLink, SendCode and LockedUntil only
	ErrNoChallenge     = errors.New("link was made without a challenge")          // of AuthenticateMagicLink only

	ErrOAuth         = errors.New("sign-in with another account used, expired or unknown") // Stytch doesn't distinguish these
	ErrOAuthBrowser  = errors.New("sign-in with another account began elsewhere")          // in another browser, or in another tab since
	ErrOAuthProvider = errors.New("accounts of this provider aren't accepted")
	ErrOAuthEmail    = errors.New("the other account has no confirmed address")

	ErrCodeFormat       = errors.New("code has another form")                 // it was not tried
	ErrCodeWrong        = errors.New("code is wrong")                         // of an email, an authenticator app, or a recovery code
	ErrCodeSpent        = errors.New("code used, expired or tried too often") // or replaced by a newer one
	ErrPasskey          = factor.ErrCredential
	ErrPasskeyUnknown   = errors.New("passkey unknown") // removed, or never added here
	ErrUserVerification = factor.ErrUserVerification
	ErrNoAuthenticator  = errors.New("no authenticator app is set up") // or it was removed

	ErrHostLinksOff = errors.New("login service refused to make a link") // the project may not have such links; of CreateLink only
)

// Link is a sign-in link to be mailed.
type Link struct {
	Email         string // normalized
	CreateAccount bool   // create a Stytch user for an unknown address, instead of returning ErrNoAccount
	Challenge     string // PKCE code challenge (S256); empty for a link that works in any browser
	Browser       Browser
}

// Code is a sign-in code to be emailed.
type Code struct {
	Email         string // normalized
	CreateAccount bool   // create a Stytch user for an unknown address, instead of returning ErrNoAccount
	Browser       Browser
}

// Authentication is the provider's answer to a valid credential.
type Authentication struct {
	Email        string // proven by a link, a code or a provider; empty for other kinds
	StytchUserID string
	SessionID    string
	SessionToken string
	ExpiresAt    time.Time
	MadeAt       time.Time // the link was made at this time or later; zero if unknown
	FactorID     string    // the provider's id of the passkey or authenticator app; empty for other kinds
	NotEmailed   bool      // the link was made by CreateLink, or by another program; Email is empty
	HasTOTP      bool      // the user has an authenticator app

	Provider factor.Kind // of an account at another provider, such as factor.Google; empty for other kinds
}

// ProviderSession is a session as the provider knows it.
type ProviderSession struct {
	StytchUserID string
	SessionID    string
	ExpiresAt    time.Time
}

// Provider is the login service. Every call ends by the context's deadline and
// returns the errors above; unrecognized failures are ErrUnavailable.
type Provider interface {
	// Ready reports whether the service can be reached. The answer may be some
	// seconds old.
	Ready(ctx context.Context) error
	SendMagicLink(ctx context.Context, link Link) error
	// AuthenticateMagicLink redeems a link and starts a session. verifier is the
	// PKCE code verifier, or empty.
	AuthenticateMagicLink(ctx context.Context, token, verifier string, b Browser) (Authentication, error)
	// CreateLink makes a link for an account that the caller delivers. Errors: ErrNoAccount,
	// ErrHostLinksOff.
	CreateLink(ctx context.Context, stytchUserID string, lifetime time.Duration) (token string, err error)
	// SendCode emails a code and returns the id of the address, for AuthenticateCode. A
	// code cancels earlier codes, and no links.
	SendCode(ctx context.Context, c Code) (methodID string, err error)
	// AuthenticateCode redeems an emailed code. Errors: ErrCodeWrong, ErrCodeSpent.
	//
	// Like the methods below, it adds the factor to the session of a token or, if
	// that is empty, starts one.
	AuthenticateCode(ctx context.Context, methodID, code, sessionToken string, b Browser) (Authentication, error)
	// AuthenticateOAuth redeems the token of a sign-in with another provider, such as
	// Google. Email is empty unless the provider has verified the address. Errors:
	// ErrOAuth, ErrOAuthBrowser.
	AuthenticateOAuth(ctx context.Context, token, verifier string, b Browser) (Authentication, error)
	// StartPasskey returns the options of a sign-in with any passkey, in the form that
	// PublicKeyCredential.parseRequestOptionsFromJSON takes.
	StartPasskey(ctx context.Context) (json.RawMessage, error)
	// AuthenticatePasskey checks the result of PublicKeyCredential.toJSON. Errors:
	// ErrPasskey, ErrPasskeyUnknown. The caller has checked the user verification.
	AuthenticatePasskey(ctx context.Context, credential, sessionToken string, b Browser) (Authentication, error)
	// AuthenticateTOTP checks a code of a user's authenticator app. Errors:
	// ErrCodeWrong, ErrCodeSpent, ErrNoAuthenticator.
	AuthenticateTOTP(ctx context.Context, stytchUserID, code, sessionToken string, b Browser) (Authentication, error)
	// AuthenticateRecoveryCode redeems a recovery code. Errors: those of AuthenticateTOTP.
	AuthenticateRecoveryCode(ctx context.Context, stytchUserID, code, sessionToken string, b Browser) (Authentication, error)
	// AuthenticateSession returns ErrEnded if the session no longer exists.
	AuthenticateSession(ctx context.Context, token string) (ProviderSession, error)
	// GetSession is AuthenticateSession for a caller that doesn't know the token.
	GetSession(ctx context.Context, stytchUserID, sessionID string) (ProviderSession, error)
	// LockedUntil returns when the lock of an account ends, zero if it isn't locked.
	LockedUntil(ctx context.Context, stytchUserID string) (time.Time, error)
}

// SignInRequest is a session to be created for a proven address.
type SignInRequest struct {
	Email     directory.Email
	Session   Session // without UserID and User
	AttemptID string  // of the attempt that is finished by it; empty for none
	FactorID  string  // of the passkey that was used (factor.Factor); empty for none. It must still exist

	HostLinkHash string // of the HostLink that was used, which is deleted; empty for none. It must still exist

	Replaces    string                             // token hash of the browser's previous session; empty for none
	EndReplaced func(Session) directory.SessionEnd // returns what to write when that session ends
}

// Store keeps the sessions. Errors wrap directory.ErrNotFound,
// directory.ErrUnavailable, or are those of a rule it runs.
type Store interface {
	GetUserByEmail(ctx context.Context, email directory.Email) (directory.User, error)
	// Applicant returns what the directory knows about an address. It does the same
	// work for every address.
	Applicant(ctx context.Context, email directory.Email) (directory.Applicant, error)
	// CreateSession runs admit on the applicant. In one transaction, it writes the user
	// and events that admit returns and the session, and ends the session it replaces.
	// admit may run more than once.
	CreateSession(ctx context.Context, a SignInRequest, admit func(directory.Applicant) (directory.User, []event.Event, error)) (Session, error)
	// ClaimAttempt begins an attempt. If there is an unexpired one with its id that has
	// a proof or a lease, it returns that one and false.
	ClaimAttempt(ctx context.Context, a Attempt, now time.Time) (found Attempt, claimed bool, err error)
	SaveAttemptProof(ctx context.Context, id, proof string) error
	// DropAttempt deletes an attempt, unless it has created a session.
	DropAttempt(ctx context.Context, id string) error
	// GetSession returns a session with its user, without the session's UserAgent and
	// Address, and without the user's InvitedBy, InviteSentAt and UpdatedAt.
	GetSession(ctx context.Context, tokenHash string) (Session, error)
	// ListSessions returns a user's sessions, newest first.
	ListSessions(ctx context.Context, userID string) ([]Session, error)
	// SaveVerification updates VerifiedAt and ExpiresAt, and when the user was last seen.
	SaveVerification(ctx context.Context, s Session) error
	// EndSessions calls end for each session of a user. If it returns true, the
	// session is deleted and the event and job written. EndSessions returns the
	// number of deleted sessions.
	EndSessions(ctx context.Context, userID string, end func(directory.User, Session) (directory.SessionEnd, bool)) (int, error)
	// CreateCodeRequest replaces the code request of a requester.
	CreateCodeRequest(ctx context.Context, c CodeRequest) error
	// SaveCodeSent records the provider's id of the address to which the code of a
	// request was sent, unless a newer request replaced it.
	SaveCodeSent(ctx context.Context, requestHash, methodID string) error
	// TryCode counts a try and returns the request. It returns ErrCodeSpent if the request
	// has expired, had maxTries, or isn't the latest of its requester.
	TryCode(ctx context.Context, requestHash string, maxTries int, now time.Time) (CodeRequest, error)
	// ReturnCodeTry takes back a try that was counted but not made.
	ReturnCodeTry(ctx context.Context, requestHash string) error
	// DropCodeRequest deletes a code request, unless a newer one replaced it.
	DropCodeRequest(ctx context.Context, requestHash string) error
	// ListFactors returns a user's passkeys and authenticator app, oldest first.
	ListFactors(ctx context.Context, userID string) ([]factor.Factor, error)
	// CreateHostLink stores a link in place of the user's earlier one and writes the event
	// that rule returns for the user, unless it returns an error.
	CreateHostLink(ctx context.Context, l HostLink, rule func(directory.User) (event.Event, error)) error
	// GetHostLink returns a link, which may have expired, and its user.
	GetHostLink(ctx context.Context, hash string) (HostLink, directory.User, error)
	// GetFactorByProvider returns a passkey or an authenticator app by the provider's id,
	// with its user's address and id at the provider.
	GetFactorByProvider(ctx context.Context, providerID string) (factor.Factor, directory.Email, string, error)
	// AddProof adds a proven factor to a session, updates the use of its passkey or
	// authenticator app, and writes the event. It returns directory.ErrNotFound if the
	// session or the factor no longer exists.
	AddProof(ctx context.Context, p NewProof) error
	AddJob(ctx context.Context, job outbox.Job) error
	// ListJobs returns the pending jobs of a user, oldest first.
	ListJobs(ctx context.Context, email directory.Email) ([]outbox.Job, error)
	AddEvents(ctx context.Context, events ...event.Event) error
	limit.Store
	event.Reader
}
