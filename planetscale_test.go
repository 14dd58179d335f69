package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/schema"
)

// wherePlanetScaleRefuses starts the program on a branch with safe migrations.
func wherePlanetScaleRefuses(t *testing.T, path string) {
	dsn := testdb.MySQL(t)
	v := testdb.BehindVitess(t, withPassword(t, dsn, ""))
	runs := func(words ...string) (said string, status int) {
		cmd := exec.CommandContext(t.Context(), path, append(words, "--guestlist-addr=127.0.0.1:0")...)
		cmd.Dir, cmd.Env = t.TempDir(), []string{"DATABASE_URL=" + v.DSN}
		out, err := cmd.CombinedOutput()
		var ended *exec.ExitError
		if err != nil && !errors.As(err, &ended) {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	refuses := func(t *testing.T) {
		defer v.SafeMigrations(false)
		for _, words := range [][]string{{"serve"}, {}, {"migrate"}, {"migrate", "up"}, {"users", "list"}} {
			before := v.SafeMigrations(true)
			said, status := runs(words...)
			// The database's name is ours to tell, and nothing else of its address.
			name := dsn[strings.Index(dsn, "/")+1:]
			if status != 1 || !strings.HasPrefix(said, "guestlist: this database refuses changes to its tables") ||
				!strings.Contains(said, "pscale deploy-request create "+name+" guestlist-migrate") {
				t.Errorf("guestlist %v: status %d\n%s", words, status, said)
			}
			cfg, _ := mysql.ParseDSN(v.DSN)
			for _, secret := range []string{cfg.User, cfg.Passwd, cfg.Addr, "1105", "HY000", "DDL", "CREATE TABLE", "goose:", "level="} {
				if strings.Contains(said, secret) {
					t.Errorf("guestlist %v says %q:\n%s", words, secret, said)
				}
			}
			if n := v.SafeMigrations(true) - before; n != 1 { // and no more tries, as goose makes for seconds
				t.Errorf("guestlist %v tried %d times", words, n)
			}
		}
	}
	t.Run("and the database is empty", refuses)
	if said, status := runs("migrate"); status != 0 {
		t.Fatal(said)
	}
	migrations, err := goose.NewProvider(goose.DialectMySQL, openDSN(t, dsn), schema.Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("and the database is behind", refuses)
	if said, status := runs("migrate", "up"); status != 0 || !strings.Contains(said, "migrations applied; the database is up to date") {
		t.Fatal(said)
	}
	t.Run("and the database is up to date", func(t *testing.T) {
		v.SafeMigrations(true)
		if said, status := runs("migrate"); status != 0 || !strings.Contains(said, "0 migrations applied") {
			t.Errorf("migrate: status %d: %s", status, said)
		}
		p := launch(t, path, "--database-url="+v.DSN)
		wants(t, p.person("ada@example.com").signsIn(), 200, "People")
	})
}

// withPassword returns the DSN for a user who has one, and every right on the database,
// within limits as SQL has them.
func withPassword(t *testing.T, dsn, limits string) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := openDSN(t, dsn)
	cfg.User, cfg.Passwd = "t_"+strings.ToLower(rand.Text()[:20]), rand.Text()
	for _, statement := range []string{
		"CREATE USER " + cfg.User + " IDENTIFIED BY '" + cfg.Passwd + "' " + limits,
		"GRANT ALL ON " + cfg.DBName + ".* TO " + cfg.User,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("the tests' own user must be allowed to make users: %v", err)
		}
	}
	t.Cleanup(func() { openDSN(t, dsn).Exec("DROP USER " + cfg.User) })
	return cfg.FormatDSN()
}

// Each request is made while the server ends a transaction, of the request or of
// what works beside it: after its first statement, its second, and so on.
func TestATransactionThatTheServerEndsIsToldAndLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	v := testdb.NewVitess(t)
	s := start(t, v.DSN, newClock(noon), "--guestlist-local-stytch-limits=off")
	ada := s.person("ada@example.com")
	ada.signsIn()
	told := 0
	// until tries a request until all its transactions have come through.
	until := func(what string, make func() *http.Request, ok func(status int) bool) {
		t.Helper()
		for n := 0; n < 40; n++ {
			v.EndTransaction(n)
			status := ada.only(make()).status
			if status == http.StatusServiceUnavailable {
				told++
			} else if !ok(status) {
				t.Errorf("%s, with a transaction ended after %d statements: %d", what, n, status)
			}
			if !v.Ended() {
				return
			}
		}
		t.Errorf("%s: there is always one more", what)
	}
	until("inviting", func() *http.Request { return ada.json("POST", "/api/users", `{"email":"grace@example.com"}`) },
		func(status int) bool { return status == 201 || status == 409 })
	id := idOf(ada, "grace@example.com")
	until("editing", func() *http.Request { return ada.json("PATCH", "/api/users/"+id, `{"name":"Grace"}`) },
		func(status int) bool { return status == 200 })
	until("asking for a link", func() *http.Request { return ada.form("/signin", "email=grace@example.com") },
		func(status int) bool { return status == 303 })
	press := ada.elsewhere().press(s.person("grace@example.com").newMail())
	until("following it", func() *http.Request {
		again := press.Clone(t.Context())
		again.Body, _ = press.GetBody()
		return again
	}, func(status int) bool { return status == 303 || status == 410 || status == 404 })
	if told == 0 {
		t.Error("nothing was ever told to try again")
	}
	for query, want := range map[string]int{
		"SELECT COUNT(*) FROM users WHERE email_key = 'grace@example.com'": 1,
		"SELECT COUNT(*) FROM events WHERE kind = 'user_added'":            1,
		"SELECT COUNT(*) FROM events WHERE kind = 'user_edited'":           1,
		"SELECT COUNT(*) FROM user_words WHERE word = 'grace@example.com'": 1,
		"SELECT COUNT(*) FROM stytch_users":                                2,
	} {
		if n := s.count(query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}

// few says of queries without a bound of their own why they touch few rows: PlanetScale
// returns, changes or deletes no more than 100,000 at once.
var few = map[string]string{
	"ListJobsOf":         "what Stytch must hear of one person",
	"ListSessionsOfUser": "one person's, and signing in is limited",
	"ListTokensOfUser":   "one person's, twenty at most",
	"DeleteInviteJobs":   "one person's",
	"DeleteMailsFrom":    "of the local inbox, after each mail",
}

func TestEveryQueryTouchesABoundedNumberOfRows(t *testing.T) {
	t.Parallel()
	// One person's are few: what somebody has more of is limited.
	key := regexp.MustCompile(`WHERE (id|name|token_hash|email|email_key|email_id|session_id|user_id) (= |IN \(sqlc\.slice)`)
	bounded := regexp.MustCompile(`LIMIT (\?|1)|IN \(sqlc\.slice`)
	seen := map[string]bool{}
	for _, q := range append(queriesIn(t, "queries/*.sql"), queriesIn(t, "queries/stytchlocal/*.sql")...) {
		ok := true
		switch {
		case q.kind == ":many":
			ok = bounded.MatchString(q.text)
		case strings.HasPrefix(q.text, "UPDATE"), strings.HasPrefix(q.text, "DELETE"):
			ok = key.MatchString(q.text)
		}
		if !ok && few[q.name] == "" {
			t.Errorf("%s: how many rows can this be?\n%s", q.name, q.text)
		}
		seen[q.name] = seen[q.name] || !ok
	}
	for name := range few {
		if !seen[name] {
			t.Errorf("%s is bounded, or is not there", name)
		}
	}
}

// tableOptions are what every CREATE TABLE ends in. A server's own default may be MyISAM, a row format whose keys are too short, or a
// character set that lacks most of the world's letters.
const tableOptions = ") /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;"

// MySQL commits each statement that changes tables by itself: a migration of two could end
// between them.
func TestEveryMigrationIsOneStatement(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(schema.Files, "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	comment := regexp.MustCompile(`--[^\n]*`)
	for _, file := range files {
		text, err := fs.ReadFile(schema.Files, file)
		if err != nil {
			t.Fatal(err)
		}
		up, down, found := strings.Cut(string(text), "-- +goose Down")
		for way, half := range map[string]string{"up": up, "down": down} {
			half = comment.ReplaceAllString(half, "")
			if n := strings.Count(half, ";"); n != 1 || !found || !strings.HasSuffix(strings.TrimSpace(half), ";") {
				t.Errorf("%s has %d statements on the way %s", file, n, way)
			}
			if strings.Contains(half, "CREATE TABLE") && !strings.HasSuffix(strings.TrimSpace(half), tableOptions) {
				t.Errorf("%s makes a table without the options of all tables", file)
			}
		}
	}
}

func TestLongWorkIsDoneInShortTransactions(t *testing.T) {
	t.Parallel()
	const people = 3000
	v := testdb.NewVitess(t)
	s := start(t, v.DSN, newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	// Short addresses, and names of as many words as there can be: as many rows as a
	// part of a file can make.
	var file strings.Builder
	file.WriteString("email,name\n")
	for i := range people {
		fmt.Fprintf(&file, "%x@a.co,", i)
		for letter := range 26 {
			fmt.Fprintf(&file, "%c%x ", 'a'+letter, i%16)
		}
		file.WriteString("\n")
	}
	preview := ada.sendsFile("people.csv", file.String())
	running := ada.submits(preview, "Import 3,000 people")
	eventually(t, "all of them on the list", func() bool { return strings.Contains(ada.get(running.path).Text(), "3,000 people were added") })
	s.close()
	other := testdb.NewVitess(t)
	s.copies(other.DSN)
	s.clock.advance(10 * 365 * 24 * time.Hour)
	s = start(t, v.DSN, s.clock) // which deletes what is over
	eventually(t, "the trail of the import deleted", func() bool { return s.count("SELECT COUNT(*) FROM events WHERE kind = 'user_added'") == 0 })
	s.close()
	for name, v := range map[string]*testdb.Vitess{"import and sweep": v, "copy": other} {
		statements, changed, rows := v.Largest()
		t.Logf("%s: a transaction of %d statements, one that changed %d rows, a result of %d rows", name, statements, changed, rows)
		if statements > 150 || changed > 10_000 || rows > 1000 {
			t.Errorf("%s: a transaction of %d statements, one that changed %d rows, a result of %d rows", name, statements, changed, rows)
		}
	}
}
