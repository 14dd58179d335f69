package e2e

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/schema"
	"github.com/guestlist/guestlist/test/harness"
)

// fixture is the database of a release, with its migrations and cookies.
type fixture struct {
	Version    int64             `json:"version"`    // of the newest migration
	Migrations map[string]string `json:"migrations"` // up to Version, with their SHA-256
	Cookies    map[string]string `json:"cookies"`    // of signed-in people
	Tables     map[string][]row  `json:"tables"`
}

// row has its values as text, which both engines convert to numbers; nil is NULL.
type row map[string]*string

// TestUpgradeFixture_Write adds a file to testdata/upgrade; see docs/releasing.md.
func TestUpgradeFixture_Write(t *testing.T) {
	if os.Getenv("GUESTLIST_TEST_FIXTURE") != "write" {
		t.Skip("GUESTLIST_TEST_FIXTURE is not write")
	}
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	for _, name := range []string{"grace", "joan", "barbara", "mary"} {
		ada.Invite(name+"@example.com", "name", "Zoë \\ 'Ω' "+name, "role", "member")
	}
	joan, barbara := s.NewPerson("joan@example.com"), s.NewPerson("barbara@example.com")
	joan.PressContinue(joan.OpenNextLink())
	barbara.PressContinue(barbara.OpenNextLink())
	id := func(email string) string {
		var id string
		if err := s.App.Store.Reader().QueryRowContext(t.Context(), "SELECT id FROM users WHERE email = ?", email).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	harness.WantPage(t, ada.UploadFile("people.csv", "email,name\nnew@example.com,New\n"), 200, "people.csv", "On the list0")
	ada.MakeToken("deploy", "write", "365")
	ada.Do(postWithKey(ada, "the-key", "/api/invite_user", `{"email":"grace@example.com"}`))
	ada.CallAPI("PATCH", "/api/users/"+id(joan.Email), `{"status":"suspended"}`)
	ada.CallAPI("PUT", "/dev/faults.json", `{"rules":[{"route":"/v1/users/*","kind":"down"}]}`)
	ada.CallAPI("DELETE", "/api/users/"+id("mary@example.com"), "") // leaves a job in the outbox
	if err := s.App.Store.Transact(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO webhooks (id, received_at) VALUES ('msg_1', ?)", harness.Noon.UnixMicro())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	f := fixture{Migrations: map[string]string{}, Cookies: map[string]string{}}
	for _, p := range []*harness.Person{ada, barbara} {
		f.Cookies[p.Email], _ = p.SessionCookie()
	}
	s.Close()
	harness.WithDatabase(t, s.Config.DatabaseURL, func(db *sql.DB) { f.read(t, db) })
	if t.Failed() {
		return // an incomplete fixture must not be saved
	}
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	port := s.Config.Addr[strings.LastIndex(s.Config.Addr, ":")+1:]
	placed := strings.NewReplacer("localhost:"+port, "localhost:PORT", "localhost%3A"+port, "localhost%3APORT").Replace(string(text))
	if err := os.WriteFile(fmt.Sprintf("testdata/upgrade/%04d.json", f.Version), []byte(placed+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// read reads all tables of a database, none of which may be empty.
func (f *fixture) read(t *testing.T, db *sql.DB) {
	t.Helper()
	if err := db.QueryRow("SELECT MAX(version_id) FROM goose_db_version").Scan(&f.Version); err != nil {
		t.Fatal(err)
	}
	f.Migrations = migrationsUntil(t, f.Version)
	f.Tables = map[string][]row{}
	names, err := db.Query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'")
	if err != nil {
		t.Fatal(err)
	}
	defer names.Close()
	for names.Next() {
		var name string
		if err := names.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if f.Tables[name] = rowsOf(t, db, name, "*"); len(f.Tables[name]) == 0 {
			t.Errorf("%s is empty; have this test put something there", name)
		}
	}
}

func rowsOf(t *testing.T, db *sql.DB, table, columns string) []row {
	t.Helper()
	rows, err := db.Query("SELECT " + columns + " FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	named, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for rows.Next() {
		values, into := make([]*string, len(named)), []any{}
		for i := range values {
			into = append(into, &values[i])
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		r := row{}
		for i, name := range named {
			r[name] = values[i]
		}
		all = append(all, r)
	}
	return all
}

// migrationsUntil returns the migrations up to a version, with their SHA-256.
func migrationsUntil(t *testing.T, version int64) map[string]string {
	t.Helper()
	files, err := fs.Glob(schema.Files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, name := range files {
		text, err := fs.ReadFile(schema.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		if name[:4] <= fmt.Sprintf("%04d", version) {
			sum := sha256.Sum256(text)
			sums[name] = hex.EncodeToString(sum[:])
		}
	}
	return sums
}
