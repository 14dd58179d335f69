package store

import (
	"errors"

	"github.com/pressly/goose/v3"

	"github.com/guestlist/guestlist/internal/fault"
)

// migrationError is an error of a migration, or of a look for one. Its text says which
// migration and what the database said; the statement and what Vitess puts behind a
// message are left out. The cause is kept for errors.As.
type migrationError struct {
	text   string
	causes []error
}

func (e *migrationError) Error() string   { return e.text }
func (e *migrationError) Unwrap() []error { return e.causes }

// newMigrationError returns err as a migrationError; doing is what failed.
func newMigrationError(doing string, err error) error {
	var partial *goose.PartialError
	if errors.As(err, &partial) && partial.Failed != nil && partial.Failed.Source != nil {
		doing = "migration " + partial.Failed.Source.Path
	}
	if known := explain(err); fault.IsFault(known) {
		return &migrationError{doing + ": " + known.Error(), []error{known, err}}
	}
	return &migrationError{doing + ": " + redact(err), []error{err}}
}
