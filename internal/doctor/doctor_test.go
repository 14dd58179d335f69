package doctor_test

import (
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/schema"
	"github.com/guestlist/guestlist/test/harness"
)

func TestRun_BrokenSettings(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	dsn := func(edit func(*mysql.Config)) []string {
		cfg, err := mysql.ParseDSN(w.wire.DSN)
		if err != nil {
			t.Fatal(err)
		}
		edit(cfg)
		return []string{"DATABASE_URL=" + cfg.FormatDSN()}
	}
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved/readyz":
			http.Redirect(rw, r, "/readyz", http.StatusMovedPermanently)
		case "/gateway/readyz":
			rw.WriteHeader(http.StatusBadGateway)
		case "/starting/readyz":
			rw.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(rw, `{"error":"starting: waiting for the database"}`)
		case "/alone/readyz":
			rw.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(rw, `{"status":"not ready","database":"out of reach","stytch":"ok"}`)
		default:
			io.WriteString(rw, `{"status":"ok"}`)
		}
	}))
	t.Cleanup(other.Close)
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	const ownMachine = "warning An instance runs at http://localhost:"
	standalone := func(smtpURL string) []string {
		return []string{
			"STYTCH_PROJECT_ID=", "STYTCH_SECRET=", "STYTCH_BASE_URL=", "GUESTLIST_LOCAL_STYTCH=on",
			"GUESTLIST_BASE_URL=" + untrusted.URL, "SMTP_URL=" + smtpURL,
		}
	}
	noPeople := harness.EmptySQLite(t, "")
	mail := loginRefused(t)

	safe := testdb.NewVitess(t)
	safe.SafeMigrations(true)
	migrations, err := fs.Glob(schema.Files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	noNotes := testdb.MySQL(t)
	harness.WithDatabase(t, noNotes, func(db *sql.DB) {
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE goose_db_version (id SERIAL, version_id BIGINT, is_applied BOOLEAN, tstamp TIMESTAMP)"); err != nil {
			t.Fatal(err)
		}
	})
	foreign := testdb.MySQL(t)
	harness.WithDatabase(t, foreign, func(db *sql.DB) {
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE users (id INT PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
	})
	halfMade := testdb.MySQL(t)
	st, err := store.Open(halfMade, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, err := st.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := st.MarkCopy(t.Context(), "sqlite:/somewhere.db"); err != nil {
		t.Fatal(err)
	}
	afterDatabase := []string{"migrations", "writing", "database_clock", "instances", "administrators", "openid", "client_secrets"}
	rows := []struct {
		name        string
		environ     []string          // replaces settings of the healthy installation
		faults      string            // of Stytch
		refuses     string            // statements that the database refuses as read-only
		ahead       time.Duration     // how much this machine's clock is ahead
		want        map[string]string // the beginnings of the findings, by check
		hides       map[string]string // findings that are skipped because of it
		alsoAllowed []string          // checks that may have other findings
		offMachine  bool              // needs a network
	}{
		{name: "nothing", want: map[string]string{}},

		{name: "a value that can't be", environ: []string{"GUESTLIST_LINK_DURATION=soon"},
			want: map[string]string{"settings": "problem GUESTLIST_LINK_DURATION must be from 5m"}, hides: skipped("the settings", "instances")},
		{name: "a name that is no setting", environ: []string{"GUESTLIST_ADMIN=hush@example.com"},
			want: map[string]string{"settings": "problem GUESTLIST_ADMIN (environment) is not a setting"}, hides: skipped("the settings", "instances")},
		{name: "half of Stytch", environ: []string{"STYTCH_SECRET="},
			want:  map[string]string{"settings": "problem STYTCH_SECRET must be set", "instances": "skipped"},
			hides: skipped("STYTCH_PROJECT_ID", "stytch", "administrators")},
		{name: "an administrator without an address", environ: []string{"GUESTLIST_ADMINS=ada@example.com,hush"},
			want:  map[string]string{"settings": "problem GUESTLIST_ADMINS must be comma-separated email addresses, and number 2 isn't one", "instances": "skipped"},
			hides: skipped("GUESTLIST_ADMINS", "administrators")},

		{name: "an address that is no database's", environ: []string{"DATABASE_URL=oracle://u:hush@db.example.com/x"},
			want: map[string]string{"database": "problem DATABASE_URL must be mysql://…"}, hides: skipped("database", afterDatabase...)},
		{name: "the database's password", environ: dsn(func(c *mysql.Config) { c.User, c.Passwd = "somebody", "hush" }),
			want: map[string]string{"database": "problem The server rejected the user or the password."}, hides: skipped("database", afterDatabase...)},
		{name: "the database's name", environ: dsn(func(c *mysql.Config) { c.DBName = "nowhere" }),
			want: map[string]string{"database": "problem The server has no database of this name."}, hides: skipped("database", afterDatabase...)},
		{name: "the database's port", environ: dsn(func(c *mysql.Config) { c.Addr = "127.0.0.1:1" }),
			want: map[string]string{"database": "problem Nothing is listening at 127.0.0.1:1."}, hides: skipped("database", afterDatabase...)},
		{name: "a database that hangs", environ: dsn(func(c *mysql.Config) { c.Addr, c.ReadTimeout = harness.SilentServer(t), 100*time.Millisecond }),
			want: map[string]string{"database": "problem The server closed the connection or didn't respond."}, hides: skipped("database", afterDatabase...)},
		{name: "TLS at a database without it", environ: dsn(func(c *mysql.Config) { c.TLSConfig = "skip-verify" }),
			want: map[string]string{"database": "problem The server doesn't support TLS."}, hides: skipped("database", afterDatabase...)},
		{name: "pending migrations", environ: []string{"DATABASE_URL=" + testdb.MySQL(t)},
			want: map[string]string{"migrations": fmt.Sprintf("warning %d of %[1]d migrations are pending.", len(migrations)), "writing": "skipped There are no tables yet."}},
		{name: "migrations that the database refuses", environ: []string{"DATABASE_URL=" + safe.DSN},
			want: map[string]string{"migrations": "warning ", "writing": "skipped There are no tables yet."}},
		{name: "a first start that was cut off", environ: []string{"DATABASE_URL=" + noNotes},
			want: map[string]string{"migrations": fmt.Sprintf("warning %d of %[1]d migrations are pending.", len(migrations)), "writing": "skipped There are no tables yet."}},
		{name: "another program's database", environ: []string{"DATABASE_URL=" + foreign},
			want: map[string]string{"database": "problem This database belongs to another program: its table users lacks "}, hides: skipped("database", afterDatabase...)},
		{name: "a half-made copy", environ: []string{"DATABASE_URL=" + halfMade},
			want: map[string]string{"database": "problem This database is an incomplete copy of sqlite:/somewhere.db."}, hides: skipped("database", afterDatabase...)},
		{name: "a read-only database", refuses: "INSERT INTO settings", want: map[string]string{"writing": "problem The server is read-only."}},
		{name: "a file that is missing", environ: []string{"DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "data", "guestlist.db")},
			want: map[string]string{"database": "warning There is no file "}},
		{name: "a file in a folder that can't be", environ: []string{"DATABASE_URL=sqlite:" + os.Args[0] + "/guestlist.db"},
			want: map[string]string{"database": "problem The SQLite file can't be created or opened at "}, hides: skipped("database", afterDatabase...)},
		{name: "a damaged file", environ: []string{"DATABASE_URL=" + corruptFile(t)},
			want: map[string]string{"database": "problem The SQLite file is corrupt or not a database"}, hides: skipped("database", afterDatabase...)},
		{name: "a file that another program keeps to itself", environ: []string{"DATABASE_URL=" + lockedFile(t)},
			want: map[string]string{"database": "problem Another program, such as guestlist copy, has locked the SQLite file"}, hides: skipped("database", afterDatabase...)},
		{name: "the clock here, a little", ahead: 20 * time.Second,
			want: map[string]string{"database_clock": "warning This machine's clock is 20s ahead of the database.", "stytch_clock": "warning This machine's clock is 2"}},
		{name: "the clock here", ahead: -2 * time.Hour,
			want: map[string]string{"database_clock": "warning This machine's clock is 2h0m0s behind the database.", "stytch_clock": "problem This machine's clock is "}},
		{name: "other keys than those in use", environ: []string{"GUESTLIST_COOKIE_KEYS=" + harness.CookieKey},
			want: map[string]string{"instances": "warning The instance that started last has different values for GUESTLIST_COOKIE_KEYS."}},

		{name: "no administrator", environ: []string{"DATABASE_URL=" + noPeople, "GUESTLIST_ADMINS="},
			want: map[string]string{"administrators": "problem There is no administrator."}},
		{name: "an administrator who is a member", environ: []string{"DATABASE_URL=" + harness.EmptySQLite(t, "ada@example.com")},
			want: map[string]string{"administrators": "problem There is no administrator: the GUESTLIST_ADMINS addresses are already listed"}},

		{name: "Stytch's secret", environ: []string{"STYTCH_SECRET=secret-test-hush"}, alsoAllowed: []string{"instances"},
			want: map[string]string{"stytch": "problem Stytch rejected STYTCH_PROJECT_ID and STYTCH_SECRET."}, hides: skipped("stytch", "stytch_clock", "redirect_url")},
		{name: "Stytch's address", environ: []string{"STYTCH_BASE_URL=http://127.0.0.1:1"}, alsoAllowed: []string{"instances"},
			want: map[string]string{"stytch": "problem Nothing is listening at 127.0.0.1:1."}, hides: skipped("stytch", "stytch_clock", "redirect_url")},
		{name: "Stytch", faults: `{"rules":[{"kind":"status","status":500}]}`,
			want: map[string]string{"stytch": "problem Stytch answered internal_server_error."}, hides: skipped("stytch", "stytch_clock", "redirect_url")},
		{name: "what is before Stytch", faults: `{"rules":[{"kind":"garbage"}]}`,
			want: map[string]string{"stytch": "problem The response isn't from Stytch, or was cut off."}, hides: skipped("stytch", "stytch_clock", "redirect_url")},
		{name: "Stytch's clock", faults: `{"clock_ms":3600000}`, want: map[string]string{"stytch_clock": "problem This machine's clock is "}},
		{name: "Stytch, where it mails", faults: `{"rules":[{"route":"/v1/magic_links/email/*","kind":"status","status":500}]}`,
			want: map[string]string{"redirect_url": "warning Couldn't check. Stytch answered internal_server_error."}},
		{name: "a redirect URL that is not listed", environ: []string{"GUESTLIST_BASE_URL=http://127.0.0.1:1"}, alsoAllowed: []string{"instances", "base_url"},
			want: map[string]string{"redirect_url": "problem Stytch doesn't allow sign-in links to this address, so it sends none."}},

		{name: "an address where another program is", environ: []string{"GUESTLIST_BASE_URL=" + local(other.URL)}, alsoAllowed: []string{"instances"},
			want: map[string]string{"base_url": "problem " + local(other.URL) + " is served by another program (status 200)."}},
		{name: "an address that leads on", environ: []string{"GUESTLIST_BASE_URL=" + local(other.URL) + "/moved"}, alsoAllowed: []string{"instances"},
			want: map[string]string{"base_url": "problem " + local(other.URL) + "/moved redirects elsewhere."}},
		{name: "a proxy that does not lead here", environ: []string{"GUESTLIST_BASE_URL=" + local(other.URL) + "/gateway"}, alsoAllowed: []string{"instances"},
			want: map[string]string{"base_url": "warning No instance is running at " + local(other.URL) + "/gateway. A proxy answers that it can't reach one."}},
		{name: "an unknown host", environ: []string{"GUESTLIST_BASE_URL=https://door.guestlist.invalid"}, alsoAllowed: []string{"instances", "redirect_url"},
			want: map[string]string{"base_url": "problem "}},
		{name: "an address by which the instance can't be reached", environ: []string{"GUESTLIST_BASE_URL=http://localhost:1"}, alsoAllowed: []string{"instances"},
			want: map[string]string{"base_url": "problem An instance runs at GUESTLIST_ADDR, but isn't reachable at http://localhost:1. Nothing is listening at "}},
		{name: "no instance", environ: []string{"GUESTLIST_BASE_URL=http://localhost:1", "GUESTLIST_ADDR=127.0.0.1:1"}, alsoAllowed: []string{"instances"},
			want: map[string]string{"base_url": "warning No instance is running at http://localhost:1."}},
		{name: "an instance that is starting", environ: []string{"GUESTLIST_BASE_URL=" + local(other.URL) + "/starting"}, alsoAllowed: []string{"instances"},
			want: map[string]string{"base_url": "warning An instance is starting at "}},
		{name: "an instance without its database", environ: []string{"GUESTLIST_BASE_URL=" + local(other.URL) + "/alone"}, alsoAllowed: []string{"instances"},
			want: map[string]string{"base_url": "warning An instance runs at " + local(other.URL) + "/alone, but can't reach its database."}},
		{name: "a certificate of an unknown issuer", environ: []string{"GUESTLIST_BASE_URL=" + untrusted.URL}, alsoAllowed: []string{"instances", "redirect_url"},
			want: map[string]string{"base_url": "problem The server's certificate can't be trusted: "}},
		{name: "a cookie that others can set", environ: []string{"GUESTLIST_BASE_URL=" + untrusted.URL, "COOKIE_NAME=door"}, alsoAllowed: []string{"instances", "redirect_url", "base_url"},
			want: map[string]string{"cookies": "warning Secure, but other hosts of the domain can set a cookie named door"}},

		{name: "the mail server for notices", environ: []string{"SMTP_URL=smtp://localhost:1"}, alsoAllowed: []string{"instances"},
			want: map[string]string{"smtp": "problem The mail server couldn't be reached."}},
		{name: "the mail server's port", environ: standalone("smtp://localhost:1"), alsoAllowed: []string{"instances", "base_url"},
			want: map[string]string{"smtp": "problem The mail server couldn't be reached."}},
		{name: "the mail server's password", environ: standalone("smtp://me:hush@localhost:" + mail), alsoAllowed: []string{"instances", "base_url"},
			want: map[string]string{"smtp": "problem The mail server rejected the login (535)."}},
		{name: "a mail server without STARTTLS", offMachine: true, environ: standalone("smtp://me:hush@" + net.JoinHostPort(ownAddress(t), mail)), alsoAllowed: []string{"instances", "base_url"},
			want: map[string]string{"smtp": "problem The mail server doesn't offer encryption (STARTTLS), so nothing was sent."}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.offMachine && ownAddress(t) == "127.0.0.1" {
				t.Skip("this machine is on no network")
			}
			if row.faults != "" {
				w.faults(row.faults)
				defer w.faults(`{}`)
			}
			if row.refuses != "" {
				w.wire.RefuseAt(row.refuses, 1290, 100)
				defer w.wire.RefuseAt("", 0, 0)
			}
			w.site.Clock.Set(time.Now()) // the clock of the remote Stytch
			now := func() time.Time { return time.Now().Add(row.ahead) }
			found := runDoctor(t, append(slices.Clone(w.env), row.environ...), now)
			for check, hidden := range row.hides {
				if row.want[check] == "" {
					row.want[check] = hidden
				}
			}
			for check, want := range row.want {
				if !strings.HasPrefix(found[check], want) {
					t.Errorf("%s: %q, want %q", check, found[check], want)
				}
				delete(found, check)
			}
			for check, finding := range found {
				expected := check == "base_url" && strings.HasPrefix(finding, ownMachine) || strings.HasPrefix(finding, "skipped") && row.want["stytch"] != "" && row.want["settings"] != ""
				if !expected && !slices.Contains(row.alsoAllowed, check) {
					t.Errorf("%s, too: %s", check, finding)
				}
			}
		})
	}
	if n := w.site.Count("SELECT COUNT(*) FROM settings WHERE name = 'doctor'"); n != 0 {
		t.Error("something was left in the database")
	}
}
