package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid"
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
	case dbconn.IsNoRows(err):
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
	known := dbconn.ExplainError(err)
	var driverText string
	var my *mysql.MySQLError
	var file *sqlite.Error
	switch {
	case err == nil || dbconn.IsNoRows(err) || isDomainError(err):
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
	known := dbconn.ExplainError(err)
	if dbconn.IsNoTable(err) {
		known = errMissingTable
	}
	if fault.IsFault(known) {
		return fmt.Errorf("store: %s: %w: %w", op, directory.ErrUnavailable, known)
	}
	return fmt.Errorf("store: %s: %w: %s", op, directory.ErrUnavailable, dbconn.Redact(err))
}

// isDomainError reports whether an error is one that callers handle.
func isDomainError(err error) bool {
	var invalid *directory.ValidationError
	var denied *apps.DeniedError
	for _, known := range []error{
		directory.ErrNotFound, directory.ErrEmailTaken, directory.ErrLastAdmin, directory.ErrNotFresh,
		directory.ErrNotListed, directory.ErrSuspended, directory.ErrUnavailable,
		idempotency.ErrReused, idempotency.ErrInProgress, session.ErrAttemptGone, session.ErrLinkOld, session.ErrCodeSpent, session.ErrPasskeyUnknown, session.ErrLinkSpent, session.ErrHostLinkNoAccount,
		userio.ErrInvalidState, userio.ErrLeaseLost, userio.ErrActorNotAdmin, userio.ErrNoImport,
		token.ErrTooMany, token.ErrDuplicate, token.ErrNotAdmin,
		directory.ErrGroupTaken, directory.ErrTooManyGroups, directory.ErrAlreadyMember, directory.ErrNotMember, directory.ErrNoGroup,
		apps.ErrNameTaken, apps.ErrHostTaken, apps.ErrChanged, apps.ErrTooManyApps, apps.ErrTokenExists, apps.ErrTooManyTokens, apps.ErrCode, apps.ErrLoop,
		apps.ErrSwitchedOff, apps.ErrHasAccess, apps.ErrRequestPending, apps.ErrOwnRequest, apps.ErrRequestDecided, apps.ErrUserSuspended, apps.ErrNoAppGroups, apps.ErrNoRequest,
		directory.ErrNoEnd, directory.ErrRenewed,
		identity.ErrGenerationTaken,
		openid.ErrUsed, openid.ErrUserCodeTaken, openid.ErrTooManySecrets, openid.ErrSecretExists, openid.ErrPublicClient,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return errors.As(err, &invalid) || errors.As(err, &denied)
}

// IsDuplicate reports whether a row was refused because its key exists.
func IsDuplicate(err error) bool { return dbconn.IsDuplicate(err) }
