package inspect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pressly/goose/v3/database"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/schema"
)

// Migration is one migration of this release.
type Migration struct {
	Version   int64
	Name      string // of its file
	Applied   bool
	AppliedAt time.Time // UTC, by the database's clock; zero if not applied
}

// Status is a database's progress through the migrations.
type Status struct {
	Migrations []Migration // of this release, oldest first
	Unknown    []int64     // applied versions that this release doesn't have, oldest first
	state      State
	sqlite     bool
}

// MigrationStatus returns the status of a database, given as for store.Open. It changes nothing and doesn't create a
// missing SQLite file. The error explains if the database belongs to another program.
func MigrationStatus(ctx context.Context, databaseURL string) (Status, error) {
	var s Status
	if path, ok := dbconn.ParsePath(databaseURL); ok {
		if err := dbconn.CheckPath(path); err != nil {
			return Status{}, fault.Setting("DATABASE_URL", err)
		}
		err := dbconn.ReadFile(ctx, path, func(ctx context.Context, db *sql.DB) (err error) {
			s, err = readStatus(ctx, catalog{db, true})
			return err
		})
		return s, dbconn.InspectError(dbconn.FileError(ctx, path, dbconn.CorruptionError("ok", err)))
	}
	cfg, err := dbconn.ParseMySQL(databaseURL)
	if err != nil {
		return Status{}, fault.Setting("DATABASE_URL", err)
	}
	db, err := dbconn.OpenMySQL(cfg)
	if err != nil {
		return Status{}, err
	}
	defer db.Close()
	s, err = readStatus(ctx, catalog{db, false})
	return s, dbconn.InspectError(err)
}

// Refused returns an error if a database, given as for store.Open, must not be copied from or to: it belongs to another
// program, has lost tables, or was migrated by a newer release. It ignores other errors, which opening the database
// returns too.
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

// readStatus inspects a database and reads when each migration was applied.
func readStatus(ctx context.Context, c catalog) (Status, error) {
	st, err := ReadState(ctx, c.db, c.sqlite)
	if err != nil {
		return Status{}, err
	}
	versions, err := NewVersions(c.sqlite)
	if err != nil {
		return Status{}, err
	}
	s := Status{Unknown: st.unknown, state: st, sqlite: c.sqlite}
	for _, step := range st.steps {
		m := Migration{Version: step.Version, Name: step.Name, Applied: st.Recorded[step.Version]}
		if m.Applied {
			record, err := versions.GetMigration(ctx, c.db, step.Version)
			if err != nil {
				return Status{}, err
			}
			m.AppliedAt = record.Timestamp.UTC()
		}
		s.Migrations = append(s.Migrations, m)
	}
	return s, nil
}

// Pending returns the number of migrations that are not applied.
func (s Status) Pending() int {
	n := 0
	for _, m := range s.Migrations {
		if !m.Applied {
			n++
		}
	}
	return n
}

// Skipped returns the names of pending migrations that later ones were applied without, which Migrate refuses to
// apply.
func (s Status) Skipped() []string { return s.state.skipped() }

// Newer returns Migrate's error for a database that a newer release migrated; nil if none did.
func (s Status) Newer() error {
	if len(s.Unknown) == 0 {
		return nil
	}
	return newer(s.Unknown)
}

// Refusal returns the error with which Migrate refuses the database; nil if it doesn't.
func (s Status) Refusal() error { return s.state.Refusal() }

// SQL returns the pending migrations as statements in the database's dialect, including goose's records of them; empty
// if nothing is pending. Running them has the effect of Migrate. They have no comments, because the mysql client
// splits a comment at a semicolon.
func (s Status) SQL(ctx context.Context) (string, error) {
	if s.Pending() == 0 {
		return "", nil
	}
	versions, err := NewVersions(s.sqlite)
	if err != nil {
		return "", err
	}
	var script strings.Builder
	out := sqlRecorder{&script}
	if !s.state.HasTable {
		if err := versions.CreateVersionTable(ctx, out); err != nil {
			return "", err
		}
	}
	if !s.state.HasZero {
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

// withoutComments removes the comments of a migration's statement. A test checks that no text in a migration contains
// two dashes.
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

// sqlRecorder is a database that records statements instead of running them. It answers no queries.
type sqlRecorder struct{ script *strings.Builder }

func (w sqlRecorder) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	for _, arg := range args { // goose passes numbers and booleans
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
