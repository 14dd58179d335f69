package exact_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/exact"
)

type recorder struct {
	exact.Database
	args []any
}

func (r *recorder) ExecContext(_ context.Context, _ string, args ...any) (sql.Result, error) {
	r.args = args
	return nil, nil
}

func TestOn_TrailingSpace(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, query string
		args, want  []any
	}{
		{"a value written", "INSERT INTO t (a, b) VALUES (?, ?)", []any{"x ", 1}, []any{"x ", 1}},
		{"a value compared", "DELETE FROM t WHERE a = ? AND b = ?", []any{"x ", "y"}, []any{"x \uffff", "y"}},
		{"both", "UPDATE t SET a = ? WHERE b = ? AND c = ?", []any{"x ", "y ", int64(3)}, []any{"x ", "y \uffff", int64(3)}},
		{"a list", "DELETE FROM t WHERE a IN (?,?)", []any{"x", " "}, []any{"x", " \uffff"}},
		{"a join", "SELECT a.b FROM a LEFT JOIN c ON c.d = ? AND c.e = a.e WHERE a.f = ?", []any{"x ", "y "}, []any{"x \uffff", "y \uffff"}},
		{"another space", "DELETE FROM t WHERE a = ?", []any{"x\u00a0"}, []any{"x\u00a0"}},
		{"nothing", "DELETE FROM t", nil, nil},
	} {
		r := &recorder{}
		args := append([]any(nil), row.args...)
		if _, err := exact.On(r).ExecContext(t.Context(), row.query, args...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row.want, r.args); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		if diff := cmp.Diff(row.args, args); diff != "" {
			t.Errorf("%s: the caller's slice was changed:\n%s", row.name, diff)
		}
	}
}
