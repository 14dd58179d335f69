package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/session"
)

// callTimeout bounds each call to Stytch. A search may take nine seconds.
const callTimeout = 15 * time.Second

// Counts sums up a run.
type Counts struct {
	Users    int // users with a known account
	Accounts int // at Stytch
	Missing, Changed, Unlisted,
	Repaired int
}

// Differences returns the number of differences.
func (c Counts) Differences() int { return c.Missing + c.Changed + c.Unlisted }

// String lists the numbers of differences.
func (c Counts) String() string {
	return fmt.Sprintf("%d missing, %d changed, %d strangers", c.Missing, c.Changed, c.Unlisted)
}

// Run compares the whole directory with all accounts at Stytch. It calls report for each
// difference; if apply is set, it repairs the difference first, unless the user has changed
// in the meantime. A run over a million users takes three hours. Errors wrap
// session.ErrUnavailable, session.ErrTooMany or directory.ErrUnavailable; earlier repairs
// remain.
func (r *Reconciler) Run(ctx context.Context, by event.Origin, apply bool, report func(d Difference, repaired bool)) (Counts, error) {
	p := &run{Reconciler: r, by: by, apply: apply, report: report}
	// Accounts first: an account taken from a user is unlisted from then on, and would
	// be reported twice.
	err := p.compareAccounts(ctx)
	if err == nil {
		err = p.compareUsers(ctx)
	}
	return p.counts, err
}

type run struct {
	*Reconciler
	by     event.Origin
	apply  bool
	report func(Difference, bool)
	counts Counts
	next   time.Time // earliest time of the next call to Stytch
}

// compareUsers looks up the accounts of all users.
func (p *run) compareUsers(ctx context.Context) error {
	for after := (directory.User{}); ; {
		page, err := p.store.ListUsersWithAccount(ctx, after, p.opts.PageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1]
		p.counts.Users += len(page)
		ids := make([]string, len(page))
		for i, u := range page {
			ids[i] = u.StytchUserID
		}
		var accounts []Account
		if err := p.call(ctx, func(ctx context.Context) (err error) {
			accounts, err = p.accounts.FindAccounts(ctx, ids)
			return err
		}); err != nil {
			return err
		}
		byID := map[string]*Account{}
		for i := range accounts {
			byID[accounts[i].ID] = &accounts[i]
		}
		for _, u := range page {
			if compare(u, byID[u.StytchUserID]) == "" {
				continue
			}
			if err := p.verifyUser(ctx, u); err != nil {
				return err
			}
		}
	}
}

// verifyUser compares a user with the current state of their account, because Stytch's
// search lags behind.
func (p *run) verifyUser(ctx context.Context, u directory.User) error {
	d := Difference{User: u}
	err := p.call(ctx, func(ctx context.Context) (err error) {
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
	return p.handle(ctx, d)
}

// compareAccounts finds the unlisted ones among all accounts. compareUsers finds the others
// that differ.
func (p *run) compareAccounts(ctx context.Context) error {
	for cursor := ""; ; {
		var page []Account
		if err := p.call(ctx, func(ctx context.Context) (err error) {
			page, cursor, err = p.accounts.ListAccounts(ctx, cursor, p.opts.PageSize)
			return err
		}); err != nil {
			return err
		}
		p.counts.Accounts += len(page)
		var keys []string
		for _, a := range page {
			keys = append(keys, a.keys()...)
		}
		listed, err := p.store.ListedAddresses(ctx, keys)
		if err != nil {
			return err
		}
		isListed := map[string]bool{}
		for _, key := range listed {
			isListed[key] = true
		}
		for _, a := range page {
			if slices.ContainsFunc(a.keys(), func(key string) bool { return isListed[key] }) {
				continue
			}
			d, err := p.classify(ctx, a)
			if err == nil && d.Kind == Unlisted {
				err = p.handle(ctx, d)
			}
			if err != nil {
				return err
			}
		}
		if cursor == "" {
			return nil
		}
	}
}

// handle counts a difference, repairs it if apply is set, and reports it.
func (p *run) handle(ctx context.Context, d Difference) error {
	switch d.Kind {
	case "":
		return nil
	case Missing:
		p.counts.Missing++
	case Changed:
		p.counts.Changed++
	case Unlisted:
		p.counts.Unlisted++
	}
	repaired := false
	if p.apply {
		var err error
		if repaired, err = p.endAndRepair(ctx, d); err != nil {
			return err
		}
	}
	if repaired {
		p.counts.Repaired++
		if ctx.Err() == nil { // else the worker may have stopped; the jobs are executed after the next start
			p.opts.Outbox.Deliver(ctx, d.Address())
		}
	}
	p.report(d, repaired)
	return nil
}

// endAndRepair repairs a difference and ends the account's sessions. An unlisted account
// without sessions needs no repair, and is not recorded every day.
func (p *run) endAndRepair(ctx context.Context, d Difference) (bool, error) {
	var sessions []string
	if d.Kind != Missing {
		if err := p.call(ctx, func(ctx context.Context) (err error) {
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

// call makes a call to Stytch within Options.Pace, and retries it twice, after 2 and 20
// seconds, if Stytch is unavailable or limits the rate.
func (p *run) call(ctx context.Context, fn func(context.Context) error) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		if err := retry.Sleep(ctx, min(p.next.Sub(p.opts.Now()), p.opts.Pace)); err != nil { // the clock may have been set back
			return struct{}{}, backoff.Permanent(err)
		}
		p.next = p.opts.Now().Add(p.opts.Pace)
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		err := fn(ctx)
		if err != nil && (errors.Is(err, outbox.ErrRefused) || !errors.Is(err, session.ErrUnavailable) && !errors.Is(err, session.ErrTooMany)) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxTries(3), backoff.WithMaxElapsedTime(0),
		backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: 2 * time.Second, Multiplier: 10, MaxInterval: time.Minute}),
		backoff.WithNotify(func(err error, _ time.Duration) {
			p.log.Warn("call to Stytch failed; it will be retried", "error", err)
		}))
	return err
}
