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

// row is a kind of request and the same work without the product.
type row struct {
	name     string
	kind     kind
	requests [][]byte // sent in turn
	status   int      // of a good response
	raw      *rawJob  // reads or writes the same database rows; nil if there are none
	fifty    bool     // whether responses have fifty users
	peer     *peerJob // the same request to another program; nil if there is none
	then     []byte   // request that follows each response, with the code in it; nil for none
	full     bool     // whether the row is also measured with the bare server and at full pace
}

// kind selects the goals of a row.
type kind int

const (
	check    kind = iota // session check
	page                 // HTML page
	list                 // list of users as JSON
	write                // new user
	access               // access check for another proxy
	proxying             // request for an app through the built-in proxy
	userInfo             // claims about a user, for a client
	document             // description of the provider
	exchange             // tokens for a client
	beside               // only compared, without a goal
)

// sessionQuery is the product's query for a session.
const sessionQuery = `SELECT s.token_hash, s.user_id, s.stytch_session_id, s.created_at, s.verified_at, s.expires_at,
 u.name, u.email, u.email_key, u.role, u.status, u.stytch_user_id, u.created_at, u.last_seen_at
 FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ?`

// userTypes are the types of userColumns.
const userTypes = "sssssssssiiii"

// variants is the number of deep pages and of searches that requests alternate between.
const variants = 8

// target is a running product with its database and a signed-in administrator.
type target struct {
	*product
	databaseURL string
	db          *sql.DB
	cookie      string           // of the administrator
	cookies     *session.Cookies // with the product's keys
	peer        *peer            // nil if there are no rows of apps
	provider    *provider        // nil if peer is
}

// rows returns all rows, in the order of the tables.
func (g *target) rows() ([]row, error) {
	checks, err := g.checks(g.host(), browsers)
	if err != nil {
		return nil, err
	}
	var hashes [][]any
	for i := range browsers {
		hashes = append(hashes, []any{session.Hash(sessionToken(1 + i))})
	}
	byName := &rawJob{Query: pageQuery("name_key", false), Args: [][]any{{"", "", ""}}, Columns: userTypes}
	rows := []row{
		{name: "session check", kind: check, full: true, status: http.StatusOK, requests: checks,
			raw: &rawJob{Query: sessionQuery, Args: hashes, Columns: "sssiiissssssii"}},
		{name: "sign-in page", kind: page, full: true, status: http.StatusOK, requests: [][]byte{get(g.host(), "", "/")}},
		{name: "users page", kind: page, full: true, status: http.StatusOK, requests: g.get("/users"), raw: byName},
	}
	if g.peer != nil {
		rows = append(rows, g.appRows()...)
		rows = append(rows, g.openIDRows(checks)...)
	}
	sorts, err := g.sorts()
	if err != nil {
		return nil, err
	}
	rows = append(rows, sorts...)
	filters, err := g.filters()
	if err != nil {
		return nil, err
	}
	rows = append(rows, filters...)
	add := fmt.Sprintf(`{"email":"added.%s@example.com","name":"Bench %[1]s"}`, counter)
	rows = append(rows, row{
		name: "add a person", kind: write, full: true, status: http.StatusCreated,
		requests: [][]byte{request("POST", g.host(), g.cookie, "/api/users", add)}, raw: &rawJob{},
	})
	return rows, nil
}

func (g *target) get(path string) [][]byte { return [][]byte{get(g.host(), g.cookie, path)} }

// sorts returns rows for the first page and deep pages of the list in each order.
func (g *target) sorts() ([]row, error) {
	var rows []row
	for _, s := range []struct {
		sort   directory.Sort
		column string
	}{{directory.ByName, "name_key"}, {directory.ByEmail, "email_key"}, {directory.ByCreated, "created_at"}, {directory.ByLastSeen, "last_seen_at"}} {
		positions, err := g.positions(s.column)
		if err != nil {
			return nil, err
		}
		for _, sort := range []directory.Sort{s.sort, s.sort.Reverse()} {
			query := pageQuery(s.column, sort.Descending())
			path := "/api/users?sort=" + string(sort)
			first := row{
				name: "list by " + string(sort), kind: list, fifty: true, full: sort == directory.ByName, status: http.StatusOK, requests: g.get(path),
				raw: &rawJob{Query: query, Args: [][]any{firstPageArgs(s.column, sort.Descending())}, Columns: userTypes},
			}
			deep := row{name: first.name + ", deep", kind: list, fifty: true, status: http.StatusOK, raw: &rawJob{Query: query, Columns: userTypes}}
			for _, p := range positions {
				cursor := g.cookies.Seal("cursor", directory.EncodeCursor(sort, &p, false))
				deep.requests = append(deep.requests, get(g.host(), g.cookie, path+"&cursor="+url.QueryEscape(cursor)))
				deep.raw.Args = append(deep.raw.Args, []any{typed(s.column, p.Key), typed(s.column, p.Key), p.ID})
			}
			rows = append(rows, first, deep)
		}
	}
	return rows, nil
}

