// Package outbox makes the calls to Stytch and to apps that follow from changes in the directory.
//
// A change that Stytch must know about (an invitation, a removal, the end of a session)
// is written together with a [Job], in one transaction. The [Worker] of any instance
// then leases the job, makes the call, and deletes the job. A failed call is retried with
// exponential backoff. A call that Stytch refuses for good, or never confirms, is parked
// until an administrator decides.
//
// Every call may be made twice, because an instance can die between the call and the
// deletion of its job. So every call is idempotent: ending what doesn't exist succeeds,
// and a second invitation is a second email. The jobs of one subject are executed in the
// order in which they were written.
package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// Kind is the kind of a job.
type Kind string

// The kinds of jobs.
const (
	Invite        Kind = "invite"         // email an invitation
	RevokeInvite  Kind = "revoke_invite"  // invalidate the link of an invitation
	DeleteUser    Kind = "delete_user"    // delete the account and its sessions
	RevokeSession Kind = "revoke_session" // end one session
	DeletePasskey Kind = "delete_passkey" // delete a passkey of an account
	DeleteTOTP    Kind = "delete_totp"    // delete an authenticator app of an account
	Notify        Kind = "notify"         // email a notice; goes to the mail server, not to Stytch

	BackchannelLogout Kind = "backchannel_logout" // tell an app that a session has ended; goes to the app
)

// A Job is a pending call.
type Job struct {
	ID       string // UUIDv7, so that jobs sort by age
	Kind     Kind
	Subject  string  // the user's address, normalized; jobs with the same subject are kept in order
	UserID   string  // the user may be removed by the time the job runs
	StytchID string  // of the user (DeleteUser, may be empty), the session (RevokeSession, BackchannelLogout), the factor (DeletePasskey, DeleteTOTP) or what a notice is about (Notify)
	Name     string  // of the invited user, may be empty; of a Notify its Topic, empty if its event tells; of a BackchannelLogout that of the app
	AppID    string  // of a BackchannelLogout
	Actor    string  // name or address of the inviting user, empty if removed or suspended; from LeaseJob only
	Gone     bool    // the recipient no longer exists; from LeaseJob only
	Notice   *Notice // of a Notify; from LeaseJob only

	Attempts  int       // number of calls begun
	DueAt     time.Time // zero for at once
	ParkedAt  time.Time // zero if not parked
	LastError string    // for administrators, without secrets and addresses; empty before the first failure
	CreatedAt time.Time
}

// New returns a job that is due at once. Its DueAt is zero rather than now, so that
// clock skew between instances can't delay it.
func New(kind Kind, subject, userID, stytchID, name string, now time.Time) Job {
	return Job{ID: ids.New(), Kind: kind, Subject: subject, UserID: userID, StytchID: stytchID, Name: name, CreatedAt: now}
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
	what := string(j.Kind)
	if j.Kind == BackchannelLogout {
		what += ": " + j.Name
	}
	e := event.New(event.JobParked, now, j.UserID, j.About(), what+": "+reason)
	return ParkedJob{ID: j.ID, At: now, Reason: reason, Event: e}
}

// Errors of Accounts, Mailer and Store.
var (
	ErrRefused     = errors.New("refused for good") // retrying is pointless
	ErrUnconfirmed = errors.New("not confirmed")    // the call may have succeeded, and repeating it has a visible effect
	ErrNoJob       = errors.New("no job")           // none is due, or those that are due are leased
)

// Accounts makes the calls to Stytch. Each must end by the context's deadline and may be
// repeated. An error that wraps [ErrRefused] parks the job, and so does one that wraps
// [ErrUnconfirmed] after maxUnconfirmedAttempts; after other errors it is retried. The
// text of [Reason] is shown to administrators.
type Accounts interface {
	// Invite emails an invitation and returns the account's id. by names the inviting
	// user and may be empty.
	Invite(ctx context.Context, email, name, by string) (stytchUserID string, err error)
	// RevokeInvite invalidates a pending invitation, if there is one.
	RevokeInvite(ctx context.Context, email string) error
	// DeleteUser deletes an account, if it exists, by id or, if that is empty, by address.
	DeleteUser(ctx context.Context, stytchUserID, email string) error
	// RevokeSession ends a session, if it exists.
	RevokeSession(ctx context.Context, stytchSessionID string) error
	// DeletePasskey and DeleteTOTP delete a factor of an account, if it exists.
	DeletePasskey(ctx context.Context, id string) error
	DeleteTOTP(ctx context.Context, id string) error
}

// Store keeps the jobs. Jobs are written in the transactions of the changes.
type Store interface {
	// LeaseJob leases the next job: of the subject, due or not, or any that is due if
	// subject is empty, except logouts. It counts the attempt. It returns ErrNoJob if there is none.
	LeaseJob(ctx context.Context, subject string, now, until time.Time) (Job, error)
	// LeaseLogout leases the next BackchannelLogout that is due, except those to the apps whose ids are
	// given, in the same way.
	LeaseLogout(ctx context.Context, busyApps []string, now, until time.Time) (Job, error)
	// FinishJob deletes a job.
	FinishJob(ctx context.Context, id string) error
	// FinishInvite deletes an invite job and records on the user that the invitation
	// was sent. If the user was removed in the meantime, it writes the DeleteUser job
	// instead, so that no account without a user stays at Stytch.
	FinishInvite(ctx context.Context, i SentInvite) error
	// RetryJob returns a job to the queue, due later.
	RetryJob(ctx context.Context, id string, due time.Time, reason string) error
	// ParkJob sets a job aside until an administrator decides.
	ParkJob(ctx context.Context, p ParkedJob) error
	// DropJob deletes a job that is given up and writes the event that record returns.
	DropJob(ctx context.Context, id string, record func(Job) event.Event) (Job, error)
}

// Reason returns the text for administrators about a failed call: that of the first
// error in the chain with a method Reason() string, or else a general one.
func Reason(err error) string {
	var r interface{ Reason() string }
	if errors.As(err, &r) {
		return r.Reason()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "The login service did not answer in time."
	}
	return "The login service could not be reached."
}
