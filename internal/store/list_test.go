package store

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestListUsers_TotalLimit(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		now := storetest.Now()
		s, err := Open(databaseURL, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if _, err := s.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		add := func(from, to int) {
			t.Helper()
			var rows []string
			for i := from; i < to; i++ {
				rows = append(rows, fmt.Sprintf("('%d', '', 'p%[1]d', 'p%[1]d', 'p%[1]d', 'member', 'active', '', '', 0, %[1]d, 0, %[1]d)", i))
			}
			if _, err := s.write.ExecContext(t.Context(), "INSERT INTO users (id, name, name_key, email, email_key, role, status, "+
				"stytch_user_id, invited_by, invite_sent_at, created_at, updated_at, last_seen_at) VALUES "+strings.Join(rows, ", ")); err != nil {
				t.Fatal(err)
			}
		}
		add(0, 10_000)
		for _, more := range []bool{false, true} {
			for _, q := range []directory.Query{{}, {Role: directory.Member}, {Status: directory.Active}} {
				q.Sort, q.Limit = directory.ByName, 1
				page, err := s.ListUsers(t.Context(), q)
				if err != nil || page.Total != 10_000 || page.More != more {
					t.Errorf("%+v: %d people, more: %v, %v", q, page.Total, page.More, err)
				}
			}
			if !more {
				add(10_000, 10_001)
				now = now.Add(countTTL)
			}
		}
	})
}