// pageQuery returns the query for the users after a sort key and an id.
func pageQuery(column string, descending bool) string {
	operator, order := ">", ""
	if descending {
		operator, order = "<", " DESC"
	}
	return fmt.Sprintf("SELECT %s FROM users WHERE %[2]s %[3]s= ? AND (%[2]s %[3]s ? OR id %[3]s ?) ORDER BY %[2]s%[4]s, id%[4]s LIMIT 51",
		strings.Join(userColumns, ", "), column, operator, order)
}

// firstPageArgs returns the arguments of pageQuery for the first page.
func firstPageArgs(column string, descending bool) []any {
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

// typed converts a sort key to the type of its column.
func typed(column, key string) any {
	if isText(column) {
		return key
	}
	n, _ := strconv.ParseInt(key, 10, 64)
	return n
}

// positions returns positions spread over the list.
func (g *target) positions(column string) ([]directory.Keyset, error) {
	var n int
	if err := g.db.QueryRow("SELECT COUNT(*) FROM users").Scan(&n); err != nil {
		return nil, err
	}
	var positions []directory.Keyset
	for i := range variants {
		var p directory.Keyset
		query := fmt.Sprintf("SELECT %s, id FROM users ORDER BY %[1]s, id LIMIT 1 OFFSET %d", column, 100+i*(n-200)/variants)
		if err := g.db.QueryRow(query).Scan(&p.Key, &p.ID); err != nil {
			return nil, err
		}
		positions = append(positions, p)
	}
	return positions, nil
}

// filters returns rows for filtered lists and searches.
func (g *target) filters() ([]row, error) {
	var oneWord, twoWords, twoLetters []string
	for i := range variants {
		given, _ := splitName(givenNames[i*11])
		family, _ := splitName(familyNames[i*13])
		oneWord = append(oneWord, "q="+url.QueryEscape(given))
		twoWords = append(twoWords, "q="+url.QueryEscape(given+" "+family))
		twoLetters = append(twoLetters, "q="+url.QueryEscape(string([]rune(family)[:2])))
	}
	var rows []row
	for _, f := range []struct {
		name    string
		queries []string
	}{
		{"list of admins", []string{"role=admin"}}, {"list of members", []string{"role=member"}},
		{"list of suspended", []string{"status=suspended"}}, {"list of invited members, newest first", []string{"role=member&status=invited&sort=-created_at"}},
		{"search by one word", oneWord}, {"search by two words", twoWords}, {"search by two letters", twoLetters},
		{"search by a word that most have", []string{"q=com"}},
		{"search by a word that most have, newest first", []string{"q=com&sort=-created_at"}},
		{"search by a name and a word that most have", []string{oneWord[0] + "+com"}},
	} {
		r := row{name: f.name, kind: list, status: http.StatusOK}
		for _, q := range f.queries {
			r.requests = append(r.requests, g.get("/api/users?"+q)...)
		}
		var err error
		if r.raw, err = g.byID(r.requests); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		r.fifty = r.raw != nil && len(r.raw.Args[0]) == 50
		rows = append(rows, r)
	}
	return rows, nil
}

// byID returns a job that reads the users in the product's responses by their ids, or nil if there
// are none. Shorter lists of ids are filled up, so that all fit one query.
func (g *target) byID(requests [][]byte) (*rawJob, error) {
	job := &rawJob{Columns: userTypes}
	longest := 0
	for _, request := range requests {
		resp, err := fetch(g.addr, request)
		if err != nil {
			return nil, err
		}
		var found struct{ Users []struct{ ID string } }
		if err := json.Unmarshal(resp.Body, &found); err != nil || resp.Status != http.StatusOK {
			return nil, fmt.Errorf("status %d: %.300s", resp.Status, resp.Body)
		}
		var ids []any
		for _, u := range found.Users {
			ids = append(ids, u.ID)
		}
		longest = max(longest, len(ids))
		job.Args = append(job.Args, ids)
	}
	if longest == 0 {
		return nil, nil
	}
	for i := range job.Args {
		for len(job.Args[i]) < longest {
			job.Args[i] = append(job.Args[i], "")
		}
	}
	job.Query = "SELECT " + strings.Join(userColumns, ", ") + " FROM users WHERE id IN (?" + strings.Repeat(", ?", longest-1) + ")"
	return job, nil
}

// newCookies returns cookies with the product's keys.
func newCookies() (*session.Cookies, error) {
	return session.NewCookies(session.CookieOptions{Keys: []string{cookieKey}, Name: "guestlist", Path: "/", MaxAge: time.Hour, Now: time.Now})
}
