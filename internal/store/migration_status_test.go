package store

import (
	"database/sql"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestTheStatementsThatAreLackingDoWhatMigrateDoes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		status, script := lacking(t, databaseURL)
		if n := status.Pending(); n != len(status.Migrations) || n == 0 {
			t.Fatalf("%d of %d are pending on an empty database", n, len(status.Migrations))
		}
		byHand(t, databaseURL, script)
		after, script := lacking(t, databaseURL)
		if after.Pending() != 0 || script != "" {
			t.Errorf("%d are pending afterwards: %s", after.Pending(), script)
		}
		if at := after.Migrations[0].AppliedAt; time.Since(at).Abs() > 24*time.Hour {
			t.Errorf("the first was applied at %s", at)
		}
		s := fresh(t, databaseURL)
		if n, err := s.Migrate(t.Context(), quiet); n != 0 || err != nil {
			t.Errorf("Migrate applied %d, %v", n, err)
		}
	})
}

func TestOnlyWhatIsLackingIsAskedFor(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		provider, versions := migrations(t, s)
		if _, err := provider.UpTo(t.Context(), versions[len(versions)-2]); err != nil {
			t.Fatal(err)
		}
		status, script := lacking(t, databaseURL)
		newest := status.Migrations[len(status.Migrations)-1]
		if status.Pending() != 1 || newest.Applied || strings.Count(script, ";") != 2 || strings.Contains(script, "--") {
			t.Errorf("%d are pending: %s", status.Pending(), script)
		}
		byHand(t, databaseURL, script)
		if n, err := s.Migrate(t.Context(), quiet); n != 0 || err != nil {
			t.Errorf("Migrate applied %d, %v", n, err)
		}
	})
}

func TestToLookAtAFileThatIsMissingDoesNotMakeIt(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	path, _ := parsePath(databaseURL)
	lacking(t, databaseURL)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file: %v", err)
	}
}

// lacking returns how far a database is, and the statements that it still needs.
func lacking(t *testing.T, databaseURL string) (Status, string) {
	t.Helper()
	status, err := LookAtMigrations(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	script, err := status.SQL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status, script
}

// byHand runs a script as an administrator does by the engine's own client.
func byHand(t *testing.T, databaseURL, script string) {
	t.Helper()
	driver, dsn := "mysql", databaseURL
	if path, ok := parsePath(databaseURL); ok {
		driver, dsn = "sqlite", path
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for statement := range strings.SplitAfterSeq(script, ";\n") { // as those clients do
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
}
