package web

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/token"
)

// wantText checks a page's status and that its text contains the parts.
func wantText(t *testing.T, a answer, status int, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if a.status != status || !strings.Contains(a.Text(), part) {
			t.Errorf("%d, want %d and %q:\n%s", a.status, status, part, a.Text())
		}
	}
}

func TestUserPage_Tokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace, joan := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Admin, "grace@example.com"), f.signedIn(directory.Member, "joan@example.com")
	secret := grace.newToken(token.Write)
	wantText(t, ada.get("/users/"+grace.user.ID), http.StatusOK, "API tokens", "deploy", "Read and write", "Also revoke their API tokens")
	if a := ada.get("/users/" + joan.user.ID); strings.Contains(a.Text(), "API tokens") {
		t.Errorf("a member without tokens: %s", a.Text())
	}

	revoke, _ := ada.get("/users/" + grace.user.ID).Link("Revoke…")
	wantText(t, ada.get(revoke), http.StatusOK, "Revoke deploy?", "which belongs to grace@example.com")
	for name, a := range map[string]answer{
		"a member looks": joan.get(revoke), "a member revokes": joan.form(revoke),
		"as the token of another": ada.form(strings.Replace(revoke, grace.user.ID, joan.user.ID, 1)),
		"of nobody":               ada.form(strings.Replace(revoke, grace.user.ID, "nobody", 1)),
	} {
		if a.status != http.StatusForbidden && a.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", name, a.status, a.Text())
		}
	}
	if a := ada.sendWithToken(secret, "GET", "/api/session", ""); a.status != http.StatusOK {
		t.Errorf("before it was revoked: %d %s", a.status, a.body)
	}
	if a := ada.form(revoke); a.status != http.StatusSeeOther || a.header.Get("Location") != "/users/"+grace.user.ID {
		t.Errorf("revoked: %d to %s", a.status, a.header.Get("Location"))
	}
	if a := ada.sendWithToken(secret, "GET", "/api/session", ""); a.status != http.StatusUnauthorized {
		t.Errorf("after it was revoked: %d %s", a.status, a.body)
	}
	wantText(t, ada.get("/users/"+grace.user.ID), http.StatusOK, "Revoked deploy", "by ada@example.com")
}

func TestEndAllSessions_WithTokens(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		end  func(ada, grace *caller)
		ends bool
	}{
		{"by an administrator, without", func(ada, grace *caller) { ada.form("/users/" + grace.user.ID + "/signout") }, false},
		{"by an administrator, with", func(ada, grace *caller) { ada.form("/users/"+grace.user.ID+"/signout", "tokens", "end") }, true},
		{"everywhere, without", func(_, grace *caller) { grace.form("/profile/signout", "session", "all") }, false},
		{"everywhere, with", func(_, grace *caller) { grace.form("/profile/signout", "session", "all", "tokens", "end") }, true},
		{"everywhere else, with", func(_, grace *caller) { grace.form("/profile/signout", "session", "others", "tokens", "end") }, true},
		{"one session, with", func(_, grace *caller) { grace.form("/profile/signout", "session", "x", "tokens", "end") }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			ada, grace := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Admin, "grace@example.com")
			secret := grace.newToken(token.Read)
			wantText(t, grace.get("/profile"), http.StatusOK, "Also revoke my API tokens")
			row.end(ada, grace)
			if a := ada.sendWithToken(secret, "GET", "/api/session", ""); (a.status == http.StatusUnauthorized) != row.ends {
				t.Errorf("the token: %d %s", a.status, a.body)
			}
		})
	}
}

func TestUserPage_CancelledInvitation(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}})
	path := "/users/" + grace.ID
	ada.form(path + "/suspend")
	wantText(t, ada.get(path), http.StatusOK, "No invitation sent.")
	ada.form(path + "/reinstate")
	ada.form(path + "/invite")
	sent := f.clock.now()
	f.clock.advance(time.Minute)
	ada.form(path + "/suspend")
	wantText(t, ada.get(path), http.StatusOK, "Sent "+sent.Format("2 Jan")+"; cancelled when they were suspended.", "Invitation sent")
	f.exec("UPDATE users SET cancelled_invite_at = 0") // as an earlier release left it
	wantText(t, ada.get(path), http.StatusOK, "Sent "+sent.Format("2 Jan")+"; cancelled when they were suspended.")
	ada.form(path + "/reinstate")
	ada.form(path + "/invite")
	wantText(t, ada.get(path), http.StatusOK, "the link works until")
}

