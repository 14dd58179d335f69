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

// translate converts an error of the database to the domain's: no rows is ErrNotFound, a domain error stays the same,
// and any other error is ErrUnavailable. It omits the driver's text, into which Vitess puts the statement and its
// values.
func translate(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case isNoRows(err):
		return fmt.Errorf("store: %s: %w", op, directory.ErrNotFound)
	case isDomainError(err):
		return err
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("store: %s: %w", op, context.Canceled)
	}
	return unavailable(op, err)
}

// Explain returns an error of the database as doctor explains it, after what was attempted and without values. It is
// for errors of [Store.Transact] and [Store.Reader]; other methods explain theirs.
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
	op, _, _ := strings.Cut(err.Error(), driverText)
	return fmt.Errorf("%s%w", op, known)
}

var errMissingTable = fault.New("a table that this release needs is missing", "guestlist doctor shows the missing migrations.")

// unavailable returns ErrUnavailable with the fault that explains err, if there is one. It doesn't wrap the driver's
// error.
func unavailable(op string, err error) error {
	known := explain(err)
	if isNoTable(err) {
		known = errMissingTable
	}
	if fault.IsFault(known) {
		return fmt.Errorf("store: %s: %w: %w", op, directory.ErrUnavailable, known)
	}
	return fmt.Errorf("store: %s: %w: %s", op, directory.ErrUnavailable, redact(err))
}

// isDomainError reports whether an error is one that callers handle.
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

// redact returns an error's text without the statement and its values, which a server's message may contain.
func redact(err error) string {
	text := err.Error()
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		text = fmt.Sprintf("mysql error %d (%s) %s", my.Number, my.SQLState[:], withoutValues(my.Message))
	}
	return strings.TrimSpace(truncate(text, 160))
}

// IsDuplicate reports whether a row was refused because its key exists.
func IsDuplicate(err error) bool {
	return dbconn.MySQLNumber(err) == 1062 ||
		dbconn.SQLiteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE || dbconn.SQLiteCode(err) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// isDDLRefused recognizes PlanetScale's safe migrations. Vitess's error number 1105 is generic, so the text matters
// too.
func isDDLRefused(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == 1105 && strings.Contains(e.Message, "direct DDL is disabled")
}
