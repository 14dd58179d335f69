package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// readFile runs read on an SQLite file and changes nothing: neither the file, which opening it
// as its program does may, nor a log beside it, which closing it then does. A missing file is
// an empty database. Read may be run more than once.
func readFile(ctx context.Context, path string, read func(ctx context.Context, db *sql.DB) error) error {
	open := func(params string) error {
		db, err := sql.Open("sqlite", fileURI(path)+"?_pragma=busy_timeout(1000)&"+params)
		if err != nil {
			return err
		}
		defer db.Close()
		return read(ctx, db)
	}
	switch err := statFile(path); {
	case errors.Is(err, fs.ErrNotExist):
		db, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			return err
		}
		defer db.Close()
		return read(ctx, db)
	case err != nil:
		return err
	}
	// A file in WAL mode that has no log is open nowhere. Any other way to read it leaves
	// an empty log behind.
	if isWALMode(path) && logSize(path) < 0 {
		if err := open("immutable=1"); logSize(path) < 0 {
			return err
		}
	}
	err := open("mode=ro")
	switch dbconn.SQLiteCode(err) {
	case sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY: // a crash left a transaction that SQLite takes back first
		return open("mode=rw")
	}
	return err
}

func fileURI(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }

// isWALMode reports whether an SQLite file says that it has a write-ahead log.
// https://www.sqlite.org/fileformat.html#file_format_version_numbers
func isWALMode(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	header := make([]byte, 20)
	_, err = io.ReadFull(file, header)
	return err == nil && header[18] == 2 && header[19] == 2
}

// logSize returns the size of the write-ahead log beside an SQLite file, and -1 if there is
// none.
func logSize(path string) int64 {
	info, err := os.Stat(path + "-wal")
	if err != nil {
		return -1
	}
	return info.Size()
}

// inspectFile is inspect for an SQLite file that nothing has been written to yet.
func inspectFile(ctx context.Context, path string) (state, error) {
	var st state
	err := readFile(ctx, path, func(ctx context.Context, db *sql.DB) (err error) {
		st, err = inspect(ctx, catalog{db, true})
		return err
	})
	return st, fileError(ctx, path, corruptionError("ok", err))
}

// fileError says of a file that seems damaged if it is only the log beside it that is wrong.
func fileError(ctx context.Context, path string, err error) error {
	if errors.Is(err, ErrCorrupt) && logSize(path) > 0 && isWholeWithoutLog(ctx, path) {
		return foreignLog(path)
	}
	return err
}

// ErrCorrupt says what an operator can do.
var ErrCorrupt = errors.New("the SQLite file is damaged, or no database at all: restore a copy of it")

// A file up to this size is checked before it is used. After a crash, and where a copy was
// put beside the log of another file, there is a log, and larger ones are checked, too: the
// first write would make what the log does to the file permanent.
const (
	maxStartupCheckSize = 4 << 20
	checkBesideLog      = 64 << 20
)

// checkFile finds damage before the file is written to: in a file of no great size all that
// Check finds; in a larger one what its header and its length give away.
func checkFile(ctx context.Context, path string) error {
	limit := int64(maxStartupCheckSize)
	if logSize(path) > 0 {
		limit = checkBesideLog
	}
	err := readFile(ctx, path, func(ctx context.Context, db *sql.DB) error { return checkUpTo(ctx, db, limit) })
	return fileError(ctx, path, err)
}

// checkUpTo checks a file that is not larger than a number of bytes.
func checkUpTo(ctx context.Context, db *sql.DB, limit int64) error {
	size, err := fileSize(ctx, db)
	if err != nil || size > limit {
		return corruptionError("ok", err)
	}
	return quickCheck(ctx, db)
}

// isWholeWithoutLog reports whether an SQLite file is a whole database if the log beside it
// is left out.
func isWholeWithoutLog(ctx context.Context, path string) bool {
	db, err := sql.Open("sqlite", fileURI(path)+"?immutable=1")
	if err != nil {
		return false
	}
	defer db.Close()
	return quickCheck(ctx, db) == nil
}

// foreignLog is said of a log that turns a whole file into a damaged one.
func foreignLog(path string) error {
	return fault.New(
		fmt.Sprintf("the log %s-wal does not belong to the SQLite file beside it, which is whole without it", path),
		fmt.Sprintf("Nothing was changed. If the file is a restored copy: stop whatever uses it, move %[1]s-wal and %[1]s-shm away, and start again.", path),
	)
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
		return corruptionError("ok", err)
	}
	defer conn.Close()
	var verdict string
	if _, err = conn.ExecContext(ctx, "PRAGMA cache_size(-200)"); err == nil {
		err = conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict)
	}
	return corruptionError(verdict, err)
}

// corruptionError says what an answer of the file means.
func corruptionError(verdict string, err error) error {
	switch code := dbconn.SQLiteCode(err) & 0xff; {
	case err == nil && verdict != "ok":
		return fmt.Errorf("%w (%s)", ErrCorrupt, verdict)
	case code == sqlite3.SQLITE_NOTADB, code == sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w (%s)", ErrCorrupt, err)
	}
	return err
}
