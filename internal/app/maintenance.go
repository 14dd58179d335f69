package app

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/safego"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/token"
)

// purgeExpired deletes expired rows every hour until ctx ends. It is housekeeping only:
// expiry is checked on every use.
func (a *App) purgeExpired(ctx context.Context) {
	for {
		safego.Recover(a.log, "sweep", func() { a.purgeOnce(ctx) })
		if retry.Sleep(ctx, time.Hour) != nil {
			return
		}
	}
}

func (a *App) purgeOnce(ctx context.Context) {
	report := func(what string, n int, err error) {
		if err != nil {
			a.log.Warn(what+" not deleted", "error", err)
		} else if n > 0 {
			a.log.Info(what+" deleted", "count", n)
		}
	}
	now := a.now()
	n, err := a.Store.DeleteExpiredSessions(ctx, now)
	report("expired sessions", n, err)
	n, err = a.Store.DeleteExpiredAttempts(ctx, now)
	report("expired sign-in attempts", n, err)
	n, err = a.Store.DeleteExpiredCodes(ctx, now)
	report("expired sign-in codes", n, err)
	n, err = a.Store.DeleteExpiredHostLinks(ctx, now)
	report("expired links made on the host", n, err)
	n, err = a.Store.DeleteExpiredTokens(ctx, now.Add(-token.KeepExpired))
	report("expired API tokens", n, err)
	n, err = a.Store.DeleteExpiredAccess(ctx, now, now.Add(-token.KeepExpired))
	report("expired codes, sessions and tokens of apps", n, err)
	n, err = a.Store.DeleteExpiredGrants(ctx, now)
	report("expired sign-ins and tokens of OpenID Connect", n, err)
	n, err = a.Store.DeleteExpiredDeviceCodes(ctx, now.Add(-time.Hour)) // so that devices learn for a while that they have expired
	report("expired device codes", n, err)
	n, err = a.Store.DeleteLimits(ctx, now.Add(-session.LimitRetention), now)
	report("limits", n, err)
	n, err = a.Store.DeleteEvents(ctx, now.Add(-a.cfg.EventsKeep))
	report("old events", n, err)
	n, err = a.Store.DeleteWebhooks(ctx, now.Add(-24*time.Hour))
	report("old webhooks", n, err)
	n, err = a.Store.DeleteImports(ctx, now.Add(-7*24*time.Hour))
	report("old imports", n, err)
	n, err = a.Store.DeleteKeys(ctx, now)
	report("old idempotency keys", n, err)
	n, err = a.Store.RemoveSecretHashes(ctx)
	report("old hashes of secrets", n, err)
}

// checkIntegrity checks the whole database for corruption once, which can take minutes.
func (a *App) checkIntegrity(ctx context.Context) {
	err := a.Store.Check(ctx)
	switch {
	case errors.Is(err, store.ErrCorrupt):
		a.corruption <- err
	case err != nil && ctx.Err() == nil:
		a.log.Warn("the integrity of the database could not be checked", "error", err)
	}
}

// refoldUsers updates the search terms and sort keys of users after an upgrade that
// changed how they are computed. Until it has finished, searches find some users by their
// old terms.
func (a *App) refoldUsers(ctx context.Context) {
	for {
		var again time.Duration
		safego.Recover(a.log, "fold users", func() {
			var changed int
			var err error
			changed, again, err = a.Store.RefoldUsers(ctx)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				a.log.Warn("search terms and sort keys not updated; retrying", "error", err, "in", again)
			case changed > 0:
				a.log.Info("search terms and sort keys updated", "users", changed)
			}
		})
		if again == 0 || retry.Sleep(ctx, again) != nil {
			return
		}
	}
}

// warnIfNoAdmin logs a warning if the directory has no administrator and none can appear.
func (a *App) warnIfNoAdmin(ctx context.Context) {
	if a.cfg.FirstAdmin() {
		return
	}
	n, err := a.Store.CountAdmins(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		a.log.Warn("administrators not counted", "error", err)
	case err == nil && n == 0:
		a.log.Warn("no one can administer the list: run guestlist users invite ADDRESS --role admin")
	}
}
