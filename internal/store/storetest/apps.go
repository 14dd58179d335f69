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
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/session"
)

var appRows = []row{
	{"an app is created with its groups and event, and found by id, host and name", single(testCreateApp)},
	{"an app with a name or host that is taken, or an unknown group, isn't created", single(testCreateAppRefused)},
	{"of apps that are created concurrently with one name or host, one stays", testCreateAppsConcurrently},
	{"apps are listed by name, page by page, with their groups", single(testListApps)},
	{"apps are listed by group, and all of them with a user's memberships", single(testListAppsOf)},
	{"a change of an app is written with its event", single(testChangeApp)},
	{"of apps that get one name or host concurrently, one does", testChangeAppsConcurrently},
	{"removing an app deletes its tokens and groups", single(testRemoveApp)},
	{"an app isn't opened to a group that is removed", testOpenDuringRemovalOfGroup},
	{"a check returns what belongs to the credential", single(testCheckSession)},
	{"a check compares hosts and hashes exactly", single(testCheckExact)},
	{"a check after a change sees the change", single(testCheckAfterChange)},
	{"a check of a token returns the token and its user", single(testCheckToken)},
	{"a code is redeemed once", single(testRedeemCode)},
	{"a code that is redeemed concurrently is redeemed once", testRedeemCodeConcurrently},
	{"redeeming counts the recent credentials of the session and app", single(testRedeemRecent)},
	{"an app token is created if the rule allows it, once, with its event", single(testCreateAppToken)},
	{"concurrent calls don't create more app tokens than the rule allows", testAppTokensConcurrently},
	{"no token is left when it is created while its app or user is removed", testAppTokenDuringRemoval},
	{"an app token is revoked once, with its event", testRevokeAppToken},
	{"expired codes, credentials and app tokens are deleted", single(testDeleteExpiredAccess)},
}

// appFor returns an app with a host made from its name, which opens to groups or, without any, to everyone.
func appFor(name string, groups ...directory.Group) apps.App {
	a := apps.App{
		ID: newID(), Name: name, Scheme: "https", Host: strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example.com", Audience: apps.Everyone,
		Upstream: "http://127.0.0.1:3000", PublicPaths: []string{"/health", "/assets/*"}, AllowRequests: true,
		CreatedAt: ago(time.Hour), UpdatedAt: ago(time.Hour),
	}
	if len(groups) > 0 {
		a.Audience = apps.Groups
	}
	for _, g := range groups {
		g.Members, g.Apps = 0, 0
		a.Groups = append(a.Groups, g)
	}
	sortGroups(a.Groups)
	return a
}

func sortGroups(groups []directory.Group) {
	slices.SortFunc(groups, func(a, b directory.Group) int { return cmp.Compare(a.Key(), b.Key()) })
}

// unnamed returns an app as a rule returns it, whose groups have only ids.
func unnamed(a apps.App) apps.App {
	groups := a.Groups
	a.Groups = nil
	for _, g := range groups {
		a.Groups = append(a.Groups, directory.Group{ID: g.ID})
	}
	return a
}

func appEvent(kind event.Kind, a apps.App) event.Event { return event.New(kind, Now(), "", "", a.Name) }

func createApps(t *testing.T, s Store, list ...apps.App) {
	t.Helper()
	for _, a := range list {
		must(t, s.CreateApp(t.Context(), unnamed(a), appEvent(event.AppCreated, a), idempotency.Claim{}))
	}
}

func wantApp(t *testing.T, s Store, want apps.App) {
	t.Helper()
	got, err := s.GetApp(t.Context(), want.ID)
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s: %v, -want +got\n%s", want.Name, err, diff)
	}
}

// setApp returns a rule that writes a.
func setApp(a apps.App, changes ...event.Change) func(apps.App) (apps.App, event.Event, error) {
	return func(apps.App) (apps.App, event.Event, error) {
		e := appEvent(event.AppEdited, a)
		e.Changes = changes
		return unnamed(a), e, nil
	}
}

