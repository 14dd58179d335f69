package guard

import (
	"context"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
)

// refusalInterval is how long a user's refusals by an app are not recorded again. Every
// instance counts for itself.
const refusalInterval = 10 * time.Minute

// maxRefusals limits the remembered refusals.
const maxRefusals = 10_000

type refusalKey struct {
	userID, appID string
	reason        apps.Decision
}

// refusals remembers which refusals were recorded. The zero value remembers none.
type refusals struct {
	mu       sync.Mutex
	recorded map[refusalKey]time.Time
}

// isNew reports whether to record a refusal.
func (s *refusals) isNew(k refusalKey, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.recorded[k]; ok && now.Sub(at) < refusalInterval && now.Sub(at) >= 0 {
		return false
	}
	if s.recorded == nil || len(s.recorded) >= maxRefusals {
		s.recorded = map[refusalKey]time.Time{}
	}
	s.recorded[k] = now
	return true
}

// recordRefused records in the audit log that a user may not open an app, once in
// refusalInterval.
func (g *Guard) recordRefused(ctx context.Context, r Request, access apps.Access) {
	u := access.User
	if !g.refusals.isNew(refusalKey{u.ID, access.App.ID, access.Decision}, g.opts.Now()) {
		return
	}
	by := r.origin().WithActor(u.ID, u.Email.Normalized)
	by.Token = access.Token.Name
	g.opts.Sessions.RecordAppRefused(ctx, by, u, access.App.Name, RefusalReason(access.Decision))
}

// RefusalReason returns the text of a decision in the audit log.
func RefusalReason(d apps.Decision) string {
	switch d {
	case apps.SwitchedOff:
		return "the app is switched off"
	case apps.Suspended:
		return "suspended"
	case apps.MembershipEnded:
		return "the membership has ended"
	}
	return "in none of its groups"
}
