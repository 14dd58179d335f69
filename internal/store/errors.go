package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/userio"
)

// translate gives an error of the database its meaning in the domain: no row is
// ErrNotFound, an error of the domain stays what it is, and everything else
// means that the database can't be relied on now, ErrUnavailable. The driver's
// text is not told, because Vitess puts the statement and its values into it.
func translate(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case isNoRows(err):
		return fmt.Errorf("store: %s: %w", doing, directory.ErrNotFound)
	case isDomainError(err):
		return err
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("store: %s: %w", doing, context.Canceled)
	}
	return unavailable(doing, err)
}

// Explain returns an error of the database in the words that doctor has for it, without
// the values of the statement, behind what was attempted. It is for errors of [Store.InTx]
// and [Store.Reader]; those of other methods are explained already.
func Explain(err error) error {
	known := explain(err)
	var driverText string
	var my *mysql.MySQLError
	var file *sqlite.Error
	switch {
	case err == nil || isNoRows(err) || isDomainError(err):
		return err
	case errors.As(err, &my):
		driverText = my.Error()
	case errors.As(err, &file):
		driverText = file.Error()
	case fault.IsFault(known):
		return known
	default:
		return err
	}
	doing, _, _ := strings.Cut(err.Error(), driverText)
	return fmt.Errorf("%s%w", doing, known)
}

var errMissingTable = fault.New("a table that this release needs is missing", "guestlist doctor says which migrations the database lacks.")

// unavailable says that the database can't be relied on now, and why: in the words
// that doctor has for it, if there are any. The driver's error is not in the chain.
func unavailable(doing string, err error) error {
	known := explain(err)
	if isNoTable(err) {
		known = errMissingTable
	}
	if fault.IsFault(known) {
		return fmt.Errorf("store: %s: %w: %w", doing, directory.ErrUnavailable, known)
	}
	return fmt.Errorf("store: %s: %w: %s", doing, directory.ErrUnavailable, redact(err))
}

// isDomainError reports whether an error already means something to the callers.
func isDomainError(err error) bool {
	var invalid *directory.ValidationError
	for _, known := range []error{
		directory.ErrNotFound, directory.ErrEmailTaken, directory.ErrLastAdmin,
		directory.ErrNotListed, directory.ErrSuspended, directory.ErrUnavailable,
		idempotency.ErrReused, idempotency.ErrInProgress, session.ErrAttemptGone, session.ErrLinkOld,
		userio.ErrInvalidState, userio.ErrLeaseLost, userio.ErrActorNotAdmin, userio.ErrNoImport,
		token.ErrTooMany, token.ErrDuplicate, token.ErrNotAdmin,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return errors.As(err, &invalid)
}

func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// redact returns an error's text without the values that a statement held: what a server
// says may hold the statement and its values, so only words of its own are kept.
func redact(err error) string {
	text := err.Error()
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		text = fmt.Sprintf("mysql error %d (%s) %s", my.Number, my.SQLState[:], withoutValues(my.Message))
	}
	return strings.TrimSpace(truncate(text, 160))
}

// IsDuplicate reports whether a row was refused because its key is taken.
func IsDuplicate(err error) bool {
	return dbconn.MySQLNumber(err) == 1062 ||
		dbconn.SQLiteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE || dbconn.SQLiteCode(err) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// isDDLRefused recognises PlanetScale's safe migrations. 1105 is Vitess's error
// for anything, so the text must be looked at too.
func isDDLRefused(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == 1105 && strings.Contains(e.Message, "direct DDL is disabled")
}