func testCreateApp(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "board")
	wiki := appFor("Wiki 李 🚀", groups...)
	wiki.Host = "wiki.example.com:8443"
	plain := apps.App{ID: newID(), Name: "Plain", Scheme: "http", Host: "plain.localhost", Audience: apps.Everyone, CreatedAt: Now(), UpdatedAt: Now()}
	createApps(t, s, wiki, plain)
	wantApp(t, s, wiki)
	wantApp(t, s, plain)
	for name, find := range map[string]func() (apps.App, error){
		"by host":                 func() (apps.App, error) { return s.GetAppByHost(t.Context(), wiki.Host) },
		"by name":                 func() (apps.App, error) { return s.GetAppByName(t.Context(), wiki.Name) },
		"by name in another case": func() (apps.App, error) { return s.GetAppByName(t.Context(), "wIKI 李 🚀") },
	} {
		got, err := find()
		if diff := gocmp.Diff(wiki, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", name, err, diff)
		}
	}
	for _, id := range variants(wiki.ID) {
		if _, err := s.GetApp(t.Context(), id); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the id %q: %v", id, err)
		}
	}
	for _, host := range append(variants(wiki.Host), "WIKI.example.com:8443", "wiki.example.com", "wiki.example.com.:8443") {
		if _, err := s.GetAppByHost(t.Context(), host); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the host %q: %v", host, err)
		}
	}
	for _, name := range append(variants(wiki.Name), "Wíki 李 🚀") {
		if _, err := s.GetAppByName(t.Context(), name); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	created := events(t, s, event.Query{Kind: event.AppCreated})
	want := []event.Change{{Field: "groups", New: "Staff, board"}}
	if len(created) != 2 || !slices.Equal(created[1].Changes, want) || len(created[0].Changes) != 0 {
		t.Errorf("events: %+v", created)
	}
}

func testCreateAppRefused(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff")
	wiki := appFor("Wiki")
	createApps(t, s, wiki)
	for _, r := range []struct {
		name   string
		change func(*apps.App)
		want   error
	}{
		{"the name in another case", func(a *apps.App) { a.Name = "WIKI" }, apps.ErrNameTaken},
		{"the host", func(a *apps.App) { a.Host = wiki.Host }, apps.ErrHostTaken},
		{"the host with another scheme", func(a *apps.App) { a.Host, a.Scheme = wiki.Host, "http" }, apps.ErrHostTaken},
	} {
		a := appFor("Other", groups...)
		r.change(&a)
		if err := s.CreateApp(t.Context(), unnamed(a), appEvent(event.AppCreated, a), idempotency.Claim{}); !errors.Is(err, r.want) {
			t.Errorf("%s: %v", r.name, err)
		}
	}
	for _, id := range append(variants(groups[0].ID), newID()) {
		a := appFor("Other", groups[0], directory.Group{ID: id})
		err := s.CreateApp(t.Context(), unnamed(a), appEvent(event.AppCreated, a), idempotency.Claim{})
		if invalid := new(directory.ValidationError); !errors.As(err, &invalid) || invalid.Fields["groups"] == "" {
			t.Errorf("the group %q: %v", id, err)
		}
	}
	if list, err := s.ListApps(t.Context(), "", 10); len(list) != 1 || err != nil {
		t.Errorf("there are %v, %v", list, err)
	}
	if open, err := s.ListAppsOfGroup(t.Context(), groups[0].ID); len(open) != 0 || err != nil {
		t.Errorf("the group opens %v, %v", open, err)
	}
	wantEvents(t, s, event.Query{Kind: event.AppCreated}, "app_created Wiki")
}

func testCreateAppsConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	for round := range 5 {
		created := 0
		for _, err := range concurrently(10, func(i int) error {
			a := appFor(fmt.Sprintf("App %d %d", round, i))
			if round%2 == 0 {
				a.Name = fmt.Sprint("App ", round)
			} else {
				a.Host = fmt.Sprintf("app-%d.example.com", round)
			}
			return stores[i%2].CreateApp(t.Context(), a, appEvent(event.AppCreated, a), idempotency.Claim{})
		}) {
			switch {
			case err == nil:
				created++
			case !errors.Is(err, []error{apps.ErrNameTaken, apps.ErrHostTaken}[round%2]):
				t.Errorf("round %d: %v", round, err)
			}
		}
		if list, err := stores[0].ListApps(t.Context(), "", 100); created != 1 || len(list) != round+1 || err != nil {
			t.Errorf("round %d: %d were created, there are %d, %v", round, created, len(list), err)
		}
	}
}

