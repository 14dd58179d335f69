package store

import (
	"database/sql"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestStatusSQL_EqualsMigrate(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		status, script := pendingSQL(t, databaseURL)
		if n := status.Pending(); n != len(status.Migrations) || n == 0 {
			t.Fatalf("%d of %d are pending on an empty database", n, len(status.Migrations))
		}
		runScript(t, databaseURL, script)
		after, script := pendingSQL(t, databaseURL)
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

// The clients of MySQL take a semicolon in a comment for the end of a statement, and send
// what is left of the comment as one.
func TestStatusSQL_HasNoComments(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		status, script := pendingSQL(t, databaseURL)
		if strings.Contains(script, "--") || strings.Contains(script, "#") {
			t.Errorf("there is a comment in it:\n%s", script)
		}
		// The version table and its first row, and two for each migration.
		if n, want := strings.Count(script, ";"), 2+2*len(status.Migrations); n != want || strings.Count(script, ";\n") != want {
			t.Errorf("%d semicolons, want %d at the ends of lines:\n%s", n, want, script)
		}
	})
	steps, err := inspect.AllSteps()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if text := regexp.MustCompile(`'[^'\n]*--[^'\n]*'`).FindString(up(t, step.Name)); text != "" {
			t.Errorf("%s: %s is cut", step.Name, text)
		}
	}
}

func TestStatusSQL_RunsInTheMySQLClient(t *testing.T) {
	t.Parallel()
	client, err := exec.LookPath("mysql")
	if err != nil {
		t.Skip("there is no client of MySQL or MariaDB here")
	}
	dsn := testdb.MySQL(t)
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		t.Fatal(err)
	}
	_, script := pendingSQL(t, dsn)
	cmd := exec.CommandContext(t.Context(), client, "--no-defaults", "--protocol=tcp", "-h", host, "-P", port, "-u", cfg.User, "--password="+cfg.Passwd, "--comments", cfg.DBName)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := fresh(t, dsn)
	if n, err := s.Migrate(t.Context(), quiet); n != 0 || err != nil {
		t.Errorf("%d applied; %v", n, err)
	}
	wantUpToDate(t, s)
}

func TestStatusSQL_OnlyPendingMigrations(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		provider, versions := migrations(t, s)
		if _, err := provider.UpTo(t.Context(), versions[len(versions)-2]); err != nil {
			t.Fatal(err)
		}
		status, script := pendingSQL(t, databaseURL)
		newest := status.Migrations[len(status.Migrations)-1]
		if status.Pending() != 1 || newest.Applied || strings.Count(script, ";") != 2 || strings.Contains(script, "--") {
			t.Errorf("%d are pending: %s", status.Pending(), script)
		}
		runScript(t, databaseURL, script)
		if n, err := s.Migrate(t.Context(), quiet); n != 0 || err != nil {
			t.Errorf("Migrate applied %d, %v", n, err)
		}
	})
}

func TestMigrationStatus_MissingFile(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	path, _ := dbconn.ParsePath(databaseURL)
	pendingSQL(t, databaseURL)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file: %v", err)
	}
}

// pendingSQL returns how far a database is, and the statements that it still needs.
func pendingSQL(t *testing.T, databaseURL string) (inspect.Status, string) {
	t.Helper()
	status, err := inspect.MigrationStatus(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	script, err := status.SQL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status, script
}

// runScript runs a script as an administrator does by the engine's own client.
func runScript(t *testing.T, databaseURL, script string) {
	t.Helper()
	driver, dsn := "mysql", databaseURL
	if path, ok := dbconn.ParsePath(databaseURL); ok {
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
