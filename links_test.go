package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestLookingAtALinkSpendsNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL, newClock(noon))
		ada := s.person("ada@example.com")
		ada.asks()
		link := ada.newMail()
		next, _ := ada.get(link).Link("Continue")
		for range 3 {
			for _, method := range []string{"HEAD", "GET"} {
				for _, address := range []string{link, next} {
					scanner := newcomer(s)
					if v := scanner.follow(scanner.request(method, address, nil)); v.status != http.StatusOK {
						t.Errorf("%s %s: %d %s", method, v.path, v.status, v.Text())
					}
				}
			}
		}
		wants(t, ada.continues(ada.opens(link)), 200, "People")
	})
}

func TestWhoeverComesWithALinkThatDoesNotWorkIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, start starter) {
		s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-access=open")
		s.person("ada@example.com").signsIn()
		grace := s.person("grace@example.com")
		grace.asks()
		link := grace.newMail()

		used := grace.elsewhere()
		landing := used.opens(link)
		used.continues(landing)
		wants(t, grace.continues(grace.opens(link)), 410, "This link no longer works", "Ask for a new one")
		wants(t, used.continues(landing), 200, "grace@example.com") // pressed again by who is in

		late := s.person("late@example.com")
		late.asks()
		landing = late.opensMail()
		s.clock.advance(10*time.Minute - time.Second)
		wants(t, late.get(landing.path), 200, "Welcome")
		s.clock.advance(time.Second)
		wants(t, late.continues(landing), 410, "This link no longer works")

		cut := grace.elsewhere()
		wants(t, cut.posts(app.CallbackPath, "token", "cut"), 404, "This link is not complete")
		wants(t, cut.posts(app.CallbackPath), 404, "This link is not complete")
		wants(t, cut.get(app.CallbackPath), 404, "This link is not complete")
		wants(t, cut.get(app.CallbackPath+"?token=x&stytch_token_type=oauth"), 404, "This link is not complete")
		wants(t, used.get(app.CallbackPath), 200, "grace@example.com") // a reload, after the token has left the address
	})
}

func TestWhoHasProvenAnAddressIsToldWhyTheyStayOutside(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	for _, row := range []struct{ name, method, body, heading string }{
		{"removed", "DELETE", "", "This link is not complete"}, // Stytch has forgotten them too
		{"suspended", "PATCH", `{"status":"suspended"}`, "Your access is suspended"},
	} {
		grace := s.person(row.name + "@example.com")
		ada.invites(grace.email)
		grace.continues(grace.opensMail())
		phone := grace.elsewhere()
		phone.asks()
		landing := phone.opensMail()
		ada.calls(row.method, "/api/users/"+whoHolds(grace).User.ID, row.body)
		eventually(t, "Stytch told", func() bool { return s.count("SELECT COUNT(*) FROM outbox") == 0 })
		v := phone.continues(landing)
		if v.status < 400 || v.status >= 500 || v.Heading() != row.heading {
			t.Errorf("%s: %d %s", row.name, v.status, v.Text())
		}
	}
	eventually(t, "nobody but ada with a session at Stytch", func() bool {
		return s.count("SELECT COUNT(*) FROM sessions") == 1 && s.count("SELECT COUNT(*) FROM outbox") == 0
	})
}