func testListApps(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board", "Other")
	want := []apps.App{appFor("blog"), appFor("Docs", groups[:2]...), appFor("shop", groups[1:]...), appFor("Wiki")}
	createApps(t, s, want[3], want[1], want[0], want[2])
	var got []apps.App
	for after := ""; ; {
		page, err := s.ListApps(t.Context(), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].Key()
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func testListAppsOf(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board")
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	m := membership(groups[0], ada, ago(time.Hour))
	join(t, s, m)
	wiki, shop, blog := appFor("Wiki", groups...), appFor("Shop", groups[0]), appFor("Blog")
	createApps(t, s, wiki, shop, blog)
	all, memberships, err := s.ListAppsWithMemberships(t.Context(), ada.ID)
	if diff := gocmp.Diff([]apps.App{blog, shop, wiki}, all) + gocmp.Diff([]directory.Membership{m}, memberships); diff != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
	for _, r := range []struct {
		group string
		want  []string
	}{{groups[0].ID, []string{"Shop", "Wiki"}}, {groups[1].ID, []string{"Wiki"}}, {groups[1].ID + " ", nil}, {newID(), nil}} {
		open, err := s.ListAppsOfGroup(t.Context(), r.group)
		var got []string
		for _, a := range open {
			got = append(got, a.Name)
		}
		if diff := gocmp.Diff(r.want, got); diff != "" || err != nil {
			t.Errorf("of %q: %v, -want +got\n%s", r.group, err, diff)
		}
	}
}

func testChangeApp(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board")
	wiki := appFor("Wiki", groups[0])
	createApps(t, s, wiki, appFor("Shop", groups...))
	want := wiki
	want.Name, want.Scheme, want.Host, want.Upstream, want.AllowRequests = "WIKI", "http", "docs.example.com:8080", "", false
	want.PublicPaths, want.Groups, want.UpdatedAt = nil, slices.Clone(groups), Now()
	sortGroups(want.Groups)
	got, err := s.ChangeApp(t.Context(), wiki.ID, func(a apps.App) (apps.App, event.Event, error) {
		if diff := gocmp.Diff(wiki, a); diff != "" {
			t.Errorf("argument of the rule: -want +got\n%s", diff)
		}
		return setApp(want)(a)
	})
	sortGroups(got.Groups)
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("returned: %v, -want +got\n%s", err, diff)
	}
	wantApp(t, s, want)
	edited := events(t, s, event.Query{Kind: event.AppEdited})
	if len(edited) != 1 || !slices.Equal(edited[0].Changes, []event.Change{{Field: "groups", Old: "Staff", New: "Board, Staff"}}) {
		t.Errorf("events: %+v", edited)
	}
	everyone := want
	everyone.Audience, everyone.Groups = apps.Everyone, nil
	if _, err := s.ChangeApp(t.Context(), wiki.ID, setApp(everyone, event.Change{Field: "opens to"})); err != nil {
		t.Error(err)
	}
	wantApp(t, s, everyone)
	// Nothing changes: nothing is written.
	later := everyone
	later.UpdatedAt = Now().Add(time.Hour)
	if got, err := s.ChangeApp(t.Context(), wiki.ID, setApp(later)); err != nil || !got.UpdatedAt.Equal(everyone.UpdatedAt) {
		t.Errorf("without a change: %+v, %v", got, err)
	}
	for _, r := range []struct {
		name   string
		change func(*apps.App)
		want   error
	}{
		{"the name of another", func(a *apps.App) { a.Name = "sHOP" }, apps.ErrNameTaken},
		{"the host of another", func(a *apps.App) { a.Host = "shop.example.com" }, apps.ErrHostTaken},
		{"an unknown group", func(a *apps.App) { a.Groups = []directory.Group{newGroup("gone")} }, &directory.ValidationError{}},
	} {
		a := everyone
		r.change(&a)
		_, err := s.ChangeApp(t.Context(), wiki.ID, setApp(a, event.Change{Field: "x"}))
		if invalid := new(directory.ValidationError); !errors.Is(err, r.want) && !errors.As(err, &invalid) {
			t.Errorf("%s: %v", r.name, err)
		}
	}
	refusal := &directory.ValidationError{}
	if _, err := s.ChangeApp(t.Context(), wiki.ID, func(apps.App) (apps.App, event.Event, error) { return apps.App{}, event.Event{}, refusal }); !errors.Is(err, refusal) {
		t.Errorf("the rule's error: %v", err)
	}
	for _, id := range []string{newID(), wiki.ID + " "} {
		if _, err := s.ChangeApp(t.Context(), id, setApp(everyone)); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the id %q: %v", id, err)
		}
	}
	wantApp(t, s, everyone)
	if n := len(events(t, s, event.Query{Kind: event.AppEdited})); n != 2 {
		t.Errorf("%d events", n)
	}
}

func testChangeAppsConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	for round := range 6 {
		list := []apps.App{appFor(fmt.Sprint("One ", round)), appFor(fmt.Sprint("Two ", round))}
		createApps(t, stores[0], list...)
		errs := concurrently(2, func(i int) error {
			a := list[i]
			if round%2 == 0 {
				a.Name = fmt.Sprint("Both ", round)
			} else {
				a.Host = fmt.Sprintf("both-%d.example.com", round)
			}
			_, err := stores[i].ChangeApp(t.Context(), a.ID, setApp(a, event.Change{Field: "x"}))
			return err
		})
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), []error{apps.ErrNameTaken, apps.ErrHostTaken}[round%2]) {
			t.Errorf("round %d: %v", round, errs)
		}
	}
}

func testRemoveApp(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff")
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	wiki, shop := appFor("Wiki", groups...), appFor("Shop", groups...)
	createApps(t, s, wiki, shop)
	kept := appToken(shop, ada, "kept")
	createAppTokens(t, s, appToken(wiki, ada, "deleted"), kept)
	session := mustSignIn(t, s, signInRequest(ada, "one"))
	hash := enter(t, s, wiki, session, "cookie")
	record := func(a apps.App) event.Event { return appEvent(event.AppRemoved, a) }
	must(t, s.RemoveApp(t.Context(), wiki.ID, record))
	if _, err := s.GetApp(t.Context(), wiki.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("it still exists: %v", err)
	}
	if list, err := s.ListAppTokens(t.Context(), wiki.ID); len(list) != 0 || err != nil {
		t.Errorf("it still has the tokens %v, %v", list, err)
	}
	if list, err := s.ListAppTokens(t.Context(), shop.ID); len(list) != 1 || err != nil {
		t.Errorf("the other app has the tokens %v, %v", list, err)
	}
	if open, err := s.ListAppsOfGroup(t.Context(), groups[0].ID); len(open) != 1 || err != nil {
		t.Errorf("the group opens %v, %v", open, err)
	}
	wantApp(t, s, shop)
	for _, id := range []string{wiki.ID, shop.ID + " ", newID()} {
		if err := s.RemoveApp(t.Context(), id, record); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("removing %q: %v", id, err)
		}
	}
	wantEvents(t, s, event.Query{Kind: event.AppRemoved}, "app_removed Wiki")
	// An app that gets its name and host isn't opened by its credentials.
	again := appFor("Wiki")
	createApps(t, s, again)
	if state, err := s.CheckSession(t.Context(), wiki.Host, hash); err != nil || state.Session.TokenHash != "" {
		t.Errorf("a credential of the removed app opens the new one: %+v, %v", state, err)
	}
}

func testOpenDuringRemovalOfGroup(t *testing.T, open func() Store) {
	s1, s2 := open(), open()
	for round := range 20 {
		g := createGroups(t, s1, fmt.Sprint("Staff ", round))[0]
		a := appFor(fmt.Sprint("App ", round))
		if round%2 == 0 {
			createApps(t, s1, a)
		}
		a.Groups, a.Audience = []directory.Group{g}, apps.Groups
		errs := concurrently(2, func(i int) error {
			switch {
			case i == 1:
				return s2.RemoveGroup(t.Context(), g.ID, func(g directory.Group) event.Event { return groupEvent(event.GroupRemoved, g) })
			case round%2 == 0:
				_, err := s1.ChangeApp(t.Context(), a.ID, setApp(a, event.Change{Field: "opens to"}))
				return err
			}
			return s1.CreateApp(t.Context(), unnamed(a), appEvent(event.AppCreated, a), idempotency.Claim{})
		})
		if invalid := new(directory.ValidationError); errs[1] != nil || errs[0] != nil && !errors.As(errs[0], &invalid) {
			t.Errorf("round %d: %v", round, errs)
		}
		if open, err := s1.ListAppsOfGroup(t.Context(), g.ID); len(open) != 0 || err != nil {
			t.Errorf("round %d: the removed group opens %v, %v", round, open, err)
		}
	}
}

