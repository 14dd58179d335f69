package guard

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/web/loadshed"
)

// Limits on checks in progress; docs/decisions/0014-load-shedding.md says why.
const (
	maxChecks         = 2 * loadshed.MaxConcurrent // that do work
	maxBlockedChecks  = loadshed.MaxBlocked        // besides these that wait for the database or the login service
	checkQueueTimeout = time.Second                // how long the others wait
)

// newLimiter returns the limiter of checks.
func newLimiter(log *slog.Logger) loadshed.Limiter {
	limits := loadshed.Limits{Concurrent: maxChecks, Blocked: maxBlockedChecks, QueueTimeout: checkQueueTimeout}
	return loadshed.NewLimiter(limits, func(count int) {
		log.Warn("more requests to apps than can be checked: some were refused with 503", "refused", count)
	})
}

// busy returns the answer for a request that there was no time to check.
func (g *Guard) busy(r Request) Answer {
	a := refuse(http.StatusServiceUnavailable, "too busy")
	a.retryAfter = loadshed.RetryAfter()
	if r.isPage() {
		a.page = g.pages.unavailable()
	}
	return a
}
