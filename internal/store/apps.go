package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

var _ apps.Store = (*Store)(nil)

// CreateApp inserts an app with its groups; see apps.Store.
func (s *Store) CreateApp(ctx context.Context, a apps.App, e event.Event, c idempotency.Claim) error {
	return s.inAppTx(ctx, "create app", func(q queries) error {
		if _, err := q.LockAdmins(ctx, micros(s.now())); err != nil { // others count after this
			return err
		}
		n, err := q.CountApps(ctx)
		if err != nil {
			return err
		}
		if n >= apps.MaxApps {
			return apps.ErrTooManyApps
		}
		if err := checkAppUnique(ctx, q, a); err != nil {
			return err
		}
		if err := q.InsertApp(ctx, dbsqlc.InsertAppParams{
			ID: a.ID, Name: a.Name, NameKey: a.Key(), Scheme: a.Scheme, Host: storedHost(a), Audience: string(a.Audience), Upstream: a.Upstream,
			PublicPaths: joinLines(a.PublicPaths), AllowRequests: flag(a.AllowRequests), HomeUrl: a.HomeURL, Enabled: flag(a.Enabled),
			CreatedAt: micros(a.CreatedAt), UpdatedAt: micros(a.UpdatedAt),
		}); err != nil {
			return err
		}
		if err := insertAppGroups(ctx, q, &a); err != nil {
			return err
		}
		if c, differ := apps.GroupsChange(apps.App{}, a); differ {
			e.Changes = append(e.Changes, c)
		}
		if err := insertEvents(ctx, q, e); err != nil {
			return err
		}
		return linkKey(ctx, q, c, a.ID)
	})
}

// inAppTx is inTx for a change that calls checkAppUnique. If a concurrent transaction wrote an app with the same name or
// host after the check, it runs fn once more, which then finds that app.
func (s *Store) inAppTx(ctx context.Context, op string, fn func(q queries) error) error {
	run := func() error { return s.Transact(ctx, func(tx *sql.Tx) error { return fn(s.queriesTx(tx)) }) }
	err := run()
	if IsDuplicate(err) {
		err = run()
	}
	return translate(op, err)
}

// checkAppUnique returns an error if another app has the name or host. Constraints refuse those of a concurrent
// transaction; see inAppTx.
func checkAppUnique(ctx context.Context, q queries, a apps.App) error {
	row, err := q.GetAppByNameKey(ctx, a.Key())
	if err == nil && row.ID != a.ID {
		return apps.ErrNameTaken
	}
	if err != nil && !dbconn.IsNoRows(err) {
		return err
	}
	row, err = q.GetAppByHost(ctx, storedHost(a))
	if err == nil && row.ID != a.ID {
		return apps.ErrHostTaken
	}
	if err != nil && !dbconn.IsNoRows(err) {
		return err
	}
	return nil
}

// insertAppGroups inserts the groups that open an app, and sets their names.
func insertAppGroups(ctx context.Context, q queries, a *apps.App) error {
	for i, g := range a.Groups {
		found, err := lockedGroup(ctx, q, g.ID)
		if dbconn.IsNoRows(err) {
			return &directory.ValidationError{Fields: map[string]string{"groups": "One of these groups doesn’t exist any more. Choose again."}}
		}
		if err != nil {
			return err
		}
		a.Groups[i] = found
		if err := q.InsertAppGroup(ctx, dbsqlc.InsertAppGroupParams{AppID: a.ID, GroupID: g.ID}); err != nil {
			return err
		}
	}
	return nil
}

// GetApp returns the app with an id.
func (s *Store) GetApp(ctx context.Context, id string) (apps.App, error) {
	return s.getApp(ctx, "get app", (*dbsqlc.Queries).GetApp, id)
}

// GetAppByHost returns the app with a canonical host.
func (s *Store) GetAppByHost(ctx context.Context, host string) (apps.App, error) {
	if readHost(host) == "" {
		return apps.App{}, translate("get app by host", sql.ErrNoRows)
	}
	return s.getApp(ctx, "get app by host", (*dbsqlc.Queries).GetAppByHost, host)
}

// GetAppByName returns the app with a name, ignoring case.
func (s *Store) GetAppByName(ctx context.Context, name string) (apps.App, error) {
	return s.getApp(ctx, "get app by name", (*dbsqlc.Queries).GetAppByNameKey, strings.ToLower(name))
}