// cookieHash returns the hash of a browser's cookie.
func cookieHash(name string) string { return apps.HashCredential(name) }

// codeFor returns a code that has the name of its cookie.
func codeFor(a apps.App, v session.Session, name string) apps.Code {
	return apps.Code{
		Hash: apps.HashCredential("code " + name), AppID: a.ID, SessionHash: v.TokenHash, CookieHash: cookieHash("asked " + name), Path: "/a?b=%20\u00fc",
		CreatedAt: Now(), ExpiresAt: Now().Add(time.Minute),
	}
}

// credential returns a rule that issues a credential for a cookie.
func credential(name string) func(apps.Code, session.Session, int) (apps.Credential, error) {
	return func(c apps.Code, v session.Session, _ int) (apps.Credential, error) {
		return apps.Credential{CookieHash: cookieHash(name), AppID: c.AppID, SessionHash: c.SessionHash, CreatedAt: Now(), ExpiresAt: v.ExpiresAt}, nil
	}
}

// enter issues a credential for an app and returns its hash.
func enter(t *testing.T, s Store, a apps.App, v session.Session, name string) string {
	t.Helper()
	c := codeFor(a, v, name)
	must(t, s.CreateCode(t.Context(), c))
	must(t, s.RedeemCode(t.Context(), c.Hash, ago(time.Minute), credential(name)))
	return cookieHash(name)
}

// checked returns the app as a check returns it, with those of its groups that are given.
func checked(a apps.App, groups ...directory.Group) apps.App {
	a.Groups, a.CreatedAt, a.UpdatedAt = nil, time.Time{}, time.Time{}
	for _, g := range groups {
		a.Groups = append(a.Groups, directory.Group{ID: g.ID, Name: g.Name})
	}
	return a
}

