package dbconn

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/guestlist/guestlist/internal/text"
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

// IsNoColumn reports whether a statement named a column that its table doesn't have.
func IsNoColumn(err error) bool {
	return MySQLNumber(err) == 1054 || SQLiteCode(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no such column")
}

// IsNoTable reports whether a statement named a table that doesn't exist.
func IsNoTable(err error) bool {
	return MySQLNumber(err) == 1146 || SQLiteCode(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no such table")
}

func IsNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Redact returns an error's text without the statement and its values, which a server's message may contain.
func Redact(err error) string {
	message := err.Error()
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		message = fmt.Sprintf("mysql error %d (%s) %s", my.Number, my.SQLState[:], withoutValues(my.Message))
	}
	return strings.TrimSpace(text.Truncate(text.Clean(strings.ToValidUTF8(message, "\uFFFD")), 160))
}

// IsDDLRefused recognizes PlanetScale's safe migrations. Vitess's error number 1105 is generic, so the text matters
// too.
func IsDDLRefused(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == 1105 && strings.Contains(e.Message, "direct DDL is disabled")
}

// IsDuplicate reports whether a row was refused because its key exists.
func IsDuplicate(err error) bool {
	return MySQLNumber(err) == 1062 ||
		SQLiteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE || SQLiteCode(err) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}
