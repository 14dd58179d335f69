package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// checked returns the app as a check returns it, with those of its groups that are given.
func checked(a apps.App, groups ...directory.Group) apps.App {
	a.HomeURL, a.Groups, a.CreatedAt, a.UpdatedAt = "", nil, time.Time{}, time.Time{}
	for _, g := range groups {
		a.Groups = append(a.Groups, directory.Group{ID: g.ID, Name: g.Name})
	}
	return a
}

// checkedUser returns a user as a check returns them.
func checkedUser(u directory.User) directory.User {
	return directory.User{ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Status: u.Status, StytchUserID: u.StytchUserID}
}

// checkedSession returns a session and its user as a check returns them.
func checkedSession(v session.Session, u directory.User) session.Session {
	v.User, v.Address, v.UserAgent, v.CreatedAt = checkedUser(u), "", "", time.Time{}
	return v
}

// checkedMembership returns a membership as a check returns it.
func checkedMembership(m directory.Membership) directory.Membership {
	m.AddedBy, m.CreatedAt = "", time.Time{}
	return m
}

// sortState sorts what a check returns in no order.
func sortState(state apps.CheckState) apps.CheckState {
	sortGroups(state.App.Groups)
	slices.SortFunc(state.Memberships, func(a, b directory.Membership) int { return cmp.Compare(a.GroupName, b.GroupName) })
	return state
}

func testCheckSession(t *testing.T, s Store) {
	groups := createGroups(t, s, "Board", "Other", "Staff", "Zoo")
	ada, bob := member("Ada", "Ada@example.com"), admin("Bob", "bob@example.com")
	create(t, s, ada, bob)
	session, bobs := mustSignIn(t, s, signInRequest(ada, "one")), mustSignIn(t, s, signInRequest(bob, "two"))
	ada, bob = get(t, s, ada.ID), get(t, s, bob.ID) // with the account of the sign-in
	ended, other, open := membership(groups[0], ada, ago(time.Hour)), membership(groups[1], ada, time.Time{}), membership(groups[2], ada, Now().Add(time.Hour))
	join(t, s, ended, other, open)
	wiki, shop := appFor("Wiki", groups[0], groups[2], groups[3]), appFor("Shop")
	createApps(t, s, wiki, shop)
	hash, shopHash, bobHash := enter(t, s, wiki, session, "ada"), enter(t, s, shop, session, "shop"), enter(t, s, wiki, bobs, "bob")
	want := apps.CheckState{App: checked(wiki, groups[0], groups[2]), Session: checkedSession(session, ada)}
	for _, m := range []directory.Membership{ended, other, open} {
		want.Memberships = append(want.Memberships, checkedMembership(m))
	}
	bobState := apps.CheckState{App: checked(wiki), Session: checkedSession(bobs, bob)}
	shopState := want
	shopState.App = checked(shop)
	for _, r := range []struct {
		name, host, hash string
		want             apps.CheckState
	}{
		{"a live credential", wiki.Host, hash, want},
		{"a user without memberships", wiki.Host, bobHash, bobState},
		{"an app that opens to everyone", shop.Host, shopHash, shopState},
		{"no credential", wiki.Host, "", apps.CheckState{App: checked(wiki)}},
		{"an unknown credential", wiki.Host, cookieHash("other"), apps.CheckState{App: checked(wiki)}},
		{"a credential of another app", wiki.Host, shopHash, apps.CheckState{App: checked(wiki)}},
	} {
		got, err := s.CheckSession(t.Context(), r.host, r.hash)
		if diff := gocmp.Diff(r.want, sortState(got)); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", r.name, err, diff)
		}
	}
	if _, err := s.CheckSession(t.Context(), "other.example.com", hash); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("an unknown host: %v", err)
	}
}

