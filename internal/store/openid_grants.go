package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

// CheckClient reads what an authorization request depends on, in one query; see openid.Store.
func (s *Store) CheckClient(ctx context.Context, appID string, current session.Session, since time.Time) (openid.ClientState, error) {
	rows, err := readChecks(ctx, s, (*dbsqlc.Queries).CheckOpenIDClient, dbsqlc.CheckOpenIDClientParams{
		UserID: current.UserID, SessionHash: current.TokenHash, AppID: appID, Since: micros(since),
	})
	if err != nil {
		return openid.ClientState{}, translate("check client", err)
	}
	r := rows[0]
	state := openid.ClientState{Client: toClient(&r.OpenidClient), RecentGrants: int(r.RecentGrants), App: apps.App{
		ID: appID, Name: text.Name(r.AppName), Audience: apps.Audience(r.Audience), AllowRequests: r.AllowRequests != 0, Enabled: r.Enabled != 0,
	}}
	for _, r := range rows {
		addMembership(&state.App, &state.Memberships, current.UserID, r.GroupID, r.GroupName, r.Opens, r.UntilAt)
	}
	return state, nil
}

// CreateGrant inserts a grant.
func (s *Store) CreateGrant(ctx context.Context, g openid.Grant) error {
	return translate("create grant", s.writer().InsertGrant(ctx, grantParams(g)))
}

func grantParams(g openid.Grant) dbsqlc.InsertGrantParams {
	return dbsqlc.InsertGrantParams{
		ID: g.ID, AppID: g.AppID, UserID: g.UserID, SessionHash: g.SessionHash, Scope: string(g.Scope), Nonce: g.Nonce, AuthTime: micros(g.AuthTime),
		RedirectUri: g.RedirectURI, CodeHash: g.CodeHash, CodeChallenge: g.CodeChallenge, CodeExpiresAt: micros(g.CodeExpiresAt),
		CreatedAt: micros(g.CreatedAt), ExpiresAt: micros(g.ExpiresAt),
	}
}

// CheckGrantCode reads what the use of a code depends on, in one query; see openid.Store.
func (s *Store) CheckGrantCode(ctx context.Context, codeHash string) (openid.GrantState, error) {
	rows, err := readChecks(ctx, s, (*dbsqlc.Queries).CheckGrantByCode, codeHash)
	if err != nil {
		return openid.GrantState{}, translate("check code", err)
	}
	state := toGrantState(rows[0])
	state.Grant.CodeHash = codeHash
	for _, r := range rows {
		addMembership(&state.App, &state.Memberships, r.UserID, r.GroupID, r.GroupName, r.Opens, r.UntilAt)
	}
	return state, nil
}

// CheckGrantToken reads what the use of a token depends on: in one query, and the memberships in another if the app's rule
// or the claims need them; see openid.Store.
func (s *Store) CheckGrantToken(ctx context.Context, tokenHash string) (openid.GrantState, error) {
	r, err := readCheck(ctx, s, (*dbsqlc.Queries).CheckGrantByToken, tokenHash)
	if err != nil {
		return openid.GrantState{}, translate("check token", err)
	}
	state := toGrantState(&dbsqlc.CheckGrantByCodeRow{
		ID: r.ID, AppID: r.AppID, UserID: r.UserID, SessionHash: r.SessionHash, Scope: r.Scope, Nonce: r.Nonce, AuthTime: r.AuthTime,
		IDTokenAlg: r.IDTokenAlg, AppName: r.AppName, Audience: r.Audience, Enabled: r.Enabled,
		StytchSessionID: r.StytchSessionID, VerifiedAt: r.VerifiedAt, ExpiresAt: r.ExpiresAt, Factors: r.Factors, SecondFactor: r.SecondFactor,
		Name: r.Name, Email: r.Email, EmailKey: r.EmailKey, Role: r.Role, Status: r.Status, StytchUserID: r.StytchUserID,
	})
	state.Token = openid.Token{
		Hash: tokenHash, GrantID: r.ID, Kind: openid.TokenKind(r.Kind), CreatedAt: fromMicros(r.TokenCreatedAt),
		ExpiresAt: fromMicros(r.TokenExpiresAt), ReplacedAt: fromMicros(r.ReplacedAt),
	}
	if state.App.Audience == apps.Everyone && !state.Grant.Scope.HasGroups() {
		return state, nil
	}
	rows, err := readCheck(ctx, s, (*dbsqlc.Queries).ListMembershipsForApp, dbsqlc.ListMembershipsForAppParams{AppID: r.AppID, UserID: r.UserID})
	for _, m := range rows {
		group := sql.NullString{String: m.GroupID, Valid: true}
		name := sql.NullString{String: m.GroupName, Valid: true}
		addMembership(&state.App, &state.Memberships, r.UserID, group, name, m.Opens, sql.NullInt64{Int64: m.UntilAt})
	}
	return state, translate("check memberships", err)
}

