package directory

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/retry"
)

// Outbox executes jobs; outbox.Worker implements it.
type Outbox interface {
	// Deliver executes the pending jobs of the subject. It returns when they are done
	// or ctx ends.
	Deliver(ctx context.Context, subject string)
	// Wake starts on pending jobs and returns at once.
	Wake()
}

// deliverTimeout bounds how long an administrator waits for a mail to be sent. After
// it, the outbox goes on in the background.
const deliverTimeout = 4 * time.Second

// Options are the dependencies of a Directory.
type Options struct {
	Store  Store
	Outbox Outbox
	Now    func() time.Time
}

// Directory reads the directory and changes it by its rules.
type Directory struct {
	Reader
	store  Store
	outbox Outbox
	now    func() time.Time
}

// New returns a Directory.
func New(o Options) *Directory {
	return &Directory{Reader: o.Store, store: o.Store, outbox: o.Outbox, now: o.Now}
}

// Add creates a user without mailing an invitation. Errors: *ValidationError, ErrEmailTaken,
// ErrNotFresh.
func (d *Directory) Add(ctx context.Context, by Actor, in UserInput) (User, error) {
	n, err := in.validate(by, false, d.now())
	if err == nil {
		err = by.mayAdd(n.User)
	}
	if err != nil {
		return User{}, err
	}
	return n.User, d.store.CreateUser(ctx, n)
}

// Invite creates a user and mails an invitation. InviteSentAt of the returned user is zero
// if the mail is not sent yet; the outbox keeps trying. Repeating the same invitation, such
// as by pressing the button twice, returns the user of the first. Errors: *ValidationError,
// ErrEmailTaken, ErrNotFresh.
func (d *Directory) Invite(ctx context.Context, by Actor, in UserInput) (User, error) {
	return d.invite(ctx, by, in, func(n NewUser) (User, error) {
		existing, err := d.GetUserByEmail(ctx, n.User.Email)
		if err == nil && n.repeats(existing) && d.wasInvited(ctx, existing) {
			return d.waitDelivered(ctx, existing)
		}
		return User{}, ErrEmailTaken
	})
}

// InviteOrReinvite is Invite for a new user and Reinvite for an existing one, whose name
// and role stay as they are.
func (d *Directory) InviteOrReinvite(ctx context.Context, by Actor, in UserInput) (User, error) {
	return d.invite(ctx, by, in, func(n NewUser) (User, error) {
		existing, err := d.GetUserByEmail(ctx, n.User.Email)
		if err != nil {
			return User{}, err
		}
		return d.Reinvite(ctx, by, existing.ID)
	})
}

// invite creates and invites a user. If the address is taken, it returns the result of onTaken.
func (d *Directory) invite(ctx context.Context, by Actor, in UserInput, onTaken func(n NewUser) (User, error)) (User, error) {
	n, err := in.validate(by, true, d.now())
	if err == nil {
		err = by.mayAdd(n.User)
	}
	if err != nil {
		return User{}, err
	}
	err = d.store.CreateUser(ctx, n)
	if errors.Is(err, ErrEmailTaken) {
		return onTaken(n)
	}
	if err != nil {
		return User{}, err
	}
	return d.waitDelivered(ctx, n.User)
}

// Reinvite mails another invitation, which replaces a pending one. Errors: ErrNotFound,
// ErrSuspended.
func (d *Directory) Reinvite(ctx context.Context, by Actor, id string) (User, error) {
	now := d.now()
	u, err := d.change(ctx, by, id, func(s RuleState) (Change, error) {
		if s.User.Status == Suspended {
			return Change{}, ErrSuspended
		}
		return Change{
			User: s.User, CancelInvites: true, Jobs: []outbox.Job{inviteJob(s.User, now)},
			Events: []event.Event{s.User.event(by.Origin, event.UserInvited, now, "again")},
		}, nil
	})
	if err != nil {
		return User{}, err
	}
	return d.waitDelivered(ctx, u)
}

// wasInvited reports whether an invitation was sent or is pending.
func (d *Directory) wasInvited(ctx context.Context, u User) bool {
	if !u.InviteSentAt.IsZero() {
		return true
	}
	return d.hasInviteJob(ctx, u, func(outbox.Job) bool { return true })
}

// hasInviteJob reports whether the user has an invite job for which match returns true.
func (d *Directory) hasInviteJob(ctx context.Context, u User, match func(outbox.Job) bool) bool {
	jobs, err := d.ListJobs(ctx, u.Email)
	return err == nil && slices.ContainsFunc(jobs, func(j outbox.Job) bool { return j.Kind == outbox.Invite && match(j) })
}

// waitDelivered waits until the user's invitation was attempted, at most deliverTimeout,
// and returns the user as they are then.
func (d *Directory) waitDelivered(ctx context.Context, u User) (User, error) {
	wait, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	// Another worker or instance may be executing the job.
	inProgress := func(j outbox.Job) bool { return j.ParkedAt.IsZero() && j.LastError == "" }
	for d.outbox.Deliver(wait, u.Email.Normalized); d.hasInviteJob(wait, u, inProgress) && wait.Err() == nil; d.outbox.Deliver(wait, u.Email.Normalized) {
		_ = retry.Sleep(wait, 50*time.Millisecond)
	}
	current, err := d.GetUser(ctx, u.ID)
	if err != nil {
		return u, nil // the invitation was written all the same
	}
	return current, nil
}

// Edit changes a user. Suspending ends their sessions. It, reinstating and a change of role
// invalidate earlier links and cancel an invitation; a new administrator gets another.
// Status "active" reinstates a suspended user. Users who lose admin rights lose their API
// tokens. Errors: *ValidationError, ErrNotFound, ErrLastAdmin, ErrNotFresh.
func (d *Directory) Edit(ctx context.Context, by Actor, id string, e Edit) (User, error) {
	now := d.now()
	u, err := d.change(ctx, by, id, func(s RuleState) (Change, error) { return e.apply(by, s, now) })
	return u, d.afterChange(ctx, by, id, "edit", err)
}

