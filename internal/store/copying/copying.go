// Package copying moves everything from one database to another, of the same
// engine or not: every table that the migrations make, row by row, in order of
// the primary key.
//
// The target bears a mark from the first row to the last comparison, and nothing
// serves from it until then (store.Whole). A copy that was cut off is gone on
// with by doing it again: each table of the target is first rid of what the
// source has not, or not any more, and then given what it lacks, so there is no
// place to remember, and a source that changed meanwhile is followed. Only when
// both sides, read once more, are the same is the mark taken away.
//
// Memory is that of a few pages of rows, a transaction writes no more than one, and
// the source is read and never written, but for migrations that it lacks.
package copying

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store"
)

// Progress is told how many steps of how many are done: a row is one when it is
// copied and one when it is compared.
type Progress func(done, total int64)

// Copy makes of the database to a copy of the database from, both given as
// store.Open takes them, and returns what was compared, table by table. To must
// be empty, or a copy of from that was cut off. An SQLite file is kept from
// everybody else meanwhile, and store.ErrInUse if somebody has it open. Of a
// server it is asked that nobody writes there: the comparison finds out, and
// returns ErrDiffer.
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
	if err := store.Refused(ctx, from); err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	if err := store.Refused(ctx, to); err != nil {
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

// open opens a database that is up to date and has nobody else, where that can be.
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

// claim marks a target as a copy of the database of that name, or finds it so
// marked. It refuses one that holds anything.
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
