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

// Pools returns how the connections are doing: of "all" on MySQL, of those to
// "read" and to "write" on SQLite.
func (s *Store) Pools() map[string]sql.DBStats {
	if !s.sqlite {
		return map[string]sql.DBStats{"all": s.read.Stats()}
	}
	return map[string]sql.DBStats{"read": s.read.Stats(), "write": s.write.Stats()}
}

// maxCountedJobs is up to where calls are counted, so that it takes no longer than it should.
const maxCountedJobs = 100_000

// Backlog counts the calls to Stytch that wait and those that are parked, and
// returns when the oldest that waits was written; zero if none waits.
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
	if isNoRows(err) {
		err = nil
	}
	return int(n), int(m), fromMicros(at), translate("find the oldest job", err)
}
