package store

import (
	"database/sql/driver"
	"errors"

	"github.com/go-sql-driver/mysql"
	sqlite3 "modernc.org/sqlite/lib"
)

// trouble is an error that an operator can do something about.
type trouble struct{ text, advice string }

func (t *trouble) Error() string  { return t.text }
func (t *trouble) Advice() string { return t.advice }

// refusals are the errors of a server by number.
// https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference
var refusals = map[uint16]*trouble{
	1045: {"the server refuses the user or the password", "Mend them in DATABASE_URL; special characters of a mysql:// address are written as %XX."},
	1044: {"the server keeps the user from this database", "GRANT ALL ON the database to the user, or mend its name in DATABASE_URL."},
	1049: {"the server has no database of this name", "CREATE DATABASE it, or mend its name in DATABASE_URL."},
	1130: {"the server takes no connections from this machine", "Let the user in from here, at the server."},
	1040: {"the server has no connection left", "Raise max_connections there, or stop what holds so many."},
	1226: {"the user has no connection left", "Raise the user's MAX_USER_CONNECTIONS, or stop what holds so many."},
	1142: {"the user may not change rows", "GRANT ALL ON the database to the user."},
	1143: {"the user may not change rows", "GRANT ALL ON the database to the user."},
	1290: {"the server is read-only", readOnlyAdvice},
	1792: {"the server is read-only", readOnlyAdvice},
	1836: {"the server is read-only", readOnlyAdvice},
	1021: {"the server's disk is full", "Make room there."},
	1114: {"the server's disk is full", "Make room there."},
}

const readOnlyAdvice = "DATABASE_URL leads to a copy: take the address of the server that is written to."

// fileTroubles are the errors of an SQLite file by their first byte.
var fileTroubles = map[int]*trouble{
	sqlite3.SQLITE_CANTOPEN: {"the SQLite file can't be opened", "Its folder must let the user who runs guestlist read, write and make files."},
	sqlite3.SQLITE_PERM:     {"the SQLite file can't be opened", "Its folder must let the user who runs guestlist read, write and make files."},
	sqlite3.SQLITE_READONLY: {"the SQLite file can only be read", "Give the file and its folder to the user who runs guestlist, on a disk that can be written."},
	sqlite3.SQLITE_FULL:     {"the disk is full", "Make room on it."},
}

// plainly gives an error of the driver the words for it. One that is not known keeps
// what its text says without values.
func plainly(err error) error {
	number, code := mysqlNumber(err), sqliteCode(err)&0xff
	switch {
	case err == nil:
		return nil
	case isNoTable(err):
		return ErrNoTables
	case isContention(err):
		return ErrBusy
	case errors.Is(err, ErrDamaged):
		return &trouble{err.Error(), "guestlist backup made such copies, if it was asked to."}
	case errors.Is(err, mysql.ErrNoTLS):
		return &trouble{"the server does not offer TLS", "Turn it on there. Only where nobody can be on the way, DATABASE_URL may end in ?tls=false."}
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, driver.ErrBadConn):
		return &trouble{"the server hung up, or said nothing", "See that it is a MySQL server, that it works, and that nothing on the way cuts connections."}
	case refusals[number] != nil:
		return refusals[number]
	case code != 0 && fileTroubles[code] != nil:
		return fileTroubles[code]
	case number != 0:
		return errors.New(cut(err))
	}
	return err
}
