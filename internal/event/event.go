// Package event defines the audit log: what happened, to whom, by whom, and from
// where. An event is written in the transaction of the change that it describes, so
// that neither exists without the other. It is not changed afterwards, and is deleted
// when it is older than the retention period.
//
// Packages directory, session, token, outbox, reconcile and userio create the
// events of their changes. The [Origin] of a change is a parameter of the method
// that makes it; the store writes events as they are.
//
// Events never contain tokens or links.
package event

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/text"
)

// Kind is the kind of an event.
type Kind string

// The kinds of events.
const (
	LinkRequested  Kind = "link_requested"  // a sign-in link was requested; if none was sent, Reason says why
	LinkFailed     Kind = "link_failed"     // a sign-in link could not be sent
	LinkOpened     Kind = "link_opened"     // a link was opened in a browser that hadn't requested one; it wasn't used up
	CodeRequested  Kind = "code_requested"  // a sign-in code was requested; if none was sent, Reason says why
	CodeFailed     Kind = "code_failed"     // a sign-in code could not be sent
	Confirmed      Kind = "confirmed"       // a signed-in user proved another factor, or one again
	ConfirmRefused Kind = "confirm_refused" // that was refused
	FactorAdded    Kind = "factor_added"    // a user set up a passkey or an authenticator app; Reason names it
	FactorRenamed  Kind = "factor_renamed"  // a passkey was renamed
	FactorRemoved  Kind = "factor_removed"  // a passkey or an authenticator app was removed
	FactorsReset   Kind = "factors_reset"   // all passkeys and the authenticator app of a user were removed; Reason counts them
	HostLinkMade   Kind = "host_link_made"  // the operator made a sign-in link for a user on the host
	SignedIn       Kind = "signed_in"       // a user signed in
	SignInRefused  Kind = "sign_in_refused" // a sign-in with a link was refused
	SessionEnded   Kind = "session_ended"   // a session ended before it expired
	UserAdded      Kind = "user_added"      // a user was added without an invitation
	UserInvited    Kind = "user_invited"    // a user was added and invited, or invited again
	InviteSent     Kind = "invite_sent"     // Stytch accepted the invitation
	UserJoined     Kind = "user_joined"     // a new user joined by signing in
	UserEdited     Kind = "user_edited"     // a name or role changed
	UserSuspended  Kind = "user_suspended"  // a user was suspended
	UserReinstated Kind = "user_reinstated" // a suspension was lifted
	UserRemoved    Kind = "user_removed"    // a user was removed
	ActionRefused  Kind = "action_refused"  // an administrator attempted an action that isn't allowed
	SettingChanged Kind = "setting_changed" // a setting differs from that of the previous start
	JobParked      Kind = "job_parked"      // a job failed for good
	JobRetried     Kind = "job_retried"     // an administrator retried a job
	JobDropped     Kind = "job_dropped"     // an administrator cancelled a job
	StytchMismatch Kind = "stytch_differs"  // Stytch and the directory differed
	ImportStarted  Kind = "import_started"  // an import was started or resumed
	ImportStopped  Kind = "import_stopped"  // an import stopped before its end
	ImportDone     Kind = "import_done"     // an import was completed
	ListExported   Kind = "list_exported"   // users were exported to a file
	TokenCreated   Kind = "token_made"      // an API token was created
	TokenRevoked   Kind = "token_revoked"   // an API token was revoked

	// Events about groups and apps have no subject, and the name as their Reason. Those
	// about memberships have the user as their subject.
	GroupCreated    Kind = "group_created"     // a group was created
	GroupRenamed    Kind = "group_renamed"     // a group was renamed
	GroupRemoved    Kind = "group_removed"     // a group was removed, with its memberships
	GroupJoined     Kind = "group_joined"      // a user was added to a group
	GroupExtended   Kind = "group_extended"    // the end of a membership was changed
	GroupLeft       Kind = "group_left"        // a user was removed from a group
	AppCreated      Kind = "app_created"       // an app was added
	AppEdited       Kind = "app_edited"        // an app was changed
	AppRemoved      Kind = "app_removed"       // an app was removed
	AppTokenCreated Kind = "app_token_created" // a token for one app was created
	AppTokenRevoked Kind = "app_token_revoked" // a token for one app was revoked
	AccessRequested Kind = "access_requested"  // a user requested access to an app
	AccessApproved  Kind = "access_approved"   // an administrator approved a request for access
	AccessDenied    Kind = "access_denied"     // an administrator denied a request for access
	AppRefused      Kind = "app_refused"       // a user was refused an app

	// Events about apps that use OpenID Connect.
	AppSignedIn         Kind = "app_signed_in"         // a user signed in to an app
	GrantEnded          Kind = "grant_ended"           // a sign-in to an app ended before its session; Reason says why
	DeviceAllowed       Kind = "device_allowed"        // a user allowed a device to sign in to an app
	DeviceDenied        Kind = "device_denied"         // a user cancelled the sign-in of a device to an app
	ClientChanged       Kind = "client_changed"        // the client of an app was added or changed
	ClientRemoved       Kind = "client_removed"        // the client of an app was removed
	ClientSecretCreated Kind = "client_secret_created" // a secret of a client was created
	ClientSecretRevoked Kind = "client_secret_revoked" // a secret of a client was revoked
)