func (s *Store) getApp(
	ctx context.Context, op string, query func(*dbsqlc.Queries, context.Context, string) (*dbsqlc.App, error), arg string,
) (apps.App, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	row, err := query(q.Queries, ctx, arg)
	if err != nil {
		return apps.App{}, translate(op, err)
	}
	list, err := withGroups(ctx, q, []*dbsqlc.App{row})
	if err != nil {
		return apps.App{}, translate(op, err)
	}
	return list[0], nil
}

// ListApps returns a page of apps; see apps.Store.
func (s *Store) ListApps(ctx context.Context, after string, limit int) ([]apps.App, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	rows, err := q.ListApps(ctx, dbsqlc.ListAppsParams{After: after, Limit: int32(limit)})
	if err != nil {
		return nil, translate("list apps", err)
	}
	list, err := withGroups(ctx, q, rows)
	return list, translate("list apps", err)
}

// ListAppsOfGroup returns the apps that a group opens; see apps.Store.
func (s *Store) ListAppsOfGroup(ctx context.Context, groupID string) ([]apps.App, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListAppsOfGroup, groupID)
	list := make([]apps.App, len(rows))
	for i, r := range rows {
		list[i] = toApp(r)
	}
	return list, translate("list apps of group", err)
}

// ListAppsWithMemberships returns all apps and a user's memberships; see apps.Store.
func (s *Store) ListAppsWithMemberships(ctx context.Context, userID string) ([]apps.App, []directory.Membership, error) {
	list, err := s.ListApps(ctx, "", apps.MaxApps)
	if err != nil {
		return nil, nil, err
	}
	memberships, err := s.ListMemberships(ctx, userID)
	return list, memberships, err
}

// withGroups converts rows and adds their groups.
func withGroups(ctx context.Context, q queries, rows []*dbsqlc.App) ([]apps.App, error) {
	list, index, ids := make([]apps.App, len(rows)), map[string]int{}, make([]string, len(rows))
	for i, r := range rows {
		list[i] = toApp(r)
		index[r.ID] = i
		ids[i] = r.ID
	}
	if len(ids) == 0 {
		return list, nil
	}
	groups, err := q.ListGroupsOfApps(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		a := &list[index[g.AppID]]
		a.Groups = append(a.Groups, directory.Group{ID: g.ID, Name: text.Name(g.Name), CreatedAt: fromMicros(g.CreatedAt)})
	}
	return list, nil
}

