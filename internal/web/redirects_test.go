package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
)

// returnPaths maps requested return paths to the result. Empty means the start page.
var returnPaths = []struct{ next, want string }{
	{"/users", "/users"},
	{"/users?q=a%20b&sort=-name", "/users?q=a%20b&sort=-name"},
	{"/users/0198-abc", "/users/0198-abc"},
	{"/users/new", "/users/new"},
	{"/profile", "/profile"},
	{"/device?user_code=WDJB-MJHT", "/device?user_code=WDJB-MJHT"},
	{"/device/0198-abc", "/device/0198-abc"},
	{"/users?next=https://evil.example", "/users?next=https://evil.example"}, // a parameter of our own page, which doesn't know it

	{"", ""},
	{"/", ""},
	{"https://evil.example", ""},
	{"https://evil.example/users", ""},
	{"http://localhost:8080/users", ""},
	{"//evil.example", ""},
	{"//evil.example/users", ""},
	{"///evil.example/users", ""},
	{"/\\evil.example", ""},
	{"\\\\evil.example/users", ""},
	{"/users/\\evil.example", ""},
	{"/users/..//evil.example", ""},
	{"/users/../../evil", ""},
	{"/users/%2e%2e//evil.example", ""},
	{"/users/%2e%2e/%2fevil.example", ""},
	{"/users/%5cevil.example", ""},
	{"/users//evil.example", ""},
	{"/users/../api/logout", ""},
	{"/%2f/evil.example", ""},
	{"users", ""},
	{"@evil.example/users", ""},
	{"/users@evil.example", ""},
	{"https:/users", ""},
	{"https:users", ""},
	{"javascript:alert(1)", ""},
	{"data:text/html,x", ""},
	{"/users#/evil", ""},
	{"/usersandmore", ""},
	{"/devices", ""},
	{"/device/../users", ""},
	{"/Users", ""},
	{"/profile/more", ""},
	{"/api/users", ""},
	{"/api/logout", ""},
	{"/signout", ""},
	{"/static/x", ""},
	{"/dev/inbox", ""},
	{"/users\r\nSet-Cookie: a=b", ""},
	{"/users\t", ""},
	{" /users", ""},
	{"/users\x00", ""},
	{"/users%0d%0aSet-Cookie:%20a=b", ""},
	{"/users?\\", ""},
	{"/users?q=zoë", ""},
	{"/users?q=\u2028", ""},
	{"/users?q=\xff", ""},
	{"/users?q=" + strings.Repeat("x", maxReturnPath), ""},
}

func TestReturnPath_OwnPagesOnly(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for _, row := range returnPaths {
		if got := f.server.returnPath(row.next); got != row.want {
			t.Errorf("%q: %q, want %q", row.next, got, row.want)
		}
		// The sign-in page, with a session.
		want := row.want
		if want == "" {
			want = "/apps"
		}
		a := ada.get("/?next=" + url.QueryEscape(row.next))
		if a.status != http.StatusSeeOther || a.header.Get("Location") != want {
			t.Errorf("%q, signed in: %d, leads to %q", row.next, a.status, a.header.Get("Location"))
		}
		// And in the form, for who isn't.
		form, ok := f.visitor().get("/?next=" + url.QueryEscape(row.next)).Form("Email me a link")
		if !ok || form.Values.Get("next") != row.want {
			t.Errorf("%q, signed out: the form has %q", row.next, form.Values.Get("next"))
		}
	}
}

func TestReturnPath_PostedOnesAreChecked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, row := range returnPaths {
		c := f.visitor()
		if a := c.form("/signin", "email", "nobody@example.com", "next", row.next); a.status != http.StatusSeeOther {
			t.Fatalf("%q: %d %s", row.next, a.status, a.Text())
		}
		r, err := http.NewRequest("GET", "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(c.cookies["guestlist-signin"])
		flow, ok := f.server.opts.Cookies.Flow(r)
		if !ok || flow.ReturnPath != row.want {
			t.Errorf("%q: the browser keeps %q, %v", row.next, flow.ReturnPath, ok)
		}
	}
}

func TestReturnPath_AfterSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.signedIn(directory.Admin, "ada@example.com")
	for _, row := range []struct{ method, path, want string }{
		{"GET", "/users?q=x", "/?next=%2Fusers%3Fq%3Dx"},
		{"GET", "/profile", "/?next=%2Fprofile"},
		{"POST", "/users", "/"}, // a posted form is lost, and its address may be no page
		{"POST", "/users/x/remove", "/"},
	} {
		if a := f.visitor().send(row.method, row.path, ""); a.header.Get("Location") != row.want {
			t.Errorf("%s %s leads to %q, want %q", row.method, row.path, a.header.Get("Location"), row.want)
		}
	}
}

func TestRedirects_IgnoreTheHostHeader(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.BaseURL = &url.URL{Scheme: "https", Host: "people.example.com"} })
	for _, host := range []string{"evil.example", "people.example.com.evil.example", "localhost:8080", "127.0.0.1"} {
		for _, path := range []string{"/users", "//users", "//evil.example/users", "/?next=//evil.example"} {
			r, err := http.NewRequest("GET", "http://"+host+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Forwarded-Host", "evil.example")
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			if location := w.Header().Get("Location"); strings.HasPrefix(location, "//") || strings.Contains(location, "://") {
				t.Errorf("%s%s leads to %q", host, path, location)
			}
		}
	}
}
