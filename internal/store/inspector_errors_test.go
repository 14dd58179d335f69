package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestInspector_ServerErrors(t *testing.T) {
	t.Parallel()
	dsn := testdb.MySQL(t)
	s := fresh(t, dsn)
	if _, err := s.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	reader := cfg.Clone()
	reader.User, reader.Passwd = "t_"+strings.ToLower(rand.Text()[:20]), "hush"
	for _, statement := range []string{
		"CREATE USER " + reader.User + " IDENTIFIED BY 'hush'", "GRANT SELECT ON " + cfg.DBName + ".* TO " + reader.User,
	} {
		if _, err := s.write.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		db, err := sql.Open("mysql", dsn)
		if err == nil {
			_, err = db.Exec("DROP USER " + reader.User)
			db.Close()
		}
		if err != nil {
			t.Error(err)
		}
	})
	server := func(ctx context.Context, l *inspect.Inspector) error {
		_, err := l.Server(ctx)
		return err
	}
	for _, row := range []struct {
		name string
		edit func(*mysql.Config)
		look func(context.Context, *inspect.Inspector) error
		want string
	}{
		{"a wrong password", func(c *mysql.Config) { c.Passwd = "hush hush" }, server, "the server rejected the user or the password"},
		{"another's database", func(c *mysql.Config) { c.DBName = "mysql" }, server, "the user may not use this database"},
		{"no TLS where it is asked for", func(c *mysql.Config) { c.TLSConfig = "skip-verify" }, server, "the server doesn't support TLS"},
		{"a user who may only read", func(*mysql.Config) {}, func(ctx context.Context, l *inspect.Inspector) error { return l.CanWrite(ctx) }, "the database user may not change rows"},
	} {
		t.Run(row.name, func(t *testing.T) {
			own := reader.Clone()
			row.edit(own)
			err := row.look(t.Context(), newInspector(t, own.FormatDSN()))
			if err == nil || err.Error() != row.want {
				t.Fatalf("got %v, want %s", err, row.want)
			}
			if advised, ok := err.(interface{ Advice() string }); !ok || advised.Advice() == "" {
				t.Error("it does not say what to do")
			}
		})
	}
}
