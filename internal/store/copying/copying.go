// Package copying copies a database to another one, of the same engine or not: every table of the migrations, row by row,
// in order of the primary key.
//
// The target is marked as incomplete until the last comparison, and no instance serves from it (store.CheckComplete). To
// continue an interrupted copy, run it again: in each table it deletes the rows that the source doesn't have and inserts
// the missing ones, so no progress is stored and changes of the source are followed. The mark is removed only when both
// sides, read again, are equal.
//
// It holds a few pages of rows in memory and writes at most one per transaction. It changes nothing in the source except
// for applying pending migrations.
package copying

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/store/inspect"
)

// Progress is called with the number of finished and of all steps: copying a row is one, comparing it another.
type Progress func(done, total int64)

// Copy makes the database to a copy of the database from, both given as for store.Open, and returns what it compared,
// table by table. The target must be empty or an interrupted copy of the source. SQLite files are locked during the
// copy; if another program has one open, it returns store.ErrInUse. Servers can't be locked: if a program writes to one
// during the copy, it returns ErrDiffer.
func Copy(ctx context.Context, from, to string, now func() time.Time, log *slog.Logger, progress Progress) ([]Table, error) {
	name, err := store.Name(from)
	if err != nil {
		return nil, fault.Setting("DATABASE_URL", err)
	}
	other, err := store.Name(to)
	if err != nil {
		return nil, fault.Setting("--to", err)
	}
	if name == other {
		return nil, errors.New("--to names the source database: use another one")
	}
	if err := store.Exists(from); err != nil {
		return nil, err
	}
	if err := inspect.Refused(ctx, from); err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	if err := inspect.Refused(ctx, to); err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	source, err := open(ctx, from, now, log)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	defer source.Close()
	if err := source.CheckComplete(ctx); err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	target, err := open(ctx, to, now, log)
	if err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	defer target.Close()
	return copyAll(ctx, name, source, target, progress)
}

// open opens a database exclusively, if possible, and migrates it.
func open(ctx context.Context, databaseURL string, now func() time.Time, log *slog.Logger) (*store.Store, error) {
	st, err := store.OpenExclusive(ctx, databaseURL, now)
	if err != nil {
		return nil, err
	}
	if err := st.Prepare(ctx, log); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

func copyAll(ctx context.Context, name string, source, target *store.Store, progress Progress) ([]Table, error) {
	tables, err := tables(ctx)
	if err != nil {
		return nil, err
	}
	if err := claim(ctx, name, target, tables); err != nil {
		return nil, err
	}
	steps, err := plan(ctx, source, tables, progress)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if err := deleteExtra(ctx, t, source, target); err != nil {
			return nil, err
		}
		if err := copyMissing(ctx, t, source, target, steps); err != nil {
			return nil, err
		}
	}
	compared, err := compare(ctx, tables, source, target, steps)
	if err != nil {
		return nil, err
	}
	return compared, target.UnmarkCopy(ctx)
}

// claim marks the target as a copy of the database with a name, or checks that it is marked so. It refuses a target
// that isn't empty.
func claim(ctx context.Context, name string, target *store.Store, tables []table) error {
	of, err := target.CopySource(ctx)
	switch {
	case err != nil || of == name:
		return err
	case of != "":
		return fmt.Errorf("--to names an incomplete copy of %s, not of the source database: use an empty one", of)
	}
	for _, t := range tables {
		r, found, err := newCursor(target, t).peek(ctx)
		if err != nil {
			return err
		}
		if found && !(t.name == "settings" && r[0].String == "admin_lock") {
			return fmt.Errorf("--to names a database that is not empty (table %s): use an empty one that no program was started with", t.name)
		}
	}
	return target.MarkCopy(ctx, name)
}