func TestInvite_PressedTwice(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, boss := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Admin, "boss@example.com")
	invite := func(c *caller, name, role string) answer {
		return c.form("/users", "email", "grace@example.com", "name", name, "role", role)
	}
	for range 2 {
		if a := invite(ada, "Grace", "member"); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.Text())
		}
		wantText(t, ada.get("/users"), http.StatusOK, "Invitation sent to grace@example.com.")
	}
	if n := f.count(mailsTo, "grace@example.com"); n != 1 {
		t.Errorf("%d mails", n)
	}
	for name, a := range map[string]answer{
		"another name": invite(ada, "Hopper", "member"), "another role": invite(ada, "Grace", "admin"), "another administrator": invite(boss, "Grace", "member"),
	} {
		if a.status != http.StatusConflict {
			t.Errorf("%s: %d %s", name, a.status, a.Text())
		}
	}
	f.clock.advance(2 * time.Minute)
	if a := invite(ada, "Grace", "member"); a.status != http.StatusConflict {
		t.Errorf("later: %d %s", a.status, a.Text())
	}
	ada.json("POST", "/api/users", `{"email":"joan@example.com"}`) // added, and sent nothing
	if a := ada.form("/users", "email", "joan@example.com"); a.status != http.StatusConflict {
		t.Errorf("of somebody who was not invited: %d %s", a.status, a.Text())
	}
}

func TestListState_IsCarried(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Name: "Grace", Email: directory.Email{Display: "grace@example.com"}})
	const list = "?q=gr&role=member&sort=-name"
	page, _ := ada.get("/users" + list).Link("Grace")
	if want := "/users/" + grace.ID + "?list=" + url.QueryEscape("q=gr&role=member&sort=-name"); page != want {
		t.Fatalf("the person's page is at %s, want %s", page, want)
	}
	back := func(path string) {
		t.Helper()
		if got, _ := ada.get(path).Link("← People"); got != "/users"+list {
			t.Errorf("%s leads back to %q", path, got)
		}
	}
	_, carried, _ := strings.Cut(page, "?")
	back(page)
	why, _ := ada.get(page).Link("Why can’t they sign in?")
	back(why)
	for _, action := range []string{"", "/suspend", "/reinstate", "/invite", "/signout"} {
		path := "/users/" + grace.ID + action + "?" + carried
		if action != "/signout" && action != "/reinstate" && !strings.Contains(html.UnescapeString(ada.get(page).body), `action="`+path+`"`) {
			t.Errorf("no form leads to %s", path)
		}
		a := ada.form(path, "name", "Grace", "role", "member")
		if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != page {
			t.Errorf("%s: %d to %q, want %q", path, a.status, got, page)
		}
	}
	if a := ada.form("/users/"+grace.ID+"?"+carried, "name", "Grace", "role", "owner"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", a.status, a.Text())
	} else if got, _ := a.Link("← People"); got != "/users"+list {
		t.Errorf("a form with errors leads back to %q", got)
	}
	if got, _ := ada.get("/users/nobody?" + carried).Link("Back to the list"); got != "/users"+list {
		t.Errorf("a problem leads back to %q", got)
	}
	cancel, _ := ada.get("/users/" + grace.ID + "/remove?" + carried).Link("Cancel")
	if cancel != page {
		t.Errorf("not to remove leads to %q", cancel)
	}
	if a := ada.form("/users/" + grace.ID + "/remove?" + carried); a.header.Get("Location") != "/users"+list {
		t.Errorf("removed, and on to %q", a.header.Get("Location"))
	}
}

func TestListState_CarriesNothingElse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for carried, want := range map[string]string{
		"":                                      "/users",
		"https://evil.example":                  "/users",
		"//evil.example/?q=a":                   "/users",
		"q=a&next=//evil.example&expired=":      "/users?q=a",
		`q="><script>`:                          "/users?q=%22%3E%3Cscript%3E",
		"q=%zz":                                 "/users",
		"q=" + strings.Repeat("a", 5000):        "/users",
		"cursor=x&limit=10&status=active&q=a+b": "/users?cursor=x&limit=10&q=a+b&status=active",
	} {
		a := ada.get("/users/" + ada.user.ID + "?list=" + url.QueryEscape(carried))
		if got, _ := a.Link("← People"); got != want {
			t.Errorf("%q: got %q, want %q", carried, got, want)
		}
	}
}

func TestConfirmationPages_FocusOnCancel(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	ada.newToken(token.Read)
	own, _ := ada.get("/profile").Link("Revoke…")
	theirs, _ := ada.get("/users/" + ada.user.ID).Link("Revoke…")
	for _, path := range []string{own, theirs, "/users/" + ada.user.ID + "/remove"} {
		body := ada.get(path).body
		_, link, _ := strings.Cut(body, "autofocus>")
		if strings.Count(body, "autofocus") != 1 || !strings.HasPrefix(link, "Cancel</a>") {
			t.Errorf("%s: the focus is not on Cancel", path)
		}
	}
	_, dialog, _ := strings.Cut(ada.get("/users/"+ada.user.ID).body, `<dialog id="remove"`)
	if !strings.Contains(dialog, "autofocus>Cancel</a>") {
		t.Error("the dialog's focus is not on Cancel")
	}
}
