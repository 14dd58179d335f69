package dbconn

import (
	"database/sql/driver"
	"errors"
	"io/fs"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/text"
)

// Faults of a server that have several numbers or texts.
var (
	wrongPassword  = fault.New("the server rejected the user or the password", "Check them in DATABASE_URL. In a mysql:// address, write special characters as %XX.")
	noSuchDatabase = fault.New("the server has no database of this name", "Create it with CREATE DATABASE, or check the name in DATABASE_URL.")
	noConnection   = fault.New("the server has no connections left", "Raise max_connections there, or stop the programs that use so many.")
	noRight        = fault.New("the database user may not change rows", "Grant the user all privileges on the database.")
	readOnly       = fault.New("the server is read-only", "DATABASE_URL points to a replica: use the address of the primary.").WithClass(fault.ReadOnly)
	serverFull     = fault.New("the server's disk is full", "Free up space there.").WithClass(fault.DiskFull)
	noResponse     = fault.New("the server closed the connection or didn't respond", "Check that it is a MySQL server, that it works, and that nothing in between closes connections.")
	shuttingDown   = fault.New("the server is shutting down", "Guestlist waits for it. Start it if it doesn't restart by itself.")
	tookTooLong    = fault.New("the server aborted a statement or transaction that took too long", "Try again. If it happens often, check what else the server is busy with.")
	badStatement   = fault.New("the server doesn't support a statement of this program", "Check the server's version: MySQL 8, MariaDB 10.11, Vitess and later are known to work.")
	outOfMemory    = fault.New("the server is out of memory", "Add memory, or stop the programs that use it.")
	oldPassword    = fault.New("the server requires an authentication method that isn't supported here", "Use one that is, such as caching_sha2_password or mysql_native_password.")
	userLocked     = fault.New("the database user is locked, or its password has expired", "Unlock the user on the server, or set a new password there and in DATABASE_URL.")
	hostBlocked    = fault.New("the server doesn't accept connections from this machine", "Allow the user to connect from here, on the server.")
)

// mysqlAdvice maps a server's error numbers to faults.
// https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference
var mysqlAdvice = map[uint16]*fault.Fault{
	1045: wrongPassword, 1698: wrongPassword,
	1044: fault.New("the user may not use this database", "Grant the user access to it, or check the database's name in DATABASE_URL."),
	1049: noSuchDatabase, 1102: noSuchDatabase,
	1129: hostBlocked, 1130: hostBlocked,
	1040: noConnection, 1203: noConnection,
	1226: fault.New("the database user has no connections left", "Raise the user's MAX_USER_CONNECTIONS, or stop the programs that use so many."),
	1142: noRight, 1143: noRight, 1227: noRight, 1370: noRight,
	1290: readOnly, 1792: readOnly, 1836: readOnly,
	1021: serverFull, 1114: serverFull,
	1053: shuttingDown, 1077: shuttingDown, 1079: shuttingDown,
	1927: noResponse, 2006: noResponse, 2013: noResponse,
	1317: tookTooLong, 1969: tookTooLong, 3024: tookTooLong,
	1064: badStatement, 1305: badStatement,
	1037: outOfMemory, 1038: outOfMemory, 1041: outOfMemory,
	1251: oldPassword, 2059: oldPassword,
	1820: userLocked, 1862: userLocked, 3118: userLocked, 4151: userLocked,
}

const folderAdvice = "Allow the user that runs guestlist to read, write and create files in its directory, or set another path in DATABASE_URL."

var (
	cantOpen     = fault.New("the SQLite file can't be opened", folderAdvice)
	fileReadOnly = fault.New("the SQLite file is read-only", "Make the user that runs guestlist the owner of the file and its directory, on a writable disk.").WithClass(fault.ReadOnly)
	diskFull     = fault.New("the disk is full", "Free up space on it.").WithClass(fault.DiskFull)
	IsDirectory  = fault.New("the SQLite file's path is a directory", "Set the path of a file in DATABASE_URL.")
)

