package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CopySource returns the Name of the database that this is an incomplete copy of; empty if it isn't one.
func (s *Store) CopySource(ctx context.Context) (string, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	source, err := inspect.CopySource(ctx, q.Queries)
	return source, translate("find copy mark", err)
}

// MarkCopy marks the database as an incomplete copy of another.
func (s *Store) MarkCopy(ctx context.Context, source string) error {
	return translate("mark copy", s.writer().InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: inspect.CopyMarkerKey, Value: source, UpdatedAt: micros(s.now())}))
}

// UnmarkCopy marks the copy as complete.
func (s *Store) UnmarkCopy(ctx context.Context) error {
	return translate("unmark copy", s.writer().DeleteSetting(ctx, inspect.CopyMarkerKey))
}

// CheckComplete returns an error if the database is an incomplete copy, which lacks users and sessions.
func (s *Store) CheckComplete(ctx context.Context) error {
	source, err := s.CopySource(ctx)
	if err != nil {
		return err
	}
	return inspect.IncompleteCopy(source)
}

// CopyError returns err with the table that could not be copied and without its values. The cause may be a value that
// the other engine doesn't accept.
func CopyError(table string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("store: copy table %s: %s", table, dbconn.Redact(err))
}
