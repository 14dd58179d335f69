package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// ErrBackupMySQL is returned for a MySQL database and says what to use instead.
var ErrBackupMySQL = errors.New("backup copies an SQLite file, and this database is on a server: use PlanetScale's own backups, or mysqldump --single-transaction")

// Backup writes a snapshot of a database's SQLite file to a file that must not exist. The database may be in use: no
// one waits, and everything committed before is in the copy. The copy appears under its name once it is complete,
// checked and on the disk; until then a file with ".partial" in its name is beside it, which Backup removes. To
// restore, start the program with the copy.
func Backup(ctx context.Context, databaseURL, file string) (err error) {
	path, ok := dbconn.ParsePath(databaseURL)
	if !ok {
		return ErrBackupMySQL
	}
	if err := Exists(databaseURL); err != nil {
		return err
	}
	if err := checkTargetFree(file); err != nil {
		return err
	}
	if _, err := inspect.ReadFile(ctx, path); errors.Is(err, inspect.ErrForeign) {
		return err
	}
	if err := dbconn.CheckFile(ctx, path); err != nil {
		return err
	}
	s, err := openSQLite(path, time.Now)
	if err != nil {
		return err
	}
	defer s.Close()
	temp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".partial*") // readable only by its owner
	if err != nil {
		return err
	}
	defer func() {
		os.Remove(temp.Name() + "-journal")
		err = errors.Join(err, temp.Close(), ignoreNotExist(os.Remove(temp.Name())))
	}()
	// Unlike a copy of all pages, this omits deleted rows, such as removed users. It reads one
	// snapshot, for which no writer of a WAL waits.
	if _, err := s.migrator.ExecContext(ctx, "VACUUM INTO ?", temp.Name()); err != nil {
		return dbconn.CorruptionError("ok", err)
	}
	if err := checkCopy(ctx, temp.Name()); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	return publish(temp.Name(), file)
}

// checkTargetFree returns an error if the file exists, or a log of SQLite for a file of that name, which would be
// taken for part of the new one.
func checkTargetFree(file string) error {
	for _, beside := range []string{"", "-wal", "-journal"} {
		if _, err := os.Lstat(file + beside); err == nil {
			return fmt.Errorf("%s%s is there already, and is not overwritten", file, beside)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// checkCopy returns an error if a copy is incomplete or corrupt.
func checkCopy(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?immutable=1")
	if err != nil {
		return err
	}
	defer db.Close()
	return dbconn.QuickCheck(ctx, db)
}

// publish gives a complete file its name. It creates the name first, so that it doesn't replace a file that someone
// else creates.
func publish(temp, file string) error {
	claim, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := claim.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp, file); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	if runtime.GOOS == "windows" { // can't sync a folder
		return nil
	}
	folder, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// ignoreNotExist returns the error of a removal, or nil if there was nothing to remove.
func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
