package stytchlocal_test

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestNew_InstancesShareOneProject(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		clock := newClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		db, err := store.Open(databaseURL, clock.now)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Migrate(t.Context(), discard); err != nil {
			t.Fatal(err)
		}
		f := &fixture{t: t, clock: clock, store: db}
		found := make([]stytchlocal.Credentials, 4)
		var all sync.WaitGroup
		for i := range found {
			all.Go(func() { found[i] = f.newServer().Credentials() })
		}
		all.Wait()
		for _, c := range found {
			if c != found[0] || !strings.HasPrefix(c.ProjectID, "project-test-") || !strings.HasPrefix(c.Secret, "secret-test-") || !strings.HasPrefix(c.PublicToken, "public-token-test-") {
				t.Errorf("credentials are %+v and %+v", found[0], c)
			}
		}
	})
}

func TestNew_DamagedProject(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	for _, value := range []string{"", "{}", `{"SigningKey":"AAAA"}`} {
		err := f.store.Transact(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE stytch_project SET value = ?", value)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = stytchlocal.New(t.Context(), stytchlocal.Options{
			Read: f.store.Reader(), InTx: f.store.Transact, IsDuplicate: store.IsDuplicate, Now: f.clock.now, Log: discard,
		})
		if err == nil || !strings.HasPrefix(err.Error(), "local stytch: ") {
			t.Errorf("%q: opened with %v", value, err)
		}
	}
}

func TestPurge(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		in := f.signIn("ada@example.com")
		f.ok("POST", "/v1/magic_links/email/send", object{"email": "trial@example.com", "user_id": in["user_id"]})
		f.ok("POST", "/v1/magic_links/email/invite", object{"email": "bob@example.com"})
		tables := []string{"stytch_sessions", "stytch_limits", "stytch_links"}
		for _, table := range tables {
			if f.count(table) == 0 {
				t.Fatalf("nothing in %s to sweep", table)
			}
		}
		f.clock.advance(2 * time.Hour)
		f.ok("GET", "/v1/debug/whoami", nil)
		want := map[string]int{"stytch_sessions": 0, "stytch_limits": 0, "stytch_links": 3, "stytch_emails": 2, "stytch_users": 2}
		for table, n := range want {
			if got := f.count(table); got != n {
				t.Errorf("%d rows in %s, want %d", got, table, n)
			}
		}
		f.clock.advance(40 * 24 * time.Hour)
		f.ok("GET", "/v1/debug/whoami", nil)
		if got := f.count("stytch_links"); got != 0 {
			t.Errorf("%d links are left after forty days", got)
		}
	})
}

// After a large import, many links expire at about the same time.
func TestPurge_Batches(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		links := make([][]any, 450)
		for i := range links {
			links[i] = []any{fmt.Sprintf("%064d", i), "email-test-1", "user-test-1", "invite", "{}", 0, 1, 0}
		}
		if err := f.store.Transact(t.Context(), func(tx *sql.Tx) error {
			return store.InsertRows(t.Context(), tx, "stytch_links", "token_hash, method_id, user_id, kind, details, created_at, expires_at, used_at", links)
		}); err != nil {
			t.Fatal(err)
		}
		f.clock.advance(2 * time.Hour)
		for _, want := range []int{250, 50, 0, 0} {
			f.ok("GET", "/v1/debug/whoami", nil)
			if got := f.count("stytch_links"); got != want {
				t.Errorf("%d links are left, want %d", got, want)
			}
		}
	})
}
