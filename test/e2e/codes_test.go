package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// postsCode posts a code in a person's browser, from a network behind a proxy.
func postsCode(p *harness.Person, network, code string) harness.View {
	r := p.NewRequest("POST", p.Site.URL+"/signin/sent", strings.NewReader(url.Values{"code": {code}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-For", network)
	return p.DoOnce(r)
}

// requestCode requests a code on the sign-in page and returns the page that takes it.
func requestCode(p *harness.Person) harness.View {
	return p.Submit(p.Get("/"), "Email me a code", "Email address", p.Email)
}

func TestCode_SignIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		ada := s.NewPerson("ada@example.com")
		page := ada.Submit(ada.RequestLink(), "Use a code instead")
		harness.WantPage(t, page, 200, "Check your email", "If ada@example.com is on the list, a six-digit code is on its way.")
		code := ada.NextCode()
		harness.WantPage(t, ada.Submit(page, "Sign in", "Six-digit code", wrongCode(code)), 422, "Check your email", "You have 4 tries left.")
		harness.WantPage(t, ada.Submit(page, "Sign in", "Six-digit code", code[:3]+" "+code[3:]), 200, "My apps", "People")
		harness.WantPage(t, ada.InNewBrowser().PressContinue(ada.OpenNextLink()), 200, "My apps") // the link still works
		harness.WantPage(t, ada.Get("/activity"), 200, "Activity", "by email code", "Requested a sign-in code")
	})
}

// Fifty wrong codes at once, from many addresses, are at most five tries. Afterwards the right
// one doesn't work.
func TestCode_FiftyWrongOnesAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := behindProxy(t, databaseURL)
		ada := s.NewPerson("ada@example.com")
		ada.SignIn()
		ada = ada.InNewBrowser()
		requestCode(ada)
		code := ada.NextCode()
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				guess := fmt.Sprintf("%06d", i)
				if guess == code {
					return
				}
				if v := postsCode(ada, fmt.Sprintf("2001:db8:%x::1", i), guess); v.Status != 422 && v.Status != 429 {
					t.Errorf("%d %s", v.Status, v.Text())
				}
			})
		}
		all.Wait()
		if tries := s.Count("SELECT tries FROM stytch_codes"); tries < 1 || tries > 5 {
			t.Errorf("the login service counts %d tries", tries)
		}
		if v := postsCode(ada, "192.0.2.1", code); v.Status != 422 && v.Status != 429 {
			t.Errorf("the right code: %d %s", v.Status, v.Text())
		}
		if _, held := ada.SessionCookie(); held {
			t.Error("signed in")
		}
	})
}

func TestCode_RightOneTwiceAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		there := here.StartAnother()
		ada := here.NewPerson("ada@example.com")
		requestCode(ada)
		code := ada.NextCode()
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				p := ada.At([]*harness.Site{here, there}[i%2])
				if v := postsCode(p, "", code); v.Status != http.StatusSeeOther || v.Header.Get("Location") != "/apps" {
					t.Errorf("%d %s", v.Status, v.Text())
				}
			})
		}
		all.Wait()
		if n := here.Count("SELECT COUNT(*) FROM sessions"); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

// An attacker in many networks requests and tries codes for another user, who can still sign
// in by a code where they have signed in before, and by a link anywhere.
func TestCode_AttackersLockNoOneOut(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := behindProxy(t, databaseURL)
		ada := s.NewPerson("ada@example.com")
		ada.SignIn()
		ada.Post("/signout")
		elsewhere := ada.InNewBrowser()
		elsewhere.RequestLink()
		page := requestCode(ada)
		code := ada.NextCode()
		attacks := func() {
			for i := range 30 {
				attacker := harness.NewVisitor(s)
				r := attacker.NewRequest("POST", s.URL+"/signin", strings.NewReader("send=code&email=ada@example.com"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("X-Forwarded-For", fmt.Sprintf("2001:db8:%x::1", i))
				attacker.DoOnce(r)
				for range 6 {
					postsCode(attacker, fmt.Sprintf("2001:db8:%x::1", i), "123456")
				}
			}
		}
		attacks()
		// The newest code in the mailbox is one that an attacker has requested.
		harness.WantPage(t, ada.Submit(page, "Sign in", "Six-digit code", wrongCode(code)), 422, "Check your email", "You have 4 tries left.")
		s.Clock.Advance(time.Minute)
		harness.WantPage(t, ada.Submit(ada.Get("/signin/sent"), "Send another code"), 200, "Check your email", "Another code is on its way")
		codes := []string{}
		harness.Eventually(t, "the codes", func() bool {
			codes = codes[:0]
			for _, m := range ada.Notices() {
				if m.Code != "" {
					codes = append(codes, m.Code)
				}
			}
			v := postsCode(ada, "", codes[len(codes)-1])
			return v.Status == http.StatusSeeOther
		})
		harness.WantPage(t, ada.Get("/profile"), 200, "ada@example.com")
		harness.WantPage(t, elsewhere.PressContinue(elsewhere.OpenNextLink()), 200, "My apps")
	})
}