func TestUnknownAndKnownAddressesGetTheSameAnswerAndOnlyKnownOnesAMail(t *testing.T) {
	t.Parallel()
	for _, sameBrowser := range []string{"off", "on"} {
		t.Run("same browser "+sameBrowser, func(t *testing.T) {
			t.Parallel()
			databaseURL := testdb.SQLite(t)
			s := start(t, databaseURL, newClock(noon), "--guestlist-link-same-browser="+sameBrowser)
			ada := s.person("ada@example.com")
			ada.signsIn()
			ada.invites("invited@example.com")
			ada.invites("suspended@example.com")
			s.person("invited@example.com").newMail()
			suspended := s.person("suspended@example.com")
			suspended.continues(suspended.opensMail())
			ada.calls("PATCH", "/api/users/"+whoHolds(suspended).User.ID, `{"status":"suspended"}`)

			mails := map[string]int{"ada@example.com": 2, "invited@example.com": 2, "suspended@example.com": 1, "unknown@example.com": 0}
			answers := map[string]any{}
			for email := range mails {
				p := s.person(email)
				r := p.request("POST", s.url+"/signin", strings.NewReader("email="+email+"&next=/users"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				answers[email] = essence(p.only(r))
			}
			for email, answer := range answers {
				if diff := cmp.Diff(answers["ada@example.com"], answer); diff != "" {
					t.Errorf("ada's answer differs from that of %s:\n%s", email, diff)
				}
			}
			s.close() // which waits until all mails have left
			s = start(t, databaseURL, s.clock)
			for email, want := range mails {
				if n := len(s.person(email).mailbox()); n != want {
					t.Errorf("%s was mailed %d times, want %d", email, n, want)
				}
			}
		})
	}
}

func TestWithSameBrowserASignInLinkWorksOnlyWhereItWasAskedForAndAnInvitationAnywhere(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-link-same-browser=on")
	ada := s.person("ada@example.com")
	ada.asks()
	link := ada.newMail()

	wants(t, ada.elsewhere().continues(ada.opens(link)), 403, "Open this link where you asked for it")
	asker := ada.elsewhere() // who has asked for a link too has a verifier, but another
	asker.asks()
	own := asker.newMail()
	wants(t, asker.continues(asker.opens(link)), 403, "Open this link where you asked for it")
	wants(t, ada.continues(ada.opens(link)), 200, "People")
	wants(t, asker.continues(asker.opens(own)), 200, "People")

	for _, where := range []string{"a fresh browser", "a browser that has asked for a link"} {
		grace := s.person(strings.ReplaceAll(where, " ", "-") + "@example.com")
		ada.invites(grace.email)
		invitation := grace.newMail()
		if where != "a fresh browser" {
			grace.asks()
		}
		wants(t, grace.continues(grace.opens(invitation)), 200, grace.email)
	}
}

func TestSomebodySignedInIsAskedBeforeALinkSignsThemInAnew(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	ada.invites("grace@example.com")
	grace := s.person("grace@example.com")
	link := grace.newMail()

	borrowed := *grace
	borrowed.jar = ada.jar // grace opens her mail in ada's browser
	landing := borrowed.opens(link)
	wants(t, landing, 200, "Switch accounts?", "This browser is signed in as ada@example.com", "Stay signed in as ada@example.com")
	if strings.Contains(landing.body, `data-continue="auto"`) {
		t.Error("the page would press its button by itself")
	}
	wants(t, borrowed.continues(landing), 200, "grace@example.com")
	if n := s.count("SELECT COUNT(*) FROM sessions"); n != 1 {
		t.Errorf("%d sessions are left: the one the browser held before should have ended", n)
	}
}

func TestNothingInARequestDecidesWhereAMailedLinkLeads(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-trusted-proxies=127.0.0.1")
	ada := s.person("ada@example.com")
	ada.signsIn()
	const evil = "https://evil.example/"
	fields := url.Values{"email": {"grace@example.com"}, "name": {"Grace"}}
	for _, field := range []string{"redirect_url", "login_magic_link_url", "signup_magic_link_url", "invite_magic_link_url", "callback", "next", "template_id"} {
		fields.Set(field, evil)
	}
	grace := s.person("grace@example.com")
	for _, row := range []struct {
		path, leads string
		by          *person
	}{{"/users", "/users", ada}, {"/signin", "/signin/sent", grace}} {
		r := row.by.request("POST", s.url+row.path+"?redirect_url="+url.QueryEscape(evil), strings.NewReader(fields.Encode()))
		r.Host = "evil.example"
		for _, cookie := range row.by.jar.Cookies(s.cfg.BaseURL) {
			r.AddCookie(cookie) // which the client would keep from such a host
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range map[string]string{
			"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "X-Forwarded-Port": "666", "X-Forwarded-Prefix": "/evil",
			"Forwarded": "for=192.0.2.1;host=evil.example;proto=gopher", "X-Original-Url": evil, "X-Host": "evil.example", "Referer": evil,
		} {
			r.Header.Set(name, value)
		}
		if v := row.by.only(r); v.status != http.StatusSeeOther || v.header.Get("Location") != row.leads {
			t.Fatalf("%s: %d, leads to %q", row.path, v.status, v.header.Get("Location"))
		}
		link := grace.newMail()
		if !strings.HasPrefix(link, s.url+"/v1/magic_links/redirect?") {
			t.Errorf("%s: the mail leads to %s", row.path, link)
		}
		if next, _ := grace.get(link).Link("Continue"); !strings.HasPrefix(next, s.url+app.CallbackPath+"?") {
			t.Errorf("%s: the link leads to %s", row.path, next)
		}
	}
}

func TestATokenIsGoodWholeAndAsItWasMailedOnly(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL, newClock(noon))
		ada := s.person("ada@example.com")
		ada.asks()
		landing := ada.opensMail()
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
			if v := ada.elsewhere().posts(app.CallbackPath, "token", other); v.status != http.StatusNotFound || v.Heading() != "This link is not complete" {
				t.Errorf("%s: %d %s", name, v.status, v.Text())
			}
		}
		wants(t, ada.continues(landing), 200, "People")
	})
}
