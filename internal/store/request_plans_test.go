package store

import (
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

// The number of pending requests is on every page for administrators, and ends of memberships are looked for all the time.
func TestRequests_ReadIndexRanges(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		seedAccess(t, s, 2000, 300, 200)
		if _, err := s.write.ExecContext(t.Context(), `INSERT INTO access_requests (id, app_id, user_id, note, state, created_at, decided_at, decided_by)
SELECT id, 'a1', id, '', CASE WHEN id LIKE '%7' THEN 'pending' ELSE 'denied' END, created_at, 0, '' FROM users`); err != nil {
			t.Fatal(err)
		}
		analyze := "ANALYZE access_requests"
		if !s.sqlite {
			analyze = "ANALYZE TABLE access_requests"
		}
		if _, err := s.write.ExecContext(t.Context(), analyze); err != nil {
			t.Fatal(err)
		}
		r := &recorder{DB: s.Reader()}
		q, now := dbsqlc.New(r), storetest.Now().UnixMicro()
		if n, err := q.CountRequests(t.Context(), dbsqlc.CountRequestsParams{State: "pending", Limit: 100}); err != nil || n == 0 {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := q.ListRequests(t.Context(), dbsqlc.ListRequestsParams{State: "pending", Limit: 50}); err != nil {
			t.Error(err)
		}
		if _, err := q.UnwarnedMemberships(t.Context(), dbsqlc.UnwarnedMembershipsParams{After: now, Before: now + 1, Limit: 50}); err != nil {
			t.Error(err)
		}
		if _, err := q.MembershipsEndingBetween(t.Context(), dbsqlc.MembershipsEndingBetweenParams{After: now, Before: now + 1, Limit: 50}); err != nil {
			t.Error(err)
		}
		if len(r.statements) != 4 {
			t.Fatalf("%d statements", len(r.statements))
		}
		for _, asked := range r.statements {
			for _, step := range queryPlan(t, s, asked) {
				if table := step["table"]; strings.HasPrefix(table, "<derived") {
					continue // the rows that were counted
				}
				if scan := step["detail"]; strings.HasPrefix(scan, "SCAN") && !strings.HasPrefix(scan, "SCAN counted") || strings.Contains(scan, "TEMP B-TREE") ||
					step["type"] == "ALL" || step["type"] == "index" || strings.Contains(step["Extra"], "filesort") {
					t.Errorf("%s %q\n%v", asked.text, asked.args, step)
				}
			}
		}
	})
}
