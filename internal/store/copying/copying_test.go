package copying

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	quiet = slog.New(slog.DiscardHandler)
)

func now() time.Time                { return noon }
func noProgress(_, _ int64)         {}
func newSQLite(t *testing.T) string { return testdb.SQLite(t) }

// ways are all combinations of engines.
var ways = []struct {
	name     string
	from, to func(testing.TB) string
}{
	{"sqlite to mysql", testdb.SQLite, testdb.MySQL},
	{"mysql to sqlite", testdb.MySQL, testdb.SQLite},
	{"sqlite to sqlite", testdb.SQLite, testdb.SQLite},
	{"mysql to mysql", testdb.MySQL, testdb.MySQL},
}

// eachPair runs fn on two empty databases for each way.
func eachPair(t *testing.T, fn func(t *testing.T, from, to string)) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			fn(t, way.from(t), way.to(t))
		})
	}
}

// withStore runs fn on an open and migrated database.
func withStore(t *testing.T, databaseURL string, fn func(st *store.Store)) {
	t.Helper()
	st, err := store.Open(databaseURL, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	fn(st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

// exec executes statements in one transaction.
func exec(t *testing.T, databaseURL string, statements ...string) {
	t.Helper()
	withStore(t, databaseURL, func(st *store.Store) {
		if err := st.Transact(t.Context(), func(tx *sql.Tx) error {
			for _, statement := range statements {
				if _, err := tx.Exec(statement); err != nil {
					return fmt.Errorf("%s: %w", statement, err)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// texts are values that a copy might change.
var texts = []string{
	"", " ", "trailing ", " leading", "Ada", "ada", "ADA", "É", "E\u0301", "Zoë 王小明 عمر 🦊👩‍👩‍👧", `it's "quoted" \ and \' %s ? -- /* */;`,
	"line\nbreak\r\n\ttab", "null\x00inside", "\x00", "\u2028", "NULL", "007", "1e3", "9223372036854775807", "0x41", strings.Repeat("ü", 64),
}

// numbers are limits and typical values of BIGINT columns.
var numbers = []int64{0, 1, -1, 1772366400123456, 1<<63 - 1, -1 << 63}

// fillTables inserts n rows into every table. Columns without a uniqueness or length
// restriction get all texts and numbers, nullable ones also NULL.
func fillTables(t *testing.T, databaseURL string, n int) {
	t.Helper()
	all, err := tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	withStore(t, databaseURL, func(st *store.Store) {
		for _, table := range all {
			kinds := columnTypes(t, table)
			b := batch{db: st, table: table, write: insert}
			for i := range n {
				var r row
				for c, kind := range kinds {
					r = append(r, value(kind, table.keys-c, i, c))
				}
				if err := b.add(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// value returns the value of column c in row i. key is the column's position in the
// primary key, counted from its end: 1 for the last column, 0 or less outside the key. The
// last key column, numbers, and all VARCHARs outside the key differ in each row, because
// they may have to be unique. Other key columns have the same value in many rows.
func value(kind string, key, i, c int) sql.NullString {
	text := texts[(i+c)%len(texts)]
	switch {
	case kind == "BIGINT" && i >= len(numbers): // it may have to be unique
		return sql.NullString{String: fmt.Sprint(1000*i + c), Valid: true}
	case kind == "BIGINT":
		return sql.NullString{String: fmt.Sprint(numbers[(i+c)%len(numbers)]), Valid: true}
	case kind == "VARCHAR(128) NULL" && i%2 == 0:
		return sql.NullString{}
	case key > 1:
		text = fmt.Sprint("word", i%2)
	case key == 1:
		text = fmt.Sprintf("%x-%d", i*7919%1000, i) // not in order of i
	case kind == "VARCHAR(16)":
		text = fmt.Sprint(i)
	case kind == "TEXT" && i%100 == 1:
		text = strings.Repeat(text+"x", 65535/(len(text)+1)) // the maximum length of MySQL's TEXT
	case kind != "TEXT":
		text = fmt.Sprintf("%.8s%d", text, i)
	}
	return sql.NullString{String: strings.ToValidUTF8(text, ""), Valid: true}
}

// columnTypes returns the types of a table's columns in order.
func columnTypes(t *testing.T, table table) []string {
	t.Helper()
	var kinds []string
	withStore(t, newSQLite(t), func(st *store.Store) {
		for _, column := range table.columns {
			var kind string
			var required bool
			row := st.Reader().QueryRowContext(t.Context(), `SELECT type, "notnull" FROM pragma_table_info(?) WHERE name = ?`, table.name, column)
			if err := row.Scan(&kind, &required); err != nil {
				t.Fatal(err)
			}
			if !required {
				kind += " NULL"
			}
			kinds = append(kinds, kind)
		}
	})
	return kinds
}

// contents returns the rows of all tables as text, sorted.
func contents(t *testing.T, databaseURL string) map[string][]string {
	t.Helper()
	all, err := tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	withStore(t, databaseURL, func(st *store.Store) {
		for _, table := range all {
			rows, err := st.Reader().QueryContext(t.Context(), "SELECT "+strings.Join(table.columns, ", ")+" FROM "+table.name)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				values := make([]sql.NullString, len(table.columns))
				into := []any{}
				for i := range values {
					into = append(into, &values[i])
				}
				if err := rows.Scan(into...); err != nil {
					t.Fatal(err)
				}
				found[table.name] = append(found[table.name], fmt.Sprintf("%+q", fmt.Sprint(values)))
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			slices.Sort(found[table.name])
		}
	})
	return found
}

func wantEqual(t *testing.T, from, to string) {
	t.Helper()
	if diff := cmp.Diff(contents(t, from), contents(t, to)); diff != "" {
		t.Errorf("-source +copy\n%.2000s", diff)
	}
}

func TestCopy_BetweenEngines(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, from, to string) {
		fillTables(t, from, 2*pageSize+1)
		var last [2]int64
		compared, err := Copy(t.Context(), from, to, now, quiet, func(done, total int64) {
			if done < last[0] || done > total {
				t.Errorf("%d of %d after %d", done, total, last[0])
			}
			last = [2]int64{done, total}
		})
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, from, to)
		var rows int64
		for _, table := range compared {
			if table.Rows < 2*pageSize+1 || len(table.Checksum) != 64 {
				t.Errorf("%+v", table)
			}
			rows += table.Rows
		}
		if last != [2]int64{2 * rows, 2 * rows} {
			t.Errorf("the last step was %d of %d, with %d rows", last[0], last[1], rows)
		}
		withStore(t, to, func(st *store.Store) {
			if err := st.CheckComplete(t.Context()); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestCopy_ResumesAfterInterruption(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, from, to string) {
		fillTables(t, from, pageSize+10)
		for _, percent := range []int64{1, 20, 45, 70, 99} { // later ones continue further copies
			ctx, cancel := context.WithCancel(t.Context())
			_, err := Copy(ctx, from, to, now, quiet, func(done, total int64) {
				if done*100 >= total*percent {
					cancel()
				}
			})
			cancel()
			if err == nil {
				t.Fatalf("interrupted at %d%%, Copy succeeded", percent)
			}
			withStore(t, to, func(st *store.Store) {
				name, _ := store.Name(from)
				if err := st.CheckComplete(t.Context()); err == nil || !strings.Contains(err.Error(), "incomplete copy of "+name) {
					t.Errorf("interrupted at %d%%: %v", percent, err)
				}
			})
		}
		if _, err := Copy(t.Context(), from, to, now, quiet, noProgress); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, from, to)
	})
}

// A unique key may have moved to another row, which can't be inserted before the old row
// is deleted.
func TestCopy_ResumedAfterTheSourceChanged(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, from, to string) {
		fillTables(t, from, pageSize+10)
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := Copy(ctx, from, to, now, quiet, func(done, total int64) {
			if done*10 >= total*9 { // everything is copied and some of it compared
				cancel()
			}
		}); err == nil {
			t.Fatal("the copy was not interrupted")
		}
		exec(t, from,
			"UPDATE users SET email_key = 'moving' WHERE id = (SELECT id FROM (SELECT MIN(id) AS id FROM users) AS first)",
			"DELETE FROM users WHERE id = (SELECT id FROM (SELECT MAX(id) AS id FROM users) AS last)",
			"UPDATE events SET reason = 'changed' WHERE id > '5'",
			"DELETE FROM user_words WHERE word = 'word0' AND user_id > '5'",
			"INSERT INTO webhooks (id, received_at) VALUES ('!first', 1), ('~last', 2)",
		)
		if _, err := Copy(t.Context(), from, to, now, quiet, noProgress); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, from, to)
	})
}

func TestCopy_DetectsAChangingSource(t *testing.T) {
	t.Parallel()
	for _, to := range []func(testing.TB) string{testdb.SQLite, testdb.MySQL} {
		from, to := testdb.MySQL(t), to(t)
		fillTables(t, from, pageSize)
		changed := false
		_, err := Copy(t.Context(), from, to, now, quiet, func(done, total int64) {
			if !changed && done*2 > total {
				changed = true
				exec(t, from, "UPDATE webhooks SET received_at = 77 WHERE id > '5'")
			}
		})
		if !errors.Is(err, ErrDiffer) || !strings.Contains(err.Error(), "table webhooks") {
			t.Errorf("got %v", err)
		}
		withStore(t, to, func(st *store.Store) {
			if st.CheckComplete(t.Context()) == nil {
				t.Error("the copy counts as complete")
			}
		})
		if _, err := Copy(t.Context(), from, to, now, quiet, noProgress); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, from, to)
	}
}
