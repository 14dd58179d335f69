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
	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/schema"
)

// migrateTries limits how often Migrate starts again because something was created between its inspection and its own
// attempt.
const migrateTries = 40

// Migrate applies the pending migrations and returns how many it applied. It first inspects the database, and records
// migrations that an earlier start applied without a record. Instances may call it at the same time: on MySQL, a lease
// lets one work while the others wait; on SQLite, a migration and its record are one transaction, and a slower
// instance finds the work done. If nothing is pending, it changes nothing and needs no privilege to. If it may not
// apply pending migrations, it returns ErrDDLRefused at once.
func (s *Store) Migrate(ctx context.Context, log *slog.Logger) (int, error) {
	for try := 1; ; try++ {
		applied, err := s.migrate(ctx, log)
		switch {
		case err == nil:
			return applied, s.ensureAdminLock(ctx)
		case dbconn.IsDDLRefused(err):
			return 0, s.ddlRefused()
		case try == migrateTries || !dbconn.IsContention(err) && !isExisting(err):
			return 0, err
		}
		if retry.Sleep(ctx, 50*time.Millisecond) != nil {
			return 0, err
		}
	}
}

func (s *Store) migrate(ctx context.Context, log *slog.Logger) (int, error) {
	st, err := inspect.ReadOnly(ctx, s.migrator, s.sqlite, s.path)
	if err != nil {
		return 0, dbconn.InspectError(err)
	}
	if err := st.Refusal(); err != nil {
		return 0, err
	}
	if st.IsUpToDate() {
		return 0, nil
	}
	if s.sqlite {
		return s.apply(ctx, log)
	}
	leased, l, err := s.takeLease(ctx, st.HasLease, log)
	if dbconn.IsDDLRefused(err) && st.HasTable && len(st.Pending()) == 0 {
		return 0, s.record(ctx, st, log) // no instance can create tables
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

// apply inspects the database again, now that no other instance migrates it, records what is present and applies the
// rest.
func (s *Store) apply(ctx context.Context, log *slog.Logger) (int, error) {
	st, err := inspect.ReadState(ctx, s.migrator, s.sqlite)
	if err != nil {
		return 0, dbconn.InspectError(err)
	}
	if err := s.record(ctx, st, log); err != nil {
		return 0, migrateError(err)
	}
	if len(st.Pending()) == 0 {
		return 0, nil
	}
	if err := st.Refusal(); err != nil {
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

// record creates the version table if it is missing, and inserts goose's first row and the migrations that are present
// without a record.
func (s *Store) record(ctx context.Context, st inspect.State, log *slog.Logger) error {
	versions, err := inspect.NewVersions(s.sqlite)
	if err != nil {
		return err
	}
	if !st.HasTable {
		if err := versions.CreateVersionTable(ctx, s.migrator); err != nil {
			return err
		}
	}
	steps := st.ToRecord()
	if st.HasZero && len(steps) == 0 {
		return nil
	}
	lock := "SELECT version_id FROM " + inspect.VersionTable
	if !s.sqlite {
		lock += " FOR UPDATE"
	}
	return s.Transact(ctx, func(tx *sql.Tx) error {
		recorded, err := readVersions(ctx, tx, lock)
		if err != nil {
			return err
		}
		insert := func(version int64) error {
			if recorded[version] {
				return nil
			}
			return versions.Insert(ctx, tx, database.InsertRequest{Version: version})
		}
		if err := insert(0); err != nil {
			return err
		}
		for _, step := range steps {
			log.Info("migration recorded: its changes are already there", "migration", step.Name)
			if err := insert(step.Version); err != nil {
				return err
			}
		}
		return nil
	})
}

// readVersions returns the versions that a query of the version table finds.
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

// migrateError explains an error of migrating. It leaves errors that Migrate handles unchanged: refused schema changes
// and conflicts with other instances.
func migrateError(err error) error {
	switch number := dbconn.MySQLNumber(err); {
	case dbconn.IsDDLRefused(err), dbconn.IsContention(err), isExisting(err):
		return err
	case number == 1142, number == 1044:
		return mayNotCreateTables
	}
	return dbconn.NewMigrationError("migrate", err)
}

var mayNotCreateTables = fault.New(
	"there are pending migrations, and the database user may not create or change tables",
	`Grant the user all privileges on the database, or run "guestlist migrate" as a user who has them.`)

// isExisting reports whether a statement failed because its table, index or column already exists.
func isExisting(err error) bool {
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

// ensureAdminLock inserts the row that LockAdmins locks, if it is missing. It isn't part of a migration because
// PlanetScale's deploy requests bring tables without rows.
func (s *Store) ensureAdminLock(ctx context.Context) error {
	err := s.Ping(ctx)
	if !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	err = s.writer().InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: "admin_lock"})
	if IsDuplicate(err) { // another instance was faster
		return nil
	}
	return translate("write admin lock", err)
}

func (s *Store) provider(log *slog.Logger) (*goose.Provider, error) {
	versions, err := inspect.NewVersions(s.sqlite)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectCustom, s.migrator, schema.Files,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(log), goose.WithStore(versions))
}
