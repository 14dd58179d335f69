package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pressly/goose/v3/database"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
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
	state      state
	sqlite     bool
}

// MigrationStatus returns how far a database given as for [Open] is. It changes
// nothing, also where nothing is there yet: an SQLite file that is missing is not made.
// The error has words for an operator where the database belongs to another program.
func MigrationStatus(ctx context.Context, databaseURL string) (Status, error) {
	var s Status
	if path, ok := parsePath(databaseURL); ok {
		if err := checkPath(path); err != nil {
			return Status{}, fault.Setting("DATABASE_URL", err)
		}
		err := readFile(ctx, path, func(ctx context.Context, db *sql.DB) (err error) {
			s, err = readStatus(ctx, catalog{db, true})
			return err
		})
		return s, lookError(fileError(ctx, path, corruptionError("ok", err)))
	}
	cfg, err := parseMySQL(databaseURL)
	if err != nil {
		return Status{}, fault.Setting("DATABASE_URL", err)
	}
	db, err := openMySQL(cfg)
	if err != nil {
		return Status{}, err
	}
	defer db.Close()
	s, err = readStatus(ctx, catalog{db, false})
	return s, lookError(err)
}

// Refused returns an error if a database given as for [Open] is not to be copied, whichever
// way: it belongs to another program, has lost tables, or has what only a newer release
// knows. That it can't be looked at is no error here: opening it says the same.
func Refused(ctx context.Context, databaseURL string) error {
	s, err := MigrationStatus(ctx, databaseURL)
	switch {
	case errors.As(err, new(refusal)):
		return err
	case err == nil:
		return s.Newer()
	}
	return nil
}

// readStatus inspects a database, and reads when each migration was applied.
func readStatus(ctx context.Context, c catalog) (Status, error) {
	st, err := inspect(ctx, c)
	if err != nil {
		return Status{}, err
	}
	versions, err := newVersions(c.sqlite)
	if err != nil {
		return Status{}, err
	}
	s := Status{Unknown: st.unknown, state: st, sqlite: c.sqlite}
	for _, step := range st.steps {
		m := Migration{Version: step.version, Name: step.name, Applied: st.noted[step.version]}
		if m.Applied {
			note, err := versions.GetMigration(ctx, c.db, step.version)
			if err != nil {
				return Status{}, err
			}
			m.AppliedAt = note.Timestamp.UTC()
		}
		s.Migrations = append(s.Migrations, m)
	}
	return s, nil
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
func (s Status) Skipped() []string { return s.state.skipped() }

// Newer returns the error with which Migrate refuses a database that a newer release
// migrated; nil if none did.
func (s Status) Newer() error {
	if len(s.Unknown) == 0 {
		return nil
	}
	return newer(s.Unknown)
}

// Refusal returns the error with which Migrate refuses the database; nil if it does not.
func (s Status) Refusal() error { return s.state.refusal() }

// SQL returns the statements that bring the database up to date, in its dialect,
// together with goose's notes of them; empty if nothing is pending. Whoever runs them has
// done what Migrate does. It holds no comments: where one has a semicolon, the client of
// MySQL sends what is left of it as a statement.
func (s Status) SQL(ctx context.Context) (string, error) {
	if s.Pending() == 0 {
		return "", nil
	}
	versions, err := newVersions(s.sqlite)
	if err != nil {
		return "", err
	}
	var script strings.Builder
	out := sqlRecorder{&script}
	if !s.state.hasNotes {
		if err := versions.CreateVersionTable(ctx, out); err != nil {
			return "", err
		}
	}
	if !s.state.hasZero {
		if err := versions.Insert(ctx, out, database.InsertRequest{Version: 0}); err != nil {
			return "", err
		}
	}
	for _, m := range s.Migrations {
		if m.Applied {
			continue
		}
		if !s.state.present[m.Version] {
			up, _, err := schema.Statements(m.Name)
			if err != nil {
				return "", err
			}
			script.WriteString(withoutComments(up))
		}
		if err := versions.Insert(ctx, out, database.InsertRequest{Version: m.Version}); err != nil {
			return "", err
		}
	}
	return script.String(), nil
}

// withoutComments returns a migration's statement without its comments. Migrations hold no
// text with two dashes in it, as a test knows.
func withoutComments(statement string) string {
	var left strings.Builder
	for line := range strings.Lines(statement) {
		line, _, _ = strings.Cut(line, "--")
		if line = strings.TrimRight(line, " \n"); line != "" {
			left.WriteString(line + "\n")
		}
	}
	return left.String()
}

// sqlRecorder is a database to which statements are not sent but written down. It
// answers no queries.
type sqlRecorder struct{ script *strings.Builder }

func (w sqlRecorder) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	for _, arg := range args { // goose's are a number and a truth
		if arg == true {
			arg = 1
		}
		query = strings.Replace(query, "?", fmt.Sprint(arg), 1)
	}
	_, err := w.script.WriteString(query + ";\n")
	return nil, err
}

func (sqlRecorder) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errors.ErrUnsupported
}

func (sqlRecorder) QueryRowContext(context.Context, string, ...any) *sql.Row { return nil }

// isNoColumn reports whether a statement named a column that its table lacks.
func isNoColumn(err error) bool {
	return dbconn.MySQLNumber(err) == 1054 || dbconn.SQLiteCode(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no such column")
}

func isNoTable(err error) bool {
	return dbconn.MySQLNumber(err) == 1146 || dbconn.SQLiteCode(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no such table")
}
