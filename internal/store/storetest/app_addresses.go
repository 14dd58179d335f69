package storetest

import (
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// withoutAddress returns an app without an address, which opens to everyone.
func withoutAddress(name string) apps.App {
	a := appFor(name)
	a.Scheme, a.Host, a.Upstream, a.PublicPaths = "", "", "", nil
	return a
}

func testAppsWithoutAddress(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	wiki, cli, other := appFor("Wiki"), withoutAddress("Backup"), withoutAddress("Other")
	createApps(t, s, wiki, cli, other) // two of them, although a host is unique
	wantApp(t, s, cli)
	wantApp(t, s, other)
	list, err := s.ListApps(t.Context(), "", 10)
	if diff := gocmp.Diff([]apps.App{cli, other, wiki}, list); diff != "" || err != nil {
		t.Errorf("listed: %v, -want +got\n%s", err, diff)
	}
	token := appToken(cli, ada, "one")
	createAppTokens(t, s, token)
	hash := enter(t, s, cli, mustSignIn(t, s, signInRequest(ada, "one")), "ada")
	for _, host := range []string{"", ":", ":" + cli.ID, cli.ID, ":" + other.ID} {
		if a, err := s.GetAppByHost(t.Context(), host); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the host %q: %+v, %v", host, a, err)
		}
		if state, err := s.CheckSession(t.Context(), host, hash); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("a check of the host %q: %+v, %v", host, state, err)
		}
		if state, err := s.CheckToken(t.Context(), host, token.Hash); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("a check of a token at the host %q: %+v, %v", host, state, err)
		}
	}
	f, err := s.RequestFacts(t.Context(), cli.ID, ada.ID)
	if diff := gocmp.Diff(cli, f.App); diff != "" || err != nil {
		t.Errorf("facts: %v, -want +got\n%s", err, diff)
	}
}

func testChangeAddress(t *testing.T, s Store) {
	wiki, shop := appFor("Wiki"), appFor("Shop")
	createApps(t, s, wiki, shop)
	was := wiki.Host
	wiki.Scheme, wiki.Host, wiki.UpdatedAt = "", "", Now()
	change := func(a apps.App) error {
		_, err := s.ChangeApp(t.Context(), a.ID, setApp(a, event.Change{Field: "address"}))
		return err
	}
	must(t, change(wiki))
	wantApp(t, s, wiki)
	if _, err := s.GetAppByHost(t.Context(), was); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the address that was removed: %v", err)
	}
	shop.Host, shop.UpdatedAt = was, Now() // it's free
	must(t, change(shop))
	wantApp(t, s, shop)
	wiki.Scheme, wiki.Host = "https", was
	if err := change(wiki); !errors.Is(err, apps.ErrHostTaken) {
		t.Errorf("an address that is taken: %v", err)
	}
	wiki.Host, wiki.UpdatedAt = "docs.example.com", Now().Add(time.Second)
	must(t, change(wiki))
	wantApp(t, s, wiki)
}

func testApprovedLink(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	r := askFor(t, s, c, c.user, ago(time.Hour), "")
	_, err := requests(s).Approve(t.Context(), c.byAdmin(), r.ID, apps.Approval{})
	must(t, err)
	for i, row := range []struct {
		name   string
		change func(*apps.App)
		want   string
	}{
		{"an address", func(*apps.App) {}, c.app.URL()},
		{"an address and a link", func(a *apps.App) { a.HomeURL = "https://example.com/wiki" }, "https://example.com/wiki"},
		{"a link", func(a *apps.App) { a.HomeURL, a.Scheme, a.Host = "https://example.com/wiki", "", "" }, "https://example.com/wiki"},
		{"neither", func(a *apps.App) { a.Scheme, a.Host = "", "" }, ""},
		{"switched off", func(a *apps.App) { a.Enabled = false }, ""},
	} {
		a := c.app
		row.change(&a)
		_, err := s.ChangeApp(t.Context(), a.ID, setApp(a, event.Change{Field: "link"}))
		must(t, err)
		at := Now().Add(time.Duration(i) * time.Minute)
		job, err := s.LeaseJob(t.Context(), "notice to grace@example.com", at, at.Add(time.Second))
		must(t, err)
		if job.Notice.AppURL != row.want || job.Notice.AppID != a.ID {
			t.Errorf("%s: the email leads to %q", row.name, job.Notice.AppURL)
		}
	}
}
