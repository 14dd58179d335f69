package store

import (
	"database/sql/driver"
	"errors"
	"io/fs"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// Faults of a server that have several numbers or names.
var (
	wrongPassword  = fault.New("the server refuses the user or the password", "Mend them in DATABASE_URL; special characters of a mysql:// address are written as %XX.")
	noSuchDatabase = fault.New("the server has no database of this name", "CREATE DATABASE it, or mend its name in DATABASE_URL.")
	noConnection   = fault.New("the server has no connection left", "Raise max_connections there, or stop what holds so many.")
	noRight        = fault.New("the user may not change rows", "GRANT ALL ON the database to the user.")
	readOnly       = fault.New("the server is read-only", "DATABASE_URL leads to a copy: take the address of the server that is written to.").WithClass(fault.ReadOnly)
	serverFull     = fault.New("the server's disk is full", "Make room there.").WithClass(fault.DiskFull)
	hungUp         = fault.New("the server hung up, or said nothing", "See that it is a MySQL server, that it works, and that nothing on the way cuts connections.")
	shuttingDown   = fault.New("the server is shutting down", "It is waited for; start it again if it doesn't by itself.")
	tookTooLong    = fault.New("the server ended a statement or a transaction that took too long", "Try again; if it happens often, look at what else the server is busy with.")
	badStatement   = fault.New("the server does not understand a statement of this program", "See which one it is: MySQL 8, MariaDB 10.11, Vitess and later ones are known to work.")
	outOfMemory    = fault.New("the server is out of memory", "Give it more, or stop what takes it.")
	oldPassword    = fault.New("the server wants a way to sign in that is not known here", "Give the user one that is, such as caching_sha2_password or mysql_native_password.")
	userLocked     = fault.New("the user's account is locked, or its password has expired", "Unlock it at the server, or set the password anew there and in DATABASE_URL.")
	hostBlocked    = fault.New("the server takes no connections from this machine", "Let the user in from here, at the server.")
)

// mysqlAdvice are the errors of a server by number.
// https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference
var mysqlAdvice = map[uint16]*fault.Fault{
	1045: wrongPassword, 1698: wrongPassword,
	1044: fault.New("the server keeps the user from this database", "GRANT ALL ON the database to the user, or mend its name in DATABASE_URL."),
	1049: noSuchDatabase, 1102: noSuchDatabase,
	1129: hostBlocked, 1130: hostBlocked,
	1040: noConnection, 1203: noConnection,
	1226: fault.New("the user has no connection left", "Raise the user's MAX_USER_CONNECTIONS, or stop what holds so many."),
	1142: noRight, 1143: noRight, 1227: noRight, 1370: noRight,
	1290: readOnly, 1792: readOnly, 1836: readOnly,
	1021: serverFull, 1114: serverFull,
	1053: shuttingDown, 1077: shuttingDown, 1079: shuttingDown,
	1927: hungUp, 2006: hungUp, 2013: hungUp,
	1317: tookTooLong, 1969: tookTooLong, 3024: tookTooLong,
	1064: badStatement, 1305: badStatement,
	1037: outOfMemory, 1038: outOfMemory, 1041: outOfMemory,
	1251: oldPassword, 2059: oldPassword,
	1820: userLocked, 1862: userLocked, 3118: userLocked, 4151: userLocked,
}

const folderAdvice = "Let the user who runs guestlist read, write and make files in its folder, or name another place in DATABASE_URL."

var (
	cantOpen     = fault.New("the SQLite file can't be opened", folderAdvice)
	fileReadOnly = fault.New("the SQLite file can only be read", "Give the file and its folder to the user who runs guestlist, on a disk that can be written.").WithClass(fault.ReadOnly)
	diskFull     = fault.New("the disk is full", "Make room on it.").WithClass(fault.DiskFull)
	isFolder     = fault.New("there is a folder in place of the SQLite file", "Name a file in DATABASE_URL.")
)

// fileFaults are the errors of an SQLite file by their whole code, or by its first byte.
var fileFaults = map[int]*fault.Fault{
	sqlite3.SQLITE_CANTOPEN: cantOpen, sqlite3.SQLITE_PERM: cantOpen, sqlite3.SQLITE_AUTH: cantOpen,
	sqlite3.SQLITE_CANTOPEN_ISDIR: isFolder,
	sqlite3.SQLITE_READONLY:       fileReadOnly,
	sqlite3.SQLITE_READONLY_DBMOVED: fault.New("the SQLite file was moved, replaced or deleted while it was in use",
		"Stop what did that, put the right file in its place, and start again.").WithClass(fault.ReadOnly),
	sqlite3.SQLITE_FULL: diskFull,
	sqlite3.SQLITE_IOERR: fault.New("the SQLite file can't be read or written: the disk reports an error",
		"Look at the disk and at the log of the system; SQLite needs a local disk, not a network share."),
	sqlite3.SQLITE_PROTOCOL: fault.New("the SQLite file can't be locked", "SQLite needs a local disk, not a network share."),
	sqlite3.SQLITE_NOLFS:    fault.New("the SQLite file is larger than the disk allows", "Put it on another disk."),
	sqlite3.SQLITE_NOMEM:    fault.New("this machine has no memory left", "Give it more, or stop what takes it."),
}

// explain gives an error of the driver the words for it. One that is not known keeps
// what its text says without values.
func explain(err error) error {
	number := dbconn.MySQLNumber(err)
	switch {
	case err == nil:
		return nil
	case isNoTable(err):
		return ErrNoTables
	case dbconn.IsContention(err):
		return ErrBusy
	case errors.Is(err, ErrCorrupt):
		return fault.New(err.Error(), "guestlist backup made such copies, if it was asked to.")
	case errors.Is(err, mysql.ErrNoTLS):
		return fault.New("the server does not offer TLS", "Turn it on there. Only where nobody can be on the way, DATABASE_URL may end in ?tls=false.")
	case mysqlAdvice[number] != nil:
		return mysqlAdvice[number]
	case number != 0:
		return serverFault(err)
	case dbconn.SQLiteCode(err) != 0:
		return fileFault(err)
	}
	if f := pathFault(err); f != nil {
		return f
	}
	if f := fault.Network(err); f != nil {
		return fault.New(f.Error(), f.Advice()+" Look at DATABASE_URL.")
	}
	if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) {
		return hungUp
	}
	return err
}

