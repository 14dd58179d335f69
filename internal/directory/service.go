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

// Outbox carries out a person's outbox jobs; outbox.Worker is one.
type Outbox interface {
	// Deliver tries what is waiting for the subject and returns when it is done
	// or ctx ends.
	Deliver(ctx context.Context, subject string)
	// Wake starts on what is waiting and returns at once.
	Wake()
}

// deliverTimeout is how long an administrator waits to see whether an invitation
// left; the attempt goes on by itself after that.
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

// validate gathers the fields that have an error; nil if none has.
func validate(fields map[string]error) error {
	e := &ValidationError{Fields: map[string]string{}}
	for field, err := range fields {
		if err != nil {
			e.Fields[field] = err.Error()
		}
	}
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// Add puts somebody on the list without a mail: they can ask for a link
// themselves. by is the administrator's id. Errors: *Invalid, ErrEmailTaken.
func (d *Directory) Add(ctx context.Context, by Actor, e UserInput) (User, error) {
	a, err := e.Validate(by.Origin, false, d.now())
	if err != nil {
		return User{}, err
	}
	a.Claim = by.Claim
	return a.User, d.store.CreateUser(ctx, a)
}

// Invite puts somebody on the list and mails them an invitation. The person it
// returns has InviteSentAt set if the mail was handed over already; if not, the
// outbox goes on trying. The same invitation a second time, by a second press of the
// button, is the first. Errors: *Invalid, ErrEmailTaken.
func (d *Directory) Invite(ctx context.Context, by Actor, e UserInput) (User, error) {
	a, err := e.Validate(by.Origin, true, d.now())
	if err != nil {
		return User{}, err
	}
	a.Claim = by.Claim
	u, err := d.invite(ctx, a)
	if errors.Is(err, ErrEmailTaken) {
		was, getErr := d.GetUserByEmail(ctx, a.User.Email)
		if getErr == nil && a.repeats(was) && d.wasInvited(ctx, was) {
			return d.waitDelivered(ctx, was)
		}
	}
	return u, err
}

// invite writes an arrival and waits a moment for its mail to leave.
func (d *Directory) invite(ctx context.Context, a NewUser) (User, error) {
	if err := d.store.CreateUser(ctx, a); err != nil {
		return User{}, err
	}
	return d.waitDelivered(ctx, a.User)
}

// Reinvite mails another invitation to somebody on the list, in place of one
// that is still waiting. Errors: ErrNotFound, ErrSuspended.
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

// InviteOrReinvite is Invite for somebody new and InviteAgain for somebody on the
// list, whose name and role stay as they are.
func (d *Directory) InviteOrReinvite(ctx context.Context, by Actor, e UserInput) (User, error) {
	a, err := e.Validate(by.Origin, true, d.now())
	if err != nil {
		return User{}, err
	}
	a.Claim = by.Claim
	u, err := d.invite(ctx, a)
	if !errors.Is(err, ErrEmailTaken) {
		return u, err
	}
	if u, err = d.GetUserByEmail(ctx, a.User.Email); err != nil {
		return User{}, err
	}
	return d.Reinvite(ctx, by, u.ID)
}

// wasInvited reports whether an invitation was handed over or is to be.
func (d *Directory) wasInvited(ctx context.Context, u User) bool {
	if !u.InviteSentAt.IsZero() {
		return true
	}
	jobs, err := d.ListJobs(ctx, u.Email)
	return err == nil && slices.ContainsFunc(jobs, func(j outbox.Job) bool { return j.Kind == outbox.Invite })
}

func inviteJob(u User, now time.Time) outbox.Job {
	return outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, now)
}

// waitDelivered waits a moment for the person's mail to leave and returns them as
// they are then.
func (d *Directory) waitDelivered(ctx context.Context, u User) (User, error) {
	wait, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	for d.outbox.Deliver(wait, u.Email.Normalized); d.inviteInProgress(wait, u); d.outbox.Deliver(wait, u.Email.Normalized) {
		_ = retry.Sleep(wait, 50*time.Millisecond)
	}
	fresh, err := d.GetUser(ctx, u.ID)
	if err != nil {
		return u, nil // the invitation stands, whatever became of the look at it
	}
	return fresh, nil
}

