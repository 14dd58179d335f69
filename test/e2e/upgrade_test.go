package e2e

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/schema"
	"github.com/guestlist/guestlist/test/harness"
)

func TestUpgrade_FromEveryRelease(t *testing.T) {
	t.Parallel()
	eachFixture(t, func(t *testing.T, file string) {
		testdb.Each(t, func(t *testing.T, databaseURL string) {
			addr := harness.ReserveAddr(t)
			f := readFixture(t, file, addr)
			harness.WithDatabase(t, databaseURL, func(db *sql.DB) { f.write(t, db, databaseURL) })

			// No row is lost or changed.
			st, err := store.Open(databaseURL, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			harness.WithDatabase(t, databaseURL, func(db *sql.DB) {
				for table, before := range f.Tables {
					columns := strings.Join(slices.Sorted(maps.Keys(before[0])), ", ")
					if diff := gocmp.Diff(sorted(before), sorted(rowsOf(t, db, table, columns))); diff != "" {
						t.Errorf("%s (-before +after):\n%.1000s", table, diff)
					}
				}
			})

			// Sessions and invitations are still valid, and suspended people stay out.
			s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon.Add(time.Hour)), "--guestlist-addr="+addr)
			ada, barbara, grace := f.person(s, "ada@example.com"), f.person(s, "barbara@example.com"), s.NewPerson("grace@example.com")
			list := ada.Get("/users")
			harness.WantPage(t, list, 200, "People", "4 people", `Zoë \ 'Ω' grace`)
			harness.WantRow(t, list, `Zoë \ 'Ω' joan`, "joan@example.com", "Member", "Suspended")
			harness.WantPage(t, barbara.Get("/profile"), 200, `Zoë \ 'Ω' barbara`)
			harness.WantPage(t, grace.PressContinue(grace.OpenNextLink()), 200, "My apps", `Zoë \ 'Ω' grace`)
			harness.WantPage(t, ada.Get("/activity"), 200, "Activity", "joan@example.com", "Signed in")
			if v := s.NewPerson("mary@example.com").RequestLink(); v.Status != 200 {
				t.Errorf("%d %s", v.Status, v.Text())
			}
			harness.Eventually(t, "search words being brought up to date", func() bool {
				return s.Count("SELECT COUNT(*) FROM user_words WHERE word = 'zoeωgrace'") == 1
			})
			harness.WantPage(t, ada.Get("/users?q=zoe-'ω'"), 200, "People", "3 people found", `Zoë \ 'Ω' grace`)
			harness.Eventually(t, "Stytch hearing what it had still to hear", func() bool { return s.Count("SELECT COUNT(*) FROM outbox") == 0 })
			if n := s.Count("SELECT COUNT(*) FROM stytch_emails WHERE email = 'mary@example.com'"); n != 0 {
				t.Errorf("a person removed before has %d accounts", n)
			}
		})
	})
}

func TestUpgrade_ReleasedMigrationsAreUnchanged(t *testing.T) {
	t.Parallel()
	eachFixture(t, func(t *testing.T, file string) {
		f := readFixture(t, file, "localhost:8080")
		if diff := gocmp.Diff(f.Migrations, migrationsUntil(t, f.Version)); diff != "" {
			t.Errorf("databases have carried out other migrations than these; add a new one instead (-released +now):\n%s", diff)
		}
	})
}

func eachFixture(t *testing.T, fn func(t *testing.T, file string)) {
	t.Helper()
	files, err := filepath.Glob("testdata/upgrade/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			fn(t, file)
		})
	}
}

// readFixture reads a fixture and replaces the address of its instance.
func readFixture(t *testing.T, file, addr string) fixture {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "PORT", addr[strings.LastIndex(addr, ":")+1:])), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// write fills an empty database with the fixture.
func (f *fixture) write(t *testing.T, db *sql.DB, databaseURL string) {
	t.Helper()
	dialect := goose.DialectMySQL
	if strings.HasPrefix(databaseURL, "sqlite:") {
		dialect = goose.DialectSQLite3
	}
	migrations, err := goose.NewProvider(dialect, db, fs.FS(schema.Files), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.UpTo(t.Context(), f.Version); err != nil {
		t.Fatal(err)
	}
	for table, rows := range f.Tables {
		for _, r := range rows {
			columns, values := slices.Sorted(maps.Keys(r)), []any{}
			for _, c := range columns {
				values = append(values, r[c])
			}
			insert := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
			if _, err := db.Exec(insert, values...); err != nil {
				t.Fatalf("%s: %v", insert, err)
			}
		}
	}
}

// person returns a person whose browser has the cookie in the fixture.
func (f *fixture) person(s *harness.Site, email string) *harness.Person {
	p := s.NewPerson(email)
	p.Jar.SetCookies(s.Config.BaseURL, []*http.Cookie{{Name: s.Config.CookieName, Value: f.Cookies[email], Path: "/"}})
	return p
}

func sorted(rows []row) []row {
	return slices.SortedFunc(slices.Values(rows), func(a, b row) int {
		return cmp.Compare(text(a), text(b))
	})
}

func text(r row) string {
	s, _ := json.Marshal(r) // can't fail for strings
	return string(s)
}
