package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestTransact(t *testing.T) {
	t.Parallel()
	deadlock := vitess(1213, "Deadlock found")
	for _, r := range []struct {
		name  string
		fails []error // of the first runs; the others succeed
		runs  int
		want  error
	}{
		{"commits", nil, 1, nil},
		{"runs again when others were in the way", []error{deadlock, vitess(1205, "Lock wait timeout exceeded"), vitess(1020, "Record has changed")}, 4, nil},
		{"gives up after ten times", []error{deadlock, deadlock, deadlock, deadlock, deadlock, deadlock, deadlock, deadlock, deadlock, deadlock, nil}, 10, deadlock},
		{"runs again when the connection was lost", []error{mysql.ErrInvalidConn, driver.ErrBadConn, vitess(1927, "Connection was killed"), vitess(1226, "User has exceeded")}, 5, nil},
		{"does not repeat a refusal", []error{directory.ErrLastAdmin}, 1, directory.ErrLastAdmin},
		{"does not repeat what may have been done", []error{io.ErrUnexpectedEOF}, 1, io.ErrUnexpectedEOF},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			s := opened(t, filepath.Join(t.TempDir(), "guestlist.db"))
			runs := 0
			err := s.Transact(t.Context(), func(tx *sql.Tx) error {
				runs++
				if _, err := tx.Exec("INSERT INTO settings (name, value, updated_at) VALUES ('x', '', 0)"); err != nil {
					return err // a run before left its row
				}
				if runs <= len(r.fails) {
					return r.fails[runs-1]
				}
				return nil
			})
			if runs != r.runs || !errors.Is(err, r.want) {
				t.Errorf("%d runs, %v, want %d, %v", runs, err, r.runs, r.want)
			}
			rows := 0
			if err := s.read.QueryRow("SELECT COUNT(*) FROM settings WHERE name = 'x'").Scan(&rows); err != nil {
				t.Fatal(err)
			}
			if (rows == 1) != (r.want == nil) {
				t.Errorf("%d rows are left", rows)
			}
		})
	}
}

func TestTransact_Cancelled(t *testing.T) {
	t.Parallel()
	s := opened(t, filepath.Join(t.TempDir(), "guestlist.db"))
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Transact(ctx, func(*sql.Tx) error {
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
}

func TestTransact_Panic(t *testing.T) {
	t.Parallel()
	s := opened(t, filepath.Join(t.TempDir(), "guestlist.db"))
	func() {
		defer func() { _ = recover() }()
		_ = s.Transact(t.Context(), func(*sql.Tx) error { panic("a rule with a bug") })
	}()
	// There is one writer: it would wait for ever if the transaction were still open.
	if err := s.Transact(t.Context(), func(*sql.Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}
