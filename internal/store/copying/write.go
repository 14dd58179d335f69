package copying

import (
	"context"
	"database/sql"
	"strings"

	"github.com/guestlist/guestlist/internal/store"
)

// batchBytes limits the text written at once, except for a single longer row, because servers limit the length of a
// statement.
const batchBytes = 1 << 20

// batch collects rows of a table of the target to write or delete them in one transaction.
type batch struct {
	db    *store.Store
	table table
	write func(ctx context.Context, tx *sql.Tx, t table, rows []row) error
	rows  []row
	bytes int
}

func (b *batch) add(ctx context.Context, r row) error {
	b.rows = append(b.rows, r)
	for _, v := range r {
		b.bytes += len(v.String)
	}
	if len(b.rows) < pageSize && b.bytes < batchBytes {
		return nil
	}
	return b.flush(ctx)
}

func (b *batch) flush(ctx context.Context) error {
	if len(b.rows) == 0 {
		return nil
	}
	err := b.db.Transact(ctx, func(tx *sql.Tx) error { return b.write(ctx, tx, b.table, b.rows) })
	b.rows, b.bytes = nil, 0
	return store.CopyError(b.table.name, err)
}

// copyMissing inserts the rows of the source that the target lacks.
func copyMissing(ctx context.Context, t table, source, target *store.Store, steps *steps) error {
	b := batch{db: target, table: t, write: insert}
	err := merge(ctx, newCursor(source, t), newCursor(target, t), func(r row, both bool) error {
		steps.step()
		if both {
			return nil
		}
		return b.add(ctx, r)
	})
	if err != nil {
		return err
	}
	return b.flush(ctx)
}

// deleteExtra deletes the target's rows that the source lacks or has with other values, whose keys copyMissing would
// find taken.
func deleteExtra(ctx context.Context, t table, source, target *store.Store) error {
	b := batch{db: target, table: t, write: remove}
	err := merge(ctx, newCursor(target, t), newCursor(source, t), func(r row, both bool) error {
		if both {
			return nil
		}
		return b.add(ctx, r)
	})
	if err != nil {
		return err
	}
	return b.flush(ctx)
}

func insert(ctx context.Context, tx *sql.Tx, t table, rows []row) error {
	values := make([][]any, len(rows))
	for n, r := range rows {
		for _, v := range r {
			values[n] = append(values[n], v)
		}
	}
	return store.InsertRows(ctx, tx, t.name, strings.Join(t.columns, ", "), values)
}

func remove(ctx context.Context, tx *sql.Tx, t table, rows []row) error {
	one := "(" + strings.Join(t.columns[:t.keys], " = ? AND ") + " = ?)"
	var args []any
	for _, r := range rows {
		for _, v := range r[:t.keys] {
			args = append(args, v)
		}
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM "+t.name+" WHERE "+one+strings.Repeat(" OR "+one, len(rows)-1), args...)
	return err
}
