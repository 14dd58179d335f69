package store

import (
	"context"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// listNeverSeen calls the one query for people who were never seen and come behind
// a row that wasn't either.
func listNeverSeen(
	ctx context.Context, q *dbsqlc.Queries, descending bool, f filter, from *dbsqlc.User, limit int,
) ([]*dbsqlc.User, error) {
	role, status, n := string(f.role), string(f.status), int32(limit)
	everybody := f == filter{}
	switch {
	case everybody && descending:
		return q.ListNeverSeenDesc(ctx, dbsqlc.ListNeverSeenDescParams{Never: 0, ID: from.ID, Limit: n})
	case everybody:
		return q.ListNeverSeen(ctx, dbsqlc.ListNeverSeenParams{Never: 0, ID: from.ID, Limit: n})
	case descending:
		return q.ListSomeNeverSeenDesc(ctx, dbsqlc.ListSomeNeverSeenDescParams{Role: role, Status: status, ID: from.ID, Limit: n})
	}
	return q.ListSomeNeverSeen(ctx, dbsqlc.ListSomeNeverSeenParams{Role: role, Status: status, ID: from.ID, Limit: n})
}

// listAfter calls the one query for people who come behind a row.
func listAfter(
	ctx context.Context, q *dbsqlc.Queries, order directory.Sort, f filter, from *dbsqlc.User, limit int,
) ([]*dbsqlc.User, error) {
	role, status, n := string(f.role), string(f.status), int32(limit)
	everybody := f == filter{}
	switch order {
	case directory.ByName:
		if everybody {
			return q.ListByName(ctx, dbsqlc.ListByNameParams{NameKey: from.NameKey, ID: from.ID, Limit: n})
		}
		return q.ListSomeByName(ctx, dbsqlc.ListSomeByNameParams{Role: role, Status: status, NameKey: from.NameKey, ID: from.ID, Limit: n})
	case "-" + directory.ByName:
		if everybody {
			return q.ListByNameDesc(ctx, dbsqlc.ListByNameDescParams{NameKey: from.NameKey, ID: from.ID, Limit: n})
		}
		return q.ListSomeByNameDesc(ctx, dbsqlc.ListSomeByNameDescParams{Role: role, Status: status, NameKey: from.NameKey, ID: from.ID, Limit: n})
	case directory.ByCreated:
		if everybody {
			return q.ListByCreated(ctx, dbsqlc.ListByCreatedParams{CreatedAt: from.CreatedAt, ID: from.ID, Limit: n})
		}
		return q.ListSomeByCreated(ctx, dbsqlc.ListSomeByCreatedParams{Role: role, Status: status, CreatedAt: from.CreatedAt, ID: from.ID, Limit: n})
	case "-" + directory.ByCreated:
		if everybody {
			return q.ListByCreatedDesc(ctx, dbsqlc.ListByCreatedDescParams{CreatedAt: from.CreatedAt, ID: from.ID, Limit: n})
		}
		return q.ListSomeByCreatedDesc(ctx, dbsqlc.ListSomeByCreatedDescParams{Role: role, Status: status, CreatedAt: from.CreatedAt, ID: from.ID, Limit: n})
	case directory.ByLastSeen:
		if everybody {
			return q.ListByLastSeen(ctx, dbsqlc.ListByLastSeenParams{LastSeenAt: from.LastSeenAt, ID: from.ID, Limit: n})
		}
		return q.ListSomeByLastSeen(ctx, dbsqlc.ListSomeByLastSeenParams{Role: role, Status: status, LastSeenAt: from.LastSeenAt, ID: from.ID, Limit: n})
	case "-" + directory.ByLastSeen:
		if everybody {
			return q.ListByLastSeenDesc(ctx, dbsqlc.ListByLastSeenDescParams{LastSeenAt: from.LastSeenAt, ID: from.ID, Limit: n})
		}
		return q.ListSomeByLastSeenDesc(ctx, dbsqlc.ListSomeByLastSeenDescParams{Role: role, Status: status, LastSeenAt: from.LastSeenAt, ID: from.ID, Limit: n})
	case directory.ByEmail:
		if everybody {
			return q.ListByEmail(ctx, dbsqlc.ListByEmailParams{EmailKey: from.EmailKey, Limit: n})
		}
		return q.ListSomeByEmail(ctx, dbsqlc.ListSomeByEmailParams{Role: role, Status: status, EmailKey: from.EmailKey, Limit: n})
	default:
		if everybody {
			return q.ListByEmailDesc(ctx, dbsqlc.ListByEmailDescParams{EmailKey: from.EmailKey, Limit: n})
		}
		return q.ListSomeByEmailDesc(ctx, dbsqlc.ListSomeByEmailDescParams{Role: role, Status: status, EmailKey: from.EmailKey, Limit: n})
	}
}
