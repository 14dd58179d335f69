//go:build linux

package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// row is one of the tables: something that is asked of the product.
type row struct {
	name     string
	kind     kind
	requests [][]byte // sent in turn
	status   int
	raw      *raw // the same rows by the driver alone; nil: there are none
	fifty    bool // answers with fifty people
	full     bool // is measured against a bare server too, and in an open loop
}

// kind says which bars a row must pass.
type kind int

const (
	check kind = iota // who holds a session
	page              // HTML
	list              // 50 people as JSON
	write
)

// sessionQuery is what the product asks about one session.
const sessionQuery = `SELECT s.token_hash, s.user_id, s.stytch_session_id, s.created_at, s.verified_at, s.expires_at,
 u.name, u.email, u.email_key, u.role, u.status, u.stytch_user_id, u.created_at, u.last_seen_at
 FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ?`

// userTypes are the types of userColumns.
const userTypes = "sssssssssiiii"

// places is how many places deep in a list, and how many searches, take turns.
const places = 8

// writer makes the rows for one product on one database.
type writer struct {
	*product
	databaseURL string
	db          *sql.DB
	cookie      string
	cookies     *session.Cookies
}

func (w *writer) rows() ([]row, error) {
	checks, err := w.checks(w.host(), browsers)
	if err != nil {
		return nil, err
	}
	var hashes [][]any
	for i := range browsers {
		hashes = append(hashes, []any{session.Hash(sessionToken(1 + i))})
	}
	byName := &raw{Query: pageQuery("name_key", false), Args: [][]any{{"", "", ""}}, Columns: userTypes}
	rows := []row{
		{name: "session check", kind: check, full: true, status: http.StatusOK, requests: checks,
			raw: &raw{Query: sessionQuery, Args: hashes, Columns: "sssiiissssssii"}},
		{name: "sign-in page", kind: page, full: true, status: http.StatusOK, requests: [][]byte{get(w.host(), "", "/")}},
		{name: "users page", kind: page, full: true, status: http.StatusOK, requests: w.get("/users"), raw: byName},
	}
	sorts, err := w.sorts()
	if err != nil {
		return nil, err
	}
	rows = append(rows, sorts...)
	filters, err := w.filters()
	if err != nil {
		return nil, err
	}
	rows = append(rows, filters...)
	add := fmt.Sprintf(`{"email":"added.%s@example.com","name":"Bench %[1]s"}`, counter)
	rows = append(rows, row{
		name: "add a person", kind: write, full: true, status: http.StatusCreated,
		requests: [][]byte{request("POST", w.host(), w.cookie, "/api/users", add)}, raw: &raw{},
	})
	return rows, nil
}

func (w *writer) get(path string) [][]byte { return [][]byte{get(w.host(), w.cookie, path)} }

// sorts are the list in each order: its first page, and pages from its middle.
func (w *writer) sorts() ([]row, error) {
	var rows []row
	for _, s := range []struct {
		sort   directory.Sort
		column string
	}{{directory.ByName, "name_key"}, {directory.ByEmail, "email_key"}, {directory.ByCreated, "created_at"}, {directory.ByLastSeen, "last_seen_at"}} {
		positions, err := w.positions(s.column)
		if err != nil {
			return nil, err
		}
		for _, sort := range []directory.Sort{s.sort, s.sort.Reverse()} {
			query := pageQuery(s.column, sort.Descending())
			path := "/api/users?sort=" + string(sort)
			first := row{
				name: "list by " + string(sort), kind: list, fifty: true, full: sort == directory.ByName, status: http.StatusOK, requests: w.get(path),
				raw: &raw{Query: query, Args: [][]any{start0(s.column, sort.Descending())}, Columns: userTypes},
			}
			deep := row{name: first.name + ", deep", kind: list, fifty: true, status: http.StatusOK, raw: &raw{Query: query, Columns: userTypes}}
			for _, p := range positions {
				cursor := w.cookies.Seal("cursor", directory.EncodeCursor(sort, &p, false))
				deep.requests = append(deep.requests, get(w.host(), w.cookie, path+"&cursor="+url.QueryEscape(cursor)))
				deep.raw.Args = append(deep.raw.Args, []any{typed(s.column, p.Key), typed(s.column, p.Key), p.ID})
			}
			rows = append(rows, first, deep)
		}
	}
	return rows, nil
}

