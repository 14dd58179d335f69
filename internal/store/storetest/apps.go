package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
)

var appRows = []row{
	{"an app is created with its groups and event, and found by id, host and name", single(testCreateApp)},
	{"an app with a name or host that is taken, or an unknown group, isn't created", single(testCreateAppRefused)},
	{"of apps that are created concurrently with one name or host, one stays", testCreateAppsConcurrently},
	{"apps without an address aren't found by host", single(testAppsWithoutAddress)},
	{"an app's address is removed and given again", single(testChangeAddress)},
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
		HomeURL:  "https://example.com/" + url.PathEscape(name),
		Upstream: "http://127.0.0.1:3000", PublicPaths: []string{"/health", "/assets/*"}, AllowRequests: true, Enabled: true,
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
	want.HomeURL, want.Enabled = "", false
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
