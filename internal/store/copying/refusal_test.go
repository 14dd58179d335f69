package copying

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestCopy_RefusesATargetWithRows(t *testing.T) {
	t.Parallel()
	all, err := tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	testdb.Each(t, func(t *testing.T, to string) {
		from := testdb.SQLite(t)
		fillTables(t, from, 3)
		withStore(t, to, func(st *store.Store) {}) // only migrated
		for _, table := range all {
			withStore(t, to, func(st *store.Store) {
				b := batch{db: st, table: table, write: insert}
				var r row
				for c, kind := range columnTypes(t, table) {
					r = append(r, value(kind, table.keys-c, 0, c))
				}
				if err := errors.Join(b.add(t.Context(), r), b.flush(t.Context())); err != nil {
					t.Fatal(err)
				}
			})
			before := contents(t, to)
			_, err := Copy(t.Context(), from, to, now, quiet, noProgress)
			if err == nil || !strings.Contains(err.Error(), "--to names a database that is not empty (table "+table.name+")") {
				t.Errorf("with a row in %s: %v", table.name, err)
			}
			if diff := cmp.Diff(before, contents(t, to)); diff != "" {
				t.Errorf("with a row in %s, the target was changed:\n%s", table.name, diff)
			}
			exec(t, to, "DELETE FROM "+table.name)
		}
	})
}

func TestCopy_Refusals(t *testing.T) {
	t.Parallel()
	from, to, incomplete, server := testdb.SQLite(t), testdb.SQLite(t), testdb.SQLite(t), testdb.MySQL(t)
	fillTables(t, from, pageSize)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Copy(ctx, from, incomplete, now, quiet, func(_, _ int64) { cancel() }); err == nil {
		t.Fatal("the copy was not interrupted")
	}
	missing := "sqlite:" + filepath.Join(t.TempDir(), "missing.db")
	other := testdb.SQLite(t)
	fillTables(t, other, 1)
	inUse := testdb.SQLite(t)
	st, err := store.Open(inUse, now)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, err := st.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct{ name, from, to, want string }{
		{"a database to itself", from, from, "--to names the source database"},
		{"a server's database to itself, spelled differently", server, server + "?parseTime=true", "--to names the source database"},
		{"a missing file", missing, to, "there is no file "},
		{"an invalid URL", from, "oracle://example.com/x", "--to must be mysql://"},
		{"an incomplete copy", incomplete, to, "DATABASE_URL: this database is an incomplete copy of " + from},
		{"to an incomplete copy of another database", other, incomplete, "--to names an incomplete copy of " + from + ", not of the source"},
		{"a database in use", inUse, to, "DATABASE_URL: the SQLite file is in use: stop"},
		{"to a database in use", from, inUse, "--to: the SQLite file is in use: stop"},
	} {
		if _, err := Copy(t.Context(), r.from, r.to, now, quiet, noProgress); err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: got %v, want %q", r.name, err, r.want)
		}
	}
	if err := store.Exists(missing); err == nil {
		t.Error("Copy created the missing file")
	}
}

// The test fails if a new table, or a column of a new type, isn't copied.
func TestTables_AreAllOfTheMigrations(t *testing.T) {
	t.Parallel()
	all, err := tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	copied := map[string]int{}
	for _, table := range all {
		copied[table.name] = len(table.columns)
	}
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		query := "SELECT table_name, COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name NOT LIKE 'goose%' GROUP BY table_name"
		if strings.HasPrefix(databaseURL, "sqlite:") {
			query = "SELECT t.name, COUNT(*) FROM sqlite_schema t, pragma_table_info(t.name) WHERE t.type = 'table' AND t.name NOT LIKE 'goose%' AND t.name NOT LIKE 'sqlite%' GROUP BY t.name"
		}
		existing := map[string]int{}
		withStore(t, databaseURL, func(st *store.Store) {
			rows, err := st.Reader().QueryContext(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var name string
				var columns int
				if err := rows.Scan(&name, &columns); err != nil {
					t.Fatal(err)
				}
				existing[name] = columns
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
		})
		if diff := cmp.Diff(existing, copied); diff != "" {
			t.Errorf("numbers of columns by table: -existing +copied\n%s", diff)
		}
	})
	for kind, place := range map[string]int{"DATETIME(6)": 0, "REAL": 0, "BIGINT": 1} {
		if checkColumnType(kind, place) == nil {
			t.Errorf("checkColumnType accepts %s at position %d of the key", kind, place)
		}
	}
}
