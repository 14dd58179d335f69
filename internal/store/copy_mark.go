package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CopyMarkerKey is the name of the setting that a database has while it is only a
// part of another: the Name of that one.
const CopyMarkerKey = "copy_of"

// CopySource returns which database this is a half-made copy of; empty if it is none.
func (s *Store) CopySource(ctx context.Context) (string, error) {
	source, err := read(ctx, s, (*dbsqlc.Queries).GetSetting, CopyMarkerKey)
	if err = translate("look for copy mark", err); errors.Is(err, directory.ErrNotFound) {
		return "", nil
	}
	return source, err
}

// MarkCopy notes that the database is a half-made copy of another.
func (s *Store) MarkCopy(ctx context.Context, source string) error {
	return translate("mark copy", s.writer().InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: CopyMarkerKey, Value: source, UpdatedAt: micros(s.now())}))
}

// UnmarkCopy notes that the copy is whole.
func (s *Store) UnmarkCopy(ctx context.Context) error {
	return translate("unmark copy", s.writer().DeleteSetting(ctx, CopyMarkerKey))
}

// CheckComplete returns an error if the database is a half-made copy: people and their
// sessions are missing in it.
func (s *Store) CheckComplete(ctx context.Context) error {
	source, err := s.CopySource(ctx)
	if source != "" {
		return fault.New("this database is a half-made copy of "+source, "Finish it by the same guestlist copy, or name another database in DATABASE_URL.")
	}
	return err
}

// CopyError says which table could not be copied and why, without its rows'
// values. What is wrong may be a value that the other engine doesn't take.
func CopyError(table string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("store: copy table %s: %s", table, redact(err))
}