// toGrantState converts a row, without its membership.
func toGrantState(r *dbsqlc.CheckGrantByCodeRow) openid.GrantState {
	return openid.GrantState{
		Grant: openid.Grant{
			ID: r.ID, AppID: r.AppID, UserID: r.UserID, SessionHash: r.SessionHash, Scope: openid.Scope(r.Scope), Nonce: r.Nonce,
			AuthTime: fromMicros(r.AuthTime), RedirectURI: r.RedirectUri, CodeChallenge: r.CodeChallenge,
			CodeExpiresAt: fromMicros(r.CodeExpiresAt), CodeUsedAt: fromMicros(r.CodeUsedAt), CreatedAt: fromMicros(r.CreatedAt),
		},
		Client: openid.Client{ID: r.AppID, Algorithm: identity.Algorithm(r.IDTokenAlg)},
		App:    apps.App{ID: r.AppID, Name: text.Name(r.AppName), Audience: apps.Audience(r.Audience), Enabled: r.Enabled != 0},
		Session: toSessionWithUser(&dbsqlc.GetSessionRow{
			TokenHash: r.SessionHash, UserID: r.UserID, StytchSessionID: r.StytchSessionID, VerifiedAt: r.VerifiedAt, ExpiresAt: r.ExpiresAt,
			Factors: r.Factors, SecondFactor: r.SecondFactor,
			Name: r.Name, Email: r.Email, EmailKey: r.EmailKey, Role: r.Role, Status: r.Status, StytchUserID: r.StytchUserID,
		}),
	}
}

// RedeemGrant uses a grant's code; see openid.Store.
func (s *Store) RedeemGrant(ctx context.Context, g openid.Grant, t openid.NewTokens, e event.Event) error {
	return s.inTx(ctx, "redeem grant code", func(q queries) error {
		n, err := q.UseGrantCode(ctx, dbsqlc.UseGrantCodeParams{CodeUsedAt: micros(g.CodeUsedAt), ExpiresAt: micros(g.ExpiresAt), ID: g.ID})
		if err := requireOneRow(n, err, openid.ErrUsed); err != nil {
			return err
		}
		if err := insertTokens(ctx, q, t); err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// ReplaceToken uses a refresh token; see openid.Store.
func (s *Store) ReplaceToken(ctx context.Context, refreshHash string, at time.Time, t openid.NewTokens) error {
	return s.inTx(ctx, "replace refresh token", func(q queries) error {
		n, err := q.LockGrant(ctx, t.Access.GrantID) // so that the grant isn't ended at the same time
		if err := requireOneRow(n, err, sql.ErrNoRows); err != nil {
			return err
		}
		if _, err := q.ReplaceRefreshToken(ctx, dbsqlc.ReplaceRefreshTokenParams{ReplacedAt: micros(at), TokenHash: refreshHash}); err != nil {
			return err
		}
		return insertTokens(ctx, q, t)
	})
}

func insertTokens(ctx context.Context, q queries, t openid.NewTokens) error {
	a, r := t.Access, t.Refresh
	if r.Hash == "" {
		return q.InsertGrantToken(ctx, dbsqlc.InsertGrantTokenParams{
			TokenHash: a.Hash, GrantID: a.GrantID, Kind: string(a.Kind), CreatedAt: micros(a.CreatedAt), ExpiresAt: micros(a.ExpiresAt),
		})
	}
	return q.InsertGrantTokens(ctx, dbsqlc.InsertGrantTokensParams{
		AccessHash: a.Hash, GrantID: a.GrantID, CreatedAt: micros(a.CreatedAt), AccessExpiresAt: micros(a.ExpiresAt),
		RefreshHash: r.Hash, RefreshExpiresAt: micros(r.ExpiresAt),
	})
}

// DeleteGrantToken deletes a token, if it exists.
func (s *Store) DeleteGrantToken(ctx context.Context, tokenHash string) error {
	_, err := s.writer().DeleteGrantToken(ctx, tokenHash)
	return translate("delete token", err)
}

// EndGrant deletes a grant with its tokens; see openid.Store.
func (s *Store) EndGrant(ctx context.Context, grantID string, e event.Event) error {
	return s.inTx(ctx, "end grant", func(q queries) error {
		n, err := q.DeleteGrant(ctx, grantID)
		if err != nil || n == 0 {
			return err
		}
		if err := q.DeleteTokensOfGrant(ctx, grantID); err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// keepGrants is how long a grant is kept after it has expired. It says which app to tell when its session is deleted,
// which may fail at first.
const keepGrants = 24 * time.Hour

// DeleteExpiredGrants deletes tokens that had expired at a time, and grants a day later. It is housekeeping: expiry is
// checked on every use.
func (s *Store) DeleteExpiredGrants(ctx context.Context, now time.Time) (int, error) {
	tokens, err := s.deleteInBatches(ctx, "delete expired grant tokens", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredGrantTokens(ctx, dbsqlc.ExpiredGrantTokensParams{ExpiresAt: micros(now), Limit: limit})
	}, func(q queries, hash string) (int64, error) { return q.DeleteGrantToken(ctx, hash) })
	if err != nil {
		return tokens, err
	}
	grants, err := s.deleteInBatches(ctx, "delete expired grants", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredGrants(ctx, dbsqlc.ExpiredGrantsParams{ExpiresAt: micros(now.Add(-keepGrants)), Limit: limit})
	}, func(q queries, id string) (int64, error) { return q.DeleteGrant(ctx, id) })
	return tokens + grants, err
}
