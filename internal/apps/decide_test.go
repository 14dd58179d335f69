package apps

import (
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestDecide(t *testing.T) {
	t.Parallel()
	staff, guests := directory.Group{ID: "staff", Name: "Staff"}, directory.Group{ID: "guests", Name: "Guests"}
	everyone := App{Enabled: true, Audience: Everyone}
	groups := App{Enabled: true, Audience: Groups, Groups: []directory.Group{staff, guests}}
	off, groupsOff := everyone, groups
	off.Enabled, groupsOff.Enabled = false, false
	in := func(group string, until time.Time) directory.Membership {
		return directory.Membership{GroupID: group, Until: until}
	}
	active, suspended := directory.User{Status: directory.Active}, directory.User{Status: directory.Suspended}
	for name, row := range map[string]struct {
		app         App
		user        directory.User
		memberships []directory.Membership
		want        Decision
	}{
		"everyone, but it is switched off":      {off, active, nil, SwitchedOff},
		"suspended, and it is switched off":     {off, suspended, nil, SwitchedOff},
		"in a group, but it is switched off":    {groupsOff, active, []directory.Membership{in("staff", time.Time{})}, SwitchedOff},
		"no group, and it is switched off":      {groupsOff, active, nil, SwitchedOff},
		"everyone":                              {everyone, active, nil, Allowed},
		"everyone but the suspended":            {everyone, suspended, nil, Suspended},
		"no group":                              {groups, active, nil, NotInGroup},
		"a group of the app":                    {groups, active, []directory.Membership{in("staff", time.Time{})}, Allowed},
		"another group":                         {groups, active, []directory.Membership{in("press", time.Time{})}, NotInGroup},
		"suspended in a group of the app":       {groups, suspended, []directory.Membership{in("staff", time.Time{})}, Suspended},
		"until later":                           {groups, active, []directory.Membership{in("staff", noon.Add(time.Microsecond))}, Allowed},
		"until now":                             {groups, active, []directory.Membership{in("staff", noon)}, MembershipEnded},
		"ended in one group, member of another": {groups, active, []directory.Membership{in("staff", noon), in("guests", time.Time{})}, Allowed},
		"ended in one group, in a strange one":  {groups, active, []directory.Membership{in("staff", noon), in("press", time.Time{})}, MembershipEnded},
		"an app whose groups were all removed":  {App{Enabled: true, Audience: Groups}, active, []directory.Membership{in("staff", time.Time{})}, NotInGroup},
		"an app with an unknown audience":       {App{Enabled: true, Audience: "friends"}, active, nil, NotInGroup},
		"an administrator who isn't in a group": {groups, directory.User{Status: directory.Active, Role: directory.Admin}, nil, NotInGroup},
		"a user who hasn't signed in yet":       {everyone, directory.User{Status: directory.Invited}, nil, Allowed},
	} {
		if got := Decide(row.app, row.user, row.memberships, noon); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

func TestDecideVisitor(t *testing.T) {
	t.Parallel()
	if got := DecideVisitor(App{Enabled: true, Audience: Everyone}); got != NotSignedIn {
		t.Errorf("an app that is on: %s", got)
	}
	if got := DecideVisitor(App{Audience: Everyone}); got != SwitchedOff {
		t.Errorf("an app that is off: %s", got)
	}
}
