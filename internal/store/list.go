package store

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// last is the greatest character; behind sorts behind every name, also behind
// one of such characters, and behind every address and id.
const last = "\U0010FFFF"

var behind = strings.Repeat(last, directory.MaxName+1)

// ListUsers returns one page of people and where its neighbours start. A page
// backward is read in the other direction and turned round.
func (s *Store) ListUsers(ctx context.Context, query directory.Query) (directory.Page, error) {
	q := s.queries()
	total, err := q.CountUsers(ctx, countParams(query))
	if err != nil {
		return directory.Page{}, translate("count users", err)
	}
	order := query.Sort
	if query.Backward {
		order = order.Reverse()
	}
	rows, err := listRows(ctx, q, order, query)
	if err != nil {
		return directory.Page{}, translate("list users", err)
	}
	more := len(rows) > query.Limit // one row more was asked for, to know
	rows = rows[:min(len(rows), query.Limit)]
	if query.Backward {
		slices.Reverse(rows)
	}
	page := directory.Page{Total: min(int(total), directory.MaxTotal), More: total > directory.MaxTotal, Users: make([]directory.User, len(rows))}
	for i, r := range rows {
		page.Users[i] = toUser(r)
	}
	if len(rows) == 0 { // nobody is left there: the way back starts where this page would have
		if query.Backward {
			page.Next = query.From
		} else {
			page.Prev = query.From
		}
		return page, nil
	}
	if more || query.Backward {
		page.Next = position(query.Sort, rows[len(rows)-1])
	}
	if more && query.Backward || !query.Backward && query.From != nil {
		page.Prev = position(query.Sort, rows[0])
	}
	return page, nil
}

// position is the place behind a row, in either direction.
func position(sort directory.Sort, r dbsqlc.User) *directory.Position {
	p := &directory.Position{ID: r.ID}
	switch sort.Column() {
	case directory.ByName:
		p.Key = r.NameKey
	case directory.ByEmail:
		p.Key = r.EmailKey
	case directory.ByCreated:
		p.Key = strconv.FormatInt(r.CreatedAt, 10)
	case directory.ByLastSeen:
		p.Key = strconv.FormatInt(r.LastSeenAt, 10)
	}
	return p
}

// listRows calls the one query of the order asked for.
func listRows(ctx context.Context, q *dbsqlc.Queries, order directory.Sort, query directory.Query) ([]dbsqlc.User, error) {
	switch order.Column() {
	case directory.ByCreated, directory.ByLastSeen:
		return listRowsByTime(ctx, q, order, query)
	}
	p := textParams(query)
	p.AfterKey, p.AfterID = "", ""
	if order.Descending() {
		p.AfterKey, p.AfterID = behind, last
	}
	if query.From != nil {
		p.AfterKey, p.AfterID = query.From.Key, query.From.ID
	}
	switch order {
	case directory.ByName:
		return q.ListUsersByName(ctx, p)
	case "-" + directory.ByName:
		return q.ListUsersByNameDesc(ctx, dbsqlc.ListUsersByNameDescParams(p))
	case directory.ByEmail:
		return q.ListUsersByEmail(ctx, dbsqlc.ListUsersByEmailParams(p))
	default:
		return q.ListUsersByEmailDesc(ctx, dbsqlc.ListUsersByEmailDescParams(p))
	}
}

func listRowsByTime(ctx context.Context, q *dbsqlc.Queries, order directory.Sort, query directory.Query) ([]dbsqlc.User, error) {
	t := textParams(query)
	p := dbsqlc.ListUsersByCreatedParams{
		AfterKey: -1, Role: t.Role, Status: t.Status, Limit: t.Limit,
		Word1: t.Word1, Word1End: t.Word1End, Word2: t.Word2, Word2End: t.Word2End,
		Word3: t.Word3, Word3End: t.Word3End, Word4: t.Word4, Word4End: t.Word4End,
	}
	if order.Descending() {
		p.AfterKey, p.AfterID = math.MaxInt64, last
	}
	if query.From != nil {
		key, err := strconv.ParseInt(query.From.Key, 10, 64)
		if err != nil {
			return nil, nil // a made-up position: behind it is nothing
		}
		p.AfterKey, p.AfterID = key, query.From.ID
	}
	switch order {
	case directory.ByCreated:
		return q.ListUsersByCreated(ctx, p)
	case "-" + directory.ByCreated:
		return q.ListUsersByCreatedDesc(ctx, dbsqlc.ListUsersByCreatedDescParams(p))
	case directory.ByLastSeen:
		return q.ListUsersByLastSeen(ctx, dbsqlc.ListUsersByLastSeenParams(p))
	default:
		return q.ListUsersByLastSeenDesc(ctx, dbsqlc.ListUsersByLastSeenDescParams(p))
	}
}

// textParams fills in the filters; a term stands for all words that begin with it.
func textParams(query directory.Query) dbsqlc.ListUsersByNameParams {
	var word, end [directory.MaxTerms]string
	for i, term := range query.Terms {
		word[i], end[i] = term, term+last
	}
	return dbsqlc.ListUsersByNameParams{
		Role: string(query.Role), Status: string(query.Status), Limit: int32(query.Limit) + 1,
		Word1: word[0], Word1End: end[0], Word2: word[1], Word2End: end[1],
		Word3: word[2], Word3End: end[2], Word4: word[3], Word4End: end[3],
	}
}

func countParams(query directory.Query) dbsqlc.CountUsersParams {
	p := textParams(query)
	return dbsqlc.CountUsersParams{
		Role: p.Role, Status: p.Status, Word1: p.Word1, Word1End: p.Word1End, Word2: p.Word2, Word2End: p.Word2End,
		Word3: p.Word3, Word3End: p.Word3End, Word4: p.Word4, Word4End: p.Word4End,
		Limit: directory.MaxTotal + 1, // one more, to know
	}
}
