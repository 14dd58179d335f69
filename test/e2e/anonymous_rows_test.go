package e2e

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// rowBound limits the rows of a table that requests without a session can cause.
type rowBound struct{ atOnce, aDay int }

// within returns the limit for a duration.
func (b rowBound) within(d time.Duration) int {
	return b.atOnce + int(float64(b.aDay)*d.Hours()/24) + 1
}

// documentedBounds returns the limits in docs/security.md, by table.
func documentedBounds(t *testing.T) map[string]rowBound {
	t.Helper()
	page, err := os.ReadFile(harness.RepoPath("docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) int {
		n, err := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	bounds := map[string]rowBound{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)`[^|]*\\| ([0-9,]+) \\| ([0-9,]+) \\|").FindAllStringSubmatch(string(page), -1) {
		bounds[row[1]] = rowBound{number(row[2]), number(row[3])}
	}
	if len(bounds) != 5 {
		t.Fatalf("docs/security.md bounds %d tables: %v", len(bounds), bounds)
	}
	return bounds
}

// tablesOf returns the names of all tables.
func tablesOf(s *harness.Site) []string {
	s.T.Helper()
	rows, err := s.App.Store.Reader().QueryContext(s.T.Context(), "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		s.T.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			s.T.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// An attacker with many networks uses every public route, with each kind of request that
// is refused.
func TestStandalone_AnonymousRowsAreLimited(t *testing.T) {
	t.Parallel()
	s, post := startStandalone(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	harness.WantPage(t, ada.PressContinue(ada.OpenLink(post.nextLink(t, ada.Email, 0))), 200, "My apps", "People")
	before := map[string]int{}
	tables := tablesOf(s)
	for _, table := range tables {
		before[table] = s.Count("SELECT COUNT(*) FROM " + table)
	}

	n := 0
	by := harness.NewVisitor(s)
	sends := func(method, path, body string, header ...string) {
		n++
		r := by.NewRequest(method, s.URL+path, strings.NewReader(body))
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("2001:%x:%x::1", 0x1000+n/65536, n%65536)) // its own /48
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		if v := by.DoOnce(r); v.Status >= 500 {
			t.Fatalf("%s %s: %d %s", method, path, v.Status, v.Body)
		}
	}
	const steps, step = 5, 5 * time.Minute
	for i := range steps {
		for j := range 320 {
			send := []string{"link", "code"}[j%2]
			sends("POST", "/signin", fmt.Sprintf("email=p%d@example.com&send=%s", i*1000+j, send))
			if j%32 == 1 { // few, because a refusal takes up to a second
				sends("POST", "/signin/sent", "code=000000")
			}
		}
		for range 20 {
			sends("POST", "/signin", "email=ada@example.com")
			sends("POST", "/signin/sent", "send=code")
			sends("POST", "/signin/sent", "code=12345")
		}
		for range 60 {
			sends("POST", app.CallbackPath, fmt.Sprintf("token=%044d", n)) // in a browser that has requested a link
		}
		for j := range 130 {
			by = harness.NewVisitor(s)
			sends("POST", app.CallbackPath, fmt.Sprintf("token=%044d", j)) // with the form's request
			sends("GET", app.CallbackPath+"?stytch_token_type=magic_links&token=made-up", "")
		}
		for j := range 20 {
			sends("POST", app.CallbackPath, "token=made-up")
			sends("HEAD", app.CallbackPath+"?token=made-up", "")
			sends("GET", "/v1/magic_links/redirect?token=made-up", "")
			sends("GET", "/api/users", "", "Authorization", fmt.Sprintf("Bearer guestlist_%052d", j))
			sends("POST", "/api/invite_user", `{"email":"eve@example.com"}`, "Content-Type", "application/json", "Idempotency-Key", fmt.Sprint("key-", j))
			sends("POST", "/webhooks/stytch", `{"id":"x"}`, "Content-Type", "application/json", "Svix-Id", fmt.Sprint("msg-", j))
			sends("POST", "/signin", "email=no+address")
			sends("POST", "/signin", "email=p@example.com", "Sec-Fetch-Site", "cross-site")
			sends("GET", fmt.Sprint("/nothing-", j), "")
			sends("GET", "/users", "", "Cookie", "__Host-guestlist=made-up")
			sends("POST", "/api/logout", "")
			sends("GET", "/readyz", "")
		}
		s.Clock.Advance(step)
	}
	s.App.Sessions.Close() // waits until all rows are written
	s.App.Sessions = nil

	bounds := documentedBounds(t)
	for _, table := range tables {
		growth := s.Count("SELECT COUNT(*) FROM "+table) - before[table]
		bound, listed := bounds[table]
		most := 0
		if listed {
			most = bound.within(steps * step)
		}
		t.Logf("%s: %d rows more, at most %d", table, growth, most)
		if growth > most {
			t.Errorf("%s: %d rows more after %d requests, want at most %d", table, growth, n, most)
		}
		if listed && growth < most/4 {
			t.Errorf("%s: %d rows more: too few to try the bound of %d", table, growth, most)
		}
	}

	// All rows but events are deleted later.
	s.Clock.Advance(9 * time.Hour)
	if _, err := s.App.Store.DeleteLimits(t.Context(), s.Clock.Now().Add(-6*time.Hour), s.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if n := s.Count("SELECT COUNT(*) FROM limits"); n > 10 {
		t.Errorf("%d limits are left after nine hours", n)
	}
}
