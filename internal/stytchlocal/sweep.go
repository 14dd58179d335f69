package stytchlocal

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// A link is kept for a while after its time, so that a late click is told that
// the link has expired, not that there never was one.
const keepDeadLinks = 30 * 24 * time.Hour

// sweep deletes rows whose time is over, once an hour. Nothing depends on it:
// every use checks the time by itself.
func (s *Server) sweep(ctx context.Context) {
	now, last := s.now(), s.swept.Load()
	if now-last < time.Hour.Microseconds() || !s.swept.CompareAndSwap(last, now) {
		return
	}
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		if _, err := q.DeleteOldSessions(ctx, now); err != nil {
			return err
		}
		if _, err := q.DeleteOldLinks(ctx, now-keepDeadLinks.Microseconds()); err != nil {
			return err
		}
		if _, err := q.DeleteOldEmails(ctx, now); err != nil {
			return err
		}
		_, err := q.DeleteOldLimits(ctx, now-time.Hour.Microseconds())
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("local stytch: old rows not deleted", "error", err)
	}
}
