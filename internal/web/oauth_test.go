package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
)

// callbackOf returns the path to which another provider leads back.
func callbackOf(query ...string) string {
	q := url.Values{"stytch_token_type": {"oauth"}}
	for i := 0; i < len(query); i += 2 {
		q.Set(query[i], query[i+1])
	}
	return "/api/authenticate_magic_link?" + q.Encode()
}

func TestSignInPage_ShowsTheConfiguredProviders(t *testing.T) {
	t.Parallel()
	page := newFixture(t).visitor().get("/?next=/users")
	for _, name := range []string{"Google", "GitHub"} {
		form, ok := page.Form("Continue with " + name)
		if !ok || form.Method != http.MethodPost || form.Action != "/signin/with/"+strings.ToLower(name) || form.Values.Get("next") != "/users" {
			t.Errorf("%s: %+v, %v", name, form, ok)
		}
	}
	if _, ok := page.Form("Continue with Microsoft"); ok {
		t.Error("a provider that isn't configured has a button")
	}
	none := newFixture(t, func(o *Options) { o.OAuth = nil })
	if strings.Contains(none.visitor().get("/").body, "/signin/with/") {
		t.Error("without providers, the page has buttons for them")
	}
	if a := none.visitor().form("/signin/with/google"); a.status != 404 {
		t.Errorf("a provider that isn't configured: %d", a.status)
	}
}

func TestStartOAuth(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.visitor()
	a := c.form("/signin/with/github", "next", "/users")
	address, ok := strings.CutPrefix(a.header.Get("Refresh"), "0;url=")
	u, err := url.Parse(address)
	if a.status != 200 || !ok || err != nil || u.Host != "localhost:8080" || u.Path != "/v1/public/oauth/github/start" {
		t.Fatalf("%d, leads to %q", a.status, address)
	}
	if link, ok := a.Link("Continue to GitHub"); !ok || link != address {
		t.Errorf("the link leads to %q, want %q", link, address)
	}
	if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self';") {
		t.Errorf("the policy for forms was loosened: %s", csp)
	}
	if got := a.header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("the referrer policy is %q", got)
	}
	challenge := u.Query().Get("code_challenge")
	if len(challenge) != 43 || strings.Contains(a.body, c.cookies["guestlist-signin"].Value) {
		t.Errorf("the challenge is %q", challenge)
	}
	again := c.form("/signin/with/github")
	if strings.Contains(again.header.Get("Refresh"), challenge) {
		t.Error("two sign-ins have one challenge")
	}
	for name, row := range map[string]struct {
		path   string
		header []string
		want   int
	}{
		"of another site":               {"/signin/with/google", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a provider that isn't offered": {"/signin/with/microsoft", nil, 404},
		"a provider that no one knows":  {"/signin/with/x%22%3E", nil, 404},
	} {
		header := append([]string{"Content-Type", "application/x-www-form-urlencoded"}, row.header...)
		if a := f.visitor().send("POST", row.path, "", header...); a.status != row.want || a.header.Get("Refresh") != "" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d, cookies %q", name, a.status, a.header.Get("Set-Cookie"))
		}
	}
}

func TestContinuePage_OfAnotherProvider(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	began := f.visitor()
	began.form("/signin/with/google")
	asked := f.visitor()
	asked.form("/signin", "email", "ada@example.com")

	a := began.get(callbackOf("token", "x"))
	form, ok := a.Form("Continue")
	if !ok || form.Values.Get("type") != "oauth" || form.Values.Get("token") != "x" || !strings.Contains(a.body, submitsItself) {
		t.Errorf("in the browser that began: %+v, %v: %s", form, ok, a.body)
	}
	a = began.get("/api/authenticate_magic_link") // a reload, after the script has removed the token
	if form, _ := a.Form("Continue"); form.Values.Get("type") != "oauth" || form.Values.Get("token") != "x" {
		t.Errorf("after a reload: %+v", form)
	}
	link := began.get("/api/authenticate_magic_link?stytch_token_type=magic_links&token=y")
	if form, _ := link.Form("Continue"); form.Values.Get("type") != "magic_links" || form.Values.Get("token") != "y" || strings.Contains(link.body, submitsItself) {
		t.Errorf("a link in that browser: %+v", form)
	}
	for name, row := range map[string]struct {
		c       *caller
		query   []string
		heading string
	}{
		"another browser":                        {f.visitor(), []string{"token", "x"}, "Start again in this browser"},
		"one that asked for a link":              {asked, []string{"token", "x"}, "Start again in this browser"},
		"without a token":                        {began, nil, "This sign-in has expired"},
		"an error that isn't the user's":         {began, []string{"error", "server_error"}, "You weren’t signed in"},
		"a token of a kind that there isn't":     {began, []string{"token", "x", "stytch_token_type", "login"}, "This link isn’t valid"},
		"an error of a kind that there isn't":    {began, []string{"error", "<script>"}, "You weren’t signed in"},
		"cancelled, where no sign-in was begun":  {f.visitor(), []string{"error", "access_denied"}, ""},
		"cancelled, without the kind of a token": {f.visitor(), []string{"error", "access_denied", "stytch_token_type", ""}, ""},
	} {
		a := row.c.get(callbackOf(row.query...))
		if a.Heading() != row.heading {
			t.Errorf("%s: %d %q, want %q", name, a.status, a.Heading(), row.heading)
		}
		if row.heading == "" && (a.status != 303 || a.header.Get("Location") != "/?cancelled") {
			t.Errorf("%s: %d to %q", name, a.status, a.header.Get("Location"))
		}
		if strings.Contains(a.body, "data-continue") {
			t.Errorf("%s: the page has the form", name)
		}
	}
}

func TestCancelledAtAnotherProvider_KeepsTheWay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.visitor()
	c.form("/signin/with/google", "next", "/users?q=a")
	a := c.get(callbackOf("error", "access_denied"))
	if a.status != 303 || a.header.Get("Location") != "/?cancelled&next=%2Fusers%3Fq%3Da" {
		t.Fatalf("%d to %q", a.status, a.header.Get("Location"))
	}
	page := c.get(a.header.Get("Location"))
	if form, _ := page.Form("Continue with Google"); form.Values.Get("next") != "/users?q=a" || !strings.Contains(page.Text(), "You weren’t signed in.") {
		t.Errorf("%s", page.Text())
	}
}

func TestStartOAuth_KeepsTheWayToAnApp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	sealed := f.server.opts.Tickets.Seal(f.server.opts.Tickets.New(apps.App{ID: "wiki"}, "/page", ""))
	c := f.visitor()
	form, ok := c.get("/?" + url.Values{"next": {"/enter?t=" + sealed}}.Encode()).Form("Continue with Google")
	if !ok {
		t.Fatal("the page has no button")
	}
	c.form(form.Action, "next", form.Values.Get("next"))
	r := c.request("GET", "/", "")
	flow, ok := f.server.opts.Cookies.Flow(r)
	if got := f.server.opts.Cookies.Ticket(r); !ok || got != sealed || flow.ReturnPath != "/enter" {
		t.Errorf("the ticket is kept: %v; the sign-in returns to %q", got == sealed, flow.ReturnPath)
	}
}
