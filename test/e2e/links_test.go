package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestLink_GETDoesNotUseItUp(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		ada := s.NewPerson("ada@example.com")
		ada.RequestLink()
		link := ada.NextLink()
		next, _ := ada.Get(link).Link("Continue")
		for range 3 {
			for _, method := range []string{"HEAD", "GET"} {
				for _, address := range []string{link, next} {
					scanner := harness.NewVisitor(s)
					if v := scanner.Do(scanner.NewRequest(method, address, nil)); v.Status != http.StatusOK {
						t.Errorf("%s %s: %d %s", method, v.Path, v.Status, v.Text())
					}
				}
			}
		}
		harness.WantPage(t, ada.PressContinue(ada.OpenLink(link)), 200, "My apps", "People")
	})
}

func TestLink_InvalidExplainsWhatToDo(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, start harness.StartFunc) {
		s := start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-access=open")
		s.NewPerson("ada@example.com").SignIn()
		grace := s.NewPerson("grace@example.com")
		grace.RequestLink()
		link := grace.NextLink()

		used := grace.InNewBrowser()
		landing := used.OpenLink(link)
		used.PressContinue(landing)
		harness.WantPage(t, grace.PressContinue(grace.OpenLink(link)), 410, "This link no longer works", "Request a new one")
		harness.WantPage(t, used.PressContinue(landing), 200, "My apps", "grace@example.com") // pressed again while signed in

		late := s.NewPerson("late@example.com")
		late.RequestLink()
		landing = late.OpenNextLink()
		s.Clock.Advance(10*time.Minute - time.Second)
		harness.WantPage(t, late.Get(landing.Path), 200, "Welcome")
		s.Clock.Advance(time.Second)
		harness.WantPage(t, late.PressContinue(landing), 410, "This link no longer works")

		cut := grace.InNewBrowser()
		harness.WantPage(t, cut.Post(app.CallbackPath, "token", "cut"), 404, "This link isn’t valid")
		harness.WantPage(t, cut.Post(app.CallbackPath), 404, "This link isn’t valid")
		harness.WantPage(t, cut.Get(app.CallbackPath), 404, "This link isn’t valid")
		harness.WantPage(t, cut.Get(app.CallbackPath+"?token=x&stytch_token_type=oauth"), 404, "This link isn’t valid")
		harness.WantPage(t, used.Get(app.CallbackPath), 200, "My apps", "grace@example.com") // a reload without the token
	})
}

func TestLink_RefusedPersonLearnsWhy(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	for _, row := range []struct{ name, method, body, heading string }{
		{"removed", "DELETE", "", "This link isn’t valid"}, // the account is deleted at Stytch
		{"suspended", "PATCH", `{"status":"suspended"}`, "Your access is suspended"},
	} {
		grace := s.NewPerson(row.name + "@example.com")
		ada.Invite(grace.Email)
		grace.PressContinue(grace.OpenNextLink())
		phone := grace.InNewBrowser()
		phone.RequestLink()
		landing := phone.OpenNextLink()
		ada.CallAPI(row.method, "/api/users/"+harness.CurrentSession(grace).User.ID, row.body)
		harness.Eventually(t, "Stytch told", func() bool { return s.Count("SELECT COUNT(*) FROM outbox") == 0 })
		v := phone.PressContinue(landing)
		if v.Status < 400 || v.Status >= 500 || v.Heading() != row.heading {
			t.Errorf("%s: %d %s", row.name, v.Status, v.Text())
		}
	}
	harness.Eventually(t, "only ada has a session at Stytch", func() bool {
		return s.Count("SELECT COUNT(*) FROM sessions") == 1 && s.Count("SELECT COUNT(*) FROM outbox") == 0
	})
}

