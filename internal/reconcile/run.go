package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// Counts sums a pass up.
type Counts struct {
	People   int // on the list, whose account is known
	Accounts int // at Stytch
	Missing, Changed, Strangers,
	Repaired int
}

// Differences is how many there were in all.
func (c Counts) Differences() int { return c.Missing + c.Changed + c.Strangers }

// String says what differed.
func (c Counts) String() string {
	return fmt.Sprintf("%d missing, %d changed, %d strangers", c.Missing, c.Changed, c.Strangers)
}

// Run compares the whole list with all of Stytch, and tells of each difference as
// it is found; if apply is set, it mends them first, and tells whether that was
// done: what changed meanwhile is left as it is. A pass over a million people
// takes three hours. Errors wrap session.ErrUnavailable, session.ErrTooMany
// or directory.ErrUnavailable; what was mended by then stays mended.
func (r *Reconciler) Run(ctx context.Context, by event.Origin, apply bool, tell func(d Difference, mended bool)) (Counts, error) {
	p := &run{Reconciler: r, by: by, apply: apply, reportProgress: tell}
	// Strangers first: an account that is taken off somebody is one from then on,
	// and would be told of twice.
	err := p.strangers(ctx)
	if err == nil {
		err = p.people(ctx)
	}
	return p.counts, err
}

// run is one run.
type run struct {
	*Reconciler
	by             event.Origin
	apply          bool
	reportProgress func(Difference, bool)
	counts         Counts
	next           time.Time // no call to Stytch before this
}

// people goes through the list and looks each person's account up.
func (p *run) people(ctx context.Context) error {
	for after := (directory.User{}); ; {
		page, err := p.store.ListUsersWithAccount(ctx, after, p.opts.PageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1]
		p.counts.People += len(page)
		ids := make([]string, len(page))
		for i, u := range page {
			ids[i] = u.StytchUserID
		}
		var found []Account
		if err := p.throttledCall(ctx, func(ctx context.Context) (err error) {
			found, err = p.accounts.FindAccounts(ctx, ids)
			return err
		}); err != nil {
			return err
		}
		byID := map[string]*Account{}
		for i := range found {
			byID[found[i].ID] = &found[i]
		}
		for _, u := range page {
			if compare(u, byID[u.StytchUserID]) == "" {
				continue
			}
			if err := p.person(ctx, u); err != nil {
				return err
			}
		}
	}
}

// person asks about somebody once more, for the search may be behind the times.
func (p *run) person(ctx context.Context, u directory.User) error {
	d := Difference{User: u, Account: Account{ID: u.StytchUserID}}
	err := p.throttledCall(ctx, func(ctx context.Context) (err error) {
		d.Account, err = p.accounts.GetAccount(ctx, u.StytchUserID)
		return err
	})
	switch {
	case errors.Is(err, session.ErrNoAccount):
		d.Kind, d.Account = Missing, Account{ID: u.StytchUserID}
	case err != nil:
		return err
	default:
		d.Kind = compare(u, &d.Account)
	}
	return p.recordDifference(ctx, d)
}

// strangers goes through all accounts and looks for those of nobody on the list.
// Whoever's account has changed is found by going through the list.
func (p *run) strangers(ctx context.Context) error {
	for cursor := ""; ; {
		var page []Account
		var next string
		if err := p.throttledCall(ctx, func(ctx context.Context) (err error) {
			page, next, err = p.accounts.ListAccounts(ctx, cursor, p.opts.PageSize)
			return err
		}); err != nil {
			return err
		}
		p.counts.Accounts += len(page)
		unlisted, err := p.unlisted(ctx, page)
		if err != nil {
			return err
		}
		for _, a := range unlisted {
			d, err := p.classify(ctx, a)
			if err == nil && d.Kind == Unlisted {
				err = p.recordDifference(ctx, d)
			}
			if err != nil {
				return err
			}
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

// unlisted returns the accounts without an address on the list, by one query for
// the page.
func (p *run) unlisted(ctx context.Context, page []Account) ([]Account, error) {
	var keys []string
	for _, a := range page {
		keys = append(keys, a.keys()...)
	}
	listed, err := p.store.ListedAddresses(ctx, keys)
	if err != nil {
		return nil, err
	}
	isListed := map[string]bool{}
	for _, key := range listed {
		isListed[key] = true
	}
	var rest []Account
next:
	for _, a := range page {
		for _, key := range a.keys() {
			if isListed[key] {
				continue next
			}
		}
		rest = append(rest, a)
	}
	return rest, nil
}

// recordDifference counts a difference, mends it if that is wanted, and tells of it.
func (p *run) recordDifference(ctx context.Context, d Difference) error {
	switch d.Kind {
	case "":
		return nil
	case Missing:
		p.counts.Missing++
	case Changed:
		p.counts.Changed++
	case Unlisted:
		p.counts.Strangers++
	}
	mended := false
	if p.apply {
		var err error
		if mended, err = p.remedy(ctx, d); err != nil {
			return err
		}
	}
	if mended {
		p.counts.Repaired++
		if ctx.Err() == nil { // else the worker may have stopped; what waits is done after the next start
			p.outbox.Deliver(ctx, d.Address())
		}
	}
	p.reportProgress(d, mended)
	return nil
}

// remedy mends a difference. A stranger who has no session is as they should be,
// and is not noted day after day.
func (p *run) remedy(ctx context.Context, d Difference) (bool, error) {
	var sessions []string
	if d.Kind != Missing {
		if err := p.throttledCall(ctx, func(ctx context.Context) (err error) {
			sessions, err = p.accounts.ListSessions(ctx, d.Account.ID)
			return err
		}); err != nil {
			return false, err
		}
	}
	if d.Kind == Unlisted && len(sessions) == 0 {
		return true, nil
	}
	return p.repair(ctx, p.by, d, sessions)
}
