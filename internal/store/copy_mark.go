package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CopyMarkerKey is the name of the setting that marks an incomplete copy. Its value is the source's Name.
const CopyMarkerKey = "copy_of"

// CopySource returns the Name of the database that this is an incomplete copy of; empty if it isn't one.
func (s *Store) CopySource(ctx context.Context) (string, error) {
	source, err := read(ctx, s, (*dbsqlc.Queries).GetSetting, CopyMarkerKey)
	if err = translate("look for copy mark", err); errors.Is(err, directory.ErrNotFound) {
		return "", nil
	}
	return source, err
}

// MarkCopy marks the database as an incomplete copy of another.
func (s *Store) MarkCopy(ctx context.Context, source string) error {
	return translate("mark copy", s.writer().InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: CopyMarkerKey, Value: source, UpdatedAt: micros(s.now())}))
}

// UnmarkCopy marks the copy as complete.
func (s *Store) UnmarkCopy(ctx context.Context) error {
	return translate("unmark copy", s.writer().DeleteSetting(ctx, CopyMarkerKey))
}

// CheckComplete returns an error if the database is an incomplete copy, which lacks users and sessions.
func (s *Store) CheckComplete(ctx context.Context) error {
	source, err := s.CopySource(ctx)
	if source != "" {
		return fault.New("this database is an incomplete copy of "+source, "Finish it with the same guestlist copy command, or set DATABASE_URL to another database.")
	}
	return err
}

// CopyError returns err with the table that could not be copied and without its values. The cause may be a value that
// the other engine doesn't accept.
func CopyError(table string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("store: copy table %s: %s", table, redact(err))
}
