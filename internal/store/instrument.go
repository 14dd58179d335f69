package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// QueryObserver is called before and after each statement.
type QueryObserver = dbconn.Observer

// Watch sets the observer of the store's statements. It must be called before the store is used.
func (s *Store) Watch(o QueryObserver) { s.observer = o }

// Pools returns the statistics of the connection pools: "all" on MySQL, "read" and "write" on SQLite.
func (s *Store) Pools() map[string]sql.DBStats {
	if !s.sqlite {
		return map[string]sql.DBStats{"all": s.read.Stats()}
	}
	return map[string]sql.DBStats{"read": s.read.Stats(), "write": s.write.Stats()}
}

// maxCountedJobs limits counting, which would take too long.
const maxCountedJobs = 100_000

// Backlog returns the number of waiting and of parked jobs, and when the oldest waiting one was created; zero if none
// waits.
func (s *Store) Backlog(ctx context.Context) (waiting, parked int, oldest time.Time, err error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	n, err := q.CountWaitingJobs(ctx, maxCountedJobs)
	if err != nil {
		return 0, 0, time.Time{}, translate("count jobs", err)
	}
	m, err := q.CountParkedJobs(ctx, maxCountedJobs)
	if err != nil {
		return 0, 0, time.Time{}, translate("count parked jobs", err)
	}
	at, err := q.OldestJob(ctx)
	if dbconn.IsNoRows(err) {
		err = nil
	}
	return int(n), int(m), fromMicros(at), translate("find oldest job", err)
}
