package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

// refusedAddresses are no addresses here; most of them were exploited elsewhere.
var refusedAddresses = []string{
	"", " ", "ada", "@example.com", "ada@", "ada@@example.com", "ada.example.com",
	"ada@example.com,eve@evil.example", "ada@example.com;eve@evil.example", "ada@example.com eve@evil.example", // two at once
	`"ada@evil.example"@example.com`, `"ada"@example.com`, `ada\@evil.example@example.com`, // a quoted part
	"ada@evil.example@example.com", "ada%40evil.example", "ada＠example.com", // more than one @, or none
	"Ada <ada@example.com>", "<ada@example.com>", "ada(eve)@example.com", "mailto:ada@example.com", // more than an address
	"ada@example.com\r\nBcc: eve@evil.example", "ada\n@example.com", "ada\x00@example.com", "ada\t@example.com", "ada @example.com",
	"ada@localhost", "ada@127.0.0.1", "ada@[127.0.0.1]", "ada@[IPv6:::1]", "ada@example.com.", "ada@.example.com", "ada@example..com",
	"ada@-example.com", "ada@example-.com", "ada@exa_mple.com", "ada@exam ple.com", "ada@example.com/x", "ada@example.com:25", "ada@example.com#",
	".ada@example.com", "ada.@example.com", "a..da@example.com", "адa@example.com", "zoë@example.com", "ada\u202e@example.com", "ada\u200b@example.com",
	strings.Repeat("a", 65) + "@example.com", "ada@" + strings.Repeat("a.", 126) + "com",
	"ada@" + strings.Repeat(strings.Repeat("a", 60)+".", 4) + "example.com", // 260 characters
}

func TestSignInForm_TakesOneAddress(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	before := f.rows()
	for _, address := range refusedAddresses {
		c := f.visitor()
		a := c.form("/signin", "email", address, "next", "/users?q=x")
		if a.status != http.StatusUnprocessableEntity || a.Heading() != "Sign in" {
			t.Errorf("%q: %d %s", address, a.status, a.Text())
			continue
		}
		if diff := cmp.Diff(map[string]string{"email": "Enter one email address, like ada@example.com."}, a.Problems()); diff != "" {
			t.Errorf("%q: %s", address, diff)
		}
		form, _ := a.Form("Email me a link")
		// HTML has no way to write a zero byte or a carriage return.
		asHTML := strings.NewReplacer("\x00", "\ufffd", "\r\n", "\n").Replace(address)
		if typed := form.Value("Email address"); typed != asHTML && typed != address || form.Values.Get("next") != "/users?q=x" {
			t.Errorf("%q: the form keeps %q and %q", address, typed, form.Values.Get("next"))
		}
		if len(c.cookies) != 0 {
			t.Errorf("%q: the browser got a cookie", address)
		}
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("the database has changed:\n%s", diff)
	}
}

func TestForms_DamagedOrTooLarge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	before := f.rows()
	for _, path := range []string{"/signin", "/api/authenticate_magic_link", "/profile/signout", "/users", "/users/" + grace.ID} {
		for _, row := range []struct {
			name, contentType, body string
			status                  int
		}{
			{"a percent sign that stands for nothing", "application/x-www-form-urlencoded", "email=%zz&token=%zz", 400},
			{"a semicolon", "application/x-www-form-urlencoded", "email=joan@example.com;role=admin", 400},
			{"65 KiB", "application/x-www-form-urlencoded", "name=" + strings.Repeat("x", 65<<10), 413},
		} {
			if a := ada.send("POST", path, row.body, "Content-Type", row.contentType); a.status != row.status {
				t.Errorf("%s with %s: %d %s", path, row.name, a.status, a.Text())
			}
		}
	}
	// Only the body of a form counts, and only as a form.
	for _, a := range []answer{
		ada.send("POST", "/users?email=joan@example.com", "", "Content-Type", "application/x-www-form-urlencoded"),
		ada.send("POST", "/users", `{"email":"joan@example.com"}`, "Content-Type", "application/json"),
		ada.send("POST", "/users", "email=joan@example.com", "Content-Type", "text/plain"),
	} {
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%d %s", a.status, a.Text())
		}
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("the database has changed:\n%s", diff)
	}
}

func TestSignInPage_ExplainsTheSituation(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.FirstAdmin = true })
	const first = "The first person to sign in becomes the administrator"
	if text := f.visitor().get("/").Text(); !strings.Contains(text, first) || !strings.Contains(text, "expires in 10 minutes") {
		t.Errorf("on an empty list it says: %s", text)
	}
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for path, want := range map[string]string{"/?expired": "Your session has ended", "/?signed-out": "You’ve signed out"} {
		text := f.visitor().get(path).Text()
		if !strings.Contains(text, want) || strings.Contains(text, first) {
			t.Errorf("%s says: %s", path, text)
		}
	}
	if a := ada.get("/"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/apps" {
		t.Errorf("an administrator is sent to %q", a.header.Get("Location"))
	}
	if a := f.signedIn(directory.Member, "grace@example.com").get("/"); a.header.Get("Location") != "/apps" {
		t.Errorf("a member is sent to %q", a.header.Get("Location"))
	}
}

func TestSignIn_SecondRequestKeepsTheReturnPath(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.visitor()
	for _, next := range []string{"/users?q=x", "", "https://evil.example"} {
		c.form("/signin", "email", "ada@example.com", "next", next)
		r := &http.Request{Header: http.Header{}, URL: &url.URL{}}
		r.AddCookie(c.cookies["guestlist-signin"])
		if flow, ok := f.server.opts.Cookies.Flow(r); !ok || flow.ReturnPath != "/users?q=x" {
			t.Errorf("after %q it is %q, %v", next, flow.ReturnPath, ok)
		}
	}
}
