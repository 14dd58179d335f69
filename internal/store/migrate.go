package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/schema"
)

// Migrate applies the migrations that the database lacks and returns how many
// it applied. Any number of instances may call it at once: on MySQL a row lease
// lets one work and the others wait; on SQLite, where a migration and the note
// of it are one transaction under the file's own lock, the slower one finds the
// work done. With nothing to apply it changes nothing and needs no right to. Where
// there is something and it may not, it returns ErrDDLRefused without delay.
func (s *Store) Migrate(ctx context.Context, log *slog.Logger) (int, error) {
	provider, err := s.provider(log)
	if err != nil {
		return 0, err
	}
	for attempt := 1; ; attempt++ {
		applied, err := s.up(ctx, provider)
		switch {
		case err == nil:
			return applied, s.ensureAdminLock(ctx)
		case isDDLRefused(err):
			return 0, s.ddlRefused()
		case attempt == 40 && !s.sqlite && isHalfMade(err):
			return 0, ErrNoNotes
		case attempt == 40, !s.sqlite && !isHalfMade(err):
			return 0, err
		}
		// Another instance may have been quicker with one of them: look again.
		select {
		case <-ctx.Done():
			return 0, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *Store) up(ctx context.Context, provider *goose.Provider) (int, error) {
	pending, err := s.hasPending(ctx, provider)
	if err != nil {
		return 0, newMigrationError("look for migrations", err)
	}
	if !pending {
		return 0, nil
	}
	results, err := provider.Up(ctx)
	if mysqlNumber(err) == 1050 { // MySQL commits a table at once, and the note of it afterwards
		return 0, fmt.Errorf("migrate: an earlier start was cut off after it made a table and before it noted that; drop the table, which is empty, and start again: %w", newMigrationError("migrate", err))
	}
	if mysqlNumber(err) == 1061 {
		return 0, fmt.Errorf("migrate: an earlier start was cut off after it made an index and before it noted that; drop the index and start again: %w", newMigrationError("migrate", err))
	}
	if err != nil {
		return 0, newMigrationError("migrate", err)
	}
	return len(results), nil
}

// hasPending reports whether there is something to apply.
func (s *Store) hasPending(ctx context.Context, provider *goose.Provider) (bool, error) {
	if !s.sqlite {
		if err := s.ensureNotes(ctx); err != nil {
			return false, err
		}
	}
	return provider.HasPending(ctx)
}

// ensureNotes makes goose's table where it is missing. Goose does so itself, but tries
// for three seconds again and again where it may not.
func (s *Store) ensureNotes(ctx context.Context) error {
	var one int
	err := s.migrator.QueryRowContext(ctx, "SELECT 1 FROM "+goose.DefaultTablename+" LIMIT 1").Scan(&one)
	if isNoRows(err) {
		return nil
	}
	if !isNoTable(err) {
		return err
	}
	notes, err := database.NewStore(goose.DialectMySQL, goose.DefaultTablename)
	if err != nil {
		return err
	}
	if err := notes.CreateVersionTable(ctx, s.migrator); err != nil {
		if mysqlNumber(err) == 1050 { // another instance was quicker
			return nil
		}
		return err
	}
	return notes.Insert(ctx, s.migrator, database.InsertRequest{Version: 0})
}

// isHalfMade reports whether goose's own table had no first row yet: goose makes
// it without its lock, in two statements, and has no name for the error.
func isHalfMade(err error) bool { return strings.Contains(err.Error(), "missing zero version") }

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
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithSlog(log)}
	dialect := goose.DialectSQLite3
	if !s.sqlite {
		dialect = goose.DialectMySQL
		locker, err := lock.NewMySQLTableLocker(lock.WithTableLockTimeout(500*time.Millisecond, 240))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithLocker(locker))
	}
	return goose.NewProvider(dialect, s.migrator, schema.Files, options...)
}

// Wait returns when the database answers. A server that can't be reached, or a
// file that others are just making, is tried again until ctx ends; a server that
// answers and refuses (wrong password, no such database) is an error, and so is
// a file that is no database, or found damaged by a first look: see Check.
func (s *Store) Wait(ctx context.Context, log *slog.Logger) error {
	check, pause := s.write.PingContext, 2*time.Second
	if s.sqlite {
		check, pause = s.checkFile, 100*time.Millisecond
	}
	for {
		err := check(ctx)
		if err == nil || mysqlNumber(err) != 0 || s.sqlite && !isContention(err) {
			return translate("connect", err)
		}
		log.Warn("waiting for the database", waitingFor(err)...)
		select {
		case <-ctx.Done():
			return translate("connect", err)
		case <-time.After(pause):
		}
	}
}

// ErrDamaged says what an operator can do.
var ErrDamaged = errors.New("the SQLite file is damaged, or no database at all: restore a copy of it")

// checkAtOnce is the size in bytes up to which a file is checked before it is used.
const checkAtOnce = 4 << 20

// checkFile finds damage before it is written upon: in a file of no great size all
// that Check finds; in a larger one what its header and its length give away.
func (s *Store) checkFile(ctx context.Context) error {
	size, err := fileSize(ctx, s.write)
	if err != nil || size > checkAtOnce {
		return damage("ok", err)
	}
	return quickCheck(ctx, s.migrator)
}

// fileSize returns the size of an SQLite file in bytes, after a look at its list of
// tables.
func fileSize(ctx context.Context, db dbsqlc.DBTX) (size int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size, (SELECT count(*) FROM sqlite_schema)").Scan(&size)
	return size, err
}

// FileLargerThan reports whether the database is an SQLite file of more bytes.
func (s *Store) FileLargerThan(ctx context.Context, bytes int64) bool {
	if !s.sqlite {
		return false
	}
	size, err := fileSize(ctx, s.Reader())
	return err == nil && size > bytes
}

// Check reads the whole of an SQLite file, beside its use, and returns an error if
// it is damaged or could not be read: the sooner damage is found, the younger is the
// copy that is still good. For a million people that takes seconds. Until then SQLite
// refuses by itself to work with a page that makes no sense. On MySQL it does nothing.
func (s *Store) Check(ctx context.Context) error {
	if !s.sqlite {
		return nil
	}
	return quickCheck(ctx, s.migrator)
}

// quickCheck comes by every page of a file once, so it keeps few, on a connection
// that is not used again.
func quickCheck(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return damage("ok", err)
	}
	defer conn.Close()
	var verdict string
	if _, err = conn.ExecContext(ctx, "PRAGMA cache_size(-200)"); err == nil {
		err = conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict)
	}
	return damage(verdict, err)
}

// damage says what an answer of the file means.
func damage(verdict string, err error) error {
	switch code := sqliteCode(err) & 0xff; {
	case err == nil && verdict != "ok":
		return fmt.Errorf("%w (%s)", ErrDamaged, verdict)
	case code == sqlite3.SQLITE_NOTADB, code == sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w (%s)", ErrDamaged, err)
	}
	return err
}
