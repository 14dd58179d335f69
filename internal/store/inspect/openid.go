package inspect

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CountClients returns the number of OpenID Connect clients; 0 if there are no tables.
func (l *Inspector) CountClients(ctx context.Context) (int, error) {
	ctx, q, cancel := l.queries(ctx)
	defer cancel()
	n, err := q.CountOpenIDClients(ctx)
	if dbconn.IsNoTable(err) {
		return 0, nil
	}
	return int(n), dbconn.ExplainError(err)
}

// EndingSecret is a secret of a client that has ended or will.
type EndingSecret struct {
	App  string // name of the app
	Hint string // last characters of the secret
	Ends time.Time
}

// EndingSecrets returns up to limit secrets of clients that end before a time, those that end first first.
func (l *Inspector) EndingSecrets(ctx context.Context, before time.Time, limit int) ([]EndingSecret, error) {
	ctx, q, cancel := l.queries(ctx)
	defer cancel()
	rows, err := q.ListEndingClientSecrets(ctx, dbsqlc.ListEndingClientSecretsParams{Before: before.UnixMicro(), Limit: int32(limit)})
	if dbconn.IsNoTable(err) {
		return nil, nil
	}
	list := make([]EndingSecret, len(rows))
	for i, r := range rows {
		list[i] = EndingSecret{r.Name, r.Hint, time.UnixMicro(r.ExpiresAt).UTC()}
	}
	return list, dbconn.ExplainError(err)
}
