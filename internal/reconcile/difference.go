package reconcile

import (
	"context"
	"errors"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Kind says in what way the list and Stytch differ.
type Kind string

// The kinds of differences.
const (
	Missing  Kind = "missing"  // on the list, with an account that is gone
	Changed  Kind = "changed"  // on the list, with an account that has other addresses
	Unlisted Kind = "stranger" // an account of nobody on the list, nor of anyone who may join
)

// Difference is one person or account on which the two sides don't agree.
type Difference struct {
	Kind    Kind
	User    directory.User // as found; of a stranger, nobody
	Account Account        // as found; of somebody missing, only its id
}

// Address is whom it is about: their address on the list, or a stranger's at
// Stytch, or, without one, the account's id.
func (d Difference) Address() string {
	if d.Kind == Unlisted {
		return d.Account.name()
	}
	return d.User.Email.Normalized
}

// Reason is what differs, in words for an administrator and the audit trail.
func (d Difference) Reason() string {
	switch d.Kind {
	case Missing:
		return "account gone at Stytch"
	case Changed:
		return "account at Stytch has another address"
	}
	return "at Stytch, not on the list"
}

// Remedy is what mending it comes to.
func (d Difference) Remedy() string {
	switch d.Kind {
	case Missing:
		return "signed out here; the next link makes another account"
	case Changed:
		return "signed out here and at Stytch; the next link makes another account"
	}
	return "signed out at Stytch; the account stays"
}

// compare returns in what way a person and the account with their id differ;
// empty if they agree. nil: there is no such account.
func compare(u directory.User, a *Account) Kind {
	switch {
	case a == nil:
		return Missing
	case !slices.Contains(a.keys(), u.Email.Normalized):
		return Changed
	}
	return ""
}

// classify compares one account with the list. Of nothing to tell, the Kind is empty.
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
		return Difference{}, err // the list learns of the account when they come
	}
	admitted, err := r.admits(ctx, a)
	if err != nil || admitted {
		return Difference{}, err
	}
	pending, err := r.deletionPending(ctx, a)
	if err != nil || pending {
		return Difference{}, err
	}
	return Difference{Kind: Unlisted, Account: a}, nil
}

// admits reports whether somebody could join with one of the account's addresses.
func (r *Reconciler) admits(ctx context.Context, a Account) (bool, error) {
	for _, address := range a.Emails {
		email, err := directory.ParseEmail(address)
		if err != nil {
			continue // nobody with such an address can be on the list
		}
		from, err := r.store.Applicant(ctx, email)
		if err != nil {
			return false, err
		}
		if _, err := r.opts.Admission.Decide(from); err == nil {
			return true, nil
		}
	}
	return false, nil
}

// deletionPending reports whether the outbox is about to delete the account: its person
// was just removed, or was while an invitation was on its way.
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
