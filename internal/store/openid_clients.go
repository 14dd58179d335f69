package store

import (
	"context"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

var (
	_ openid.Store       = (*Store)(nil)
	_ openid.ClientStore = (*Store)(nil)
)

func toClient(r *dbsqlc.OpenidClient) openid.Client {
	return openid.Client{
		ID: r.AppID, Public: r.PublicClient != 0, Algorithm: identity.Algorithm(r.IDTokenAlg), RedirectURIs: splitLines(r.RedirectUris),
		PostLogoutURIs: splitLines(r.PostLogoutUris), BackchannelLogout: r.BackchannelLogout,
		CreatedAt: fromMicros(r.CreatedAt), UpdatedAt: fromMicros(r.UpdatedAt),
	}
}

func toSecret(r *dbsqlc.ClientSecret) openid.Secret {
	return openid.Secret{
		ID: r.ID, AppID: r.AppID, Hash: r.SecretHash, Hint: r.Hint, CreatedBy: r.CreatedBy,
		CreatedAt: fromMicros(r.CreatedAt), ExpiresAt: fromMicros(r.ExpiresAt),
	}
}

// GetClient returns the client of an app.
func (s *Store) GetClient(ctx context.Context, appID string) (openid.Client, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetOpenIDClient, appID)
	if err != nil {
		return openid.Client{}, translate("get client", err)
	}
	return toClient(row), nil
}

// SaveClient inserts or updates the client of an app; see openid.ClientStore.
func (s *Store) SaveClient(
	ctx context.Context, appID string, rule func(old *openid.Client) (openid.Client, event.Event, error),
) error {
	return s.inTx(ctx, "save client", func(q queries) error {
		if err := lock(ctx, q.LockApp, appID); err != nil { // so that the app isn't removed at the same time
			return err
		}
		var old *openid.Client
		row, err := q.GetOpenIDClient(ctx, appID)
		if err != nil && !dbconn.IsNoRows(err) {
			return err
		}
		if err == nil {
			found := toClient(row)
			old = &found
		}
		c, e, err := rule(old)
		if err != nil || len(e.Changes) == 0 {
			return err
		}
		if old == nil {
			err = q.InsertOpenIDClient(ctx, dbsqlc.InsertOpenIDClientParams{
				AppID: appID, PublicClient: flag(c.Public), IDTokenAlg: string(c.Algorithm), RedirectUris: joinLines(c.RedirectURIs),
				PostLogoutUris: joinLines(c.PostLogoutURIs), BackchannelLogout: c.BackchannelLogout,
				CreatedAt: micros(c.CreatedAt), UpdatedAt: micros(c.UpdatedAt),
			})
		} else {
			_, err = q.UpdateOpenIDClient(ctx, dbsqlc.UpdateOpenIDClientParams{
				PublicClient: flag(c.Public), IDTokenAlg: string(c.Algorithm), RedirectUris: joinLines(c.RedirectURIs),
				PostLogoutUris: joinLines(c.PostLogoutURIs), BackchannelLogout: c.BackchannelLogout, UpdatedAt: micros(c.UpdatedAt), AppID: appID,
			})
		}
		if err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// RemoveClient deletes a client with its secrets. Its grants are older than any later client of the app, so they end;
// housekeeping deletes them.
func (s *Store) RemoveClient(ctx context.Context, appID string, e event.Event) error {
	return s.inTx(ctx, "remove client", func(q queries) error {
		if err := lock(ctx, q.LockApp, appID); err != nil {
			return err
		}
		if err := removeClient(ctx, q, appID); err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// removeClient deletes the client of a locked app with its secrets. It returns directory.ErrNotFound if there is none.
func removeClient(ctx context.Context, q queries, appID string) error {
	n, err := q.DeleteOpenIDClient(ctx, appID)
	if err := requireOneRow(n, err, directory.ErrNotFound); err != nil {
		return err
	}
	return q.DeleteSecretsOfClient(ctx, appID)
}

// GetClientWithSecret returns a client and its secret with a hash; see openid.Store.
func (s *Store) GetClientWithSecret(ctx context.Context, appID, secretHash string) (openid.Client, openid.Secret, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetClientWithSecret, dbsqlc.GetClientWithSecretParams{SecretHash: secretHash, AppID: appID})
	if err != nil {
		return openid.Client{}, openid.Secret{}, translate("get client with secret", err)
	}
	secret := openid.Secret{ID: row.SecretID.String, AppID: appID, Hash: secretHash, ExpiresAt: fromMicros(row.SecretExpiresAt.Int64)}
	return toClient(&row.OpenidClient), secret, nil
}

// ListSecrets returns the secrets of a client, newest first.
func (s *Store) ListSecrets(ctx context.Context, appID string) ([]openid.Secret, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListClientSecrets, appID)
	return toSecrets(rows), translate("list client secrets", err)
}

func toSecrets(rows []*dbsqlc.ClientSecret) []openid.Secret {
	list := make([]openid.Secret, len(rows))
	for i, r := range rows {
		list[i] = toSecret(r)
	}
	return list
}

// CreateSecret inserts a secret; see openid.ClientStore.
func (s *Store) CreateSecret(
	ctx context.Context, v openid.Secret, e event.Event, rule func(openid.Client, []openid.Secret) error,
) error {
	return s.inTx(ctx, "create client secret", func(q queries) error {
		if err := lock(ctx, q.LockOpenIDClient, v.AppID); err != nil {
			return err
		}
		row, err := q.GetOpenIDClient(ctx, v.AppID)
		if err != nil {
			return err
		}
		have, err := q.ListClientSecrets(ctx, v.AppID)
		if err != nil {
			return err
		}
		err = q.InsertClientSecret(ctx, dbsqlc.InsertClientSecretParams{
			ID: v.ID, AppID: v.AppID, SecretHash: v.Hash, Hint: v.Hint, CreatedBy: v.CreatedBy,
			CreatedAt: micros(v.CreatedAt), ExpiresAt: micros(v.ExpiresAt),
		})
		if IsDuplicate(err) {
			return openid.ErrSecretExists
		}
		if err != nil {
			return err
		}
		if err := rule(toClient(row), toSecrets(have)); err != nil { // after inserting, so that a repeated request gets ErrSecretExists
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// RevokeSecret deletes a secret; see openid.ClientStore.
func (s *Store) RevokeSecret(ctx context.Context, appID, id string, record func(openid.Secret) event.Event) error {
	return s.inTx(ctx, "revoke client secret", func(q queries) error {
		rows, err := q.ListClientSecrets(ctx, appID)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.ID != id {
				continue
			}
			n, err := q.DeleteClientSecret(ctx, dbsqlc.DeleteClientSecretParams{AppID: appID, ID: id})
			if err := requireOneRow(n, err, directory.ErrNotFound); err != nil {
				return err
			}
			return insertEvents(ctx, q, record(toSecret(row)))
		}
		return directory.ErrNotFound
	})
}
