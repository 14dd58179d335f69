package store

import (
	"context"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
	"github.com/guestlist/guestlist/internal/token"
)

// CreateToken inserts a token if rule allows it; see token.Store.
func (s *Store) CreateToken(
	ctx context.Context, t token.Token, e event.Event, rule func(owner directory.User, have []token.Token) error,
) error {
	return s.inTx(ctx, "create token", func(q queries) error {
		if _, err := q.LockUser(ctx, t.UserID); err != nil { // so that simultaneous calls can't exceed the limit
			return err
		}
		owner, err := q.GetUser(ctx, t.UserID)
		if err != nil {
			return err
		}
		have, err := q.ListTokensOfUser(ctx, t.UserID)
		if err != nil {
			return err
		}
		err = q.InsertToken(ctx, dbsqlc.InsertTokenParams{
			TokenHash: t.Hash, ID: t.ID, UserID: t.UserID, Name: t.Name, Scope: string(t.Scope),
			CreatedAt: micros(t.CreatedAt), ExpiresAt: micros(t.ExpiresAt), LastUsedAt: micros(t.LastUsedAt),
		})
		if IsDuplicate(err) {
			return token.ErrDuplicate
		}
		if err != nil {
			return err
		}
		if err := rule(toUser(owner), toTokens(have)); err != nil { // after inserting, so that a repeated request gets ErrDuplicate
			return err
		}
		if err := insertEvents(ctx, q, e); err != nil {
			return err
		}
		return s.noticeToken(ctx, q, toUser(owner), e)
	})
}

// GetToken returns a token with its user, in one query.
func (s *Store) GetToken(ctx context.Context, hash string) (token.Token, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetToken, hash)
	t := toToken(&row.Token)
	t.User = toUser(&row.User)
	return t, translate("get token", err)
}

// FindToken returns the token with an id.
func (s *Store) FindToken(ctx context.Context, id string) (token.Token, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).FindToken, id)
	return toToken(row), translate("find token", err)
}

// ListTokensOf returns a user's tokens, newest first.
func (s *Store) ListTokensOf(ctx context.Context, userID string) ([]token.Token, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListTokensOfUser, userID)
	list := toTokens(rows)
	// An id is created with the form, which may be older than the token.
	slices.SortStableFunc(list, func(a, b token.Token) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return list, translate("list tokens of user", err)
}

// ListTokens returns a page of all users' tokens; see token.Store.
func (s *Store) ListTokens(ctx context.Context, after string, limit int) ([]token.Token, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListTokens, dbsqlc.ListTokensParams{ID: after, Limit: int32(limit)})
	list := make([]token.Token, len(rows))
	for i, r := range rows {
		list[i] = toToken(&r.Token)
		list[i].User = toUser(&r.User)
	}
	return list, translate("list tokens", err)
}

// SetTokenUsed records when a token was used.
func (s *Store) SetTokenUsed(ctx context.Context, hash string, at time.Time) error {
	_, err := s.writer().SetTokenUsed(ctx, dbsqlc.SetTokenUsedParams{UsedAt: micros(at), TokenHash: hash})
	return translate("record use of token", err)
}

// RevokeTokens deletes a user's matching tokens; see token.Store.
func (s *Store) RevokeTokens(
	ctx context.Context, userID string, revoke func(owner directory.User, t token.Token) (event.Event, bool),
) (int, error) {
	revoked := 0
	err := s.inTx(ctx, "revoke tokens", func(q queries) error {
		row, err := q.GetUser(ctx, userID)
		if err != nil {
			return err
		}
		owner := toUser(row)
		revoked, err = revokeTokens(ctx, q, userID, func(t token.Token) (event.Event, bool) { return revoke(owner, t) })
		return err
	})
	return revoked, err
}

// revokeTokens deletes the tokens of a user for which revoke returns true, and writes
// their events.
func revokeTokens(ctx context.Context, q queries, userID string, revoke func(token.Token) (event.Event, bool)) (int, error) {
	rows, err := q.ListTokensOfUser(ctx, userID)
	if err != nil {
		return 0, err
	}
	revoked := 0
	for _, t := range toTokens(rows) {
		e, ok := revoke(t)
		if !ok {
			continue
		}
		n, err := q.DeleteToken(ctx, t.Hash)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			continue // another transaction deleted it first and wrote the event
		}
		revoked++
		if err := insertEvents(ctx, q, e); err != nil {
			return 0, err
		}
	}
	return revoked, nil
}

// DeleteExpiredTokens deletes tokens that had expired at a time.
func (s *Store) DeleteExpiredTokens(ctx context.Context, before time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete expired tokens", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredTokens(ctx, dbsqlc.ExpiredTokensParams{ExpiresAt: micros(before), Limit: limit})
	}, func(q queries, hash string) (int64, error) { return q.DeleteToken(ctx, hash) })
}

func toToken(r *dbsqlc.Token) token.Token {
	return token.Token{
		ID: r.ID, Hash: r.TokenHash, UserID: r.UserID, Name: text.Clean(r.Name), Scope: token.Scope(r.Scope),
		CreatedAt: fromMicros(r.CreatedAt), ExpiresAt: fromMicros(r.ExpiresAt), LastUsedAt: fromMicros(r.LastUsedAt),
	}
}

func toTokens(rows []*dbsqlc.Token) []token.Token {
	list := make([]token.Token, len(rows))
	for i, r := range rows {
		list[i] = toToken(r)
	}
	return list
}
