package store

import (
	"cmp"
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// sortColumn is a column of users that the list can be sorted by. Exactly one of text and number is set.
type sortColumn struct {
	column        dbconn.SQL
	index         dbconn.SQL // over all users
	filteredIndex dbconn.SQL // over the users of one role and status
	unique        bool       // no two users share a value; false if the id breaks ties
	commonZero    bool       // many users may have the value 0: they are read as a range of their own
	text          func(*dbsqlc.User) *string
	number        func(*dbsqlc.User) *int64
}

var sortColumns = map[directory.Sort]sortColumn{
	directory.ByName: {
		column: "name_key", index: "users_by_name", filteredIndex: "users_by_role_name",
		text: func(u *dbsqlc.User) *string { return &u.NameKey },
	},
	directory.ByEmail: {
		column: "email_key", index: "users_email_key", filteredIndex: "users_by_role_email", unique: true,
		text: func(u *dbsqlc.User) *string { return &u.EmailKey },
	},
	directory.ByCreated: {
		column: "created_at", index: "users_by_created", filteredIndex: "users_by_role_created",
		number: func(u *dbsqlc.User) *int64 { return &u.CreatedAt },
	},
	directory.ByLastSeen: {
		column: "last_seen_at", index: "users_by_last_seen", filteredIndex: "users_by_role_last_seen", commonZero: true,
		number: func(u *dbsqlc.User) *int64 { return &u.LastSeenAt },
	},
}

// sortOrder is a column and a direction.
type sortOrder struct {
	sortColumn
	descending bool
}

func orderOf(sort directory.Sort) sortOrder {
	return sortOrder{sortColumns[sort.Column()], sort.Descending()}
}

// readOrder returns the order in which a query's page is read. A previous page is read backward and then reversed.
func readOrder(query directory.Query) sortOrder {
	if query.Backward {
		return orderOf(query.Sort.Reverse())
	}
	return orderOf(query.Sort)
}

// maxRune is the highest character. maxKey sorts after every name, email address and id.
const maxRune = "\U0010FFFF"

var maxKey = strings.Repeat(maxRune, directory.MaxName+1)

// first returns a row that comes before all users.
func (o sortOrder) first() *dbsqlc.User {
	row := &dbsqlc.User{}
	switch {
	case o.text != nil && o.descending:
		*o.text(row) = maxKey
	case o.number != nil && o.descending:
		*o.number(row) = math.MaxInt64
	case o.number != nil:
		*o.number(row) = -1
	}
	return row
}

// parse returns a keyset as a row with only the id and the value of the column. It returns false if the key isn't a value
// of the column.
func (c sortColumn) parse(k *directory.Keyset) (*dbsqlc.User, bool) {
	row := &dbsqlc.User{ID: k.ID}
	if c.text != nil {
		*c.text(row) = k.Key
		return row, true
	}
	var err error
	*c.number(row), err = strconv.ParseInt(k.Key, 10, 64)
	return row, err == nil
}

// keyset returns the position after a row, in either direction.
func (c sortColumn) keyset(row *dbsqlc.User) *directory.Keyset {
	if c.text != nil {
		return &directory.Keyset{ID: row.ID, Key: *c.text(row)}
	}
	return &directory.Keyset{ID: row.ID, Key: strconv.FormatInt(*c.number(row), 10)}
}

// compare orders rows as the database does, whose collation compares bytes.
func (o sortOrder) compare(a, b *dbsqlc.User) int {
	if o.descending {
		a, b = b, a
	}
	order := 0
	if o.text != nil {
		order = cmp.Compare(*o.text(a), *o.text(b))
	} else {
		order = cmp.Compare(*o.number(a), *o.number(b))
	}
	if o.unique {
		return order
	}
	return cmp.Or(order, cmp.Compare(a.ID, b.ID))
}

// list returns the first users after a row that match a filter.
func (o sortOrder) list(ctx context.Context, q queries, f filter, from *dbsqlc.User, limit int) ([]*dbsqlc.User, error) {
	if !o.commonZero || *o.number(from) != 0 {
		return o.listAfter(ctx, q, f, from, limit)
	}
	zeros, err := o.listZeros(ctx, q, f, from, limit)
	if err != nil || len(zeros) == limit || o.descending { // descending, they come last
		return zeros, err
	}
	next := &dbsqlc.User{}
	*o.number(next) = 1
	others, err := o.listAfter(ctx, q, f, next, limit-len(zeros))
	return append(zeros, others...), err
}

// listAfter reads a range of the index from the row's value on and skips the users with the same value up to the row.
// MySQL uses no index for a comparison of (value, id), and SQLite may sort for value > ? OR (value = ? AND id > ?).
func (o sortOrder) listAfter(ctx context.Context, q queries, f filter, from *dbsqlc.User, limit int) ([]*dbsqlc.User, error) {
	var value any
	if o.text != nil {
		value = *o.text(from)
	} else {
		value = *o.number(from)
	}
	after, desc := dbconn.SQL(">"), dbconn.SQL("")
	if o.descending {
		after, desc = "<", " DESC"
	}
	if o.unique {
		return o.listRange(ctx, q, f, o.column+" "+after+" ?", o.column+desc, limit, value)
	}
	within := o.column + " " + after + "= ? AND (" + o.column + " <> ? OR id " + after + " ?)"
	return o.listRange(ctx, q, f, within, o.column+desc+", id"+desc, limit, value, value, from.ID)
}

// listZeros reads users with the value 0 by id, because listAfter would have to skip too many. The value is compared with
// IN and a parameter because SQLite, after ANALYZE, would sort if it were = or a constant.
func (o sortOrder) listZeros(ctx context.Context, q queries, f filter, from *dbsqlc.User, limit int) ([]*dbsqlc.User, error) {
	if o.descending {
		return o.listRange(ctx, q, f, o.column+" IN (?) AND id < ?", "id DESC", limit, 0, from.ID)
	}
	return o.listRange(ctx, q, f, o.column+" IN (?) AND id > ?", "id", limit, 0, from.ID)
}

// listRange runs the list query for a range of the index. The comment names the index to MySQL, MariaDB and Vitess, which
// otherwise use only the first part of one if two look equally good; SQLite ignores it.
func (c sortColumn) listRange(
	ctx context.Context, q queries, f filter, within, order dbconn.SQL, limit int, args ...any,
) ([]*dbsqlc.User, error) {
	index := c.index
	if f != (filter{}) {
		index = c.filteredIndex
		within = "role = ? AND status = ? AND " + within
		args = append([]any{string(f.role), string(f.status)}, args...)
	}
	t := dbconn.Template{
		Parts: map[string]dbconn.SQL{"index": "/*! FORCE INDEX (" + index + ") */", "range": within, "order": order},
		Args:  args,
	}
	return dbsqlc.New(t.On(q.db)).ListUsers(ctx, int32(limit))
}