// Kinds lists all kinds.
var Kinds = []Kind{
	LinkRequested, LinkFailed, LinkOpened, SignedIn, SignInRefused, SessionEnded, UserAdded, UserInvited, InviteSent,
	UserJoined, UserEdited, UserSuspended, UserReinstated, UserRemoved, ActionRefused, SettingChanged,
	JobParked, JobRetried, JobDropped, StytchMismatch, ImportStarted, ImportStopped, ImportDone, ListExported,
	TokenCreated, TokenRevoked, GroupCreated, GroupRenamed, GroupRemoved, GroupJoined, GroupExtended, GroupLeft,
	AppCreated, AppEdited, AppRemoved, AppTokenCreated, AppTokenRevoked, AccessRequested, AccessApproved, AccessDenied,
	AppRefused, CodeRequested, CodeFailed, Confirmed, ConfirmRefused, FactorAdded, FactorRenamed, FactorRemoved,
	FactorsReset, HostLinkMade, AppSignedIn, GrantEnded, DeviceAllowed, DeviceDenied, ClientChanged, ClientRemoved, ClientSecretCreated, ClientSecretRevoked,
}

// IsKind reports whether s is one of Kinds.
func IsKind(s string) bool { return slices.Contains(Kinds, Kind(s)) }

// Event is one row of the audit log.
type Event struct {
	ID   string // UUIDv7, ordered by time
	At   time.Time
	Kind Kind
	Origin
	SubjectID string // the user it is about; empty if there is none
	Subject   string // the normalized address it is about; may be empty
	Reason    string // a short text; may be empty
	Changes   []Change
}

// Change is a field's value before and after.
type Change struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// Origin is the cause of an event: the actor and the request.
type Origin struct {
	ActorID   string // the acting user; empty if the actor isn't a user
	Actor     string // the user's normalized address, or an Operator; empty for the program itself and for unknown visitors
	Address   string // network address
	UserAgent string
	RequestID string
	Token     string // the name of the API token that was used; empty if none was
}

// operatorSuffix ends the Actor of an operator. No address ends with it.
const operatorSuffix = " on the command line"

// Operator returns the Actor for commands run by a user of the operating system. The
// user's name is truncated to 100 bytes.
func Operator(user string) string {
	return strings.ToValidUTF8(text.TruncateBytes(user, 100), "") + operatorSuffix
}

// IsOperator reports whether an Actor was returned by Operator.
func IsOperator(actor string) bool { return strings.HasSuffix(actor, operatorSuffix) }

// New returns an event caused by the program itself. subjectID is empty if the
// address, subject, is of no user; both are empty if the event is about no one.
func New(kind Kind, at time.Time, subjectID, subject, reason string) Event {
	return Origin{}.NewEvent(kind, at, subjectID, subject, reason)
}

// NewEvent returns an event caused by o. See New for the parameters.
func (o Origin) NewEvent(kind Kind, at time.Time, subjectID, subject, reason string) Event {
	return Event{
		ID: ids.New(), At: at, Kind: kind, Origin: o, SubjectID: subjectID, Subject: subject, Reason: reason,
	}
}

// WithActor returns o with a user as the actor.
func (o Origin) WithActor(id, address string) Origin {
	o.ActorID, o.Actor = id, address
	return o
}

// Query selects a page of the audit log, newest first. At most one of Person, About and
// By may be set.
type Query struct {
	Kind   Kind   // empty for all
	Person string // id of the user that events are about; empty for any
	About  string // normalized address that events are about; empty for any
	By     string // normalized address of the actor; empty for any
	Before string // id of an event; only older ones are returned; empty to begin with the newest
	Limit  int    // 1..MaxLimit
}

// MaxLimit is the maximum number of events on a page, DefaultLimit the usual number.
const (
	MaxLimit     = 200
	DefaultLimit = 50
)

// Reader reads the audit log.
type Reader interface {
	// ListEvents returns a page, newest first, and the value of Query.Before for the next
	// page, "" if this is the last one.
	ListEvents(ctx context.Context, q Query) (page []Event, next string, err error)
}
