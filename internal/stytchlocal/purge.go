package stytchlocal

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// A link is kept for a while after its time, so that a late click is told that
// the link has expired, not that there never was one.
const keepDeadLinks = 30 * 24 * time.Hour

// sweepPiece is how many rows of a table are deleted at once: after an import of
// many the links of all of them are over together, and a call waits for this.
const sweepPiece = 200

// purge deletes rows whose time is over, once an hour, and goes on with the next
// call where there are many. Nothing depends on it: every use checks the time by
// itself.
func (s *Server) purge(ctx context.Context) {
	now, last := s.now(), s.swept.Load()
	if now-last < time.Hour.Microseconds() || !s.swept.CompareAndSwap(last, now) {
		return
	}
	more := false
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		more = false
		for _, table := range []func(context.Context, *dbsqlc.Queries, int64) (int, error){sweepSessions, sweepLinks, sweepEmails, sweepLimits} {
			n, err := table(ctx, q, now)
			if err != nil {
				return err
			}
			more = more || n == sweepPiece
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("local stytch: old rows not deleted", "error", s.opts.Explain(err))
	}
	if err == nil && more {
		s.swept.CompareAndSwap(now, last)
	}
}

func sweepSessions(ctx context.Context, q *dbsqlc.Queries, now int64) (int, error) {
	old, err := q.OldSessions(ctx, dbsqlc.OldSessionsParams{ExpiresAt: now, Limit: sweepPiece})
	if err == nil && len(old) > 0 {
		_, err = q.DeleteOldSessions(ctx, dbsqlc.DeleteOldSessionsParams{SessionIds: old, Before: now})
	}
	return len(old), err
}

func sweepLinks(ctx context.Context, q *dbsqlc.Queries, now int64) (int, error) {
	before := now - keepDeadLinks.Microseconds()
	old, err := q.OldLinks(ctx, dbsqlc.OldLinksParams{ExpiresAt: before, Limit: sweepPiece})
	if err == nil && len(old) > 0 {
		_, err = q.DeleteOldLinks(ctx, dbsqlc.DeleteOldLinksParams{TokenHashes: old, Before: before})
	}
	return len(old), err
}

func sweepEmails(ctx context.Context, q *dbsqlc.Queries, now int64) (int, error) {
	old, err := q.OldEmails(ctx, dbsqlc.OldEmailsParams{ExpiresAt: now, Limit: sweepPiece})
	if err == nil && len(old) > 0 {
		_, err = q.DeleteOldEmails(ctx, dbsqlc.DeleteOldEmailsParams{EmailIds: old, Before: now})
	}
	return len(old), err
}

func sweepLimits(ctx context.Context, q *dbsqlc.Queries, now int64) (int, error) {
	before := now - time.Hour.Microseconds() + 1 // an hour is over when it has been one
	old, err := q.OldLimits(ctx, dbsqlc.OldLimitsParams{OpenedAt: before, Limit: sweepPiece})
	if err == nil && len(old) > 0 {
		_, err = q.DeleteOldLimits(ctx, dbsqlc.DeleteOldLimitsParams{Emails: old, Before: before})
	}
	return len(old), err
}