// waitingFor returns what the log says of an error that is waited out.
func waitingFor(err error) []any {
	known := explain(err)
	if !fault.IsFault(known) {
		return []any{"error", redact(err)}
	}
	text, advice := fault.Explain(known)
	return []any{"error", text, "advice", advice}
}

// serverFault returns what is known of an error of a server by its text, or what of
// the text holds no values.
func serverFault(err error) error {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		if f := knownMessage(e.Message); f != nil {
			return f
		}
	}
	return errors.New(redact(err))
}

// fileFault returns the words for an error of SQLite. Its text names no values.
func fileFault(err error) error {
	code := dbconn.SQLiteCode(err)
	for _, c := range []int{code, code & 0xff} {
		if f := fileFaults[c]; f != nil {
			return f
		}
	}
	var e *sqlite.Error
	errors.As(err, &e)
	return errors.New(truncate(e.Error(), 160))
}

// pathError returns the words for what the system says of an SQLite file, of its
// folder, or of another file in that.
func pathError(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = &fs.PathError{Op: at.Op, Path: path, Err: at.Err}
	}
	return explain(err)
}

// pathFault returns the words for what the system says of an SQLite file or its folder;
// nil for another error.
func pathFault(err error) *fault.Fault {
	var at *fs.PathError
	if !errors.As(err, &at) {
		return nil
	}
	where := "the SQLite file can't be made or opened at " + at.Path
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fault.New(where+": permission denied", folderAdvice)
	case errors.Is(err, syscall.EROFS):
		return fault.New(where+": the disk can only be read", "Name a place on another disk in DATABASE_URL.").WithClass(fault.ReadOnly)
	case errors.Is(err, syscall.ENOSPC):
		return diskFull
	case errors.Is(err, syscall.EISDIR):
		return isFolder
	case errors.Is(err, syscall.ENOTDIR):
		return fault.New(where+": a part of the path is a file, and no folder", "Name another place in DATABASE_URL.")
	case errors.Is(err, fs.ErrNotExist):
		return fault.New("there is no file "+at.Path, "If there should be one already, DATABASE_URL names another.")
	}
	return fault.New(where+": "+at.Err.Error(), "Name another place in DATABASE_URL.")
}
