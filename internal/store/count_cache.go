package store

import (
	"context"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// countTTL is how long a count is reused: counting up to the limit takes longer than reading a page.
const countTTL = 2 * time.Second

// countCache caches how many users match each filter, until a user changes through this store.
type countCache struct {
	mu      sync.Mutex
	changes int // since the start; a count that began before the last one is not cached
	known   map[filter]total
}

type total struct {
	n  int
	at time.Time
}

func (t *countCache) get(now time.Time, f filter, count func() (int, error)) (int, error) {
	t.mu.Lock()
	changes, known := t.changes, t.known[f]
	t.mu.Unlock()
	if age := now.Sub(known.at); age >= 0 && age < countTTL {
		return known.n, nil
	}
	n, err := count()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil && t.changes == changes {
		if t.known == nil {
			t.known = map[filter]total{}
		}
		t.known[f] = total{n, now}
	}
	return n, err
}

// invalidate clears the cache. It must be called when a user was added, removed, or changed in role or status.
func (t *countCache) invalidate() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes++
	clear(t.known)
}

// countUsers counts the users who match the query's filters, up to one more than directory.MaxTotal.
func countUsers(ctx context.Context, q queries, query directory.Query) (int, error) {
	counted := 0
	for _, f := range filterRanges(query) {
		limit := int32(directory.MaxTotal + 1 - counted)
		var n int64
		var err error
		if (f == filter{}) {
			n, err = q.CountUsers(ctx, limit)
		} else {
			n, err = q.CountSomeUsers(ctx, dbsqlc.CountSomeUsersParams{Role: string(f.role), Status: string(f.status), Limit: limit})
		}
		if counted += int(n); err != nil || counted > directory.MaxTotal {
			return counted, err
		}
	}
	return counted, nil
}
