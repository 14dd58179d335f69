package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/schema"
	"github.com/guestlist/guestlist/test/harness"
)

// TestProgram_ExplainsRefusedMigrations runs the program with a branch that has safe
// migrations.
func TestProgram_ExplainsRefusedMigrations(t *testing.T) {
	t.Parallel()
	path := harness.BuildProgram(t)
	dsn := testdb.MySQL(t)
	v := testdb.BehindVitess(t, harness.WithPassword(t, dsn, ""))
	runs := func(words ...string) (output string, status int) {
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
			output, status := runs(words...)
			// The message may contain the name of the database, and nothing else of the DSN.
			name := dsn[strings.Index(dsn, "/")+1:]
			if status != 1 || !strings.HasPrefix(output, "guestlist: there are pending migrations, and this database refuses schema changes") ||
				!strings.Contains(output, "pscale deploy-request create "+name+" guestlist-migrate") {
				t.Errorf("guestlist %v: status %d\n%s", words, status, output)
			}
			cfg, _ := mysql.ParseDSN(v.DSN)
			for _, secret := range []string{cfg.User, cfg.Passwd, cfg.Addr, "1105", "HY000", "DDL", "CREATE TABLE", "goose:", "level="} {
				if strings.Contains(output, secret) {
					t.Errorf("guestlist %v says %q:\n%s", words, secret, output)
				}
			}
			if n := v.SafeMigrations(true) - before; n != 1 { // goose would retry for seconds
				t.Errorf("guestlist %v tried %d times", words, n)
			}
		}
	}
	t.Run("and the database is empty", refuses)
	if output, status := runs("migrate"); status != 0 {
		t.Fatal(output)
	}
	migrations, err := goose.NewProvider(goose.DialectMySQL, harness.OpenMySQL(t, dsn), schema.Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("and the database is behind", refuses)
	if output, status := runs("migrate", "up"); status != 0 || !strings.Contains(output, " applied; the database is up to date") {
		t.Fatal(output)
	}
	t.Run("and the database is up to date", func(t *testing.T) {
		v.SafeMigrations(true)
		if output, status := runs("migrate"); status != 0 || !strings.Contains(output, "0 migrations applied") {
			t.Errorf("migrate: status %d: %s", status, output)
		}
		p := harness.Launch(t, path, "--database-url="+v.DSN)
		harness.WantPage(t, p.NewPerson("ada@example.com").SignIn(), 200, "My apps", "People")
	})
}

// The server ends a transaction during each request, of the request itself or of the
// background work: after its first statement, its second, and so on.
func TestPlanetScale_EndedTransactionIsReported(t *testing.T) {
	t.Parallel()
	v := testdb.NewVitess(t)
	s := harness.Start(t, v.DSN, harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	reported := 0
	// until repeats a request until all its transactions succeed.
	until := func(what string, make func() *http.Request, ok func(status int) bool) {
		t.Helper()
		for n := 0; n < 40; n++ {
			v.EndTransaction(n)
			status := ada.DoOnce(make()).Status
			if status == http.StatusServiceUnavailable {
				reported++
			} else if !ok(status) {
				t.Errorf("%s, with a transaction ended after %d statements: %d", what, n, status)
			}
			if !v.Ended() {
				return
			}
		}
		t.Errorf("%s: there is always one more", what)
	}
	until("inviting", func() *http.Request { return ada.JSONRequest("POST", "/api/users", `{"email":"grace@example.com"}`) },
		func(status int) bool { return status == 201 || status == 409 })
	id := harness.UserIDOf(ada, "grace@example.com")
	until("editing", func() *http.Request { return ada.JSONRequest("PATCH", "/api/users/"+id, `{"name":"Grace"}`) },
		func(status int) bool { return status == 200 })
	until("asking for a link", func() *http.Request { return ada.FormRequest("/signin", "email=grace@example.com") },
		func(status int) bool { return status == 303 })
	press := ada.InNewBrowser().ContinueRequest(s.NewPerson("grace@example.com").NextLink())
	until("following it", func() *http.Request {
		again := press.Clone(t.Context())
		again.Body, _ = press.GetBody()
		return again
	}, func(status int) bool { return status == 303 || status == 410 || status == 404 })
	if reported == 0 {
		t.Error("nothing was ever told to try again")
	}
	for query, want := range map[string]int{
		"SELECT COUNT(*) FROM users WHERE email_key = 'grace@example.com'": 1,
		"SELECT COUNT(*) FROM events WHERE kind = 'user_added'":            1,
		"SELECT COUNT(*) FROM events WHERE kind = 'user_edited'":           1,
		"SELECT COUNT(*) FROM user_words WHERE word = 'grace@example.com'": 1,
		"SELECT COUNT(*) FROM stytch_users":                                2,
	} {
		if n := s.Count(query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}

func TestPlanetScale_TransactionsAreShort(t *testing.T) {
	t.Parallel()
	const people = 3000
	v := testdb.NewVitess(t)
	s := harness.Start(t, v.DSN, harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	// Short addresses, and names with the maximum number of words, produce the maximum
	// number of rows for a part of a file.
	var file strings.Builder
	file.WriteString("email,name\n")
	for i := range people {
		fmt.Fprintf(&file, "%x@a.co,", i)
		for letter := range 26 {
			fmt.Fprintf(&file, "%c%x ", 'a'+letter, i%16)
		}
		file.WriteString("\n")
	}
	preview := ada.UploadFile("people.csv", file.String())
	running := ada.Submit(preview, "Import 3,000 people")
	harness.Eventually(t, "all of them on the list", func() bool { return strings.Contains(ada.Get(running.Path).Text(), "3,000 people were added") })
	s.Close()
	other := testdb.NewVitess(t)
	copyDatabase(s, other.DSN)
	s.Clock.Advance(10 * 365 * 24 * time.Hour)
	s = harness.Start(t, v.DSN, s.Clock) // deletes expired rows
	harness.Eventually(t, "the trail of the import deleted", func() bool { return s.Count("SELECT COUNT(*) FROM events WHERE kind = 'user_added'") == 0 })
	s.Close()
	for name, v := range map[string]*testdb.Vitess{"import and sweep": v, "copy": other} {
		statements, changed, rows := v.Largest()
		t.Logf("%s: a transaction of %d statements, one that changed %d rows, a result of %d rows", name, statements, changed, rows)
		if statements > 150 || changed > 10_000 || rows > 1000 {
			t.Errorf("%s: a transaction of %d statements, one that changed %d rows, a result of %d rows", name, statements, changed, rows)
		}
	}
}
