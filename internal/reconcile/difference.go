package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Kind is the kind of a difference. The zero Kind means that there is none.
type Kind string

// The kinds of differences; see the package comment.
const (
	Missing  Kind = "missing"
	Changed  Kind = "changed"
	Unlisted Kind = "stranger"
)

// Difference is a user or an account on which the directory and Stytch differ.
type Difference struct {
	Kind    Kind
	User    directory.User // as found; zero if Unlisted
	Account Account        // as found; only the id if Missing
}

// Address returns the user's address; of an unlisted account, its address at Stytch, or
// its id if it has none.
func (d Difference) Address() string {
	if d.Kind == Unlisted {
		return d.Account.name()
	}
	return d.User.Email.Normalized
}

// Reason describes the difference for administrators and the audit log.
func (d Difference) Reason() string {
	switch d.Kind {
	case Missing:
		return "account gone at Stytch"
	case Changed:
		return "account at Stytch has another address"
	}
	return "at Stytch, not on the list"
}

// Remedy describes the effect of the repair.
func (d Difference) Remedy() string {
	switch d.Kind {
	case Missing:
		return "signed out here; the next link makes another account"
	case Changed:
		return "signed out here and at Stytch; the next link makes another account"
	}
	return "signed out at Stytch; the account stays"
}

// compare returns how a user and the account with their id differ. a is nil if the
// account does not exist.
func compare(u directory.User, a *Account) Kind {
	switch {
	case a == nil:
		return Missing
	case !slices.Contains(a.keys(), u.Email.Normalized):
		return Changed
	}
	return ""
}

// classify compares one account with the directory.
func (r *Reconciler) classify(ctx context.Context, a Account) (Difference, error) {
	u, err := r.store.GetUserByStytchID(ctx, a.ID)
	if err == nil {
		return Difference{Kind: compare(u, &a), User: u, Account: a}, nil
	}
	if !errors.Is(err, directory.ErrNotFound) {
		return Difference{}, err
	}
	listed, err := r.store.ListedAddresses(ctx, a.keys())
	if err != nil || len(listed) > 0 {
		return Difference{}, err // the account becomes known when the user signs in
	}
	for _, isExpected := range []func(context.Context, Account) (bool, error){r.admits, r.deletionPending} {
		if expected, err := isExpected(ctx, a); err != nil || expected {
			return Difference{}, err
		}
	}
	return Difference{Kind: Unlisted, Account: a}, nil
}

// admits reports whether the admission policy admits one of the account's addresses.
func (r *Reconciler) admits(ctx context.Context, a Account) (bool, error) {
	for _, address := range a.Emails {
		email, err := directory.ParseEmail(address)
		if err != nil {
			continue // no user can have it
		}
		applicant, err := r.store.Applicant(ctx, email)
		if err != nil {
			return false, err
		}
		if _, err := r.opts.Admission.Decide(applicant); err == nil {
			return true, nil
		}
	}
	return false, nil
}

// deletionPending reports whether the outbox will delete the account: its user was just
// removed, or was while an invitation was being sent.
func (r *Reconciler) deletionPending(ctx context.Context, a Account) (bool, error) {
	for _, key := range a.keys() {
		jobs, err := r.store.ListJobs(ctx, directory.Email{Normalized: key})
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(jobs, func(j outbox.Job) bool {
			return j.ParkedAt.IsZero() && (j.Kind == outbox.DeleteUser || j.Kind == outbox.Invite)
		}) {
			return true, nil
		}
	}
	return false, nil
}

// repair resolves a difference and records it, in one transaction. sessions are those of
// the account at Stytch. It does nothing and returns false if the user has changed.
func (r *Reconciler) repair(ctx context.Context, by event.Origin, d Difference, sessions []string) (bool, error) {
	now := r.opts.Now()
	mismatch := by.NewEvent(event.StytchMismatch, now, d.User.ID, d.Address(), d.Reason())
	var jobs []outbox.Job
	for _, id := range sessions {
		jobs = append(jobs, outbox.New(outbox.RevokeSession, d.Address(), d.User.ID, id, "", now))
	}
	if d.Kind == Unlisted {
		return r.store.AddJobsUnlessListed(ctx, d.Account.keys(), mismatch, jobs)
	}
	unchanged := false
	_, err := r.store.ChangeUser(ctx, d.User.ID, func(s directory.RuleState) (directory.Change, error) {
		if unchanged = equalExceptLastSeen(s.User, d.User); !unchanged {
			return directory.Change{User: s.User}, nil
		}
		return directory.Change{
			User: withoutAccount(s.User, now), Jobs: jobs, Events: []event.Event{mismatch},
			EndSession: func(_, stytchSessionID string) (directory.SessionEnd, bool) {
				return s.User.EndSession(by, stytchSessionID, d.Reason(), now), true
			},
		}, nil
	})
	if errors.Is(err, directory.ErrNotFound) { // removed in the meantime
		return false, nil
	}
	return unchanged && err == nil, err
}

// withoutAccount returns the user without the account, and without an unanswered
// invitation, which belonged to it.
func withoutAccount(u directory.User, now time.Time) directory.User {
	u.StytchUserID, u.UpdatedAt = "", now
	if u.LastSeenAt.IsZero() {
		u.InviteSentAt = time.Time{}
	}
	return u
}

func equalExceptLastSeen(a, b directory.User) bool {
	a.LastSeenAt = b.LastSeenAt
	return a == b
}
