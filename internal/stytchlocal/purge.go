package stytchlocal

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// keepDeadLinks is how long an expired link is kept, so that a late click gets the error
// "expired" and not "unknown".
const keepDeadLinks = 30 * 24 * time.Hour

// purgeBatch is how many rows of a table are deleted at a time. After a large import, many
// links expire together, and a call waits for the purge.
const purgeBatch = 200

// purge deletes expired rows once an hour, and with every call while there are many. It is
// housekeeping only: expiry is checked on every use.
func (s *Server) purge(ctx context.Context) {
	now, last := s.now(), s.purgedAt.Load()
	if now-last < time.Hour.Microseconds() || !s.purgedAt.CompareAndSwap(last, now) {
		return
	}
	more := false
	err := s.tx(ctx, func(q *dbsqlc.Queries) (err error) {
		more, err = purgeTables(ctx, q, now)
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("cannot delete expired rows", "error", s.opts.Explain(err))
	}
	if err == nil && more {
		s.purgedAt.CompareAndSwap(now, last)
	}
}

// purgeTables deletes a batch of expired rows of each table and reports whether there may
// be more.
func purgeTables(ctx context.Context, q *dbsqlc.Queries, now int64) (more bool, err error) {
	deadLinks := now - keepDeadLinks.Microseconds()
	deadCodes := now - keepDeadCodes.Microseconds()
	hourAgo := now - time.Hour.Microseconds() + 1 // a limit ends after exactly an hour
	for _, table := range []struct {
		list   func() ([]string, error)
		remove func(keys []string) (int64, error)
	}{
		{
			func() ([]string, error) {
				return q.OldSessions(ctx, dbsqlc.OldSessionsParams{ExpiresAt: now, Limit: purgeBatch})
			},
			func(ids []string) (int64, error) {
				return q.DeleteOldSessions(ctx, dbsqlc.DeleteOldSessionsParams{SessionIds: ids, Before: now})
			},
		},
		{
			func() ([]string, error) {
				return q.OldLinks(ctx, dbsqlc.OldLinksParams{ExpiresAt: deadLinks, Limit: purgeBatch})
			},
			func(hashes []string) (int64, error) {
				return q.DeleteOldLinks(ctx, dbsqlc.DeleteOldLinksParams{TokenHashes: hashes, Before: deadLinks})
			},
		},
		{
			func() ([]string, error) {
				return q.OldCodes(ctx, dbsqlc.OldCodesParams{ExpiresAt: deadCodes, Limit: purgeBatch})
			},
			func(ids []string) (int64, error) {
				return q.DeleteOldCodes(ctx, dbsqlc.DeleteOldCodesParams{MethodIds: ids, Before: deadCodes})
			},
		},
		{
			func() ([]string, error) {
				return q.OldTOTPs(ctx, dbsqlc.OldTOTPsParams{ExpiresAt: now, Limit: purgeBatch})
			},
			func(ids []string) (int64, error) {
				return q.DeleteOldTOTPs(ctx, dbsqlc.DeleteOldTOTPsParams{TotpIds: ids, Before: now})
			},
		},
		{
			func() ([]string, error) {
				return q.OldEmails(ctx, dbsqlc.OldEmailsParams{ExpiresAt: now, Limit: purgeBatch})
			},
			func(ids []string) (int64, error) {
				return q.DeleteOldEmails(ctx, dbsqlc.DeleteOldEmailsParams{EmailIds: ids, Before: now})
			},
		},
		{
			func() ([]string, error) {
				return q.OldLimits(ctx, dbsqlc.OldLimitsParams{OpenedAt: hourAgo, Limit: purgeBatch})
			},
			func(emails []string) (int64, error) {
				return q.DeleteOldLimits(ctx, dbsqlc.DeleteOldLimitsParams{Emails: emails, Before: hourAgo})
			},
		},
		{
			func() ([]string, error) {
				return q.OldWebAuthnChallenges(ctx, dbsqlc.OldWebAuthnChallengesParams{ExpiresAt: now, Limit: purgeBatch})
			},
			func(hashes []string) (int64, error) { return q.DeleteWebAuthnChallenges(ctx, hashes) },
		},
		{
			func() ([]string, error) {
				return q.OldOAuthTokens(ctx, dbsqlc.OldOAuthTokensParams{ExpiresAt: now, Limit: purgeBatch})
			},
			func(hashes []string) (int64, error) { return q.DeleteOAuthTokens(ctx, hashes) },
		},
	} {
		keys, err := table.list()
		if err == nil && len(keys) > 0 {
			_, err = table.remove(keys)
		}
		if err != nil {
			return false, err
		}
		more = more || len(keys) == purgeBatch
	}
	return more, nil
}
