package store

import (
	"context"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// countTTL is how long a count of people is good for: counting to the most
// takes longer than reading a page.
const countTTL = 2 * time.Second

// countCache remembers how many people each filter lets through, until somebody is
// changed through this store.
type countCache struct {
	mu      sync.Mutex
	changes int // counts begun before the newest are not kept
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

// invalidate is to be called when somebody has come, gone or changed their role or
// status.
func (t *countCache) invalidate() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes++
	clear(t.known)
}

// countUsers counts the people that the query's filters let through to one more
// than the most that is told.
func countUsers(ctx context.Context, q queries, query directory.Query) (int, error) {
	counted := 0
	for _, f := range filterRanges(query) {
		most := int32(directory.MaxTotal + 1 - counted)
		var n int64
		var err error
		if (f == filter{}) {
			n, err = q.CountUsers(ctx, most)
		} else {
			n, err = q.CountSomeUsers(ctx, dbsqlc.CountSomeUsersParams{Role: string(f.role), Status: string(f.status), Limit: most})
		}
		if counted += int(n); err != nil || counted > directory.MaxTotal {
			return counted, err
		}
	}
	return counted, nil
}
