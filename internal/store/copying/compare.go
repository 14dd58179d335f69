package copying

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/store"
)

// ErrDiffer means that source and target differed at the end.
var ErrDiffer = errors.New("the copy differs from its source, so a program is still changing one of them: stop it and run the same command again, which continues from here")

// Table is what both sides hold in a table.
type Table struct {
	Name     string `json:"name"`
	Rows     int64  `json:"rows"`
	Checksum string `json:"checksum"` // hexadecimal SHA-256 of all rows in order of the primary key
}

// compare reads both sides again and returns what they hold, or ErrDiffer.
func compare(ctx context.Context, tables []table, source, target *store.Store, steps *steps) ([]Table, error) {
	var all []Table
	for _, t := range tables {
		want, err := checksum(ctx, source, t, steps.step)
		if err != nil {
			return nil, err
		}
		got, err := checksum(ctx, target, t, func() {})
		if err != nil {
			return nil, err
		}
		if got != want {
			return nil, fmt.Errorf("table %s has %d rows at the source and %d in the copy: %w", t.name, want.Rows, got.Rows, ErrDiffer)
		}
		all = append(all, want)
	}
	steps.end()
	return all, nil
}

// checksum reads a table and calls step for each row. It hashes each value after its length plus one, and NULL as 0.
func checksum(ctx context.Context, db *store.Store, t table, step func()) (Table, error) {
	hash := sha256.New()
	s := Table{Name: t.name}
	var text []byte
	for c := newCursor(db, t); ; c.advance() {
		r, found, err := c.peek(ctx)
		if err != nil {
			return s, err
		}
		if !found {
			break
		}
		text = text[:0]
		for _, v := range r {
			if !v.Valid {
				text = append(text, 0)
				continue
			}
			text = append(binary.AppendUvarint(text, uint64(len(v.String))+1), v.String...)
		}
		hash.Write(text)
		s.Rows++
		step()
	}
	s.Checksum = hex.EncodeToString(hash.Sum(nil))
	n, err := count(ctx, db, t) // counted by the engine
	if err == nil && n != s.Rows {
		err = fmt.Errorf("table %s has %d rows, and %d were read: %w", t.name, n, s.Rows, ErrDiffer)
	}
	return s, err
}
