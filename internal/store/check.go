package store

import (
	"context"

	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// FileLargerThan reports whether the database is an SQLite file of more than a number of bytes.
func (s *Store) FileLargerThan(ctx context.Context, bytes int64) bool {
	if !s.sqlite {
		return false
	}
	size, err := dbconn.FileSize(ctx, s.Reader())
	return err == nil && size > bytes
}

// Check reads all of an SQLite file, which may be in use, and returns an error if it is corrupt or can't be read.
// Finding corruption early means that a recent backup is still good. A million users take seconds. On MySQL, Check
// does nothing.
func (s *Store) Check(ctx context.Context) error {
	if !s.sqlite {
		return nil
	}
	return dbconn.QuickCheck(ctx, s.migrator)
}

// ErrCorrupt means that an SQLite file is corrupt. Its text tells the operator what to do.
var ErrCorrupt = dbconn.ErrCorrupt
