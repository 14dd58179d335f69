package dbconn

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
)

// ReadFile runs read on an SQLite file without changing the file or leaving a log beside it, as opening and closing it
// in the usual way may. A missing file is read as an empty database. It may run read more than once.
func ReadFile(ctx context.Context, path string, read func(ctx context.Context, db *sql.DB) error) error {
	open := func(params string) error {
		db, err := sql.Open("sqlite", fileURI(path)+"?_pragma=busy_timeout(1000)&"+params)
		if err != nil {
			return err
		}
		defer db.Close()
		return read(ctx, db)
	}
	switch err := StatFile(path); {
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
	// A file in WAL mode without a log is not open anywhere. Reading it in any other way leaves an empty log behind.
	if isWALMode(path) && LogSize(path) < 0 {
		if err := open("immutable=1"); LogSize(path) < 0 {
			return err
		}
	}
	err := open("mode=ro")
	switch SQLiteCode(err) {
	case sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY: // a crash left a transaction that SQLite has to roll back
		return open("mode=rw")
	}
	return err
}

func fileURI(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }

// isWALMode reports whether an SQLite file uses a write-ahead log.
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

// LogSize returns the size of an SQLite file's write-ahead log, or -1 if there is none.
func LogSize(path string) int64 {
	info, err := os.Stat(path + "-wal")
	if err != nil {
		return -1
	}
	return info.Size()
}

// FileError returns err, or another error if the file seems corrupt only because of a log that isn't its own.
func FileError(ctx context.Context, path string, err error) error {
	if errors.Is(err, ErrCorrupt) && LogSize(path) > 0 && isWholeWithoutLog(ctx, path) {
		return foreignLog(path)
	}
	return err
}

// ErrCorrupt means that an SQLite file is corrupt. Its text tells the operator what to do.
var ErrCorrupt = errors.New("the SQLite file is corrupt or not a database: restore a backup")

// Files up to MaxStartupCheckSize are checked before use. If there is a log, after a crash or because a copy was placed
// beside another file's log, files up to maxLogCheckSize are, because the first write makes the log's changes permanent.
const (
	MaxStartupCheckSize = 4 << 20
	maxLogCheckSize     = 64 << 20
)

// CheckFile looks for corruption before the file is written to: as thoroughly as Check in a small file, and only by
// header and length in a large one.
func CheckFile(ctx context.Context, path string) error {
	limit := int64(MaxStartupCheckSize)
	if LogSize(path) > 0 {
		limit = maxLogCheckSize
	}
	err := ReadFile(ctx, path, func(ctx context.Context, db *sql.DB) error { return CheckUpTo(ctx, db, limit) })
	return FileError(ctx, path, err)
}

// CheckUpTo checks a file of up to limit bytes thoroughly.
func CheckUpTo(ctx context.Context, db *sql.DB, limit int64) error {
	size, err := FileSize(ctx, db)
	if err != nil || size > limit {
		return CorruptionError("ok", err)
	}
	return QuickCheck(ctx, db)
}

// isWholeWithoutLog reports whether an SQLite file is intact if its log is ignored.
func isWholeWithoutLog(ctx context.Context, path string) bool {
	db, err := sql.Open("sqlite", fileURI(path)+"?immutable=1")
	if err != nil {
		return false
	}
	defer db.Close()
	return QuickCheck(ctx, db) == nil
}

// foreignLog returns the error for a log that belongs to another file.
func foreignLog(path string) error {
	return fault.New(
		fmt.Sprintf("the log %s-wal doesn't belong to the SQLite file beside it, which is intact without it", path),
		fmt.Sprintf("Nothing was changed. If the file is a restored backup: stop the programs that use it, move %[1]s-wal and %[1]s-shm away, and start again.", path),
	)
}

// FileSize returns the size of an SQLite file in bytes. It also reads the list of tables.
func FileSize(ctx context.Context, db DB) (size int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size, (SELECT count(*) FROM sqlite_schema)").Scan(&size)
	return size, err
}

// QuickCheck reads every page once, so it uses a small page cache on its own connection.
func QuickCheck(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return CorruptionError("ok", err)
	}
	defer conn.Close()
	var verdict string
	if _, err = conn.ExecContext(ctx, "PRAGMA cache_size(-200)"); err == nil {
		err = conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict)
	}
	return CorruptionError(verdict, err)
}

// CorruptionError returns ErrCorrupt if a check's result or an error means corruption, and otherwise err.
func CorruptionError(verdict string, err error) error {
	switch code := SQLiteCode(err) & 0xff; {
	case err == nil && verdict != "ok":
		return fmt.Errorf("%w (%s)", ErrCorrupt, verdict)
	case code == sqlite3.SQLITE_NOTADB, code == sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w (%s)", ErrCorrupt, err)
	}
	return err
}
