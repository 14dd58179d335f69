package store

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// ErrInUse: somebody else has the SQLite file open.
var ErrInUse = errors.New("the SQLite file is in use: stop what has it open, and try again")

// OpenExclusive is Open for who must be the only one: an SQLite file is kept from
// everybody else until the store is closed, and is ErrInUse while anybody has it
// open, even if they only look. A server can't be had alone: there it is Open.
func OpenExclusive(ctx context.Context, databaseURL string, now func() time.Time) (*Store, error) {
	path, ok := parsePath(databaseURL)
	if !ok {
		return Open(databaseURL, now)
	}
	if err := makeFile(path); err != nil {
		return nil, err
	}
	// To look comes first: whoever has the file alone can't read it a second time.
	if _, err := inspectFile(ctx, path); err != nil {
		if dbconn.IsContention(err) {
			return nil, ErrInUse
		}
		return nil, lookError(err)
	}
	if err := checkFile(ctx, path); err != nil {
		return nil, lookError(err)
	}
	// No journal_mode: before the lock is taken, it would be in the way of it.
	db, err := openFile(path, 1, "locking_mode(EXCLUSIVE)")
	if err != nil {
		return nil, err
	}
	s := &Store{read: db, write: db, migrator: db, sqlite: true, timeout: defaultTimeout, now: now, maxSorted: maxSortedMatches, maxScanned: maxScannedWords}
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE; COMMIT"); err != nil {
		s.Close()
		if dbconn.IsContention(err) {
			return nil, ErrInUse
		}
		return nil, corruptionError("ok", err)
	}
	return s, nil
}