// ChangeApp applies the change that rule returns to an app; see apps.Store.
func (s *Store) ChangeApp(ctx context.Context, id string, rule func(apps.App) (apps.App, event.Event, error)) (apps.App, error) {
	var changed apps.App
	err := s.inAppTx(ctx, "change app", func(q queries) error {
		if err := lock(ctx, q.LockApp, id); err != nil {
			return err
		}
		row, err := q.GetApp(ctx, id)
		if err != nil {
			return err
		}
		list, err := withGroups(ctx, q, []*dbsqlc.App{row})
		if err != nil {
			return err
		}
		old := list[0]
		a, e, err := rule(old)
		if err != nil {
			return err
		}
		if err := checkAppUnique(ctx, q, a); err != nil {
			return err
		}
		if err := q.DeleteGroupsOfApp(ctx, id); err != nil {
			return err
		}
		if err := insertAppGroups(ctx, q, &a); err != nil {
			return err
		}
		if c, differ := apps.GroupsChange(old, a); differ {
			e.Changes = append(e.Changes, c)
		}
		if len(e.Changes) == 0 {
			changed = old
			return nil
		}
		changed = a
		if _, err := q.UpdateApp(ctx, dbsqlc.UpdateAppParams{
			Name: a.Name, NameKey: a.Key(), Scheme: a.Scheme, Host: storedHost(a), Audience: string(a.Audience), Upstream: a.Upstream,
			PublicPaths: joinLines(a.PublicPaths), AllowRequests: flag(a.AllowRequests), UpdatedAt: micros(a.UpdatedAt),
			HomeUrl: a.HomeURL, Enabled: flag(a.Enabled), ID: id,
		}); err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
	return changed, err
}

// RemoveApp deletes an app; see apps.Store. Its credentials and codes open nothing without it, and are deleted when
// they expire.
func (s *Store) RemoveApp(ctx context.Context, id string, record func(apps.App) event.Event) error {
	return s.inTx(ctx, "remove app", func(q queries) error {
		if err := lock(ctx, q.LockApp, id); err != nil {
			return err
		}
		row, err := q.GetApp(ctx, id)
		if err != nil {
			return err
		}
		for _, remove := range []func(context.Context, string) error{q.DeleteGroupsOfApp, q.DeleteAppTokensOfApp, q.DeleteRequestsOfApp} {
			if err := remove(ctx, id); err != nil {
				return err
			}
		}
		if err := removeClient(ctx, q, id); err != nil && !errors.Is(err, directory.ErrNotFound) {
			return err
		}
		if _, err := q.DeleteApp(ctx, id); err != nil {
			return err
		}
		return insertEvents(ctx, q, record(toApp(row)))
	})
}

// toApp converts a row. The app's Groups are read separately.
func toApp(r *dbsqlc.App) apps.App {
	return apps.App{
		ID: r.ID, Name: text.Name(r.Name), Scheme: r.Scheme, Host: readHost(r.Host), HomeURL: r.HomeUrl, Audience: apps.Audience(r.Audience),
		Upstream: r.Upstream, PublicPaths: splitLines(r.PublicPaths), AllowRequests: r.AllowRequests != 0, Enabled: r.Enabled != 0,
		CreatedAt: fromMicros(r.CreatedAt), UpdatedAt: fromMicros(r.UpdatedAt),
	}
}

func joinLines(lines []string) string { return strings.Join(lines, "\n") }

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// CreateAppToken inserts a token if rule allows it; see apps.Store.
func (s *Store) CreateAppToken(ctx context.Context, t apps.Token, e event.Event, rule func(have []apps.Token) error) error {
	return s.inTx(ctx, "create app token", func(q queries) error {
		if t.UserID != "" {
			if err := lock(ctx, q.LockUser, t.UserID); err != nil { // as a removal does first
				return err
			}
		}
		if err := lock(ctx, q.LockApp, t.AppID); err != nil { // so that simultaneous calls can't exceed the limit
			return err
		}
		have, err := q.ListTokensOfApp(ctx, t.AppID)
		if err != nil {
			return err
		}
		err = q.InsertAppToken(ctx, dbsqlc.InsertAppTokenParams{
			TokenHash: t.Hash, ID: t.ID, AppID: t.AppID, UserID: t.UserID, Name: t.Name, CreatedBy: t.CreatedBy,
			CreatedAt: micros(t.CreatedAt), ExpiresAt: micros(t.ExpiresAt),
		})
		if IsDuplicate(err) {
			return apps.ErrTokenExists
		}
		if err != nil {
			return err
		}
		if err := rule(toAppTokens(have)); err != nil { // after inserting, so that a repeated request gets ErrTokenExists
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// ListAppTokens returns an app's tokens; see apps.Store.
func (s *Store) ListAppTokens(ctx context.Context, appID string) ([]apps.Token, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListTokensOfApp, appID)
	return toAppTokens(rows), translate("list app tokens", err)
}

// RevokeAppToken deletes a token of an app; see apps.Store.
func (s *Store) RevokeAppToken(ctx context.Context, appID, id string, record func(apps.Token) event.Event) error {
	return s.inTx(ctx, "revoke app token", func(q queries) error {
		row, err := q.GetAppToken(ctx, dbsqlc.GetAppTokenParams{AppID: appID, ID: id})
		if err != nil {
			return err
		}
		t := toAppToken((*dbsqlc.ListTokensOfAppRow)(row))
		n, err := q.DeleteAppToken(ctx, t.Hash)
		if err != nil {
			return err
		}
		if n == 0 {
			return sql.ErrNoRows // another transaction deleted it first and wrote the event
		}
		return insertEvents(ctx, q, record(t))
	})
}

func toAppTokens(rows []*dbsqlc.ListTokensOfAppRow) []apps.Token {
	list := make([]apps.Token, len(rows))
	for i, r := range rows {
		list[i] = toAppToken(r)
	}
	return list
}

func toAppToken(r *dbsqlc.ListTokensOfAppRow) apps.Token {
	t := apps.Token{
		ID: r.AppToken.ID, Hash: r.AppToken.TokenHash, AppID: r.AppToken.AppID, UserID: r.AppToken.UserID, Name: text.Clean(r.AppToken.Name),
		CreatedBy: r.AppToken.CreatedBy, CreatedAt: fromMicros(r.AppToken.CreatedAt), ExpiresAt: fromMicros(r.AppToken.ExpiresAt),
	}
	if r.EmailKey.Valid {
		t.User = directory.User{
			ID: t.UserID, Name: text.Name(r.UserName.String), Role: directory.Role(r.Role.String), Status: directory.Status(r.Status.String),
			Email: directory.Email{Display: text.Clean(r.Email.String), Normalized: r.EmailKey.String},
		}
	}
	return t
}
