package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"modernc.org/sqlite"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/schema"
)

// migrateTries is how often Migrate looks again when something was made between its look
// and its own try to make it.
const migrateTries = 40

// Migrate applies the migrations that the database lacks and returns how many it applied.
// Before it writes anything it looks whose database it is: see inspect. What an earlier start
// has made and not noted is noted. Any number of instances may call it at once: on MySQL a
// lease lets one work and the others wait; on SQLite, where a migration and the note of it
// are one transaction under the file's own lock, the slower one finds the work done. With
// nothing to apply it changes nothing and needs no right to. Where there is something and it
// may not, it returns ErrDDLRefused without delay.
func (s *Store) Migrate(ctx context.Context, log *slog.Logger) (int, error) {
	for try := 1; ; try++ {
		applied, err := s.migrate(ctx, log)
		switch {
		case err == nil:
			return applied, s.ensureAdminLock(ctx)
		case isDDLRefused(err):
			return 0, s.ddlRefused()
		case try == migrateTries || !dbconn.IsContention(err) && !isThere(err):
			return 0, err
		}
		if retry.Sleep(ctx, 50*time.Millisecond) != nil {
			return 0, err
		}
	}
}

func (s *Store) migrate(ctx context.Context, log *slog.Logger) (int, error) {
	st, err := s.inspect(ctx)
	if err != nil {
		return 0, lookError(err)
	}
	if err := st.refusal(); err != nil {
		return 0, err
	}
	if st.isUpToDate() {
		return 0, nil
	}
	if s.sqlite {
		return s.apply(ctx, log)
	}
	leased, l, err := s.takeLease(ctx, st.hasLease, log)
	if isDDLRefused(err) && st.hasNotes && len(st.pending()) == 0 {
		return 0, s.note(ctx, st, log) // no table can be made here, so no other instance makes any
	}
	if err != nil {
		return 0, migrateError(err)
	}
	defer l.release(ctx)
	n, err := s.apply(leased, log)
	if err != nil && context.Cause(leased) == errLeaseLost {
		err = errLeaseLost
	}
	return n, err
}

// apply looks again, now that no other instance makes anything, notes what is there, and
// applies the rest.
func (s *Store) apply(ctx context.Context, log *slog.Logger) (int, error) {
	st, err := inspect(ctx, catalog{s.migrator, s.sqlite})
	if err != nil {
		return 0, lookError(err)
	}
	if err := s.note(ctx, st, log); err != nil {
		return 0, migrateError(err)
	}
	if len(st.pending()) == 0 {
		return 0, nil
	}
	if err := st.refusal(); err != nil {
		return 0, err
	}
	provider, err := s.provider(log)
	if err != nil {
		return 0, err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return 0, migrateError(err)
	}
	return len(results), nil
}

// inspect looks at the database before anything was written to it: at an SQLite file without
// the right to write, which opening it otherwise would do.
func (s *Store) inspect(ctx context.Context) (state, error) {
	if s.path == "" {
		return inspect(ctx, catalog{s.migrator, s.sqlite})
	}
	if logSize(s.path) > 0 { // which the first to close the file would write into it
		if err := checkFile(ctx, s.path); err != nil {
			return state{}, err
		}
	}
	return inspectFile(ctx, s.path)
}

// note makes the version table where it is missing, and writes goose's first row and those of
// the migrations that are there without a note.
func (s *Store) note(ctx context.Context, st state, log *slog.Logger) error {
	versions, err := newVersions(s.sqlite)
	if err != nil {
		return err
	}
	if !st.hasNotes {
		if err := versions.CreateVersionTable(ctx, s.migrator); err != nil {
			return err
		}
	}
	steps := st.toNote()
	if st.hasZero && len(steps) == 0 {
		return nil
	}
	lock := "SELECT version_id FROM " + versionTable
	if !s.sqlite {
		lock += " FOR UPDATE"
	}
	return s.Transact(ctx, func(tx *sql.Tx) error {
		noted, err := readVersions(ctx, tx, lock)
		if err != nil {
			return err
		}
		insert := func(version int64) error {
			if noted[version] {
				return nil
			}
			return versions.Insert(ctx, tx, database.InsertRequest{Version: version})
		}
		if err := insert(0); err != nil {
			return err
		}
		for _, step := range steps {
			log.Info("migration noted: what it makes is there", "migration", step.name)
			if err := insert(step.version); err != nil {
				return err
			}
		}
		return nil
	})
}

// readVersions returns all versions that a query of the version table finds.
func readVersions(ctx context.Context, tx *sql.Tx, query string) (map[int64]bool, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[int64]bool{}
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			return nil, err
		}
		found[version] = true
	}
	return found, rows.Err()
}

// migrateError gives an error of migrating its words. What Migrate itself asks for stays as
// it is: a refusal of DDL, and what another instance may have caused.
func migrateError(err error) error {
	switch number := dbconn.MySQLNumber(err); {
	case isDDLRefused(err), dbconn.IsContention(err), isThere(err):
		return err
	case number == 1142, number == 1044:
		return mayNotMakeTables
	}
	return newMigrationError("migrate", err)
}

// lookError gives an error of a look at the database its words, unless it has some.
func lookError(err error) error {
	if err == nil || fault.IsFault(err) {
		return err
	}
	return newMigrationError("store: look at the database", err)
}

var mayNotMakeTables = fault.New(
	"there are migrations to apply, and the user may not make or change tables",
	`GRANT ALL ON the database to the user, or run "guestlist migrate" as a user who may.`)

// isThere reports whether a statement would make a table, an index or a column that exists.
func isThere(err error) bool {
	switch dbconn.MySQLNumber(err) {
	case 1050, 1060, 1061:
		return true
	}
	text := ""
	var e *sqlite.Error
	if errors.As(err, &e) {
		text = e.Error()
	}
	return strings.Contains(text, "already exists") || strings.Contains(text, "duplicate column")
}

// ensureAdminLock writes the row that LockAdmins locks, where it is missing. It
// is not part of a migration: PlanetScale's deploy requests bring tables, and no
// rows but goose's.
func (s *Store) ensureAdminLock(ctx context.Context) error {
	err := s.Ping(ctx)
	if !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	err = s.writer().InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: "admin_lock"})
	if IsDuplicate(err) { // another instance was quicker
		return nil
	}
	return translate("write admin lock", err)
}

func (s *Store) provider(log *slog.Logger) (*goose.Provider, error) {
	versions, err := newVersions(s.sqlite)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectCustom, s.migrator, schema.Files,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(log), goose.WithStore(versions))
}