// checkedUser returns a user as a check returns them.
func checkedUser(u directory.User) directory.User {
	return directory.User{ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Status: u.Status, StytchUserID: u.StytchUserID}
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
	want := apps.CheckState{App: checked(wiki, groups[0], groups[2]), Session: session}
	want.Session.User, want.Session.Address, want.Session.UserAgent = checkedUser(ada), "", ""
	for _, m := range []directory.Membership{ended, other, open} {
		want.Memberships = append(want.Memberships, checkedMembership(m))
	}
	bobState := apps.CheckState{App: checked(wiki), Session: bobs}
	bobState.Session.User, bobState.Session.Address, bobState.Session.UserAgent = checkedUser(bob), "", ""
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
	} {
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

// appToken returns a new token of an app, which acts as u or, if u is zero, as a service.
func appToken(a apps.App, u directory.User, name string) apps.Token {
	return apps.Token{
		ID: newID(), Hash: apps.HashToken(name), AppID: a.ID, UserID: u.ID, Name: name, CreatedBy: "1", CreatedAt: ago(time.Hour), ExpiresAt: Now().Add(time.Hour),
	}
}

// allowTokens is a rule that allows any number of tokens.
func allowTokens([]apps.Token) error { return nil }

func createAppTokens(t *testing.T, s Store, tokens ...apps.Token) {
	t.Helper()
	for _, v := range tokens {
		must(t, s.CreateAppToken(t.Context(), v, event.New(event.AppTokenCreated, Now(), v.UserID, "", v.Name), allowTokens))
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

func testRedeemCode(t *testing.T, s Store) {
	ada := member("Ada", "Ada@example.com")
	create(t, s, ada)
	wiki := appFor("Wiki")
	createApps(t, s, wiki)
	v := mustSignIn(t, s, signInRequest(ada, "one"))
	code := codeFor(wiki, v, "one")
	code.Path = "/" + strings.Repeat("ü%20", 600)
	must(t, s.CreateCode(t.Context(), code))
	refuse := func(apps.Code, session.Session, int) (apps.Credential, error) { return apps.Credential{}, apps.ErrLoop }
	if err := s.RedeemCode(t.Context(), code.Hash, ago(time.Minute), refuse); !errors.Is(err, apps.ErrLoop) {
		t.Errorf("the rule's error: %v", err)
	}
	for _, hash := range append(variants(code.Hash), strings.ToUpper(code.Hash)) {
		if err := s.RedeemCode(t.Context(), hash, ago(time.Minute), credential("x")); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the code %q: %v", hash, err)
		}
	}
	must(t, s.RedeemCode(t.Context(), code.Hash, ago(time.Minute), func(c apps.Code, got session.Session, recent int) (apps.Credential, error) {
		want := asFound(v)
		want.User = got.User
		if diff := gocmp.Diff(code, c) + gocmp.Diff(want, got) + gocmp.Diff(ada.ID, got.User.ID); diff != "" || recent != 0 {
			t.Errorf("arguments of the rule: %d recent, -want +got\n%s", recent, diff)
		}
		return credential("new")(c, got, recent)
	}))
	if state, err := s.CheckSession(t.Context(), wiki.Host, cookieHash("new")); state.Session.TokenHash != v.TokenHash || err != nil {
		t.Errorf("its credential: %+v, %v", state, err)
	}
	if err := s.RedeemCode(t.Context(), code.Hash, ago(time.Minute), credential("again")); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	late := codeFor(wiki, v, "late")
	must(t, s.CreateCode(t.Context(), late))
	if _, err := s.EndSessions(t.Context(), ada.ID, ending("signed out", func(session.Session) bool { return true })); err != nil {
		t.Fatal(err)
	}
	if err := s.RedeemCode(t.Context(), late.Hash, ago(time.Minute), credential("late")); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("after its session ended: %v", err)
	}
	for _, name := range []string{"x", "again", "late"} {
		if state, err := s.CheckSession(t.Context(), wiki.Host, cookieHash(name)); state.Session.TokenHash != "" || err != nil {
			t.Errorf("a credential %q was issued: %+v, %v", name, state, err)
		}
	}
}

func testRedeemCodeConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	ada := member("Ada", "ada@example.com")
	create(t, stores[0], ada)
	wiki := appFor("Wiki")
	createApps(t, stores[0], wiki)
	v := mustSignIn(t, stores[0], signInRequest(ada, "one"))
	for round := range 10 {
		code := codeFor(wiki, v, fmt.Sprint(round))
		must(t, stores[0].CreateCode(t.Context(), code))
		redeemed := 0
		for _, err := range concurrently(8, func(i int) error {
			return stores[i%2].RedeemCode(t.Context(), code.Hash, ago(time.Minute), credential(fmt.Sprint(round, i)))
		}) {
			switch {
			case err == nil:
				redeemed++
			case !errors.Is(err, directory.ErrNotFound):
				t.Errorf("round %d: %v", round, err)
			}
		}
		issued := 0
		for i := range 8 {
			state, err := stores[0].CheckSession(t.Context(), wiki.Host, cookieHash(fmt.Sprint(round, i)))
			if err != nil {
				t.Fatal(err)
			}
			if state.Session.TokenHash != "" {
				issued++
			}
		}
		if redeemed != 1 || issued != 1 {
			t.Errorf("round %d: redeemed %d times, %d credentials", round, redeemed, issued)
		}
	}
}

func testRedeemRecent(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	wiki, shop := appFor("Wiki"), appFor("Shop")
	createApps(t, s, wiki, shop)
	v, other := mustSignIn(t, s, signInRequest(ada, "one")), mustSignIn(t, s, signInRequest(ada, "two"))
	enter(t, s, shop, v, "another app")
	enter(t, s, wiki, other, "another session")
	for i, at := range []time.Time{ago(2 * time.Minute), ago(time.Minute), ago(time.Second), Now()} {
		code := codeFor(wiki, v, fmt.Sprint(i))
		must(t, s.CreateCode(t.Context(), code))
		must(t, s.RedeemCode(t.Context(), code.Hash, ago(time.Minute), func(c apps.Code, v session.Session, recent int) (apps.Credential, error) {
			if want := max(0, i-2); recent != want {
				t.Errorf("%d: %d recent, want %d", i, recent, want)
			}
			made, err := credential(fmt.Sprint(i))(c, v, recent)
			made.CreatedAt = at
			return made, err
		}))
	}
}

