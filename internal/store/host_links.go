package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CreateHostLink stores a link in place of the user's earlier one; see session.Store.
func (s *Store) CreateHostLink(ctx context.Context, l session.HostLink, rule func(directory.User) (event.Event, error)) error {
	return s.inTx(ctx, "create host link", func(q queries) error {
		n, err := q.LockUser(ctx, l.UserID)
		if err := requireOneRow(n, err, directory.ErrNotFound); err != nil {
			return err
		}
		row, err := q.GetUser(ctx, l.UserID)
		if err != nil {
			return err
		}
		u := toUser(row)
		e, err := rule(u)
		if err != nil {
			return err
		}
		if _, err := q.DeleteHostLink(ctx, u.ID); err != nil {
			return err
		}
		if err := q.InsertHostLink(ctx, dbsqlc.InsertHostLinkParams{
			TokenHash: l.Hash, UserID: u.ID, CreatedAt: micros(l.CreatedAt), ExpiresAt: micros(l.ExpiresAt),
		}); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, e); err != nil {
			return err
		}
		if err := s.noticeFactors(ctx, q, u, e); err != nil {
			return err
		}
		return s.noticeAdmins(ctx, q, u.ID, e)
	})
}

// GetHostLink returns a link and its user; see session.Store.
func (s *Store) GetHostLink(ctx context.Context, hash string) (session.HostLink, directory.User, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetHostLink, hash)
	if err != nil {
		return session.HostLink{}, directory.User{}, translate("get host link", err)
	}
	u, err := s.GetUser(ctx, row.UserID)
	return session.HostLink{Hash: row.TokenHash, UserID: row.UserID, CreatedAt: fromMicros(row.CreatedAt), ExpiresAt: fromMicros(row.ExpiresAt)}, u, err
}

// useHostLink deletes the link that a user signs in with. An empty hash is ignored. If the link was used or replaced, or
// has expired, it returns session.ErrLinkSpent.
func useHostLink(ctx context.Context, q queries, userID, hash string, now time.Time) error {
	if hash == "" {
		return nil
	}
	n, err := q.UseHostLink(ctx, dbsqlc.UseHostLinkParams{TokenHash: hash, UserID: userID, Now: micros(now)})
	return requireOneRow(n, err, session.ErrLinkSpent)
}

// DeleteExpiredHostLinks deletes expired links. It is housekeeping: expiry is checked on every use.
func (s *Store) DeleteExpiredHostLinks(ctx context.Context, now time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete expired host links", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredHostLinks(ctx, dbsqlc.ExpiredHostLinksParams{ExpiresAt: micros(now), Limit: limit})
	}, func(q queries, userID string) (int64, error) {
		return q.DeleteExpiredHostLink(ctx, dbsqlc.DeleteExpiredHostLinkParams{UserID: userID, ExpiresAt: micros(now)})
	})
}
