package apps

import (
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// Decision is the result of asking whether a user may open an app.
type Decision string

// The decisions.
const (
	Allowed         Decision = "allowed"
	NotSignedIn     Decision = "not_signed_in"    // there is no live session; Decide doesn't return it
	SwitchedOff     Decision = "switched_off"     // the app is switched off, for everyone
	Suspended       Decision = "suspended"        // the user is suspended
	NotInGroup      Decision = "not_in_group"     // no membership opens the app
	MembershipEnded Decision = "membership_ended" // the memberships that opened it have ended
)

// Decide returns whether a user may open an app, given the user's memberships. Of the
// app's groups, at least those that the user is in must be known.
func Decide(a App, u directory.User, memberships []directory.Membership, now time.Time) Decision {
	if !a.Enabled {
		return SwitchedOff
	}
	return decideByRule(a, u, memberships, now)
}

// DecideVisitor returns the decision about a visitor whose session or token isn't live.
func DecideVisitor(a App) Decision {
	if !a.Enabled {
		return SwitchedOff
	}
	return NotSignedIn
}

// decideService returns the decision about a live app token of a service.
func decideService(a App) Decision {
	if !a.Enabled {
		return SwitchedOff
	}
	return Allowed
}

// decideByRule is Decide for an app as if it were switched on.
func decideByRule(a App, u directory.User, memberships []directory.Membership, now time.Time) Decision {
	if u.Status == directory.Suspended {
		return Suspended
	}
	if a.Audience == Everyone {
		return Allowed
	}
	decision := NotInGroup
	for _, m := range memberships {
		if !a.OpensTo(m.GroupID) {
			continue
		}
		if m.Active(now) {
			return Allowed
		}
		decision = MembershipEnded
	}
	return decision
}