// fileFaults maps SQLite's error codes to faults, by the extended code or by its primary one.
var fileFaults = map[int]*fault.Fault{
	sqlite3.SQLITE_CANTOPEN: cantOpen, sqlite3.SQLITE_PERM: cantOpen, sqlite3.SQLITE_AUTH: cantOpen,
	sqlite3.SQLITE_CANTOPEN_ISDIR: IsDirectory,
	sqlite3.SQLITE_READONLY:       fileReadOnly,
	sqlite3.SQLITE_READONLY_DBMOVED: fault.New("the SQLite file was moved, replaced or deleted while it was in use",
		"Stop whatever did that, put the right file back, and start again.").WithClass(fault.ReadOnly),
	sqlite3.SQLITE_FULL: diskFull,
	sqlite3.SQLITE_IOERR: fault.New("the SQLite file can't be read or written: the disk reports an error",
		"Check the disk and the system log. SQLite needs a local disk, not a network share."),
	sqlite3.SQLITE_PROTOCOL: fault.New("the SQLite file can't be locked", "SQLite needs a local disk, not a network share."),
	sqlite3.SQLITE_NOLFS:    fault.New("the SQLite file is larger than the disk allows", "Move it to another disk."),
	sqlite3.SQLITE_NOMEM:    fault.New("this machine is out of memory", "Add memory, or stop the programs that use it."),
}

// ExplainError returns the fault for a driver's error. An unknown error keeps the part of its text that holds no values.
func ExplainError(err error) error {
	number := MySQLNumber(err)
	switch {
	case err == nil:
		return nil
	case IsNoTable(err):
		return ErrNoTables
	case IsContention(err):
		return ErrBusy
	case errors.Is(err, ErrCorrupt):
		return fault.New(err.Error(), "guestlist backup creates backups.")
	case errors.Is(err, mysql.ErrNoTLS):
		return fault.New("the server doesn't support TLS", "Turn it on there. Only on a network you trust, add ?tls=false to DATABASE_URL.")
	case mysqlAdvice[number] != nil:
		return mysqlAdvice[number]
	case number != 0:
		return serverFault(err)
	case SQLiteCode(err) != 0:
		return fileFault(err)
	}
	if f := pathFault(err); f != nil {
		return f
	}
	if f := fault.Network(err); f != nil {
		return fault.New(f.Error(), f.Advice()+" Check DATABASE_URL.")
	}
	if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) {
		return noResponse
	}
	return err
}

// LogAttrs returns the log attributes of an error after which the program waits.
func LogAttrs(err error) []any {
	known := ExplainError(err)
	if !fault.IsFault(known) {
		return []any{"error", Redact(err)}
	}
	text, advice := fault.Explain(known)
	return []any{"error", text, "advice", advice}
}

// serverFault returns the fault for a server's error by its text, or the part of the text that holds no values.
func serverFault(err error) error {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		if f := knownMessage(e.Message); f != nil {
			return f
		}
	}
	return errors.New(Redact(err))
}

// fileFault returns the fault for an SQLite error. Its text holds no values.
func fileFault(err error) error {
	code := SQLiteCode(err)
	for _, c := range []int{code, code & 0xff} {
		if f := fileFaults[c]; f != nil {
			return f
		}
	}
	var e *sqlite.Error
	errors.As(err, &e)
	return errors.New(text.Truncate(e.Error(), 160))
}

// PathError returns the fault for a system error of an SQLite file, its directory, or another file in it.
func PathError(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = &fs.PathError{Op: at.Op, Path: path, Err: at.Err}
	}
	return ExplainError(err)
}

// pathFault returns the fault for a system error of an SQLite file or its directory; nil for another error.
func pathFault(err error) *fault.Fault {
	var at *fs.PathError
	if !errors.As(err, &at) {
		return nil
	}
	where := "the SQLite file can't be created or opened at " + at.Path
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fault.New(where+": permission denied", folderAdvice)
	case errors.Is(err, syscall.EROFS):
		return fault.New(where+": the disk is read-only", "Set a path on another disk in DATABASE_URL.").WithClass(fault.ReadOnly)
	case errors.Is(err, syscall.ENOSPC):
		return diskFull
	case errors.Is(err, syscall.EISDIR):
		return IsDirectory
	case errors.Is(err, syscall.ENOTDIR):
		return fault.New(where+": part of the path is a file, not a directory", "Set another path in DATABASE_URL.")
	case errors.Is(err, fs.ErrNotExist):
		return fault.New("there is no file "+at.Path, "If it should exist, check DATABASE_URL.")
	}
	return fault.New(where+": "+at.Err.Error(), "Set another path in DATABASE_URL.")
}

// ErrNoTables means that no migration has been applied yet.
var ErrNoTables error = fault.New("the database has no tables yet", "guestlist migrate creates them, and so does starting the program.")

// ErrBusy means that other programs wrote to the database for too long.
var ErrBusy error = fault.New("other programs keep the database busy", "Try again later.")
