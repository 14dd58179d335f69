package dbconn

import (
	"errors"

	"github.com/pressly/goose/v3"

	"github.com/guestlist/guestlist/internal/fault"
)

// migrationError is an error of migrating or of inspecting the database. Its text says which migration failed and what
// the database reported, without the statement and what Vitess appends to a message. It wraps the cause.
type migrationError struct {
	text   string
	causes []error
}

func (e *migrationError) Error() string   { return e.text }
func (e *migrationError) Unwrap() []error { return e.causes }

// NewMigrationError returns err as a migrationError; op is what failed.
func NewMigrationError(op string, err error) error {
	var partial *goose.PartialError
	if errors.As(err, &partial) && partial.Failed != nil && partial.Failed.Source != nil {
		op = "migration " + partial.Failed.Source.Path
	}
	if known := ExplainError(err); fault.IsFault(known) {
		return &migrationError{op + ": " + known.Error(), []error{known, err}}
	}
	return &migrationError{op + ": " + Redact(err), []error{err}}
}

// InspectError explains an error of inspecting the database, unless it already is a fault.
func InspectError(err error) error {
	if err == nil || fault.IsFault(err) {
		return err
	}
	return NewMigrationError("store: inspect the database", err)
}