func TestRequestLink_UnknownAddressGetsTheSameResponse(t *testing.T) {
	t.Parallel()
	for _, sameBrowser := range []string{"off", "on"} {
		t.Run("same browser "+sameBrowser, func(t *testing.T) {
			t.Parallel()
			databaseURL := testdb.SQLite(t)
			s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-link-same-browser="+sameBrowser)
			ada := s.NewPerson("ada.ada.a@example.com")
			ada.SignIn()
			ada.Invite("invited.a@example.com")
			ada.Invite("suspended@example.com")
			s.NewPerson("invited.a@example.com").NextLink()
			suspended := s.NewPerson("suspended@example.com")
			suspended.PressContinue(suspended.OpenNextLink())
			ada.CallAPI("PATCH", "/api/users/"+harness.CurrentSession(suspended).User.ID, `{"status":"suspended"}`)

			mails := map[string]int{"ada.ada.a@example.com": 2, "invited.a@example.com": 2, "suspended@example.com": 1, "unknown.a@example.com": 0}
			answers := map[string]any{} // the addresses are as long as each other, because the cookie contains them
			for email := range mails {
				p := s.NewPerson(email)
				r := p.NewRequest("POST", s.URL+"/signin", strings.NewReader("email="+email+"&next=/users"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				answers[email] = harness.PageContent(p.DoOnce(r))
			}
			for email, answer := range answers {
				if diff := cmp.Diff(answers["ada.ada.a@example.com"], answer); diff != "" {
					t.Errorf("ada's answer differs from that of %s:\n%s", email, diff)
				}
			}
			s.Close() // waits until all mails are sent
			s = harness.Start(t, databaseURL, s.Clock)
			for email, want := range mails {
				if n := len(s.NewPerson(email).Mailbox()); n != want {
					t.Errorf("%s was mailed %d times, want %d", email, n, want)
				}
			}
		})
	}
}

func TestLink_SameBrowserSetting(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-link-same-browser=on")
	ada := s.NewPerson("ada@example.com")
	ada.RequestLink()
	link := ada.NextLink()

	harness.WantPage(t, ada.InNewBrowser().PressContinue(ada.OpenLink(link)), 403, "Open this link where you requested it")
	asker := ada.InNewBrowser() // has a verifier from another request
	asker.RequestLink()
	own := asker.NextLink()
	harness.WantPage(t, asker.PressContinue(asker.OpenLink(link)), 403, "Open this link where you requested it")
	harness.WantPage(t, ada.PressContinue(ada.OpenLink(link)), 200, "My apps", "People")
	harness.WantPage(t, asker.PressContinue(asker.OpenLink(own)), 200, "My apps", "People")

	for _, where := range []string{"a fresh browser", "a browser that has asked for a link"} {
		grace := s.NewPerson(strings.ReplaceAll(where, " ", "-") + "@example.com")
		ada.Invite(grace.Email)
		invitation := grace.NextLink()
		if where != "a fresh browser" {
			grace.RequestLink()
		}
		harness.WantPage(t, grace.PressContinue(grace.OpenLink(invitation)), 200, "My apps", grace.Email)
	}
}

func TestLink_SignedInPersonIsAsked(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	ada.Invite("grace@example.com")
	grace := s.NewPerson("grace@example.com")
	link := grace.NextLink()

	borrowed := *grace
	borrowed.Jar = ada.Jar // grace opens her link in ada's browser
	landing := borrowed.OpenLink(link)
	harness.WantPage(t, landing, 200, "Switch accounts?", "This browser is signed in as ada@example.com", "Stay signed in as ada@example.com")
	if strings.Contains(landing.Body, `data-continue="auto"`) {
		t.Error("the page would press its button by itself")
	}
	harness.WantPage(t, borrowed.PressContinue(landing), 200, "My apps", "grace@example.com")
	if n := s.Count("SELECT COUNT(*) FROM sessions"); n != 1 {
		t.Errorf("%d sessions are left: the one the browser held before should have ended", n)
	}
}

func TestLink_TargetIgnoresRequestHeaders(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-trusted-proxies=127.0.0.1")
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	const evil = "https://evil.example/"
	fields := url.Values{"email": {"grace@example.com"}, "name": {"Grace"}}
	for _, field := range []string{"redirect_url", "login_magic_link_url", "signup_magic_link_url", "invite_magic_link_url", "callback", "next", "template_id"} {
		fields.Set(field, evil)
	}
	grace := s.NewPerson("grace@example.com")
	for _, row := range []struct {
		path, leads string
		by          *harness.Person
	}{{"/users", "/users", ada}, {"/signin", "/signin/sent", grace}} {
		r := row.by.NewRequest("POST", s.URL+row.path+"?redirect_url="+url.QueryEscape(evil), strings.NewReader(fields.Encode()))
		r.Host = "evil.example"
		for _, cookie := range row.by.Jar.Cookies(s.Config.BaseURL) {
			r.AddCookie(cookie) // the client's cookie jar would not send it to this host
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range map[string]string{
			"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "X-Forwarded-Port": "666", "X-Forwarded-Prefix": "/evil",
			"Forwarded": "for=192.0.2.1;host=evil.example;proto=gopher", "X-Original-Url": evil, "X-Host": "evil.example", "Referer": evil,
		} {
			r.Header.Set(name, value)
		}
		if v := row.by.DoOnce(r); v.Status != http.StatusSeeOther || v.Header.Get("Location") != row.leads {
			t.Fatalf("%s: %d, leads to %q", row.path, v.Status, v.Header.Get("Location"))
		}
		link := grace.NextLink()
		if !strings.HasPrefix(link, s.URL+"/v1/magic_links/redirect?") {
			t.Errorf("%s: the mail leads to %s", row.path, link)
		}
		if next, _ := grace.Get(link).Link("Continue"); !strings.HasPrefix(next, s.URL+app.CallbackPath+"?") {
			t.Errorf("%s: the link leads to %s", row.path, next)
		}
	}
}

func TestLink_ModifiedTokensAreRefused(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		ada := s.NewPerson("ada@example.com")
		ada.RequestLink()
		landing := ada.OpenNextLink()
		form, _ := landing.Form("Continue")
		token := form.Values.Get("token")
		if len(token) < 40 {
			t.Fatalf("the token has %d characters", len(token))
		}
		for name, other := range map[string]string{
			"cut by one": token[:len(token)-1], "without its beginning": token[1:], "cut in half": token[:len(token)/2], "one character": token[:1],
			"with more behind it": token + "A", "with a space": token + " ", "with a zero byte": token + "\x00", "twice": token + token,
			"in capitals": strings.ToUpper(token), "in small letters": strings.ToLower(token), "a wildcard": "%", "wildcards": strings.Repeat("_", len(token)),
			"quoted": `' OR '1'='1`,
		} {
			if v := ada.InNewBrowser().Post(app.CallbackPath, "token", other); v.Status != http.StatusNotFound || v.Heading() != "This link isn’t valid" {
				t.Errorf("%s: %d %s", name, v.Status, v.Text())
			}
		}
		harness.WantPage(t, ada.PressContinue(landing), 200, "My apps", "People")
	})
}