// inviteInProgress reports whether an invitation is with another worker or instance, of
// which nobody knows yet how it went.
func (d *Directory) inviteInProgress(ctx context.Context, u User) bool {
	jobs, err := d.ListJobs(ctx, u.Email)
	return err == nil && ctx.Err() == nil && slices.ContainsFunc(jobs, func(j outbox.Job) bool {
		return j.Kind == outbox.Invite && j.ParkedAt.IsZero() && j.LastError == ""
	})
}

// Edit is what may be changed of a person; nil stays as it is. The address stays.
type Edit struct{ Name, Role, Status *string }

// Edit changes a person. Suspending ends their sessions; it, letting in again and a
// change of role have links that were made before refused, and an invitation
// cancelled: for a new administrator, another is mailed. "active" for somebody suspended lets them in again. Who is no active
// administrator any more has no API tokens. Errors: *Invalid, ErrNotFound,
// ErrLastAdmin.
func (d *Directory) Edit(ctx context.Context, by Actor, id string, e Edit) (User, error) {
	now := d.now()
	u, err := d.change(ctx, by, id, func(s RuleState) (Change, error) { return e.apply(by.Origin, s, now) })
	return u, d.afterChange(ctx, by, id, "edit", err)
}

// change runs a rule on a user and links the actor's idempotency key to it.
func (d *Directory) change(ctx context.Context, by Actor, id string, rule func(RuleState) (Change, error)) (User, error) {
	return d.store.ChangeUser(ctx, id, func(s RuleState) (Change, error) {
		c, err := rule(s)
		c.Claim = by.Claim
		return c, err
	})
}

// afterChange sees to what follows a change: what Stytch must hear of, or a line in
// the audit trail of what an administrator was not allowed.
func (d *Directory) afterChange(ctx context.Context, by Actor, id, doing string, err error) error {
	switch {
	case err == nil:
		d.outbox.Wake()
	case errors.Is(err, ErrLastAdmin):
		refused := by.NewEvent(event.ActionRefused, d.now(), id, "", doing+": the last active administrator")
		if u, err := d.GetUser(ctx, id); err == nil {
			refused.Subject = u.Email.Normalized
		}
		if eventErr := d.store.AddEvents(ctx, refused); eventErr != nil {
			return errors.Join(err, eventErr)
		}
	}
	return err
}

func (e Edit) apply(by event.Origin, s RuleState, now time.Time) (Change, error) {
	c := Change{User: s.User}
	var nameErr, roleErr, statusErr error
	if e.Name != nil {
		c.User.Name, nameErr = ParseName(*e.Name)
	}
	if e.Role != nil {
		if *e.Role == "" {
			roleErr = fieldError("Choose admin or member.")
		} else {
			c.User.Role, roleErr = ParseRole(*e.Role)
		}
	}
	if e.Status != nil {
		c.User.Status, statusErr = newStatus(s.User, Status(*e.Status))
	}
	if err := validate(map[string]error{"name": nameErr, "role": roleErr, "status": statusErr}); err != nil {
		return Change{}, err
	}
	if s.User.IsActiveAdmin() && !c.User.IsActiveAdmin() {
		if s.OtherAdmins == 0 {
			return Change{}, ErrLastAdmin
		}
		c.revokeTokens(by, "no longer an active administrator", now)
	}
	if c.User != s.User {
		c.User.UpdatedAt = now
		c.Events = append(c.Events, editEvent(by, s.User, c.User, now))
	}
	if c.User.Status != s.User.Status || changesAccount(s.User, c.User) {
		c.refuseLinks(now)
	}
	switch {
	case c.User.Status == Suspended && s.User.Status != Suspended:
		c.endSessions(by, "suspended", "", now)
		c.CancelInvites = true
	case c.User.Status == Invited && !s.User.InviteSentAt.IsZero() && c.User.InviteSentAt.IsZero():
		c.CancelInvites = true
		c.Jobs = append(c.Jobs, inviteJob(c.User, now)) // in place of the one that was cancelled
	}
	return c, nil
}

// changesAccount reports whether a link from before a change of role would open another
// account than it was sent for. An invitation of somebody who is to be less than
// they were invited as does no harm, and stays.
func changesAccount(was, is User) bool {
	return was.Role != is.Role && (is.Role == Admin || !is.LastSeenAt.IsZero())
}

