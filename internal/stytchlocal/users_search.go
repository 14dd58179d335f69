package stytchlocal

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// How many users a search returns, and how many rows it holds at a time.
const (
	defaultSearchLimit = 100
	maxSearchLimit     = 1000
	searchPage         = 500
)

type searchRequest struct {
	Limit  *int64       `json:"limit"`
	Cursor string       `json:"cursor"`
	Query  *searchQuery `json:"query"`
}

type searchAnswer struct {
	meta
	Results  []userObject   `json:"results"`
	Metadata searchMetadata `json:"results_metadata"`
}

type searchMetadata struct {
	Total      int     `json:"total"`       // of all matches, on whatever page
	NextCursor *string `json:"next_cursor"` // null on the last page
}

// cursor is the place after a user, in the order of creation. It stays right
// while users come and go.
type cursor struct {
	CreatedAt int64  `json:"created_at"`
	UserID    string `json:"user_id"`
}

func (c cursor) before(u *account) bool {
	return u.CreatedAt > c.CreatedAt || u.CreatedAt == c.CreatedAt && u.UserID > c.UserID
}

func (c cursor) String() string {
	text, _ := json.Marshal(c) // two plain fields
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

// searchUsers lists the users that match, oldest first, a page at a time. Without
// filters they are counted by the database; with filters all users are looked at,
// unless the filters name the ones in question.
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
	out := &searchAnswer{Results: []userObject{}}
	var last cursor
	visit := func(u *account) bool { // reports whether to go on
		o := u.object()
		if !search.matches(&o) {
			return true
		}
		out.Metadata.Total++
		if !after.before(u) {
			return true
		}
		if len(out.Results) < limit {
			out.Results, last = append(out.Results, o), cursor{u.CreatedAt, u.UserID}
			return true
		}
		if out.Metadata.NextCursor == nil {
			next := last.String()
			out.Metadata.NextCursor = &next
		}
		return !search.matchesAll()
	}
	switch {
	case search.matchesAll():
		if err := s.eachUser(c.ctx, after, visit); err != nil {
			return nil, err
		}
		total, err := s.read.CountUsers(c.ctx)
		if err != nil {
			return nil, fmt.Errorf("count users: %w", err)
		}
		out.Metadata.Total = int(total)
	case search.named():
		err = s.eachNamed(c.ctx, search, visit)
	default:
		err = s.eachUser(c.ctx, cursor{}, visit)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// eachUser visits the users after a place, in order, until visit says stop.
func (s *Server) eachUser(ctx context.Context, after cursor, visit func(*account) bool) error {
	for {
		rows, err := s.read.ListUsers(ctx, dbsqlc.ListUsersParams{AfterTime: after.CreatedAt, AfterID: after.UserID, Limit: searchPage})
		if err != nil {
			return fmt.Errorf("list users: %w", err)
		}
		page, err := s.accounts(ctx, s.read, rows)
		if err != nil {
			return err
		}
		for i := range page {
			if !visit(&page[i]) {
				return nil
			}
			after = cursor{page[i].CreatedAt, page[i].UserID}
		}
		if len(page) < searchPage {
			return nil
		}
	}
}

// eachNamed visits the users whom a filter names by id or address, in order.
func (s *Server) eachNamed(ctx context.Context, search *userSearch, visit func(*account) bool) error {
	ids := search.userIDs
	if len(search.addresses) > 0 {
		emails, err := s.read.ListEmailsByAddress(ctx, search.addresses)
		if err != nil {
			return fmt.Errorf("list emails: %w", err)
		}
		ids = nil
		for _, e := range emails {
			ids = append(ids, e.UserID)
		}
	}
	rows, err := s.read.GetUsers(ctx, ids)
	if err != nil {
		return fmt.Errorf("get users: %w", err)
	}
	found, err := s.accounts(ctx, s.read, rows)
	if err != nil {
		return err
	}
	for i := range found {
		visit(&found[i])
	}
	return nil
}

func searchError(kind, message string) error {
	return newError(http.StatusBadRequest, "user_search_"+kind, message)
}
