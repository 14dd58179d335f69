package directory

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// Sort is a column to sort by, with a leading "-" for descending order.
type Sort string

// The columns to sort by.
const (
	ByName     Sort = "name"
	ByEmail    Sort = "email"
	ByCreated  Sort = "created_at"
	ByLastSeen Sort = "last_seen_at"
)

// Column returns the sort without its direction.
func (s Sort) Column() Sort { return Sort(strings.TrimPrefix(string(s), "-")) }

// Descending reports whether the order is descending.
func (s Sort) Descending() bool { return strings.HasPrefix(string(s), "-") }

// Reverse returns the same column in the other direction.
func (s Sort) Reverse() Sort {
	if s.Descending() {
		return s.Column()
	}
	return "-" + s
}

// Keyset is a position in a sorted list: after the row with this key (the sort column's
// value) and id.
type Keyset struct {
	Key string `json:"k"` // text, or whole microseconds in decimal
	ID  string `json:"i"`

	ByWord bool `json:"w,omitempty"` // the key is a search word, see Page.RelevanceOrder
}

// Query selects one page of users.
type Query struct {
	Terms    []string // prefixes of words, all of which must match; see ParseSearch
	Role     Role     // empty for any
	Status   Status   // empty for any
	Refused  bool     // only users whose invitation was refused; see FilterStatus
	Sort     Sort
	Limit    int     // 1..MaxLimit
	After    *Keyset // nil for the first page
	Backward bool    // the page before After instead of the one after it
}

// Page is one page of users in the requested order. If a search matches too many users to
// sort them, RelevanceOrder is set: they are ordered by the word that matched, each once,
// and Total counts those on this page, which may be fewer than requested, or none, even if
// there is a next page.
type Page struct {
	Users []User
	Next  *Keyset // start of the next page; nil for the last page
	Prev  *Keyset // end of the previous page; nil for the first page
	Total int     // number of matching users, counted up to MaxTotal
	More  bool    // there are more than Total, or may be with RelevanceOrder

	RelevanceOrder bool
}

// Limits of pages and counts.
const (
	MaxTotal     = 10_000
	MaxLimit     = 200
	DefaultLimit = 50
)

// ParseSort parses a sort order. Empty text is ByName. The error is a message for the field.
func ParseSort(s string) (Sort, error) {
	sort := Sort(s)
	if s == "" {
		return ByName, nil
	}
	if slices.Contains([]Sort{ByName, ByEmail, ByCreated, ByLastSeen}, sort.Column()) {
		return sort, nil
	}
	return "", fieldError("Sort by name, email, created_at or last_seen_at, with - in front for descending.")
}

// RefusedFilter selects invited users whose invitation was refused. It is no Status of a user.
const RefusedFilter = "refused"

// FilterStatus restricts the query to a status or RefusedFilter. The error is a message for
// the field.
func (q *Query) FilterStatus(text string) error {
	if text == RefusedFilter {
		q.Status, q.Refused = Invited, true
		return nil
	}
	status, err := ParseStatus(text)
	if err != nil {
		return fieldError("Choose invited, refused, active or suspended.")
	}
	q.Status = status
	return nil
}

// ErrCursor is returned for an invalid cursor.
var ErrCursor error = &ValidationError{Fields: map[string]string{"cursor": string(errCursorOrder)}}

const errCursorOrder = fieldError("This cursor belongs to another list. Start again without a cursor.")

// cursor is the encoded form of a position and its order.
type cursor struct {
	Sort     Sort   `json:"s"`
	Position Keyset `json:"p"`
	Backward bool   `json:"b,omitempty"`
}

// EncodeCursor returns the cursor of the page after (or, backward, before) a position. It
// returns "" for nil.
func EncodeCursor(sort Sort, p *Keyset, backward bool) string {
	if p == nil {
		return ""
	}
	b, _ := json.Marshal(cursor{sort, *p, backward}) // strings and a bool: cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// SetCursor sets the query's position. Sort and Terms must be set. An empty cursor is the
// first page. The error is a message for the field.
func (q *Query) SetCursor(text string) error {
	if text == "" {
		return nil
	}
	var c cursor
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > 2000 || json.Unmarshal(b, &c) != nil || c.Sort != q.Sort || c.Position.ByWord && len(q.Terms) == 0 {
		return errCursorOrder
	}
	q.After, q.Backward = &c.Position, c.Backward
	return nil
}
