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
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid"
)

var clientRows = []row{
	{"client is saved, read and removed", single(testSaveClient)},
	{"clients are saved at the same time", testSaveClientsConcurrently},
	{"secret of a client is created and revoked", single(testClientSecrets)},
	{"secrets are created at the same time", testClientSecretsConcurrently},
	{"removed app takes its client along", single(testRemoveAppWithClient)},
}

// clientOf returns a new client of an app.
func clientOf(a apps.App) openid.Client {
	return openid.Client{
		ID: a.ID, Algorithm: identity.RS256, RedirectURIs: []string{"https://b.example/", "https://a.example/"}, CreatedAt: ago(time.Hour), UpdatedAt: ago(time.Hour),
	}
}

func clientEvent(kind event.Kind) event.Event { return event.New(kind, Now(), "", "", "Wiki") }

// setClient is a rule that sets a client.
func setClient(c openid.Client) func(*openid.Client) (openid.Client, event.Event, error) {
	return func(*openid.Client) (openid.Client, event.Event, error) {
		e := clientEvent(event.ClientChanged)
		e.Changes = []event.Change{{Field: "kind", New: "confidential"}}
		return c, e, nil
	}
}

func wantClient(t *testing.T, s Store, want openid.Client) {
	t.Helper()
	got, err := s.GetClient(t.Context(), want.ID)
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
}

func testSaveClient(t *testing.T, s Store) {
	wiki, shop := appFor("Wiki"), appFor("Shop")
	createApps(t, s, wiki, shop)
	if _, err := s.GetClient(t.Context(), wiki.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("without one: %v", err)
	}
	c := clientOf(wiki)
	must(t, s.SaveClient(t.Context(), wiki.ID, func(old *openid.Client) (openid.Client, event.Event, error) {
		if old != nil {
			t.Errorf("a new client was %+v", old)
		}
		return setClient(c)(old)
	}))
	must(t, s.SaveClient(t.Context(), shop.ID, setClient(clientOf(shop))))
	wantClient(t, s, c)

	if err := s.SaveClient(t.Context(), wiki.ID, func(*openid.Client) (openid.Client, event.Event, error) {
		return openid.Client{}, clientEvent(event.ClientChanged), apps.ErrChanged
	}); !errors.Is(err, apps.ErrChanged) {
		t.Errorf("against the rule: %v", err)
	}
	must(t, s.SaveClient(t.Context(), wiki.ID, func(*openid.Client) (openid.Client, event.Event, error) { // no changes
		return openid.Client{ID: wiki.ID, Public: true}, clientEvent(event.ClientChanged), nil
	}))
	wantClient(t, s, c)

	changed := openid.Client{
		ID: wiki.ID, Public: true, Algorithm: identity.ES256, PostLogoutURIs: []string{"app://bye?x=1&y=%2F", "https://a.example/bye"},
		BackchannelLogout: "https://a.example/logout", CreatedAt: c.CreatedAt, UpdatedAt: Now(),
	}
	must(t, s.SaveClient(t.Context(), wiki.ID, func(old *openid.Client) (openid.Client, event.Event, error) {
		if diff := gocmp.Diff(&c, old); diff != "" {
			t.Errorf("argument of the rule: -want +got\n%s", diff)
		}
		return setClient(changed)(old)
	}))
	wantClient(t, s, changed)
	wantClient(t, s, clientOf(shop))

	for _, id := range append(variants(wiki.ID), appFor("Gone").ID) {
		if err := s.SaveClient(t.Context(), id, setClient(c)); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("saved for %q: %v", id, err)
		}
		if err := s.RemoveClient(t.Context(), id, clientEvent(event.ClientRemoved)); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("removed for %q: %v", id, err)
		}
		if _, err := s.GetClient(t.Context(), id); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("read for %q: %v", id, err)
		}
	}

	must(t, s.RemoveClient(t.Context(), wiki.ID, clientEvent(event.ClientRemoved)))
	if err := s.RemoveClient(t.Context(), wiki.ID, clientEvent(event.ClientRemoved)); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	wantClient(t, s, clientOf(shop))
	if n, removed := len(events(t, s, event.Query{Kind: event.ClientChanged})), len(events(t, s, event.Query{Kind: event.ClientRemoved})); n != 3 || removed != 1 {
		t.Errorf("%d changes and %d removals are on record", n, removed)
	}
}

