// Package outbox sees to the calls to Stytch that must still happen.
//
// A change that Stytch has to hear of (an invitation, a removal, the end of a
// session) is written to the directory together with a [Job], in one
// transaction, so that neither can be there without the other. The [Worker] of
// any instance that is alive then leases the job, makes the call, and deletes
// the job; a call that fails is repeated with a growing pause, and one that
// Stytch refuses for good, or never confirms, is parked for an administrator to see.
//
// Every call may be made twice (an instance can die between the call and the
// note that it is done), so every call is of a kind that does no harm twice:
// what is to be ended and isn't there counts as done, and a second invitation
// is a second mail. The jobs of one subject are done in the order in which they
// were written.
package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// Kind says which call a job stands for.
type Kind string

// The calls there are.
const (
	Invite        Kind = "invite"         // mail an invitation
	RevokeInvite  Kind = "revoke_invite"  // make an outstanding invitation's link worthless
	DeleteUser    Kind = "delete_user"    // forget the person, which ends all sessions there
	RevokeSession Kind = "revoke_session" // end one session
	Notify        Kind = "notify"         // mail a notice; the mail server hears of it, not Stytch
)

// A Job is one call to Stytch that must still happen.
type Job struct {
	ID       string // UUIDv7, so that jobs sort by age
	Kind     Kind
	Subject  string  // the person's address in its compared form; keeps the person's jobs in order
	UserID   string  // in the directory; the row may be gone by the time the job runs
	StytchID string  // of the user (DeleteUser; empty: not known) or the session (RevokeSession); for Notify, the id of the event
	Name     string  // of the person invited; may be empty
	Actor    string  // who invited them, by name or address; empty: nobody who is on the list and not suspended; from LeaseJob only
	Gone     bool    // nobody is to be mailed any more; from LeaseJob only
	Notice   *Notice // of a Notify; from LeaseJob only

	Attempts  int       // how often the call was made or begun
	DueAt     time.Time // not before this; zero for at once, on whatever clock
	ParkedAt  time.Time // zero, or when Stytch refused it for good
	LastError string    // why the last attempt failed, for an administrator; no secrets, no addresses
	CreatedAt time.Time
}

// New returns a job that is due at once. That is no time of its writer's: an
// instance whose clock is behind would leave it lying until its own clock says so.
func New(kind Kind, subject, userID, stytchID, name string, now time.Time) Job {
	return Job{
		ID: ids.New(), Kind: kind, Subject: subject, UserID: userID,
		StytchID: stytchID, Name: name, CreatedAt: now,
	}
}

// SentInvite is an invite job that succeeded.
type SentInvite struct {
	Job          Job
	StytchUserID string
	At           time.Time
	Event        event.Event
	DeleteUser   Job // deletes the account if the user was removed in the meantime
}

// Sent returns what to write when an invite job succeeded.
func (j Job) Sent(stytchUserID string, now time.Time) SentInvite {
	return SentInvite{
		Job: j, StytchUserID: stytchUserID, At: now, Event: event.New(event.InviteSent, now, j.UserID, j.Subject, ""),
		DeleteUser: New(DeleteUser, j.Subject, j.UserID, stytchUserID, "", now),
	}
}

// ParkedJob is a job that failed for good.
type ParkedJob struct {
	ID     string
	At     time.Time
	Reason string
	Event  event.Event
}

// Park returns what to write when a job failed for good.
func (j Job) Park(now time.Time, reason string) ParkedJob {
	return ParkedJob{
		ID: j.ID, At: now, Reason: reason, Event: event.New(event.JobParked, now, j.UserID, j.About(), string(j.Kind)+": "+reason),
	}
}

// Errors of Accounts and Store.
var (
	// ErrRefused: Stytch will never do this; repeating it is no use.
	ErrRefused = errors.New("refused for good")
	// ErrUnconfirmed: it may have been done, and doing it again is not for nothing.
	ErrUnconfirmed = errors.New("not confirmed")
	// ErrNoJob: nothing is due, or what is due is leased to someone else.
	ErrNoJob = errors.New("no job")
)

// Accounts makes the calls. Each must end by the context's deadline and may be
// repeated. An error that wraps [ErrRefused] parks the job, and so does one that wraps
// [ErrUnconfirmed] after a few tries; any other repeats it. The text of [Reason] is shown to administrators.
type Accounts interface {
	// Invite mails an invitation, by somebody if that is known, and returns the
	// person's Stytch user id.
	Invite(ctx context.Context, email, name, by string) (stytchUserID string, err error)
	// RevokeInvite makes an outstanding invitation worthless; none is fine.
	RevokeInvite(ctx context.Context, email string) error
	// DeleteUser forgets a person, by Stytch user id or, if that is empty, by
	// address; nobody there is fine.
	DeleteUser(ctx context.Context, stytchUserID, email string) error
	// RevokeSession ends a session; none is fine.
	RevokeSession(ctx context.Context, stytchSessionID string) error
}

// Store keeps the jobs. Jobs are written by the transactions they belong to.
type Store interface {
	// LeaseJob takes the next job that may run: of the subject, due or not, or
	// of anyone if subject is empty. It counts the attempt. ErrNoJob if none.
	LeaseJob(ctx context.Context, subject string, now, until time.Time) (Job, error)
	// FinishJob forgets a job that is done.
	FinishJob(ctx context.Context, id string) error
	// FinishInvite deletes an invite job and records on the user that the invitation
	// was sent. If the user was removed in the meantime, it writes the DeleteUser job
	// instead, so that no account without a user stays at Stytch.
	FinishInvite(ctx context.Context, i SentInvite) error
	// RetryJob puts a job back, to be due later.
	RetryJob(ctx context.Context, id string, due time.Time, reason string) error
	// ParkJob sets a job aside until an administrator decides.
	ParkJob(ctx context.Context, p ParkedJob) error
}

// Reason returns what to tell an administrator about a failed call: the
// sentence of an error that has one (a method Reason() string), else a plain one.
func Reason(err error) string {
	var r interface{ Reason() string }
	if errors.As(err, &r) {
		return r.Reason()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "Stytch did not answer in time."
	}
	return "Stytch could not be reached."
}
