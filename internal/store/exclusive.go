package store

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// ErrInUse is the error of OpenExclusive if another program has the SQLite file open.
var ErrInUse = errors.New("the SQLite file is in use: stop the programs that have it open, and try again")

// OpenExclusive opens a database like Open and locks an SQLite file until the store is closed. If any program has the
// file open, even only for reading, it returns ErrInUse. For MySQL it is the same as Open.
func OpenExclusive(ctx context.Context, databaseURL string, now func() time.Time) (*Store, error) {
	path, ok := dbconn.ParsePath(databaseURL)
	if !ok {
		return Open(databaseURL, now)
	}
	if err := dbconn.CreateFile(path); err != nil {
		return nil, err
	}
	// Inspect it first: a locked file can't be opened again.
	if _, err := inspect.ReadFile(ctx, path); err != nil {
		if dbconn.IsContention(err) {
			return nil, ErrInUse
		}
		return nil, dbconn.InspectError(err)
	}
	if err := dbconn.CheckFile(ctx, path); err != nil {
		return nil, dbconn.InspectError(err)
	}
	// No journal_mode: it would prevent the lock.
	db, err := dbconn.OpenFile(path, 1, "locking_mode(EXCLUSIVE)")
	if err != nil {
		return nil, err
	}
	s := &Store{read: db, write: db, migrator: db, sqlite: true, timeout: dbconn.DefaultTimeout, now: now, maxSorted: maxSortedMatches, maxScanned: maxScannedWords}
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE; COMMIT"); err != nil {
		s.Close()
		if dbconn.IsContention(err) {
			return nil, ErrInUse
		}
		return nil, dbconn.CorruptionError("ok", err)
	}
	return s, nil
}