// Every rule sees what the one before has written.
func testSaveClientsConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	wiki := appFor("Wiki")
	createApps(t, stores[0], wiki)
	const n = 12
	for _, err := range concurrently(n, func(i int) error {
		return stores[i%2].SaveClient(t.Context(), wiki.ID, func(old *openid.Client) (openid.Client, event.Event, error) {
			c := clientOf(wiki)
			c.RedirectURIs = nil
			if old != nil {
				c.RedirectURIs = old.RedirectURIs
			}
			c.RedirectURIs = append(c.RedirectURIs, fmt.Sprintf("https://a.example/%d", i))
			return setClient(c)(old)
		})
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if c, err := stores[1].GetClient(t.Context(), wiki.ID); len(c.RedirectURIs) != n || err != nil {
		t.Errorf("%d of %d addresses were saved, %v", len(c.RedirectURIs), n, err)
	}
}

func clientSecret(a apps.App, text string) openid.Secret {
	return openid.Secret{ID: newID(), AppID: a.ID, Hash: apps.HashToken(text), Hint: "ABCD", CreatedBy: "1", CreatedAt: ago(time.Hour), ExpiresAt: Now().Add(time.Hour)}
}

func allowSecrets(openid.Client, []openid.Secret) error { return nil }

func createSecret(t *testing.T, s Store, v openid.Secret) {
	t.Helper()
	must(t, s.CreateSecret(t.Context(), v, clientEvent(event.ClientSecretCreated), allowSecrets))
}

func wantSecrets(t *testing.T, s Store, appID string, want ...openid.Secret) {
	t.Helper()
	got, err := s.ListSecrets(t.Context(), appID)
	if diff := gocmp.Diff(append([]openid.Secret{}, want...), got); diff != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
}

func testClientSecrets(t *testing.T, s Store) {
	wiki, shop := appFor("Wiki"), appFor("Shop")
	createApps(t, s, wiki, shop)
	must(t, s.SaveClient(t.Context(), wiki.ID, setClient(clientOf(wiki))))
	must(t, s.SaveClient(t.Context(), shop.ID, setClient(clientOf(shop))))
	wantSecrets(t, s, wiki.ID)
	first, second, other := clientSecret(wiki, "1"), clientSecret(wiki, "2"), clientSecret(shop, "3")
	first.ExpiresAt, first.CreatedBy = time.Time{}, ""
	for _, v := range []openid.Secret{first, second, other} {
		createSecret(t, s, v)
	}
	wantSecrets(t, s, wiki.ID, second, first)

	created := clientEvent(event.ClientSecretCreated)
	if err := s.CreateSecret(t.Context(), clientSecret(wiki, "4"), created, func(c openid.Client, have []openid.Secret) error {
		if diff := gocmp.Diff(clientOf(wiki), c) + gocmp.Diff([]openid.Secret{second, first}, have); diff != "" {
			t.Errorf("arguments of the rule: -want +got\n%s", diff)
		}
		return openid.ErrTooManySecrets
	}); !errors.Is(err, openid.ErrTooManySecrets) {
		t.Errorf("against the rule: %v", err)
	}
	again := clientSecret(shop, "5")
	again.ID = first.ID
	if err := s.CreateSecret(t.Context(), again, created, func(openid.Client, []openid.Secret) error { return openid.ErrTooManySecrets }); !errors.Is(err, openid.ErrSecretExists) {
		t.Errorf("created twice: %v", err)
	}
	if err := s.CreateSecret(t.Context(), clientSecret(appFor("Gone"), "6"), created, allowSecrets); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("without a client: %v", err)
	}

	revoke := func(appID, id string) error {
		return s.RevokeSecret(t.Context(), appID, id, func(v openid.Secret) event.Event {
			if v.ID != id || v.Hint != "ABCD" {
				t.Errorf("revoked is %+v", v)
			}
			return clientEvent(event.ClientSecretRevoked)
		})
	}
	if err := revoke(shop.ID, first.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("as that of another client: %v", err)
	}
	must(t, revoke(wiki.ID, second.ID))
	if err := revoke(wiki.ID, second.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("revoked twice: %v", err)
	}
	wantSecrets(t, s, wiki.ID, first)

	must(t, s.RemoveClient(t.Context(), wiki.ID, clientEvent(event.ClientRemoved)))
	wantSecrets(t, s, wiki.ID)
	wantSecrets(t, s, shop.ID, other)
	must(t, s.SaveClient(t.Context(), wiki.ID, setClient(clientOf(wiki))))
	wantSecrets(t, s, wiki.ID) // a client that is added again has none of its old secrets
	if n, revoked := len(events(t, s, event.Query{Kind: event.ClientSecretCreated})), len(events(t, s, event.Query{Kind: event.ClientSecretRevoked})); n != 3 || revoked != 1 {
		t.Errorf("%d secrets created and %d revoked are on record", n, revoked)
	}
}

func testClientSecretsConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	wiki := appFor("Wiki")
	createApps(t, stores[0], wiki)
	must(t, stores[0].SaveClient(t.Context(), wiki.ID, setClient(clientOf(wiki))))
	created := 0
	for _, err := range concurrently(12, func(i int) error {
		return stores[i%2].CreateSecret(t.Context(), clientSecret(wiki, fmt.Sprint(i)), clientEvent(event.ClientSecretCreated), func(_ openid.Client, have []openid.Secret) error {
			if len(have) >= openid.MaxSecrets {
				return openid.ErrTooManySecrets
			}
			return nil
		})
	}) {
		switch {
		case err == nil:
			created++
		case !errors.Is(err, openid.ErrTooManySecrets):
			t.Error(err)
		}
	}
	if list, err := stores[1].ListSecrets(t.Context(), wiki.ID); created != openid.MaxSecrets || len(list) != openid.MaxSecrets || err != nil {
		t.Errorf("%d were created, %d exist, %v", created, len(list), err)
	}
}

func testRemoveAppWithClient(t *testing.T, s Store) {
	wiki, shop := appFor("Wiki"), appFor("Shop")
	createApps(t, s, wiki, shop)
	for _, a := range []apps.App{wiki, shop} {
		must(t, s.SaveClient(t.Context(), a.ID, setClient(clientOf(a))))
		createSecret(t, s, clientSecret(a, a.Name))
	}
	must(t, s.RemoveApp(t.Context(), wiki.ID, func(a apps.App) event.Event { return appEvent(event.AppRemoved, a) }))
	if _, err := s.GetClient(t.Context(), wiki.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the client stays: %v", err)
	}
	wantSecrets(t, s, wiki.ID)
	wantClient(t, s, clientOf(shop))
}