// pageQuery reads a page behind a key and an id.
func pageQuery(column string, descending bool) string {
	than, order := ">", ""
	if descending {
		than, order = "<", " DESC"
	}
	return fmt.Sprintf("SELECT %s FROM users WHERE %[2]s %[3]s= ? AND (%[2]s %[3]s ? OR id %[3]s ?) ORDER BY %[2]s%[4]s, id%[4]s LIMIT 51",
		strings.Join(userColumns, ", "), column, than, order)
}

// start0 is the place before the first row.
func start0(column string, descending bool) []any {
	first := "-1"
	switch {
	case isText(column) && descending:
		return []any{"\U0010FFFF", "\U0010FFFF", "\U0010FFFF"}
	case isText(column):
		return []any{"", "", ""}
	case descending:
		first = "9223372036854775807"
	}
	return []any{typed(column, first), typed(column, first), ""}
}

func isText(column string) bool { return strings.HasSuffix(column, "_key") }

// typed is a sort key as the column has it.
func typed(column, key string) any {
	if isText(column) {
		return key
	}
	n, _ := strconv.ParseInt(key, 10, 64)
	return n
}

// positions are places all over the list.
func (w *writer) positions(column string) ([]directory.Keyset, error) {
	var n int
	if err := w.db.QueryRow("SELECT COUNT(*) FROM users").Scan(&n); err != nil {
		return nil, err
	}
	var positions []directory.Keyset
	for i := range places {
		var p directory.Keyset
		query := fmt.Sprintf("SELECT %s, id FROM users ORDER BY %[1]s, id LIMIT 1 OFFSET %d", column, 100+i*(n-200)/places)
		if err := w.db.QueryRow(query).Scan(&p.Key, &p.ID); err != nil {
			return nil, err
		}
		positions = append(positions, p)
	}
	return positions, nil
}

// filters are the list by role and status, and searches.
func (w *writer) filters() ([]row, error) {
	var one, two, start []string
	for i := range places {
		given, _ := name(givenNames[i*11])
		family, _ := name(familyNames[i*13])
		one = append(one, "q="+url.QueryEscape(given))
		two = append(two, "q="+url.QueryEscape(given+" "+family))
		start = append(start, "q="+url.QueryEscape(string([]rune(family)[:2])))
	}
	var rows []row
	for _, f := range []struct {
		name    string
		queries []string
	}{
		{"list of admins", []string{"role=admin"}}, {"list of members", []string{"role=member"}},
		{"list of suspended", []string{"status=suspended"}}, {"list of invited members, newest first", []string{"role=member&status=invited&sort=-created_at"}},
		{"search by one word", one}, {"search by two words", two}, {"search by two letters", start},
		{"search by a word that most have", []string{"q=com"}},
		{"search by a word that most have, newest first", []string{"q=com&sort=-created_at"}},
		{"search by a name and a word that most have", []string{one[0] + "+com"}},
	} {
		r := row{name: f.name, kind: list, status: http.StatusOK}
		for _, q := range f.queries {
			r.requests = append(r.requests, w.get("/api/users?"+q)...)
		}
		var err error
		if r.raw, err = w.byID(r.requests); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		r.fifty = r.raw != nil && len(r.raw.Args[0]) == 50
		rows = append(rows, r)
	}
	return rows, nil
}

// byID reads by their ids the people that the product answers with; nil if there
// are none. All queries have as many ids as the longest.
func (w *writer) byID(requests [][]byte) (*raw, error) {
	r := &raw{Columns: userTypes}
	most := 0
	for _, request := range requests {
		a, err := look(w.addr, request)
		if err != nil {
			return nil, err
		}
		var found struct{ Users []struct{ ID string } }
		if err := json.Unmarshal(a.Body, &found); err != nil || a.Status != http.StatusOK {
			return nil, fmt.Errorf("%d %.300s", a.Status, a.Body)
		}
		var ids []any
		for _, u := range found.Users {
			ids = append(ids, u.ID)
		}
		most = max(most, len(ids))
		r.Args = append(r.Args, ids)
	}
	if most == 0 {
		return nil, nil
	}
	for i := range r.Args {
		for len(r.Args[i]) < most {
			r.Args[i] = append(r.Args[i], "")
		}
	}
	r.Query = "SELECT " + strings.Join(userColumns, ", ") + " FROM users WHERE id IN (?" + strings.Repeat(", ?", most-1) + ")"
	return r, nil
}

// newCookies can seal what the product opens.
func newCookies() (*session.Cookies, error) {
	return session.NewCookies(session.CookieOptions{Keys: []string{cookieKey}, Name: "guestlist", Path: "/", MaxAge: time.Hour, Now: time.Now})
}
