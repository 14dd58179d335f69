package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// anotherProgram creates a table of another program with the name of one of ours.
var anotherProgram = []string{
	"CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255), email VARCHAR(255) NOT NULL)",
	"INSERT INTO users VALUES (1, 'Grace', 'grace@example.com'), (2, 'Alan', 'alan@example.com')",
}

func TestCommands_RefuseAnotherProgramsDatabase(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		harness.WithDatabase(t, databaseURL, func(db *sql.DB) {
			for _, statement := range anotherProgram {
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
		})
		file := filepath.Join(t.TempDir(), "new")
		commands := [][]string{
			{}, {"serve"}, {"migrate"}, {"migrate", "up"}, {"migrate", "status"}, {"migrate", "sql"}, {"users", "list"}, {"users", "export"},
			{"users", "invite", "ada@example.com"}, {"users", "edit", "grace@example.com", "--name", "Grace"}, {"users", "remove", "grace@example.com", "--yes"},
			{"tokens", "list"}, {"sessions", "end", "grace@example.com"}, {"keys", "rotate"}, {"why", "ada@example.com"}, {"reconcile"}, {"doctor"},
			{"copy", "--to", testdb.SQLite(t)}, {"copy", "--to", databaseURL, "--database-url", harness.EmptySQLite(t, "")},
		}
		if strings.HasPrefix(databaseURL, "sqlite:") {
			commands = append(commands, []string{"backup", file})
		}
		for _, words := range commands {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			var out, stderr bytes.Buffer
			err := harness.RunCommand(ctx, append(words, "--guestlist-addr=127.0.0.1:0"), []string{"DATABASE_URL=" + databaseURL}, nil, &out, &stderr)
			cancel()
			if err == nil {
				t.Errorf("guestlist %v: no error", words)
				continue
			}
			if result := out.String() + stderr.String() + err.Error(); !strings.Contains(strings.ToLower(result), "belongs to another program: its table users lacks") ||
				!strings.Contains(result, "Nothing in it was changed.") || strings.Contains(strings.ToLower(result), "drop") {
				t.Errorf("guestlist %v says:\n%s", words, result)
			}
		}
		harness.WithDatabase(t, databaseURL, func(db *sql.DB) {
			var people int
			if err := db.QueryRow("SELECT COUNT(*) FROM users WHERE email IN ('grace@example.com', 'alan@example.com')").Scan(&people); people != 2 || err != nil {
				t.Errorf("%d people are left; %v", people, err)
			}
			query := "SHOW FULL TABLES"
			if strings.HasPrefix(databaseURL, "sqlite:") {
				query = "SELECT name FROM sqlite_schema"
			}
			if rows := rowsOfQuery(t, db, query); len(rows) != 1 {
				t.Errorf("the tables are %v", rows)
			}
		})
	})
}

func TestCommands_RefuseTheDatabaseOfANewerRelease(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		migrated := func(words ...string) (result string, err error) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var out, stderr bytes.Buffer
			err = harness.RunCommand(ctx, append(words, "--guestlist-addr=127.0.0.1:0"), []string{"DATABASE_URL=" + databaseURL}, nil, &out, &stderr)
			if err != nil {
				stderr.WriteString(err.Error())
			}
			return out.String() + stderr.String(), err
		}
		if result, err := migrated("migrate"); err != nil {
			t.Fatal(result)
		}
		harness.WithDatabase(t, databaseURL, func(db *sql.DB) {
			if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9001, 1)"); err != nil {
				t.Fatal(err)
			}
		})
		for _, words := range [][]string{
			{}, {"serve"}, {"migrate"}, {"migrate", "status"}, {"migrate", "status", "--json"}, {"migrate", "sql"}, {"users", "list"},
			{"users", "invite", "ada@example.com"}, {"keys", "rotate"}, {"why", "ada@example.com"}, {"doctor"}, {"copy", "--to", testdb.SQLite(t)},
		} {
			result, err := migrated(words...)
			if err == nil || !strings.Contains(result, "database was migrated by a newer release of Guestlist, which added the migration 9001") ||
				!strings.Contains(result, "Nothing in it was changed. Run that release or a later one, or restore the backup from before the upgrade.") {
				t.Errorf("guestlist %v: %v\n%s", words, err, result)
			}
		}
		harness.WithDatabase(t, databaseURL, func(db *sql.DB) {
			var rows int
			if err := db.QueryRow("SELECT (SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM events) + (SELECT COUNT(*) FROM stytch_project)").Scan(&rows); rows != 0 || err != nil {
				t.Errorf("%d rows were written; %v", rows, err)
			}
		})
	})
}

// rowsOfQuery returns the first column of a query's rows.
func rowsOfQuery(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		var first string
		into := []any{&first}
		for range columns[1:] {
			into = append(into, new(any))
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, first)
	}
	return all
}
