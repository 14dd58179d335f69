package e2e

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// startWithProviders runs an instance in local mode, where the local Stytch plays Google and
// GitHub. ada@example.com has signed in as administrator.
func startWithProviders(t *testing.T, databaseURL string, c *harness.Clock, flags ...string) (*harness.Site, *harness.Person) {
	t.Helper()
	s := harness.Start(t, databaseURL, c, append([]string{"--guestlist-oauth=google,github"}, flags...)...)
	ada := s.NewPerson("ada@example.com")
	harness.WantPage(t, ada.SignIn(), 200, "My apps", "People")
	return s, ada
}

// invite adds a person to the list, without opening the invitation.
func invite(ada *harness.Person, address string) {
	ada.T.Helper()
	ada.Submit(ada.Get("/users/new"), "Send invitation", "Email address", address)
}

// openInbox opens the inbox once, so that the browser keeps the key of the page that plays the
// providers.
func openInbox(p *harness.Person) {
	p.T.Helper()
	p.Get(p.Site.Host + p.Site.DevPage("/dev/inbox"))
}

// atProvider signs in with an account at another provider and returns the path and the query at
// which the browser comes back, without opening it.
func atProvider(t *testing.T, p *harness.Person, provider, address string, verified bool) string {
	t.Helper()
	openInbox(p)
	page := p.Submit(p.Get("/"), "Continue with "+provider)
	harness.WantPage(t, page, 200, "Pretend to be "+provider)
	form, ok := page.Form("Continue")
	if !ok {
		p.T.Fatal(page.Body)
	}
	values := form.Values
	values.Set("email", address)
	values.Set("action", "continue")
	values.Set("verified", "yes")
	if !verified {
		values.Del("verified")
	}
	r := p.NewRequest("POST", "http://"+p.Site.Config.Addr+form.Action, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	back := p.DoOnce(r).Header.Get("Location")
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("token") == "" {
		p.T.Fatalf("the provider leads back to %q", back)
	}
	p.Site.Log.AddSecret(u.Query().Get("token"))
	return strings.TrimPrefix(u.RequestURI(), p.Site.Config.BaseURL.Path)
}

// finish opens the path at which the browser comes back and presses the button.
func finish(p *harness.Person, back string) harness.View {
	p.T.Helper()
	return p.Submit(p.Get(back), "Continue")
}

func TestOAuth_SignsIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, ada := startWithProviders(t, databaseURL, harness.NewClock(harness.Noon))
		invite(ada, "grace@example.com")
		grace := s.NewPerson("grace@example.com")
		for _, provider := range []string{"Google", "GitHub"} {
			grace = grace.InNewBrowser()
			harness.WantPage(t, finish(grace, atProvider(t, grace, provider, grace.Email, true)), 200, "My apps", "No apps yet")
		}
		events := ada.Get("/activity?about=grace%40example.com")
		for _, want := range []string{"by Google account", "by GitHub account"} {
			if !strings.Contains(events.Text(), want) {
				t.Errorf("the activity doesn't say %q: %s", want, events.Text())
			}
		}
		if n := s.Count("SELECT COUNT(*) FROM stytch_users"); n != 2 {
			t.Errorf("there are %d accounts at the login service, want 2", n)
		}
		// The link of the invitation still works: an account at a provider replaces nothing.
		harness.WantPage(t, ada.Submit(ada.Get("/users"), "Sign out"), 200, "Sign in")
		harness.WantPage(t, finish(ada, atProvider(t, ada, "Google", "ADA@example.com", true)), 200, "My apps", "People")
	})
}

func TestOAuth_Refusals(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		c := harness.NewClock(harness.Noon)
		s, ada := startWithProviders(t, databaseURL, c)
		invite(ada, "grace@example.com")
		invite(ada, "konrad@example.com")
		ada.Post("/users/" + s.UserID(t, "konrad@example.com") + "/suspend")
		link := s.NewPerson("grace@example.com").NextLink()
		c.Advance(time.Minute)
		sessions := s.Count("SELECT COUNT(*) FROM sessions")

		for name, row := range map[string]struct {
			address  string
			verified bool
			heading  string
		}{
			"not on the list":     {"eve@example.com", true, "You’re not on the list"},
			"suspended":           {"konrad@example.com", true, "Your access is suspended"},
			"not verified":        {"grace@example.com", false, "We couldn’t confirm your address"},
			"not verified, twice": {"grace@example.com", false, "We couldn’t confirm your address"},
			"not verified, admin": {"ada@example.com", false, "We couldn’t confirm your address"},
		} {
			p := harness.NewVisitor(s)
			harness.WantPage(t, finish(p, atProvider(t, p, "GitHub", row.address, row.verified)), 403, row.heading)
			if _, held := p.SessionCookie(); held {
				t.Errorf("%s: the browser has a session", name)
			}
		}
		harness.Eventually(t, "the sessions at the login service to end", func() bool {
			return s.Count("SELECT COUNT(*) FROM stytch_sessions") == 1 && s.Count("SELECT COUNT(*) FROM outbox") == 0
		})

		begins, other := harness.NewVisitor(s), harness.NewVisitor(s)
		back := atProvider(t, begins, "Google", "grace@example.com", true)
		harness.WantPage(t, other.Get(back), 403, "Start again in this browser")
		harness.WantPage(t, other.Post(app.CallbackPath, "token", tokenIn(t, back), "type", "oauth"), 403, "Start again in this browser")
		atProvider(t, other, "Google", "eve@example.com", true) // a browser with a sign-in of its own
		harness.WantPage(t, finish(other, back), 403, "Start again in this browser")
		harness.WantPage(t, begins.Post(app.CallbackPath, "token", tokenIn(t, back)), 404, "This link isn’t valid")
		harness.WantPage(t, begins.Post(app.CallbackPath, "token", tokenIn(t, back), "type", "magic_links"), 404, "This link isn’t valid")
		linkToken := tokenIn(t, mustFollow(begins, link))
		harness.WantPage(t, begins.Post(app.CallbackPath, "token", linkToken, "type", "oauth"), 410, "This sign-in has expired")
		for range 2 { // opening the page uses nothing up
			head := begins.NewRequest("HEAD", s.URL+back, nil)
			begins.DoOnce(head)
			begins.Get(back)
		}
		if n := s.Count("SELECT COUNT(*) FROM sessions"); n != sessions {
			t.Fatalf("there are %d sessions, want %d", n, sessions)
		}
		harness.WantPage(t, finish(begins, back), 200, "My apps", "No apps yet")
		replayed := begins.InNewBrowser()
		atProvider(t, replayed, "Google", "eve@example.com", true)
		harness.WantPage(t, finish(replayed, back), 410, "This sign-in has expired")
		grace := begins.InNewBrowser()
		harness.WantPage(t, grace.PressContinue(grace.OpenLink(link)), 410, "This link no longer works") // by the first sign-in

		late := harness.NewVisitor(s)
		back = atProvider(t, late, "Google", "grace@example.com", true)
		c.Advance(5 * time.Minute)
		harness.WantPage(t, finish(late, back), 410, "This sign-in has expired")
		c.Advance(26 * time.Minute)
		harness.WantPage(t, late.Get(back), 403, "Start again in this browser")
	})
}

