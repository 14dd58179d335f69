package stytchlocal

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

const (
	defaultSearchLimit = 100
	maxSearchLimit     = 1000
	searchBatch        = 500 // rows that are read at a time
)

type searchRequest struct {
	Limit  *int64       `json:"limit"`
	Cursor string       `json:"cursor"`
	Query  *searchQuery `json:"query"`
}

type searchResponse struct {
	meta
	Results  []userObject   `json:"results"`
	Metadata searchMetadata `json:"results_metadata"`
}

type searchMetadata struct {
	Total      int     `json:"total"`       // of all matches, on all pages
	NextCursor *string `json:"next_cursor"` // nil on the last page
}

// cursor is a position after a user in the order of creation. It stays valid while users
// are created and deleted.
type cursor struct {
	CreatedAt int64  `json:"created_at"`
	UserID    string `json:"user_id"`
}

func (c cursor) before(u *account) bool {
	return u.CreatedAt > c.CreatedAt || u.CreatedAt == c.CreatedAt && u.UserID > c.UserID
}

func (c cursor) String() string {
	text, _ := json.Marshal(c) // can't fail
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(text string) (c cursor, err error) {
	if text == "" {
		return c, nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(plain, &c)
	}
	if err != nil || !isID("user", c.UserID) {
		return c, searchError("invalid_cursor", "The cursor is not one of an earlier answer.")
	}
	return c, nil
}

// searchUsers returns a page of the matching users, oldest first. Without filters the
// database counts them; with filters it reads all users, unless a filter names them by id
// or address.
func (s *Server) searchUsers(c *call) (response, error) {
	var req searchRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	limit := defaultSearchLimit
	if req.Limit != nil {
		if *req.Limit < 1 || *req.Limit > maxSearchLimit {
			return nil, searchError("invalid_limit", fmt.Sprintf("Limit must be between 1 and %d.", maxSearchLimit))
		}
		limit = int(*req.Limit)
	}
	after, err := parseCursor(req.Cursor)
	if err != nil {
		return nil, err
	}
	search, err := req.Query.compile()
	if err != nil {
		return nil, err
	}
	out := &searchResponse{Results: []userObject{}}
	var last cursor
	visit := func(u *account) (proceed bool) {
		o := u.object()
		if !search.matches(&o) {
			return true
		}
		out.Metadata.Total++
		switch {
		case !after.before(u):
		case len(out.Results) < limit:
			out.Results = append(out.Results, o)
			last = cursor{u.CreatedAt, u.UserID}
		default:
			next := last.String()
			out.Metadata.NextCursor = &next
			return !search.matchesAll()
		}
		return true
	}
	switch {
	case len(search.userIDs) > 0 || len(search.addresses) > 0:
		return out, s.visitNamed(c.ctx, search, visit)
	case !search.matchesAll():
		return out, s.visitAll(c.ctx, cursor{}, visit)
	}
	if err := s.visitAll(c.ctx, after, visit); err != nil {
		return nil, err
	}
	total, err := s.read.CountUsers(c.ctx)
	out.Metadata.Total = int(total)
	return out, wrap("count users", err)
}

// visitAll visits the users after a position, in order, until visit returns false.
func (s *Server) visitAll(ctx context.Context, after cursor, visit func(*account) bool) error {
	for {
		rows, err := s.read.ListUsers(ctx, dbsqlc.ListUsersParams{AfterTime: after.CreatedAt, AfterID: after.UserID, Limit: searchBatch})
		if err != nil {
			return wrap("list users", err)
		}
		users, err := s.loadAccounts(ctx, s.read, rows)
		if err != nil {
			return err
		}
		for i := range users {
			if !visit(&users[i]) {
				return nil
			}
			after = cursor{users[i].CreatedAt, users[i].UserID}
		}
		if len(users) < searchBatch {
			return nil
		}
	}
}

// visitNamed visits the users whom a filter names by id or address, in order.
func (s *Server) visitNamed(ctx context.Context, search *userSearch, visit func(*account) bool) error {
	ids := search.userIDs
	if len(search.addresses) > 0 {
		emails, err := s.read.ListEmailsByAddress(ctx, search.addresses)
		if err != nil {
			return wrap("list emails", err)
		}
		ids = nil
		for _, e := range emails {
			ids = append(ids, e.UserID)
		}
	}
	rows, err := s.read.GetUsers(ctx, ids)
	if err != nil {
		return wrap("get users", err)
	}
	users, err := s.loadAccounts(ctx, s.read, rows)
	if err != nil {
		return err
	}
	for i := range users {
		visit(&users[i])
	}
	return nil
}

func searchError(kind, message string) error {
	return newError(http.StatusBadRequest, "user_search_"+kind, message)
}