// refuseLinks has every link made so far refused. Of somebody who never signed in,
// an invitation that was handed over is cancelled, also at Stytch.
func (c *Change) refuseLinks(now time.Time) {
	u := &c.User
	sent := u.InviteSentAt
	if sent.After(u.LinksAfter) {
		u.CancelledInviteAt = sent
	}
	u.LinksAfter = now
	if u.LastSeenAt.IsZero() && !sent.IsZero() {
		u.InviteSentAt = time.Time{}
		c.Jobs = append(c.Jobs, outbox.New(outbox.RevokeInvite, u.Email.Normalized, u.ID, "", "", now))
	}
}

// SignOut is how somebody is signed out everywhere.
type SignOut struct {
	Reason      string // for the audit trail
	KeepSession string // token hash of a session that goes on; empty for none
	Tokens      bool   // their API tokens end as well
}

// SignOut ends a person's sessions and has the links they were sent refused.
// Errors: ErrNotFound.
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

// editEvent is what the audit trail says of a change: its kind is the weightiest.
func editEvent(by event.Origin, was, u User, now time.Time) event.Event {
	e := u.event(by, event.UserEdited, now, "")
	for _, c := range []event.Change{
		{Field: "name", Old: was.Name, New: u.Name},
		{Field: "role", Old: string(was.Role), New: string(u.Role)},
		{Field: "status", Old: string(was.Status), New: string(u.Status)},
	} {
		if c.Old != c.New {
			e.Changes = append(e.Changes, c)
		}
	}
	switch {
	case was.Status == u.Status:
	case u.Status == Suspended:
		e.Kind = event.UserSuspended
	case was.Status == Suspended:
		e.Kind = event.UserReinstated
	}
	return e
}

// newStatus is the status that a person gets when want is asked for.
func newStatus(u User, want Status) (Status, error) {
	switch {
	case want == u.Status, want == Suspended:
		return want, nil
	case want == Active && u.Status == Suspended && u.LastSeenAt.IsZero():
		return Invited, nil // they have never signed in
	case want == Active && u.Status == Suspended:
		return Active, nil
	case want == Active || want == Invited:
		return "", fieldError("A person becomes active by signing in.")
	}
	return "", fieldError("Choose active or suspended.")
}

// Remove takes a person off the list, here at once and at Stytch by the outbox,
// with all their sessions. Errors: ErrNotFound, ErrLastAdmin.
func (d *Directory) Remove(ctx context.Context, by Actor, id string) (User, error) {
	now := d.now()
	u, err := d.change(ctx, by, id, func(s RuleState) (Change, error) {
		if s.User.IsActiveAdmin() && s.OtherAdmins == 0 {
			return Change{}, ErrLastAdmin
		}
		forget := outbox.New(outbox.DeleteUser, s.User.Email.Normalized, s.User.ID, s.User.StytchUserID, "", now)
		c := Change{
			User: s.User, Remove: true, CancelInvites: true, Jobs: []outbox.Job{forget},
			Events: []event.Event{s.User.event(by.Origin, event.UserRemoved, now, "")},
		}
		c.endSessions(by.Origin, "removed", "", now)
		c.revokeTokens(by.Origin, "removed", now)
		return c, nil
	})
	return u, d.afterChange(ctx, by, id, "remove", err)
}

// RetryJob has a call to Stytch made now that waits or was refused, and returns
// it when it was tried. Errors: ErrNotFound.
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

// jobEvent returns a function that makes the event of an administrator's decision about a job.
func (d *Directory) jobEvent(by Actor, kind event.Kind) func(outbox.Job) event.Event {
	return func(j outbox.Job) event.Event {
		return by.NewEvent(kind, d.now(), j.UserID, j.About(), string(j.Kind))
	}
}

// RecordExport records that users were exported; description says which, and in what format.
func (d *Directory) RecordExport(ctx context.Context, by Actor, description string) error {
	return d.store.AddEvents(ctx, by.NewEvent(event.ListExported, d.now(), "", "", description))
}

// InviteInitialAdmins invites as administrators those of the addresses that are not
// on the list yet; people on it keep the role they have. Addresses that were
// removed and not invited since are left out, and returned. For use at start, by
// any number of instances at once.
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
