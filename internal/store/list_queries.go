package store

import (
	"context"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// listSame calls the one query for people who have the same value as a row in the
// column that the order is by, and come behind it.
func listSame(
	ctx context.Context, q *dbsqlc.Queries, order directory.Sort, f filter, from dbsqlc.User, limit int,
) ([]dbsqlc.User, error) {
	role, status, n := string(f.role), string(f.status), int32(limit)
	everybody := f == filter{}
	switch order {
	case directory.ByName:
		if everybody {
			return q.ListSameName(ctx, dbsqlc.ListSameNameParams{NameKey: from.NameKey, ID: from.ID, Limit: n})
		}
		return q.ListSomeSameName(ctx, dbsqlc.ListSomeSameNameParams{Role: role, Status: status, NameKey: from.NameKey, ID: from.ID, Limit: n})
	case "-" + directory.ByName:
		if everybody {
			return q.ListSameNameDesc(ctx, dbsqlc.ListSameNameDescParams{NameKey: from.NameKey, ID: from.ID, Limit: n})
		}
		return q.ListSomeSameNameDesc(ctx, dbsqlc.ListSomeSameNameDescParams{Role: role, Status: status, NameKey: from.NameKey, ID: from.ID, Limit: n})
	case directory.ByCreated:
		if everybody {
			return q.ListSameCreated(ctx, dbsqlc.ListSameCreatedParams{CreatedAt: from.CreatedAt, ID: from.ID, Limit: n})
		}
		return q.ListSomeSameCreated(ctx, dbsqlc.ListSomeSameCreatedParams{Role: role, Status: status, CreatedAt: from.CreatedAt, ID: from.ID, Limit: n})
	case "-" + directory.ByCreated:
		if everybody {
			return q.ListSameCreatedDesc(ctx, dbsqlc.ListSameCreatedDescParams{CreatedAt: from.CreatedAt, ID: from.ID, Limit: n})
		}
		return q.ListSomeSameCreatedDesc(ctx, dbsqlc.ListSomeSameCreatedDescParams{Role: role, Status: status, CreatedAt: from.CreatedAt, ID: from.ID, Limit: n})
	case directory.ByLastSeen:
		if everybody {
			return q.ListSameLastSeen(ctx, dbsqlc.ListSameLastSeenParams{LastSeenAt: from.LastSeenAt, ID: from.ID, Limit: n})
		}
		return q.ListSomeSameLastSeen(ctx, dbsqlc.ListSomeSameLastSeenParams{Role: role, Status: status, LastSeenAt: from.LastSeenAt, ID: from.ID, Limit: n})
	case "-" + directory.ByLastSeen:
		if everybody {
			return q.ListSameLastSeenDesc(ctx, dbsqlc.ListSameLastSeenDescParams{LastSeenAt: from.LastSeenAt, ID: from.ID, Limit: n})
		}
		return q.ListSomeSameLastSeenDesc(ctx, dbsqlc.ListSomeSameLastSeenDescParams{Role: role, Status: status, LastSeenAt: from.LastSeenAt, ID: from.ID, Limit: n})
	}
	return nil, nil // an address is one person's
}

// listBehind calls the one query for people who have a value behind that of a row.
func listBehind(
	ctx context.Context, q *dbsqlc.Queries, order directory.Sort, f filter, from dbsqlc.User, limit int,
) ([]dbsqlc.User, error) {
	role, status, n := string(f.role), string(f.status), int32(limit)
	everybody := f == filter{}
	switch order {
	case directory.ByName:
		if everybody {
			return q.ListByName(ctx, dbsqlc.ListByNameParams{NameKey: from.NameKey, Limit: n})
		}
		return q.ListSomeByName(ctx, dbsqlc.ListSomeByNameParams{Role: role, Status: status, NameKey: from.NameKey, Limit: n})
	case "-" + directory.ByName:
		if everybody {
			return q.ListByNameDesc(ctx, dbsqlc.ListByNameDescParams{NameKey: from.NameKey, Limit: n})
		}
		return q.ListSomeByNameDesc(ctx, dbsqlc.ListSomeByNameDescParams{Role: role, Status: status, NameKey: from.NameKey, Limit: n})
	case directory.ByCreated:
		if everybody {
			return q.ListByCreated(ctx, dbsqlc.ListByCreatedParams{CreatedAt: from.CreatedAt, Limit: n})
		}
		return q.ListSomeByCreated(ctx, dbsqlc.ListSomeByCreatedParams{Role: role, Status: status, CreatedAt: from.CreatedAt, Limit: n})
	case "-" + directory.ByCreated:
		if everybody {
			return q.ListByCreatedDesc(ctx, dbsqlc.ListByCreatedDescParams{CreatedAt: from.CreatedAt, Limit: n})
		}
		return q.ListSomeByCreatedDesc(ctx, dbsqlc.ListSomeByCreatedDescParams{Role: role, Status: status, CreatedAt: from.CreatedAt, Limit: n})
	case directory.ByLastSeen:
		if everybody {
			return q.ListByLastSeen(ctx, dbsqlc.ListByLastSeenParams{LastSeenAt: from.LastSeenAt, Limit: n})
		}
		return q.ListSomeByLastSeen(ctx, dbsqlc.ListSomeByLastSeenParams{Role: role, Status: status, LastSeenAt: from.LastSeenAt, Limit: n})
	case "-" + directory.ByLastSeen:
		if everybody {
			return q.ListByLastSeenDesc(ctx, dbsqlc.ListByLastSeenDescParams{LastSeenAt: from.LastSeenAt, Limit: n})
		}
		return q.ListSomeByLastSeenDesc(ctx, dbsqlc.ListSomeByLastSeenDescParams{Role: role, Status: status, LastSeenAt: from.LastSeenAt, Limit: n})
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
