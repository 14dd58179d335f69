package dbconn

import (
	"database/sql/driver"
	"errors"
	"net"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// MySQLNumber returns the number of a MySQL server's error; 0 for another error.
func MySQLNumber(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// SQLiteCode returns the extended result code of an SQLite error; 0 for another error.
func SQLiteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// IsContention reports whether a transaction was rolled back because of another one.
func IsContention(err error) bool {
	switch MySQLNumber(err) {
	case 1205, 1213, // lock wait timeout, deadlock
		1020: // a row has changed since the transaction read it (MariaDB from 11.6 on)
		return true
	}
	return SQLiteCode(err)&0xff == sqlite3.SQLITE_BUSY
}

// IsConnectionError reports whether a statement failed because its connection was cut, or because the server has none to
// give or is shutting down. A transaction was rolled back, unless the commit failed.
func IsConnectionError(err error) bool {
	switch MySQLNumber(err) {
	case 1040, 1203, 1226, // too many connections: of all, of any user, of this user
		1053, 1077, 1079, 1927: // shutting down, connection killed
		return true
	}
	var network *net.OpError
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.As(err, &network)
}
