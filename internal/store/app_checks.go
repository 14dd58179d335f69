package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

// CheckSession reads what a request to an app depends on, in one query; see apps.Store.
func (s *Store) CheckSession(ctx context.Context, host, cookieHash string) (apps.CheckState, error) {
	if readHost(host) == "" {
		return apps.CheckState{}, translate("check app session", sql.ErrNoRows)
	}
	rows, err := readChecks(ctx, s, (*dbsqlc.Queries).CheckAppSession, dbsqlc.CheckAppSessionParams{CookieHash: cookieHash, Host: host})
	if err != nil {
		return apps.CheckState{}, translate("check app session", err)
	}
	r := rows[0]
	state := apps.CheckState{App: apps.App{
		ID: r.AppID, Name: text.Name(r.AppName), Scheme: r.Scheme, Host: host, Audience: apps.Audience(r.Audience), Upstream: r.Upstream,
		PublicPaths: splitLines(r.PublicPaths), AllowRequests: r.AllowRequests != 0, Enabled: r.Enabled != 0,
	}}
	if !r.EmailKey.Valid {
		return state, nil
	}
	state.Session = session.Session{
		TokenHash: r.TokenHash.String, UserID: r.UserID.String, StytchSessionID: r.StytchSessionID.String,
		VerifiedAt: fromMicros(r.VerifiedAt.Int64), ExpiresAt: fromMicros(r.ExpiresAt.Int64),
		Proofs: factor.Proofs(r.Factors.String), HasSecondFactor: r.SecondFactor.Int64 != 0,
		User: directory.User{
			ID: r.UserID.String, Name: text.Name(r.Name.String), Role: directory.Role(r.Role.String), Status: directory.Status(r.Status.String),
			Email:        directory.Email{Display: text.Clean(r.Email.String), Normalized: r.EmailKey.String},
			StytchUserID: r.StytchUserID.String,
		},
	}
	for _, r := range rows {
		addMembership(&state.App, &state.Memberships, r.UserID.String, r.GroupID, r.GroupName, r.Opens, r.UntilAt)
	}
	return state, nil
}

// CheckToken reads what a request with an app token depends on, in one query; see apps.Store.
func (s *Store) CheckToken(ctx context.Context, host, tokenHash string) (apps.CheckState, error) {
	if readHost(host) == "" {
		return apps.CheckState{}, translate("check app token", sql.ErrNoRows)
	}
	rows, err := readChecks(ctx, s, (*dbsqlc.Queries).CheckAppToken, dbsqlc.CheckAppTokenParams{TokenHash: tokenHash, Host: host})
	if err != nil {
		return apps.CheckState{}, translate("check app token", err)
	}
	r := rows[0]
	state := apps.CheckState{App: apps.App{
		ID: r.AppID, Name: text.Name(r.AppName), Scheme: r.Scheme, Host: host, Audience: apps.Audience(r.Audience), Upstream: r.Upstream,
		PublicPaths: splitLines(r.PublicPaths), AllowRequests: r.AllowRequests != 0, Enabled: r.Enabled != 0,
	}}
	if !r.TokenID.Valid || r.UserID.String != "" && !r.EmailKey.Valid {
		return state, nil
	}
	state.Token = apps.Token{
		ID: r.TokenID.String, AppID: r.AppID, UserID: r.UserID.String, Name: text.Clean(r.TokenName.String), ExpiresAt: fromMicros(r.ExpiresAt.Int64),
	}
	if state.Token.IsService() {
		return state, nil
	}
	state.Token.User = directory.User{
		ID: r.UserID.String, Name: text.Name(r.Name.String), Role: directory.Role(r.Role.String), Status: directory.Status(r.Status.String),
		Email: directory.Email{Display: text.Clean(r.Email.String), Normalized: r.EmailKey.String},
	}
	for _, r := range rows {
		addMembership(&state.App, &state.Memberships, r.UserID.String, r.GroupID, r.GroupName, r.Opens, r.UntilAt)
	}
	return state, nil
}

// readCheck runs the query of a check. On SQLite it has no timeout, because a file is read faster than the driver could
// start to watch ctx.
func readCheck[A, T any](ctx context.Context, s *Store, query func(*dbsqlc.Queries, context.Context, A) (T, error), arg A) (T, error) {
	if s.sqlite {
		return query(s.on(s.Reader()).Queries, context.WithoutCancel(ctx), arg)
	}
	return read(ctx, s, query, arg)
}