func testCreateAppToken(t *testing.T, s Store) {
	ada := member("Ada", "Ada@example.com")
	create(t, s, ada)
	wiki, shop := appFor("Wiki"), appFor("Shop")
	createApps(t, s, wiki, shop)
	first, service := appToken(wiki, ada, "first, 李 🚀"), appToken(wiki, directory.User{}, "service")
	createAppTokens(t, s, first, service, appToken(shop, ada, "other"))
	first.User = directory.User{ID: ada.ID, Name: ada.Name, Email: ada.Email, Role: ada.Role, Status: ada.Status}
	want := []apps.Token{service, first}
	list, err := s.ListAppTokens(t.Context(), wiki.ID)
	if diff := gocmp.Diff(want, list); diff != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
	refused := appToken(wiki, ada, "refused")
	created := event.New(event.AppTokenCreated, Now(), "", "", "")
	if err := s.CreateAppToken(t.Context(), refused, created, func(have []apps.Token) error {
		if diff := gocmp.Diff(want, have); diff != "" {
			t.Errorf("arguments of the rule: -want +got\n%s", diff)
		}
		return apps.ErrTooManyTokens
	}); !errors.Is(err, apps.ErrTooManyTokens) {
		t.Errorf("against the rule: %v", err)
	}
	for _, a := range []apps.App{wiki, shop} { // an ID is unique across apps
		again := appToken(a, ada, "again")
		again.ID = first.ID
		if err := s.CreateAppToken(t.Context(), again, created, func([]apps.Token) error { return apps.ErrTooManyTokens }); !errors.Is(err, apps.ErrTokenExists) {
			t.Errorf("created twice: %v", err)
		}
	}
	for name, v := range map[string]apps.Token{
		"of an unknown app": appToken(appFor("Gone"), ada, "x"), "of an unknown user": appToken(wiki, member("Eve", "eve@example.com"), "x"),
	} {
		if err := s.CreateAppToken(t.Context(), v, created, allowTokens); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, id := range variants(wiki.ID) {
		if list, err := s.ListAppTokens(t.Context(), id); len(list) != 0 || err != nil {
			t.Errorf("the tokens of %q: %v, %v", id, list, err)
		}
	}
	if n := len(events(t, s, event.Query{Kind: event.AppTokenCreated})); n != 3 {
		t.Errorf("%d events", n)
	}
}

func testAppTokensConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	ada := member("Ada", "ada@example.com")
	create(t, stores[0], ada)
	for round := range 4 {
		a := appFor(fmt.Sprint("App ", round))
		createApps(t, stores[0], a)
		u := []directory.User{ada, {}}[round%2]
		created := 0
		for _, err := range concurrently(12, func(i int) error {
			v := appToken(a, u, fmt.Sprint(round, i))
			return stores[i%2].CreateAppToken(t.Context(), v, event.New(event.AppTokenCreated, Now(), "", "", ""), func(have []apps.Token) error {
				if len(have) >= 3 {
					return apps.ErrTooManyTokens
				}
				return nil
			})
		}) {
			switch {
			case err == nil:
				created++
			case !errors.Is(err, apps.ErrTooManyTokens):
				t.Error(err)
			}
		}
		if list, err := stores[1].ListAppTokens(t.Context(), a.ID); created != 3 || len(list) != 3 || err != nil {
			t.Errorf("%d were created, %d exist, %v", created, len(list), err)
		}
	}
}

func testAppTokenDuringRemoval(t *testing.T, open func() Store) {
	s1, s2 := open(), open()
	for round := range 20 {
		a := appFor(fmt.Sprint("App ", round))
		createApps(t, s1, a)
		u := member("Ada", fmt.Sprintf("p%d@example.com", round))
		create(t, s1, u)
		errs := concurrently(2, func(i int) error {
			switch {
			case i == 0:
				return s1.CreateAppToken(t.Context(), appToken(a, u, fmt.Sprint(round)), event.New(event.AppTokenCreated, Now(), "", "", ""), allowTokens)
			case round%2 == 0:
				return s2.RemoveApp(t.Context(), a.ID, func(a apps.App) event.Event { return appEvent(event.AppRemoved, a) })
			}
			return tryRemoveUser(t.Context(), s2, u)
		})
		if errs[1] != nil || errs[0] != nil && !errors.Is(errs[0], directory.ErrNotFound) {
			t.Errorf("round %d: %v", round, errs)
		}
		if list, err := s1.ListAppTokens(t.Context(), a.ID); len(list) != 0 || err != nil {
			t.Errorf("round %d leaves %v, %v", round, list, err)
		}
	}
}

