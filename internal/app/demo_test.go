package app_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// appNames returns the names and addresses of a site's apps.
func appNames(t *testing.T, s *harness.Site) []string {
	t.Helper()
	list, err := s.App.Apps.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, a := range list {
		names = append(names, a.Name+" at "+a.URL()+", for "+string(a.Audience))
	}
	return names
}

func demoAt(s *harness.Site) string {
	return strings.Replace(s.Host, "localhost", "demo.localhost", 1)
}

func TestDemo_CreatedOnceAndMoves(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	clock := harness.NewClock(harness.Noon)
	s := harness.StartWithDemo(t, databaseURL, clock)
	if diff := cmp.Diff([]string{"Demo at " + demoAt(s) + ", for everyone"}, appNames(t, s)); diff != "" || s.App.DemoURL() != demoAt(s) {
		t.Errorf("%s, %s", diff, s.App.DemoURL())
	}
	s.Close()

	s = harness.StartWithDemo(t, databaseURL, clock) // on another port
	if diff := cmp.Diff([]string{"Demo at " + demoAt(s) + ", for everyone"}, appNames(t, s)); diff != "" || s.App.DemoURL() != demoAt(s) {
		t.Errorf("on another port: %s, %s", diff, s.App.DemoURL())
	}
	id, err := s.App.Store.DemoApp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.App.Apps.Remove(t.Context(), event.Origin{}, id); err != nil {
		t.Fatal(err)
	}
	s.Close()

	s = harness.StartWithDemo(t, databaseURL, clock)
	if names := appNames(t, s); len(names) != 0 || s.App.DemoURL() != "" {
		t.Errorf("after its removal: %q, %s", names, s.App.DemoURL())
	}
}

func TestDemo_KeepsWhatAdministratorsChange(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	clock := harness.NewClock(harness.Noon)
	s := harness.StartWithDemo(t, databaseURL, clock)
	id, err := s.App.Store.DemoApp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.App.Groups.Create(t.Context(), event.Origin{}, "Staff")
	if err != nil {
		t.Fatal(err)
	}
	off := false
	in := apps.Input{
		Name: "Try me", URL: demoAt(s), HomeURL: "https://example.com/try", Enabled: &off,
		Audience: string(apps.Groups), GroupIDs: []string{g.ID}, PublicPaths: "/a\n/b/*", AllowRequests: true,
	}
	if _, err := s.App.Apps.Edit(t.Context(), event.Origin{}, id, in); err != nil {
		t.Fatal(err)
	}
	before, err := s.App.Apps.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()

	s = harness.StartWithDemo(t, databaseURL, clock)
	after, err := s.App.Apps.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	before.Host = strings.TrimPrefix(demoAt(s), "http://")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	in.URL, in.PublicPaths = "", ""
	if _, err := s.App.Apps.Edit(t.Context(), event.Origin{}, id, in); err != nil {
		t.Fatal(err)
	}
	s.Close()

	s = harness.StartWithDemo(t, databaseURL, clock)
	if diff := cmp.Diff([]string{"Try me at , for groups"}, appNames(t, s)); diff != "" || s.App.DemoURL() != "" {
		t.Errorf("after its address was removed: %s, %s", diff, s.App.DemoURL())
	}
}

func TestDemo_OnlyWhereBrowsersReachTheListener(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"behind a proxy with TLS": {"--guestlist-base-url=https://localhost"},
		"standalone":              {"--guestlist-base-url=https://list.example.com", "--guestlist-local-stytch=on", "--smtp-url=smtp://127.0.0.1:1", "--guestlist-mail-from=a@example.com", "--guestlist-admins=ada@example.com"},
	} {
		s := harness.StartWithDemo(t, testdb.SQLite(t), harness.NewClock(harness.Noon), flags...)
		if names := appNames(t, s); len(names) != 0 || s.App.DemoURL() != "" {
			t.Errorf("%s: %q, %s", name, names, s.App.DemoURL())
		}
	}
	s := harness.StartWithDemo(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-apps=http://demo.localhost:PORT -> http://127.0.0.1:1")
	if names := appNames(t, s); len(names) != 1 || s.App.DemoURL() != "" {
		t.Errorf("with another app at its address: %q, %s", names, s.App.DemoURL())
	}
}
