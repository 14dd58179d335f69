package main

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
)

// fixture is the database of a release, and what is known of it outside.
type fixture struct {
	Version    int64             `json:"version"`    // of the newest migration
	Migrations map[string]string `json:"migrations"` // all until then, with their SHA-256
	Cookies    map[string]string `json:"cookies"`    // of people who are signed in
	Tables     map[string][]row  `json:"tables"`
}

// row has its values as text, which both engines take for a number where one is
// due; nil is NULL.
type row map[string]*string

// TestWriteTheFixtureOfARelease is no test but how testdata/upgrade is added to; see
// docs/releasing.md.
func TestWriteTheFixtureOfARelease(t *testing.T) {
	if os.Getenv("GUESTLIST_TEST_FIXTURE") != "write" {
		t.Skip("GUESTLIST_TEST_FIXTURE is not write")
	}
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	for _, name := range []string{"grace", "joan", "barbara", "mary"} {
		ada.invites(name+"@example.com", "name", "Zoë \\ 'Ω' "+name, "role", "member")
	}
	joan, barbara := s.person("joan@example.com"), s.person("barbara@example.com")
	joan.continues(joan.opensMail())
	barbara.continues(barbara.opensMail())
	id := func(email string) string {
		var id string
		if err := s.app.Store.Reader().QueryRowContext(t.Context(), "SELECT id FROM users WHERE email = ?", email).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	wants(t, ada.sendsFile("people.csv", "email,name\nnew@example.com,New\n"), 200, "people.csv", "On the list0")
	ada.makesToken("deploy", "write", "365")
	ada.follow(ada.posting("the-key", "/api/invite_user", `{"email":"grace@example.com"}`))
	ada.calls("PATCH", "/api/users/"+id(joan.email), `{"status":"suspended"}`)
	ada.calls("PUT", "/dev/faults.json", `{"rules":[{"route":"/v1/users/*","kind":"down"}]}`)
	ada.calls("DELETE", "/api/users/"+id("mary@example.com"), "") // Stytch is still to hear of it
	if err := s.app.Store.Transact(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO webhooks (id, received_at) VALUES ('msg_1', ?)", noon.UnixMicro())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	f := fixture{Migrations: map[string]string{}, Cookies: map[string]string{}}
	for _, p := range []*person{ada, barbara} {
		f.Cookies[p.email], _ = p.cookie()
	}
	s.close()
	onRaw(t, s.cfg.DatabaseURL, func(db *sql.DB) { f.read(t, db) })
	if t.Failed() {
		return // a fixture that lacks something is none
	}
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	port := s.cfg.Addr[strings.LastIndex(s.cfg.Addr, ":")+1:]
	placed := strings.NewReplacer("localhost:"+port, "localhost:PORT", "localhost%3A"+port, "localhost%3APORT").Replace(string(text))
	if err := os.WriteFile(fmt.Sprintf("testdata/upgrade/%04d.json", f.Version), []byte(placed+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// read takes everything from a database. Every table must hold something.
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

// migrationsUntil are the files of migrations up to a version, with their SHA-256.
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