// tokenIn returns the token in an address.
func tokenIn(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("token") == "" {
		t.Fatalf("no token in %q", address)
	}
	return u.Query().Get("token")
}

// mustFollow opens a mailed link and returns the address that its page leads to.
func mustFollow(p *harness.Person, link string) string {
	p.T.Helper()
	to, ok := p.Get(link).Link("Continue")
	if !ok {
		p.T.Fatal("the link leads nowhere")
	}
	return to
}

func TestOAuth_ProviderThatIsNoLongerOffered(t *testing.T) {
	t.Parallel()
	c, databaseURL := harness.NewClock(harness.Noon), testdb.SQLite(t)
	s, ada := startWithProviders(t, databaseURL, c)
	github := ada.InNewBrowser()
	back := atProvider(t, github, "GitHub", ada.Email, true)
	s.Close()
	restarted := harness.Start(t, databaseURL, c, "--guestlist-oauth=google", "--guestlist-addr="+s.Config.Addr)
	moved := github.At(restarted)
	harness.WantPage(t, moved.Submit(moved.Get(back), "Continue"), 403, "Choose another way to sign in")
	if _, ok := moved.Get("/").Form("Continue with GitHub"); ok {
		t.Error("the sign-in page still offers it")
	}
	restarted.Close()
	none := harness.Start(t, databaseURL, c, "--guestlist-addr="+s.Config.Addr)
	moved = github.At(none)
	harness.WantPage(t, moved.Get(back), 404, "This link isn’t valid")
	harness.WantPage(t, moved.Post(app.CallbackPath, "token", tokenIn(t, back), "type", "oauth"), 404, "This link isn’t valid")
}

// An account that no one has verified at the provider must not become the account of the
// address's owner at the login service.
func TestOAuth_UnverifiedAccountBeforeTheInvitation(t *testing.T) {
	t.Parallel()
	s, ada := startWithProviders(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	eve, grace := harness.NewVisitor(s), s.NewPerson("grace@example.com")
	atProvider(t, eve, "GitHub", grace.Email, false)
	invite(ada, grace.Email)
	harness.WantPage(t, grace.PressContinue(grace.OpenNextLink()), 200, "My apps", "No apps yet")
	harness.WantPage(t, finish(eve, atProvider(t, eve, "GitHub", grace.Email, false)), 403, "We couldn’t confirm your address")
}

func TestOAuth_UnderAPath(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-oauth=google", "--guestlist-base-url=http://localhost:PORT/people", "--guestlist-admins=ada@example.com")
	ada := s.NewPerson("ada@example.com")
	openInbox(ada)
	p := ada.Submit(ada.Get("/?next=/users"), "Continue with Google")
	harness.WantPage(t, p, 200, "Pretend to be Google")
	harness.WantPage(t, finish(ada, atProvider(t, ada, "Google", ada.Email, true)), 200, "People")
}

func TestOAuth_CancelledAtTheProvider(t *testing.T) {
	t.Parallel()
	s, ada := startWithProviders(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	p := ada.InNewBrowser()
	openInbox(p)
	page := p.Submit(p.Get("/?next=/users"), "Continue with Google")
	back := p.Submit(page, "Cancel")
	harness.WantPage(t, back, 200, "Sign in", "You weren’t signed in.")
	form, _ := back.Form("Continue with Google")
	if form.Values.Get("next") != "/users" {
		t.Errorf("the way on is %q", form.Values.Get("next"))
	}
	if n := s.Count("SELECT COUNT(*) FROM stytch_oauth_tokens"); n != 0 {
		t.Errorf("%d tokens", n)
	}
}
