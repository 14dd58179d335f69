// Package event is the audit trail: what happened, to whom, by whom, and from
// where. An event is written in the transaction of the change it tells of, so
// that neither can be there without the other, and is not changed afterwards;
// it goes when it is older than the trail is kept.
//
// Packages directory, session, token, outbox, reconcile and userio create the
// events of their changes. The [Origin] of a change is a parameter of the method
// that makes it; the store writes events as they are.
//
// No token and no link ever stands in an event.
package event

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/ids"
)

// Kind says what happened.
type Kind string

// What can happen.
const (
	LinkRequested  Kind = "link_requested"  // a sign-in link was asked for; a Reason says why none was sent
	LinkFailed     Kind = "link_failed"     // a sign-in link could not be sent
	LinkOpened     Kind = "link_opened"     // a link was opened where none had been asked for; nothing was spent
	SignedIn       Kind = "signed_in"       // somebody came in
	SignInRefused  Kind = "sign_in_refused" // somebody came with a link and was not let in
	SessionEnded   Kind = "session_ended"   // one session was over before its time
	UserAdded      Kind = "user_added"      // put on the list, without a mail
	UserInvited    Kind = "user_invited"    // put on the list, or invited again
	InviteSent     Kind = "invite_sent"     // Stytch took the invitation
	UserJoined     Kind = "user_joined"     // came onto the list by signing in
	UserEdited     Kind = "user_edited"     // name or role changed
	UserSuspended  Kind = "user_suspended"  // kept out
	UserReinstated Kind = "user_reinstated" // let in again
	UserRemoved    Kind = "user_removed"    // taken off the list
	ActionRefused  Kind = "action_refused"  // an administrator's action was tried and not allowed
	SettingChanged Kind = "setting_changed" // the program runs with other settings than before
	JobParked      Kind = "job_parked"      // Stytch refused a call for good
	JobRetried     Kind = "job_retried"     // an administrator had a call tried again
	JobDropped     Kind = "job_dropped"     // an administrator gave a call up
	StytchMismatch Kind = "stytch_differs"  // Stytch and the list did not agree
	ImportStarted  Kind = "import_started"  // a file's people began to come onto the list, or went on after a stop
	ImportStopped  Kind = "import_stopped"  // before all of them were there
	ImportDone     Kind = "import_done"     // all of them are
	ListExported   Kind = "list_exported"   // people were written to a file and handed out
	TokenCreated   Kind = "token_made"      // an administrator made an API token
	TokenRevoked   Kind = "token_revoked"   // an API token was over before its time
)

// Kinds are all of them.
var Kinds = []Kind{
	LinkRequested, LinkFailed, LinkOpened, SignedIn, SignInRefused, SessionEnded, UserAdded, UserInvited, InviteSent,
	UserJoined, UserEdited, UserSuspended, UserReinstated, UserRemoved, ActionRefused, SettingChanged,
	JobParked, JobRetried, JobDropped, StytchMismatch, ImportStarted, ImportStopped, ImportDone, ListExported,
	TokenCreated, TokenRevoked,
}

// IsKind reports whether there is a kind of that name.
func IsKind(s string) bool { return slices.Contains(Kinds, Kind(s)) }

// Event is one line of the trail.
type Event struct {
	ID   string // UUIDv7: in order of time
	At   time.Time
	Kind Kind
	Origin
	SubjectID string // the person it is about; empty: nobody on the list
	Subject   string // their address in its compared form; empty: about nobody
	Reason    string // in a few words; may be empty
	Changes   []Change
}

// Change is a field's value before and after.
type Change struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// Origin is who did something, and from where.
type Origin struct {
	ActorID   string // a person on the list; empty: see Actor
	Actor     string // their address in its compared form, or an Operator; empty: the program by itself, or a stranger
	Address   string // network address
	UserAgent string
	RequestID string
	Token     string // the name of the API token by which they acted; empty: by a session, or without either
}

// operatorSuffix ends the name of an operator, as it ends no address.
const operatorSuffix = " on the command line"

// Operator returns the Actor of what a user of the operating system did by a
// command of the program; a name is cut to a hundred bytes.
func Operator(user string) string {
	return strings.ToValidUTF8(user[:min(len(user), 100)], "") + operatorSuffix
}

// IsOperator reports whether an Actor is one, and not somebody's address.
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

// Query asks for a page of the trail, newest first. Of Person, About and By, one
// may be set.
type Query struct {
	Kind   Kind   // empty: all
	Person string // id of whom it is about; empty: anybody
	About  string // an address in its compared form; empty: any
	By     string // likewise, of who did it
	Before string // id of the event that the page is behind; empty: from the newest
	Limit  int    // 1..MaxLimit
}

// MaxLimit is the most events on one page, DefaultLimit is what you get unasked.
const (
	MaxLimit     = 200
	DefaultLimit = 50
)

// Reader reads the trail.
type Reader interface {
	// ListEvents returns a page, newest first, and the id that the page behind it
	// is asked for with (Before); empty if this is the last.
	ListEvents(ctx context.Context, q Query) (page []Event, next string, err error)
}
