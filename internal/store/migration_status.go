package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/guestlist/guestlist/schema"
)

// Migration is a step on the way to the tables of this release.
type Migration struct {
	Version   int64
	Name      string    // of its file
	Applied   bool      //
	AppliedAt time.Time // UTC, by the database's clock; zero if not applied
}

// Status is how far a database is.
type Status struct {
	Migrations []Migration // all there are, oldest first
	Unknown    []int64     // versions that the database has and this release doesn't know, oldest first
	latest     int64       // version that the database has
	NotesLost  bool        // goose's table is there, and empty: [Store.Migrate] refuses that with [ErrNoNotes]
	noted      bool        // goose's table is there, and not empty
	notes      database.Store
}

// LookAtMigrations returns how far a database given as for [Open] is. It changes
// nothing, also where nothing is there yet: an SQLite file that is missing is not made.
func LookAtMigrations(ctx context.Context, databaseURL string) (Status, error) {
	db, dialect, err := openToLook(databaseURL)
	if err != nil {
		return Status{}, err
	}
	defer db.Close()
	s := Status{}
	if s.notes, err = database.NewStore(dialect, goose.DefaultTablename); err != nil {
		return Status{}, err
	}
	if s.Migrations, err = allMigrations(); err != nil {
		return Status{}, err
	}
	done, err := s.notes.ListMigrations(ctx, db)
	if isNoTable(err) {
		return s, nil
	}
	if err != nil {
		return Status{}, translate("look at migrations", err)
	}
	s.noted = len(done) > 0
	s.NotesLost = !s.noted
	for _, note := range slices.Backward(done) {
		known := slices.ContainsFunc(s.Migrations, func(m Migration) bool { return m.Version == note.Version })
		if !known && note.Version > 0 && note.IsApplied { // goose's own note is 0
			s.Unknown = append(s.Unknown, note.Version)
		}
		s.latest = max(s.latest, note.Version)
	}
	for i, m := range s.Migrations {
		note, err := s.notes.GetMigration(ctx, db, m.Version)
		if errors.Is(err, database.ErrVersionNotFound) {
			continue
		}
		if err != nil {
			return Status{}, translate("look at migrations", err)
		}
		s.Migrations[i].Applied, s.Migrations[i].AppliedAt = true, note.Timestamp.UTC()
	}
	return s, nil
}

// openToLook opens a database to read from it. A missing SQLite file is an empty one.
func openToLook(databaseURL string) (*sql.DB, database.Dialect, error) {
	path, ok := parsePath(databaseURL)
	if !ok {
		cfg, err := parseMySQL(databaseURL)
		if err != nil {
			return nil, "", err
		}
		db, err := openMySQL(cfg)
		return db, goose.DialectMySQL, err
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=ro&_pragma=busy_timeout(1000)"
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		file = ":memory:"
	}
	db, err := sql.Open("sqlite", file)
	return db, goose.DialectSQLite3, err
}

func allMigrations() ([]Migration, error) {
	names, err := fs.Glob(schema.Files, "*.sql")
	if err != nil {
		return nil, err
	}
	all := make([]Migration, len(names))
	for i, name := range names { // sorted, which is by number
		all[i].Name = name
		if all[i].Version, err = goose.NumericComponent(name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Pending is how many migrations the database lacks.
func (s Status) Pending() int {
	n := 0
	for _, m := range s.Migrations {
		if !m.Applied {
			n++
		}
	}
	return n
}

// Skipped returns the names of those that the database lacks though it has later ones:
// Migrate refuses to apply these.
func (s Status) Skipped() []string {
	var names []string
	for _, m := range s.Migrations {
		if !m.Applied && m.Version < s.latest {
			names = append(names, m.Name)
		}
	}
	return names
}

// SQL returns the statements that bring the database up to date, in its dialect,
// together with goose's notes of them; empty if nothing is pending. Whoever runs them has
// done what Migrate does.
func (s Status) SQL(ctx context.Context) (string, error) {
	if s.Pending() == 0 {
		return "", nil
	}
	var script strings.Builder
	if !s.noted {
		script.WriteString("-- What has been applied.\n")
		if err := s.notes.CreateVersionTable(ctx, writtenDown{&script}); err != nil {
			return "", err
		}
		if err := s.notes.Insert(ctx, writtenDown{&script}, database.InsertRequest{Version: 0}); err != nil {
			return "", err
		}
	}
	for _, m := range s.Migrations {
		if m.Applied {
			continue
		}
		up, _, err := schema.Statements(m.Name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&script, "\n-- %s\n%s\n", m.Name, strings.TrimSpace(up))
		if err := s.notes.Insert(ctx, writtenDown{&script}, database.InsertRequest{Version: m.Version}); err != nil {
			return "", err
		}
	}
	return script.String(), nil
}

// writtenDown is a database to which statements are not sent but written down. It
// answers no queries.
type writtenDown struct{ script *strings.Builder }

func (w writtenDown) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	for _, arg := range args { // goose's are a number and a truth
		if arg == true {
			arg = 1
		}
		query = strings.Replace(query, "?", fmt.Sprint(arg), 1)
	}
	_, err := w.script.WriteString(query + ";\n")
	return nil, err
}

func (writtenDown) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errors.ErrUnsupported
}

func (writtenDown) QueryRowContext(context.Context, string, ...any) *sql.Row { return nil }

func isNoTable(err error) bool {
	return mysqlNumber(err) == 1146 || sqliteCode(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no such table")
}
