package apps

import (
	"sync"
	"sync/atomic"
	"time"
)

// arrivals remembers when requests for each app were last checked, in memory. It is safe for
// concurrent use, and has one entry for each app.
type arrivals struct{ byApp sync.Map } // app id -> *atomic.Int64, Unix seconds

// record notes a request. It writes at most once a second for an app, so that concurrent
// checks don't contend for it.
func (a *arrivals) record(appID string, at time.Time) {
	entry, found := a.byApp.Load(appID)
	if !found {
		entry, _ = a.byApp.LoadOrStore(appID, new(atomic.Int64))
	}
	last := entry.(*atomic.Int64)
	if seconds := at.Unix(); last.Load() != seconds {
		last.Store(seconds)
	}
}

// last returns the time of the last request, zero if there was none.
func (a *arrivals) last(appID string) time.Time {
	entry, found := a.byApp.Load(appID)
	if !found {
		return time.Time{}
	}
	return time.Unix(entry.(*atomic.Int64).Load(), 0).UTC()
}
