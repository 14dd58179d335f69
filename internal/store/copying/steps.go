package copying

import (
	"context"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/store/inspect"
)

// steps counts the finished steps and reports them from time to time.
type steps struct {
	done, total int64
	report      Progress
}

// plan returns the steps of a copy.
func plan(ctx context.Context, source *store.Store, tables []table, report Progress) (*steps, error) {
	s := &steps{report: report}
	for _, t := range tables {
		n, err := count(ctx, source, t)
		if err != nil {
			return nil, err
		}
		s.total += 2 * n
	}
	return s, nil
}

func (s *steps) step() {
	if s.done++; s.done%pageSize == 0 {
		s.report(min(s.done, s.total), s.total) // the source may have grown
	}
}

func (s *steps) end() { s.report(s.total, s.total) }

// count returns the number of rows in a table, without the copy mark.
func count(ctx context.Context, db *store.Store, t table) (n int64, err error) {
	text, args := "SELECT COUNT(*) FROM "+t.name, []any{}
	if t.name == "settings" {
		text, args = text+" WHERE name <> ?", []any{inspect.CopyMarkerKey}
	}
	err = db.Reader().QueryRowContext(ctx, text, args...).Scan(&n)
	return n, store.CopyError(t.name, err)
}
