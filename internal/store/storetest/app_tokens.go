package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

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