func testRevokeAppToken(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	s := stores[0]
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	wiki, shop := appFor("Wiki"), appFor("Shop")
	createApps(t, s, wiki, shop)
	one, two := appToken(wiki, ada, "one"), appToken(wiki, directory.User{}, "two")
	createAppTokens(t, s, one, two)
	record := func(v apps.Token) event.Event {
		return event.New(event.AppTokenRevoked, Now(), v.User.ID, v.User.Email.Normalized, v.Name)
	}
	for name, ids := range map[string][2]string{
		"of another app": {shop.ID, one.ID}, "unknown": {wiki.ID, newID()}, "with a space": {wiki.ID, one.ID + " "}, "of an app with a space": {wiki.ID + " ", one.ID},
	} {
		if err := s.RevokeAppToken(t.Context(), ids[0], ids[1], record); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	revoked := 0
	for _, err := range concurrently(8, func(i int) error { return stores[i%2].RevokeAppToken(t.Context(), wiki.ID, one.ID, record) }) {
		switch {
		case err == nil:
			revoked++
		case !errors.Is(err, directory.ErrNotFound):
			t.Error(err)
		}
	}
	list, err := s.ListAppTokens(t.Context(), wiki.ID)
	if revoked != 1 || err != nil || len(list) != 1 || list[0].ID != two.ID {
		t.Errorf("revoked %d times, left %v, %v", revoked, list, err)
	}
	wantEvents(t, s, event.Query{Kind: event.AppTokenRevoked}, "app_token_revoked one")
	if got := events(t, s, event.Query{Kind: event.AppTokenRevoked}); got[0].SubjectID != ada.ID {
		t.Errorf("about %q", got[0].SubjectID)
	}
}

func testDeleteExpiredAccess(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	wiki := appFor("Wiki")
	createApps(t, s, wiki)
	v := mustSignIn(t, s, signInRequest(ada, "one"))
	for i, expires := range []time.Time{ago(time.Hour), Now(), Now().Add(time.Microsecond)} {
		name := fmt.Sprint(i)
		enter(t, s, wiki, v, "live "+name)
		code := codeFor(wiki, v, name)
		code.ExpiresAt = expires
		must(t, s.CreateCode(t.Context(), code))
		issued := codeFor(wiki, v, "issued "+name)
		must(t, s.CreateCode(t.Context(), issued))
		must(t, s.RedeemCode(t.Context(), issued.Hash, Now(), func(c apps.Code, v session.Session, recent int) (apps.Credential, error) {
			made, err := credential(name)(c, v, recent)
			made.ExpiresAt = expires
			return made, err
		}))
		token := appToken(wiki, ada, name)
		token.ExpiresAt = expires
		createAppTokens(t, s, token)
	}
	if n, err := s.DeleteExpiredAccess(t.Context(), Now(), ago(time.Minute)); n != 2+2+1 || err != nil {
		t.Errorf("%d were deleted, %v", n, err)
	}
	if n, err := s.DeleteExpiredAccess(t.Context(), Now(), Now()); n != 1 || err != nil {
		t.Errorf("then %d were deleted, %v", n, err)
	}
	for i, want := range []bool{false, false, true} {
		state, err := s.CheckSession(t.Context(), wiki.Host, cookieHash(fmt.Sprint(i)))
		if signedIn := state.Session.TokenHash != ""; signedIn != want || err != nil {
			t.Errorf("credential %d: %v, %v", i, signedIn, err)
		}
		err = s.RedeemCode(t.Context(), codeFor(wiki, v, fmt.Sprint(i)).Hash, Now(), credential(fmt.Sprint("code ", i)))
		if found := err == nil; found != want {
			t.Errorf("code %d: %v", i, err)
		}
	}
	if list, err := s.ListAppTokens(t.Context(), wiki.ID); len(list) != 1 || err != nil {
		t.Errorf("tokens %v, %v", list, err)
	}
}
