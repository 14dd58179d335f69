package store

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

// dsnOfUser returns the URL for a new user of the server who has the given rights
// on the database.
func dsnOfUser(t *testing.T, databaseURL, rights string) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	db := fresh(t, databaseURL).write
	run := func(statement string) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("the tests' own user must be allowed to make users: %v", err)
		}
	}
	user, password := "t_"+strings.ToLower(rand.Text()[:20]), rand.Text()
	run("CREATE USER " + user + " IDENTIFIED BY '" + password + "'")
	t.Cleanup(func() { run("DROP USER " + user) })
	run("GRANT " + rights + " ON " + cfg.DBName + ".* TO " + user)
	cfg.User, cfg.Passwd = user, password
	return cfg.FormatDSN()
}

func TestMigrate_NothingPendingNeedsNoPrivileges(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.MySQL(t)
	owner := fresh(t, databaseURL)
	p, versions := migrations(t, owner)
	if _, err := p.UpTo(t.Context(), versions[len(versions)-2]); err != nil {
		t.Fatal(err)
	}
	user := fresh(t, dsnOfUser(t, databaseURL, "SELECT, INSERT, UPDATE, DELETE"))
	if n, err := user.Migrate(t.Context(), quiet); n != 0 || err == nil || errors.Is(err, ErrDDLRefused) {
		t.Errorf("with something to apply: %d applied; %v", n, err)
	}
	if _, err := owner.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if n, err := user.Migrate(t.Context(), quiet); n != 0 || err != nil {
		t.Errorf("with nothing to apply: %d applied; %v", n, err)
	}
	if err := user.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.MySQL(t)
	with := func(edit func(*mysql.Config)) string {
		cfg, err := mysql.ParseDSN(databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		edit(cfg)
		return cfg.FormatDSN()
	}
	for _, r := range []struct{ name, url, want string }{
		{"returns when the server answers", databaseURL, ""},
		{"does not wait for a right password", with(func(c *mysql.Config) { c.User, c.Passwd = "mallory", "hunter2" }), "the server rejected the user or the password"},
		{"does not wait for a database that there is not", with(func(c *mysql.Config) { c.DBName += "_not" }), "the server has no database of this name"},
		{"waits for a server until it may no longer", with(func(c *mysql.Config) { c.Addr = "127.0.0.1:1" }), "nothing is listening at 127.0.0.1:1"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			timeout := time.Minute
			if strings.HasPrefix(r.want, "nothing is listening") {
				timeout = 1500 * time.Millisecond // less than the pause before the second try
			}
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			err := fresh(t, r.url).Wait(ctx, quiet)
			if r.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, directory.ErrUnavailable) || !strings.Contains(err.Error(), r.want) || ctx.Err() != nil && timeout == time.Minute {
				t.Errorf("got %v, want %s", err, r.want)
			}
			if strings.Contains(err.Error(), "mallory") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v tells who asked", err)
			}
		})
	}
}

func TestMigrate_InADatabaseWithAnotherCharset(t *testing.T) {
	t.Parallel()
	for _, params := range []string{"?charset=utf8", "?charset=latin1&parseTime=false&loc=Local&clientFoundRows=false", "?collation=utf8mb4_general_ci"} {
		t.Run(params, func(t *testing.T) {
			t.Parallel()
			s := fresh(t, testdb.MySQL(t)+params)
			if _, err := s.Migrate(t.Context(), quiet); err != nil {
				t.Fatal(err)
			}
			want := directory.User{ID: "1", Name: "王小明 🚀 Zoë", Role: directory.Member, Status: directory.Active, CreatedAt: storetest.Now()}
			if err := s.CreateUser(t.Context(), directory.NewUser{User: want, Event: event.New(event.UserAdded, want.CreatedAt, want.ID, want.Email.Normalized, "")}); err != nil {
				t.Fatal(err)
			}
			if got, err := s.GetUser(t.Context(), "1"); got != want || err != nil {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