// readChecks is readCheck for a query that returns at least one row if what is checked exists.
func readChecks[A, T any](
	ctx context.Context, s *Store, query func(*dbsqlc.Queries, context.Context, A) ([]T, error), arg A,
) ([]T, error) {
	rows, err := readCheck(ctx, s, query, arg)
	if err == nil && len(rows) == 0 {
		err = sql.ErrNoRows
	}
	return rows, err
}

// addMembership adds the membership of a row of a check, if it has one, and its group if it opens the app.
func addMembership(
	a *apps.App, memberships *[]directory.Membership, userID string, groupID, name sql.NullString, opens bool, until sql.NullInt64,
) {
	if !groupID.Valid || !name.Valid {
		return
	}
	*memberships = append(*memberships, directory.Membership{
		GroupID: groupID.String, GroupName: text.Name(name.String), UserID: userID, Until: fromMicros(until.Int64),
	})
	if opens {
		a.Groups = append(a.Groups, directory.Group{ID: groupID.String, Name: text.Name(name.String)})
	}
}

// CreateCode inserts a code.
func (s *Store) CreateCode(ctx context.Context, c apps.Code) error {
	return translate("create code", s.writer().InsertAppCode(ctx, dbsqlc.InsertAppCodeParams{
		CodeHash: c.Hash, AppID: c.AppID, SessionHash: c.SessionHash, CookieHash: c.CookieHash, Path: c.Path,
		CreatedAt: micros(c.CreatedAt), ExpiresAt: micros(c.ExpiresAt),
	}))
}

// RedeemCode exchanges a code for a credential; see apps.Store.
func (s *Store) RedeemCode(
	ctx context.Context, codeHash string, since time.Time, redeem func(c apps.Code, sess session.Session, recent int) (apps.Credential, error),
) error {
	return s.inTx(ctx, "redeem code", func(q queries) error {
		row, err := q.GetAppCode(ctx, codeHash)
		if err != nil {
			return err
		}
		n, err := q.DeleteAppCode(ctx, codeHash)
		if err != nil {
			return err
		}
		if n == 0 {
			return sql.ErrNoRows // another transaction redeemed it first
		}
		found, err := q.GetSession(ctx, row.SessionHash)
		if err != nil {
			return err
		}
		recent, err := q.CountRecentAppSessions(ctx, dbsqlc.CountRecentAppSessionsParams{
			SessionHash: row.SessionHash, AppID: row.AppID, After: micros(since),
		})
		if err != nil {
			return err
		}
		c, err := redeem(toCode(row), toSessionWithUser(found), int(recent))
		if err != nil {
			return err
		}
		return q.InsertAppSession(ctx, dbsqlc.InsertAppSessionParams{
			CookieHash: c.CookieHash, AppID: c.AppID, SessionHash: c.SessionHash, CreatedAt: micros(c.CreatedAt), ExpiresAt: micros(c.ExpiresAt),
		})
	})
}

func toCode(r *dbsqlc.AppCode) apps.Code {
	return apps.Code{
		Hash: r.CodeHash, AppID: r.AppID, SessionHash: r.SessionHash, CookieHash: r.CookieHash, Path: r.Path,
		CreatedAt: fromMicros(r.CreatedAt), ExpiresAt: fromMicros(r.ExpiresAt),
	}
}

// DeleteExpiredAccess deletes codes and credentials of apps, and app tokens, that had expired at a time. It is
// housekeeping: expiry is checked on every use.
func (s *Store) DeleteExpiredAccess(ctx context.Context, now, tokensBefore time.Time) (int, error) {
	codes, err := s.deleteInBatches(ctx, "delete expired codes", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredAppCodes(ctx, dbsqlc.ExpiredAppCodesParams{ExpiresAt: micros(now), Limit: limit})
	}, func(q queries, hash string) (int64, error) { return q.DeleteAppCode(ctx, hash) })
	if err != nil {
		return codes, err
	}
	credentials, err := s.deleteInBatches(ctx, "delete expired app sessions", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredAppSessions(ctx, dbsqlc.ExpiredAppSessionsParams{ExpiresAt: micros(now), Limit: limit})
	}, func(q queries, hash string) (int64, error) { return q.DeleteAppSession(ctx, hash) })
	if err != nil {
		return codes + credentials, err
	}
	tokens, err := s.deleteInBatches(ctx, "delete expired app tokens", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredAppTokens(ctx, dbsqlc.ExpiredAppTokensParams{ExpiresAt: micros(tokensBefore), Limit: limit})
	}, func(q queries, hash string) (int64, error) { return q.DeleteAppToken(ctx, hash) })
	return codes + credentials + tokens, err
}