func testCheckExact(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	wiki := appFor("Wiki")
	createApps(t, s, wiki)
	hash := enter(t, s, wiki, mustSignIn(t, s, signInRequest(ada, "one")), "ada")
	v := appToken(wiki, ada, "one")
	createAppTokens(t, s, v)
	for _, host := range append(variants(wiki.Host), "Wiki.example.com") {
		if _, err := s.CheckSession(t.Context(), host, hash); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the host %q: %v", host, err)
		}
		if _, err := s.CheckToken(t.Context(), host, v.Hash); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("a token at the host %q: %v", host, err)
		}
	}
	for _, other := range append(variants(hash), strings.ToUpper(hash), hash[:63], hash+"0") {
		if got, err := s.CheckSession(t.Context(), wiki.Host, other); got.Session.TokenHash != "" || err != nil {
			t.Errorf("the hash %q: %+v, %v", other, got, err)
		}
	}
	for _, other := range append(variants(v.Hash), strings.ToUpper(v.Hash), v.Hash[:63], v.Hash+"0") {
		if got, err := s.CheckToken(t.Context(), wiki.Host, other); got.Token.ID != "" || err != nil {
			t.Errorf("the token's hash %q: %+v, %v", other, got, err)
		}
	}
}

func testCheckAfterChange(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff")
	wiki := appFor("Wiki", groups...)
	createApps(t, s, wiki)
	check := func(t *testing.T, hash string) apps.CheckState {
		t.Helper()
		state, err := s.CheckSession(t.Context(), wiki.Host, hash)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	signedIn := func(state apps.CheckState) bool { return state.Session.TokenHash != "" }
	opens := func(state apps.CheckState) bool {
		return signedIn(state) && apps.Decide(state.App, state.Session.User, state.Memberships, Now()) == apps.Allowed
	}
	for i, r := range []struct {
		name   string
		change func(u directory.User, v session.Session) error
		want   func(apps.CheckState) bool // nothing else may be open afterwards
	}{
		{"the session ends", func(u directory.User, v session.Session) error {
			_, err := s.EndSessions(t.Context(), u.ID, ending("signed out", func(session.Session) bool { return true }))
			return err
		}, func(state apps.CheckState) bool { return !signedIn(state) }},
		{"the user is removed", func(u directory.User, _ session.Session) error { return tryRemoveUser(t.Context(), s, u) },
			func(state apps.CheckState) bool { return !signedIn(state) }},
		{"the user is suspended", func(u directory.User, _ session.Session) error {
			_, err := s.ChangeUser(t.Context(), u.ID, set(func(u *directory.User) { u.Status = directory.Suspended }))
			return err
		}, func(state apps.CheckState) bool {
			return state.Session.User.Status == directory.Suspended && !opens(state)
		}},
		{"the membership ends", func(u directory.User, _ session.Session) error {
			m := membership(groups[0], u, Now())
			return s.ChangeMembership(t.Context(), m.GroupID, m.UserID, setMembership(&m, event.GroupExtended))
		}, func(state apps.CheckState) bool {
			return signedIn(state) && !opens(state) && len(state.Memberships) == 1
		}},
		{"the user leaves the group", func(u directory.User, _ session.Session) error {
			return s.ChangeMembership(t.Context(), groups[0].ID, u.ID, setMembership(nil, event.GroupLeft))
		}, func(state apps.CheckState) bool {
			return signedIn(state) && !opens(state) && len(state.Memberships) == 0
		}},
		{"the app opens to another group", func(directory.User, session.Session) error {
			a := wiki
			a.Groups = createGroups(t, s, "Board")
			_, err := s.ChangeApp(t.Context(), wiki.ID, setApp(a))
			return err
		}, func(state apps.CheckState) bool { return signedIn(state) && !opens(state) }},
		{"the app is switched off", func(directory.User, session.Session) error {
			a := wiki
			a.Enabled = false
			_, err := s.ChangeApp(t.Context(), wiki.ID, setApp(a, event.Change{Field: "enabled"}))
			return err
		}, func(state apps.CheckState) bool {
			return signedIn(state) && apps.Decide(state.App, state.Session.User, state.Memberships, Now()) == apps.SwitchedOff
		}},
	} {
		_, err := s.ChangeApp(t.Context(), wiki.ID, setApp(wiki, event.Change{Field: "restored"})) // after the row before
		must(t, err)
		u := member("Ada", fmt.Sprintf("p%d@example.com", i))
		create(t, s, u)
		join(t, s, membership(groups[0], u, time.Time{}))
		v := mustSignIn(t, s, signInRequest(u, r.name))
		hash := enter(t, s, wiki, v, r.name)
		if !opens(check(t, hash)) {
			t.Fatalf("%s: it isn't open before", r.name)
		}
		must(t, r.change(u, v))
		if state := check(t, hash); !r.want(state) || opens(state) {
			t.Errorf("%s: %+v", r.name, state)
		}
	}
}

func testCheckToken(t *testing.T, s Store) {
	groups := createGroups(t, s, "Board", "Staff")
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	ended, open := membership(groups[0], ada, ago(time.Hour)), membership(groups[1], ada, time.Time{})
	join(t, s, ended, open)
	wiki, shop := appFor("Wiki", groups[1]), appFor("Shop")
	createApps(t, s, wiki, shop)
	hers, service, other := appToken(wiki, ada, "hers, 李 🚀"), appToken(wiki, directory.User{}, "service"), appToken(shop, ada, "other")
	createAppTokens(t, s, hers, service, other)
	user := checkedUser(ada)
	user.StytchUserID = ""
	for _, r := range []struct {
		name, hash string
		want       apps.CheckState
	}{
		{"of a user", hers.Hash, apps.CheckState{
			App:         checked(wiki, groups[1]),
			Token:       apps.Token{ID: hers.ID, AppID: wiki.ID, UserID: ada.ID, Name: hers.Name, ExpiresAt: hers.ExpiresAt, User: user},
			Memberships: []directory.Membership{checkedMembership(ended), checkedMembership(open)},
		}},
		{"of a service", service.Hash, apps.CheckState{App: checked(wiki), Token: apps.Token{ID: service.ID, AppID: wiki.ID, Name: service.Name, ExpiresAt: service.ExpiresAt}}},
		{"of another app", other.Hash, apps.CheckState{App: checked(wiki)}},
		{"unknown", apps.HashToken("x"), apps.CheckState{App: checked(wiki)}},
		{"none", "", apps.CheckState{App: checked(wiki)}},
	} {
		got, err := s.CheckToken(t.Context(), wiki.Host, r.hash)
		if diff := gocmp.Diff(r.want, sortState(got)); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", r.name, err, diff)
		}
	}
	if _, err := s.CheckToken(t.Context(), "other.example.com", hers.Hash); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("an unknown host: %v", err)
	}
	off := wiki
	off.Enabled = false
	_, err := s.ChangeApp(t.Context(), wiki.ID, setApp(off, event.Change{Field: "enabled"}))
	must(t, err)
	for _, v := range []apps.Token{hers, service} {
		if got, err := s.CheckToken(t.Context(), wiki.Host, v.Hash); got.App.Enabled || got.Token.ID != v.ID || err != nil {
			t.Errorf("%s, after the app was switched off: %+v, %v", v.Name, got, err)
		}
	}
	remove(t, s, ada.ID)
	if got, err := s.CheckToken(t.Context(), wiki.Host, hers.Hash); got.Token.ID != "" || err != nil {
		t.Errorf("of a removed user: %+v, %v", got, err)
	}
	if got, err := s.CheckToken(t.Context(), wiki.Host, service.Hash); got.Token.ID != service.ID || err != nil {
		t.Errorf("of a service, after a user was removed: %+v, %v", got, err)
	}
	if list, err := s.ListAppTokens(t.Context(), shop.ID); len(list) != 0 || err != nil {
		t.Errorf("the removed user has tokens: %v, %v", list, err)
	}
}
