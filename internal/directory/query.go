package directory

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// Sort is a column of the list to sort by, with "-" in front for descending.
type Sort string

// The columns that the list can be sorted by.
const (
	ByName     Sort = "name"
	ByEmail    Sort = "email"
	ByCreated  Sort = "created_at"
	ByLastSeen Sort = "last_seen_at"
)

// Column is the sort without its direction.
func (s Sort) Column() Sort { return Sort(strings.TrimPrefix(string(s), "-")) }

// Descending reports the direction.
func (s Sort) Descending() bool { return strings.HasPrefix(string(s), "-") }

// Reverse is the same column in the other direction.
func (s Sort) Reverse() Sort {
	if s.Descending() {
		return s.Column()
	}
	return "-" + s
}

// Keyset is a place in a sorted list, between two rows: behind the row with
// this key (the sort column's value) and id.
type Keyset struct {
	Key string `json:"k"` // text, or whole microseconds in decimal
	ID  string `json:"i"`

	ByWord bool `json:"w,omitempty"` // the key is a word: the list is one that a search found by words, see Page
}

// Query asks for one page of people.
type Query struct {
	Terms    []string // starts of words, all of which must be found; see ParseSearch
	Role     Role     // empty: any
	Status   Status   // empty: any
	Refused  bool     // only users whose invitation email was refused; see FilterStatus
	Sort     Sort
	Limit    int     // 1..MaxLimit
	After    *Keyset // nil: from the start
	Backward bool    // the page before From instead of the one behind it
}

// Page is one page of people, in the order asked for. Where a search would have to
// look at too many to sort them, they are in the order of the word that it found
// them by instead, each once; Total is how many of them are on this page, which may
// be fewer than asked for, or none, also where there is a next.
type Page struct {
	Users []User
	Next  *Keyset // where the next page starts; nil: this is the last
	Prev  *Keyset // what the page before ends at; nil: this is the first
	Total int     // how many the filters let through on all pages, counted to MaxTotal
	More  bool    // there are, or if ByWord may be, more than Total

	RelevanceOrder bool // in the order of the word found
}

// MaxTotal is how far people are counted.
const MaxTotal = 10_000

// MaxLimit is the most people on one page; DefaultLimit is what you get unasked.
const (
	MaxLimit     = 200
	DefaultLimit = 50
)

// ParseSort returns the order of that name; empty is by name.
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

// RefusedFilter is the status by which a list is narrowed to invited users whose
// invitation email was refused. No user has it: their status is Invited.
const RefusedFilter = "refused"

// FilterStatus narrows the query to a status, or to RefusedFilter. The error is a
// sentence for the field.
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

// ErrCursor is that of a cursor that leads nowhere.
var ErrCursor error = &ValidationError{Fields: map[string]string{"cursor": string(errCursorOrder)}}

const errCursorOrder = fieldError("This cursor belongs to another list. Start again without a cursor.")

// cursor is a position as it travels: with the order it belongs to.
type cursor struct {
	Sort     Sort   `json:"s"`
	Position Keyset `json:"p"`
	Backward bool   `json:"b,omitempty"`
}

// EncodeCursor returns text that leads to the page behind (or, backward, before) a
// position, for use with the same order; empty for no position.
func EncodeCursor(sort Sort, p *Keyset, backward bool) string {
	if p == nil {
		return ""
	}
	b, _ := json.Marshal(cursor{sort, *p, backward}) // strings and a bool: cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// SetCursor sets the query's place from a cursor; empty is the start. The error is
// a sentence for the field. The query's order and terms must be set.
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
