package directory

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/event"
)

// RenewDays are the numbers of days by which a membership can be renewed. The first is the
// default.
var RenewDays = []int{30, 7, 90, 365}

// Errors of renewals.
var (
	ErrNoEnd   = errors.New("this membership has no end")
	ErrRenewed = errors.New("this membership was changed in the meantime")
)

// Renew extends a membership by one of RenewDays; see Membership.Extended. seen is the end
// that the caller saw, so that a form sent twice extends once. It returns the group and the
// new end. Errors: *ValidationError, ErrNotFound, ErrNotMember,
// ErrNoEnd, ErrRenewed.
func (g *Groups) Renew(ctx context.Context, by event.Origin, groupID, userID string, days int, seen time.Time) (Group, time.Time, error) {
	if !slices.Contains(RenewDays, days) {
		return Group{}, time.Time{}, &ValidationError{Fields: map[string]string{"days": "Choose one of these times."}}
	}
	now := g.now()
	var renewed Group
	var until time.Time
	err := g.store.ChangeMembership(ctx, groupID, userID, func(group Group, u User, old *Membership) (*Membership, event.Event, error) {
		switch {
		case old == nil:
			return nil, event.Event{}, ErrNotMember
		case old.Until.IsZero():
			return nil, event.Event{}, ErrNoEnd
		case !old.Until.Equal(seen):
			return nil, event.Event{}, ErrRenewed
		}
		renewed, until = group, old.Extended(days, now)
		return Join(by, group, u, old, until, now)
	})
	return renewed, until, err
}

// Membership returns a user's membership of a group, which may have ended. Errors:
// ErrNotMember, ErrUnavailable.
func (g *Groups) Membership(ctx context.Context, groupID, userID string) (Membership, error) {
	list, err := g.store.ListMemberships(ctx, userID)
	if err != nil {
		return Membership{}, err
	}
	i := slices.IndexFunc(list, func(m Membership) bool { return m.GroupID == groupID })
	if i < 0 {
		return Membership{}, ErrNotMember
	}
	return list[i], nil
}
