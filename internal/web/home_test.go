package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// addApp adds an app that opens to groups, or to everyone if none is given.
func (f *fixture) addApp(name, origin string, groups ...directory.Group) apps.App {
	f.t.Helper()
	in := apps.Input{AllowRequests: true, Name: name, URL: origin, Audience: string(apps.Everyone)}
	for _, g := range groups {
		in.Audience, in.GroupIDs = string(apps.Groups), append(in.GroupIDs, g.ID)
	}
	a, err := f.server.opts.Apps.Create(f.t.Context(), event.Origin{}, in)
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

// switchOff switches an app off and returns it.
func (f *fixture) switchOff(a apps.App) apps.App {
	f.t.Helper()
	off, err := f.server.opts.Apps.Switch(f.t.Context(), event.Origin{}, a.ID, false)
	if err != nil {
		f.t.Fatal(err)
	}
	return off
}

func (f *fixture) addGroup(name string) directory.Group {
	f.t.Helper()
	g, err := f.server.opts.Groups.Create(f.t.Context(), event.Origin{}, name)
	if err != nil {
		f.t.Fatal(err)
	}
	return g
}

// join makes a caller a member of a group until a time, which is zero for no end.
func (f *fixture) join(c *caller, g directory.Group, until time.Time) {
	f.t.Helper()
	if err := f.server.opts.Groups.Join(f.t.Context(), event.Origin{}, g.ID, c.user.ID, until); err != nil {
		f.t.Fatal(err)
	}
}

func TestHome_ShowsWhatOpensToTheViewer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.signedIn(directory.Member, "grace@example.com")
	staff, guests := f.addGroup("Staff"), f.addGroup("Guests")
	wiki := f.addApp("Wiki", "https://wiki.example.com")
	board := f.addApp("board", "https://board.example.com:8443", staff)
	f.addApp("Vault", "https://vault.example.com", guests)
	f.join(grace, staff, f.clock.now().Add(time.Minute))

	type link struct{ name, href string }
	for _, row := range []struct {
		name   string
		viewer *caller
		pass   time.Duration // before
		open   []link
		never  []string
	}{
		{"a member", grace, 0, []link{{"board", "https://board.example.com:8443"}, {"Wiki", "https://wiki.example.com"}}, []string{"Vault", "vault.example.com", "Manage", "Add an app", "/apps/"}},
		{"an administrator in no group", ada, 0, []link{{"Wiki", "https://wiki.example.com"}, {"Add an app", "/apps/new"}, {"Manage", "/apps/" + wiki.ID}}, nil},
		{"a member whose membership has ended", grace, time.Minute, []link{{"Wiki", "https://wiki.example.com"}}, []string{"board"}},
	} {
		f.clock.micros.Add(row.pass.Microseconds())
		page := row.viewer.get("/apps")
		if page.status != http.StatusOK || page.Heading() != "My apps" {
			t.Fatalf("%s: %d %s", row.name, page.status, page.Heading())
		}
		for _, want := range row.open {
			if href, ok := page.Link(want.name); !ok || href != want.href {
				t.Errorf("%s: %s leads to %q, %v", row.name, want.name, href, ok)
			}
		}
		for _, never := range row.never {
			if strings.Contains(page.body, never) {
				t.Errorf("%s: the page has %q", row.name, never)
			}
		}
	}
	if href, ok := ada.get("/apps").Link("board"); ok {
		t.Errorf("an administrator in no group is shown a link to %s", href)
	}
	page := ada.get("/apps")
	for _, want := range []string{"Apps that don’t open to you", "vault.example.com · Guests", "Everyone on the list"} {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("an administrator isn't shown %q: %s", want, page.Text())
		}
	}
	if want := `href="/apps/` + board.ID + `" aria-label="Manage board"`; !strings.Contains(page.body, want) {
		t.Errorf("no %s", want)
	}
}

func TestHome_WithoutApps(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Member, "grace@example.com")
	if page := grace.get("/apps"); !strings.Contains(page.Text(), "No apps yet") || strings.Contains(page.body, "/apps/new") {
		t.Errorf("a member: %s", page.Text())
	}
	page := ada.get("/apps")
	if href, ok := page.Link("Add an app"); !ok || href != "/apps/new" || !strings.Contains(page.Text(), "Protect your first app") {
		t.Errorf("an administrator: %s", page.Text())
	}
	f.addApp("Vault", "https://vault.example.com", f.addGroup("Guests"))
	if page := ada.get("/apps"); !strings.Contains(page.Text(), "None of the apps opens to you") || !strings.Contains(page.Text(), "Vault") {
		t.Errorf("an administrator to whom no app opens: %s", page.Text())
	}
	if page := grace.get("/apps"); !strings.Contains(page.Text(), "No apps yet") {
		t.Errorf("a member to whom no app opens: %s", page.Text())
	}
}

func TestHome_DatabaseDown(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	grace := f.signedIn(directory.Member, "grace@example.com")
	f.exec("DROP TABLE apps")
	if page := grace.get("/apps"); page.status != http.StatusServiceUnavailable || strings.Contains(page.Text(), "No apps yet") {
		t.Errorf("%d %s", page.status, page.Text())
	}
}

func TestAppTile_Letter(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, name := range []string{"wiki", "Éclair", "«Board»", "3D prints", "李 notes", "ßtraße", "…", ""} {
		got[name] = firstLetter(name)
	}
	want := map[string]string{"wiki": "W", "Éclair": "É", "«Board»": "B", "3D prints": "3", "李 notes": "李", "ßtraße": "ß", "…": "…", "": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAppTile_ColourStaysTheSame(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for _, name := range strings.Fields("Wiki Board Vault Notes Chat Files Grafana Gitea Metrics Mail Build Docs Photos Music Tasks Budget") {
		colour := newAppTile(apps.App{Name: name}).Colour
		if again := newAppTile(apps.App{Name: strings.ToUpper(name)}).Colour; again != colour || colour < 1 || colour > tileColours {
			t.Errorf("%s: %d, then %d", name, colour, again)
		}
		seen[colour] = true
	}
	if len(seen) < tileColours-1 {
		t.Errorf("16 apps have %d colours", len(seen))
	}
}
