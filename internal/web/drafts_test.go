package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// remembered is signedIn in a browser that has signed in before.
func (f *fixture) remembered(address string) *caller {
	f.t.Helper()
	c := f.signedIn(directory.Admin, address)
	w := httptest.NewRecorder()
	if err := f.server.opts.Cookies.SetKnown(w, httptest.NewRequest("GET", "/", nil), address); err != nil {
		f.t.Fatal(err)
	}
	c.keep(w.Result())
	return c
}

// endSession ends the caller's session as an administrator would.
func (f *fixture) endSession(c *caller) {
	f.t.Helper()
	if _, err := f.server.opts.Sessions.Revoke(f.t.Context(), event.Origin{}, c.user.ID, "ended", func(session.Session) bool { return true }); err != nil {
		f.t.Fatal(err)
	}
}

func TestDraft_IsRestoredAfterSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	target := f.add(directory.User{Email: directory.Email{Display: "target@example.com"}, Name: "Before"})
	group := f.addGroup("Family")
	app := f.addApp("Photos", "https://photos.example.com", group)
	rows := []struct {
		path   string
		values []string
		page   string
		want   []string // in the page's HTML
	}{
		{"/users", []string{"email", "new@example.com", "name", "Zoë <b>", "role", "admin"}, "/users/new", []string{`value="new@example.com"`, `value="Zoë &lt;b&gt;"`, `value="admin" selected`}},
		{"/users/" + target.ID, []string{"name", "After", "role", "admin"}, "/users/" + target.ID, []string{`value="After"`, `value="admin" selected`}},
		{"/users", []string{"email", "new@example.com", "groups", group.ID, "until", "2026-03-05"}, "/users/new", []string{`value="` + group.ID + `" checked`, `value="2026-03-05"`}},
		{"/apps/new", []string{"name", "Wiki <b>", "url", "https://wiki.example.com", "home_url", "https://example.com/wiki", "audience", "groups", "groups", group.ID, "upstream", "http://127.0.0.1:1", "public_paths", "/health", "allow_requests", "yes"}, "/apps/new", []string{`value="Wiki &lt;b&gt;"`, `value="https://example.com/wiki"`, `value="groups" required checked`, `value="` + group.ID + `" checked`, "/health</textarea>", `value="yes" checked`}},
		{"/apps/" + app.ID, []string{"name", "Better name", "url", "https://photos.example.com", "audience", "everyone"}, "/apps/" + app.ID, []string{`value="Better name"`, `value="everyone" required checked`}},
		{"/groups", []string{"name", "Friends <b>"}, "/groups", []string{`value="Friends &lt;b&gt;"`}},
		{"/groups/" + group.ID, []string{"name", "Other name"}, "/groups/" + group.ID, []string{`value="Other name"`}},
		{"/groups/" + group.ID + "/members", []string{"who", "new@example.com"}, "/groups/" + group.ID, []string{`value="new@example.com"`}},
		{"/profile/tokens", []string{"id", "x", "name", "my script", "scope", "write", "days", "30"}, "/profile", []string{`value="my script"`, `value="write" selected`}},
		{"/device", []string{"user_code", "WDJB-MJHT"}, "/device", []string{`value="WDJB-MJHT"`}},
		{"/why", []string{"email", "target@example.com"}, "/why", []string{`value="target@example.com"`}},
	}
	for _, row := range rows {
		t.Run(row.path, func(t *testing.T) {
			boss := f.remembered("boss@example.com")
			f.endSession(boss)
			before := f.rows()
			a := boss.form(row.path, row.values...)
			if a.status != http.StatusSeeOther || a.header.Get("Location") != "/?expired" {
				t.Fatalf("%d, leads to %q", a.status, a.header.Get("Location"))
			}
			if after := f.rows(); len(before) != len(after) {
				t.Error("something was changed")
			}
			page := boss.get(a.header.Get("Location"))
			if !strings.Contains(page.Text(), "they’ll still be there") || !strings.Contains(page.body, `value="boss@example.com"`) {
				t.Errorf("the sign-in page: %s", page.Text())
			}
			if !strings.Contains(page.body, `name="next" value="`+row.page+`"`) {
				t.Errorf("the sign-in page does not lead back: %s", page.body)
			}
			other := f.remembered("other@example.com") // in the same browser
			other.cookies["guestlist-draft"] = boss.cookies["guestlist-draft"]
			if got := other.get(row.page); strings.Contains(got.Text(), "You were signed out before") {
				t.Errorf("somebody else sees it: %s", got.Text())
			}
			again := f.remembered("boss@example.com")
			again.cookies["guestlist-draft"] = boss.cookies["guestlist-draft"]
			got := again.get(row.page)
			for _, want := range append(row.want, "You were signed out before this was saved.") {
				if !strings.Contains(got.body, want) {
					t.Errorf("no %s:\n%s", want, got.body)
				}
			}
			if got := again.get(row.page); strings.Contains(got.Text(), "You were signed out before") {
				t.Error("it is shown twice")
			}
		})
	}
}

func TestDraft_IsNotKeptForOthersOrTooLong(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rows := []struct {
		name    string
		path    string
		name100 string
		age     time.Duration
		kept    bool
	}{
		{"short", "/users", "Ada", 0, true},
		{"too long for a cookie", "/users", strings.Repeat("é", 800), 0, false},
		{"of a form with nothing to type", "/users/x/suspend", "Ada", 0, false},
		{"half an hour old", "/users", "Ada", 30 * time.Minute, false},
	}
	for _, row := range rows {
		boss := f.remembered("boss@example.com")
		f.endSession(boss)
		a := boss.form(row.path, "email", "new@example.com", "name", row.name100)
		if a.status != http.StatusSeeOther {
			t.Fatalf("%s: %d", row.name, a.status)
		}
		f.clock.advance(row.age)
		again := f.remembered("boss@example.com")
		if c := boss.cookies["guestlist-draft"]; c != nil {
			again.cookies["guestlist-draft"] = c
		}
		if kept := strings.Contains(again.get("/users/new").body, "new@example.com"); kept != row.kept {
			t.Errorf("%s: kept %t", row.name, kept)
		}
	}
	if a := f.visitor().form("/users", "email", "new@example.com"); a.status != http.StatusSeeOther || len(a.header.Values("Set-Cookie")) > 0 {
		t.Errorf("of a stranger: %d %v", a.status, a.header)
	}
}

func TestSignInPage_RemembersTheLastAddressUntilSignOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.remembered("ada@example.com")
	f.endSession(ada)
	if a := ada.get("/"); !strings.Contains(a.body, `value="ada@example.com"`) {
		t.Errorf("after the end of the session: %s", a.body)
	}
	ada = f.remembered("ada@example.com")
	ada.form("/signout")
	if a := ada.get("/"); strings.Contains(a.body, "ada@example.com") {
		t.Errorf("after signing out: %s", a.body)
	}
}