// change runs a rule on a user and links the actor's idempotency key to the user.
func (d *Directory) change(ctx context.Context, by Actor, id string, rule func(RuleState) (Change, error)) (User, error) {
	return d.store.ChangeUser(ctx, id, func(s RuleState) (Change, error) {
		c, err := rule(s)
		c.Claim = by.Claim
		return c, err
	})
}

// afterChange wakes the outbox after a change, or records a refused one.
func (d *Directory) afterChange(ctx context.Context, by Actor, id, action string, err error) error {
	if err == nil {
		d.outbox.Wake()
	}
	if !errors.Is(err, ErrLastAdmin) {
		return err
	}
	refused := by.NewEvent(event.ActionRefused, d.now(), id, "", action+": the last active administrator")
	if u, err := d.GetUser(ctx, id); err == nil {
		refused.Subject = u.Email.Normalized
	}
	if eventErr := d.store.AddEvents(ctx, refused); eventErr != nil {
		return errors.Join(err, eventErr)
	}
	return err
}

// SignOut says what Directory.SignOut ends.
type SignOut struct {
	Reason      string // for the audit log
	KeepSession string // token hash of a session to keep; empty for none
	Tokens      bool   // also revoke API tokens
}

// SignOut ends a user's sessions and invalidates earlier links. Errors: ErrNotFound.
func (d *Directory) SignOut(ctx context.Context, by Actor, id string, o SignOut) (Ended, error) {
	var ended Ended
	now := d.now()
	_, err := d.change(ctx, by, id, func(s RuleState) (Change, error) {
		c := Change{User: s.User, Ended: &ended}
		c.endSessions(by.Origin, o.Reason, o.KeepSession, now)
		if o.Tokens {
			c.revokeTokens(by.Origin, o.Reason, now)
		}
		c.refuseLinks(now)
		return c, nil
	})
	return ended, d.afterChange(ctx, by, id, "sign out", err)
}

// Remove deletes a user and all their sessions, here at once and at Stytch through the
// outbox. Errors: ErrNotFound, ErrLastAdmin, ErrNotFresh.
func (d *Directory) Remove(ctx context.Context, by Actor, id string) (User, error) {
	now := d.now()
	u, err := d.change(ctx, by, id, func(s RuleState) (Change, error) {
		u := s.User
		if u.IsActiveAdmin() && s.OtherAdmins == 0 {
			return Change{}, ErrLastAdmin
		}
		if u.Role == Admin && !by.MayDoDangerous() {
			return Change{}, ErrNotFresh
		}
		c := Change{
			User: u, Remove: true, CancelInvites: true,
			Jobs:   []outbox.Job{outbox.New(outbox.DeleteUser, u.Email.Normalized, u.ID, u.StytchUserID, "", now)},
			Events: []event.Event{u.event(by.Origin, event.UserRemoved, now, "")},
		}
		c.endSessions(by.Origin, "removed", "", now)
		c.revokeTokens(by.Origin, "removed", now)
		return c, nil
	})
	return u, d.afterChange(ctx, by, id, "remove", err)
}

// RetryJob executes a pending or parked job now. Errors: ErrNotFound.
func (d *Directory) RetryJob(ctx context.Context, by Actor, jobID string) (outbox.Job, error) {
	job, err := d.store.ReleaseJob(ctx, jobID, d.jobEvent(by, event.JobRetried))
	if err == nil {
		wait, cancel := context.WithTimeout(ctx, deliverTimeout)
		defer cancel()
		d.outbox.Deliver(wait, job.Subject)
	}
	return job, err
}

// DropJob deletes a pending or parked job. Errors: ErrNotFound.
func (d *Directory) DropJob(ctx context.Context, by Actor, jobID string) (outbox.Job, error) {
	return d.store.DropJob(ctx, jobID, d.jobEvent(by, event.JobDropped))
}

// jobEvent returns a function that makes the event of a decision about a job.
func (d *Directory) jobEvent(by Actor, kind event.Kind) func(outbox.Job) event.Event {
	return func(j outbox.Job) event.Event {
		return by.NewEvent(kind, d.now(), j.UserID, j.About(), string(j.Kind))
	}
}

// RecordExport records that users were exported; description says which, and in what format.
func (d *Directory) RecordExport(ctx context.Context, by Actor, description string) error {
	return d.store.AddEvents(ctx, by.NewEvent(event.ListExported, d.now(), "", "", description))
}

// InviteInitialAdmins invites the addresses that are not listed as administrators. Listed
// users keep their role. It returns the addresses that were removed and not invited since,
// which it does not invite. It may run on several instances at once.
func (d *Directory) InviteInitialAdmins(ctx context.Context, emails []Email) (removed []Email, err error) {
	if err := d.store.RememberRemovals(ctx); err != nil {
		return nil, err
	}
	for _, email := range emails {
		now := d.now()
		u := User{ID: ids.New(), Email: email, Role: Admin, Status: Invited, CreatedAt: now, UpdatedAt: now}
		err := d.store.CreateUserUnlessRemoved(ctx, NewUser{
			User: u, Event: u.event(event.Origin{}, event.UserInvited, now, "named in GUESTLIST_ADMINS"), Jobs: []outbox.Job{inviteJob(u, now)},
		})
		switch {
		case errors.Is(err, ErrRemoved):
			removed = append(removed, email)
		case err != nil && !errors.Is(err, ErrEmailTaken):
			return nil, err
		}
	}
	d.outbox.Wake()
	return removed, nil
}