// A request that a limit refuses is answered on the page that takes the code sent before, alike
// for every address.
func TestCode_LimitKeepsTheField(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	s.NewPerson("ada@example.com").SignIn()
	pages := map[string]string{}
	for _, address := range []string{"ada@example.com", "nobody@example.com"} {
		p := s.NewPerson(address)
		before := 4
		if address == "ada@example.com" {
			before = 3 // after the one to sign in, before the clock moves
		}
		for range before {
			s.NewPerson(address).RequestLink()
		}
		page := requestCode(p)
		s.Clock.Advance(31 * time.Second)
		v := p.Submit(page, "Send another code")
		harness.WantPage(t, v, 429, "Check your email", "We didn’t send another email, because many were requested for this address in a short time.")
		pages[address] = strings.ReplaceAll(v.Text(), address, "")
		if address == "ada@example.com" {
			harness.WantPage(t, p.Submit(v, "Sign in", "Six-digit code", p.NextCode()), 200, "My apps")
		}
	}
	if diff := cmp.Diff(pages["ada@example.com"], pages["nobody@example.com"]); diff != "" {
		t.Errorf("the answers differ (-listed +unlisted):\n%s", diff)
	}
}

// After five wrong codes in new browsers, another new browser needs a link.
func TestCode_TooManyWrongOnes(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	s.NewPerson("ada@example.com").SignIn()
	pages := map[string]string{}
	for _, address := range []string{"ada@example.com", "nobody@example.com"} {
		attacker, p := s.NewPerson(address), s.NewPerson(address)
		page := requestCode(attacker)
		for i := range 5 {
			attacker.Submit(page, "Sign in", "Six-digit code", fmt.Sprintf("99999%d", i))
		}
		v := p.Submit(requestCode(p), "Sign in", "Six-digit code", "123456")
		harness.WantPage(t, v, 429, "Check your email", "Too many wrong codes were entered for this address. Use a link instead, or enter a code again in 120 minutes.")
		pages[address] = strings.ReplaceAll(v.Text(), address, "")
	}
	if diff := cmp.Diff(pages["ada@example.com"], pages["nobody@example.com"]); diff != "" {
		t.Errorf("the answers differ (-listed +unlisted):\n%s", diff)
	}
}

// With another login service, and when it fails between the request and the code: nothing is lost.
func TestCode_RemoteStytch(t *testing.T) {
	t.Parallel()
	c := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, c)
	s := harness.Start(t, testdb.SQLite(t), c, stytch.Flags()...)
	ada, unlisted := stytch.NewPerson(s, "ada@example.com"), stytch.NewPerson(s, "nobody@example.com")
	page := requestCode(ada)
	code := ada.NextCode()
	stytch.SetFault(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if strings.HasPrefix(r.URL.Path, "/v1/otps/authenticate") {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		pass.ServeHTTP(w, r)
	})
	for range 6 {
		harness.WantPage(t, ada.Submit(page, "Sign in", "Six-digit code", code), 503, "Sign-in is unavailable right now", "Nothing was lost.")
	}
	stytch.SetFault(nil)
	c.Advance(time.Minute) // the pause after failed calls
	harness.WantPage(t, ada.Submit(page, "Sign in", "Six-digit code", wrongCode(code)), 422, "Check your email", "You have 4 tries left.")
	harness.WantPage(t, ada.Submit(page, "Sign in", "Six-digit code", code), 200, "My apps", "People")
	harness.WantPage(t, unlisted.Submit(requestCode(unlisted), "Sign in", "Six-digit code", code), 422, "Check your email", "You have 4 tries left.")
}
