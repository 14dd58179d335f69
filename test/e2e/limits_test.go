package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// asksFrom requests a link for an address, from a network behind a proxy.
func asksFrom(p *harness.Person, network, address string) harness.View {
	r := p.NewRequest("POST", p.Site.URL+"/signin", strings.NewReader("email="+address))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-For", network)
	return p.DoOnce(r)
}

// behindProxy starts an instance that trusts the proxy at 127.0.0.1.
func behindProxy(t *testing.T, databaseURL string) *harness.Site {
	t.Helper()
	return harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-trusted-proxies=127.0.0.1")
}

func TestLimits_SixthLinkForAnAddressIsRefused(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := behindProxy(t, databaseURL)
		there := here.StartAnother("--guestlist-trusted-proxies=127.0.0.1")
		known := here.NewPerson("ada@example.com")
		known.SignIn()
		ada := known.InNewBrowser()
		refused := map[string]harness.View{}
		for _, address := range []string{"ada@example.com", "nobody@example.com"} {
			for i, s := range []*harness.Site{here, there, here, there, here} {
				if v := asksFrom(harness.NewVisitor(s), "192.0.2.77", address); v.Status != http.StatusSeeOther {
					t.Fatalf("link %d: %d %s", i, v.Status, v.Body)
				}
			}
			refused[address] = asksFrom(harness.NewVisitor(there), "192.0.2.77", strings.ToUpper(address))
			harness.WantPage(t, refused[address], 429, "Check your email first", "We didn’t send another link", "links that were already sent still work", "Try again in 2 minutes.")
			if got := refused[address].Header.Get("Retry-After"); got != "120" {
				t.Errorf("%s: Retry-After is %q", address, got)
			}
		}
		if diff := cmp.Diff(harness.PageContent(refused["ada@example.com"]), harness.PageContent(refused["nobody@example.com"])); diff != "" {
			t.Errorf("the answers differ (-listed +unlisted):\n%s", diff)
		}
		// The message is true: the links in the mailbox work.
		harness.WantPage(t, ada.PressContinue(ada.OpenNextLink()), 200, "My apps", "People")
		here.Clock.Advance(2 * time.Minute)
		if v := asksFrom(harness.NewVisitor(there), "192.0.2.77", "ada@example.com"); v.Status != http.StatusSeeOther {
			t.Errorf("two minutes later: %d %s", v.Status, v.Body)
		}
	})
}

// If links work only in the browser that requested them, the page doesn't mention others.
func TestLimits_RefusalDoesNotMentionOtherBrowsers(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-link-same-browser=on")
	var v harness.View
	for range 6 {
		v = s.NewPerson("ada@example.com").RequestLink()
	}
	harness.WantPage(t, v, 429, "Check your email first", "the newest link requested in this browser still works", "An invitation works in any browser.")
	if strings.Contains(v.Body, "links that were already sent still work") {
		t.Error("the page promises that links of other browsers work")
	}
}

// The number of mails to an address is limited, regardless of the number of networks.
func TestLimits_LinksPerMailbox(t *testing.T) {
	t.Parallel()
	s := behindProxy(t, testdb.SQLite(t))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	before := len(ada.Mailbox())
	let := map[string]int{ada.Email: 1} // signing in took the first
	for _, address := range []string{ada.Email, "nobody@example.com"} {
		for i := range 60 {
			v := asksFrom(harness.NewVisitor(s), fmt.Sprintf("198.51.%d.7", i), address)
			switch v.Status {
			case http.StatusSeeOther:
				let[address]++
			case http.StatusTooManyRequests:
				harness.WantPage(t, v, 429, "Check your email first")
			default:
				t.Fatalf("%d %s", v.Status, v.Body)
			}
		}
		if let[address] < 12 || let[address] > 24 {
			t.Errorf("%d links for %s, want 12 to 24", let[address], address)
		}
	}
	harness.Eventually(t, "as many mails as were promised", func() bool { return len(ada.Mailbox())-before == let[ada.Email]-1 })
}

// A request for another person's address gets the same response whether or not that person
// has requested a link.
func TestLimits_RefusalsRevealNothing(t *testing.T) {
	t.Parallel()
	for _, browser := range []string{"in a browser that is known", "in a browser that is new"} {
		for _, attack := range []struct {
			name    string
			asks    int
			network func(i int) string
		}{
			{"from one network", 8, func(int) string { return "198.51.100.7" }},
			{"from ten networks", 10, func(i int) string { return fmt.Sprintf("198.51.%d.7", i) }},
		} {
			t.Run(browser+", asked about "+attack.name, func(t *testing.T) {
				t.Parallel()
				seen := map[bool][]int{}
				for _, asked := range []bool{false, true} {
					s := behindProxy(t, testdb.SQLite(t))
					ada := s.NewPerson("ada@example.com")
					ada.SignIn()
					ada.Post("/signout")
					s.Clock.Advance(time.Hour)
					if browser == "in a browser that is new" {
						ada = ada.InNewBrowser()
					}
					if asked {
						for range 2 {
							if v := asksFrom(ada, "203.0.113.9", ada.Email); v.Status != http.StatusSeeOther {
								t.Fatalf("ada asks: %d %s", v.Status, v.Body)
							}
						}
					}
					for i := range attack.asks {
						seen[asked] = append(seen[asked], asksFrom(harness.NewVisitor(s), attack.network(i), ada.Email).Status)
					}
				}
				if diff := cmp.Diff(seen[false], seen[true]); diff != "" {
					t.Errorf("the answers tell that ada asked (-not asked +asked):\n%s", diff)
				}
			})
		}
	}
}

// An attacker with an address in each of 4,096 networks delays others only until each
// network has requested a link; then others are unaffected for hours.
func TestLimits_ManyNetworksBlockForAnHourOnly(t *testing.T) {
	t.Parallel()
	s := behindProxy(t, testdb.SQLite(t))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	got, n := 0, 0
	for range 14 {
		for range 310 { // the limit for all networks together is 300 in five minutes
			if v := asksFrom(harness.NewVisitor(s), fmt.Sprintf("198.%d.%d.7", n%4096/256, n%256), fmt.Sprintf("p%d@example.com", n)); v.Status == http.StatusSeeOther {
				got++
			}
			n++
		}
		if v := asksFrom(ada, "203.0.113.9", ada.Email); v.Status != http.StatusSeeOther {
			t.Fatalf("a known browser: %d", v.Status)
		}
		s.Clock.Advance(5 * time.Minute)
	}
	if got < 3900 || got > 300+14*300 {
		t.Errorf("%d links for the attacker", got)
	}
	for i := range 200 { // another burst, from networks that have requested a link before
		asksFrom(harness.NewVisitor(s), fmt.Sprintf("198.%d.%d.7", i/256, i%256), fmt.Sprintf("q%d@example.com", i))
	}
	for i := range 50 {
		if v := asksFrom(harness.NewVisitor(s), fmt.Sprintf("203.0.%d.9", i), fmt.Sprintf("new%d@example.com", i)); v.Status != http.StatusSeeOther {
			t.Fatalf("newcomer %d: %d %s", i, v.Status, v.Text())
		}
	}
}

// Each attacker sends requests for an hour. Then a request from a new network succeeds.
func TestLimits_AttackersDoNotBlockOthers(t *testing.T) {
	t.Parallel()
	for _, attacker := range []struct {
		name      string
		address   func(i int) string
		addresses int
		most      int // the maximum number of links in the hour
	}{
		{"one address", func(int) string { return "198.51.100.7" }, 1, 20 + 120},
		{"a home line with a /56", func(i int) string { return fmt.Sprintf("2001:db8:0:%x::%x", i%256, i) }, 256, 40 + 240},
		{"a company with a /48", func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i*31%65536) }, 65536, 80 + 480},
		{"an IPv4 /24", func(i int) string { return fmt.Sprintf("198.51.100.%d", i%256) }, 256, 80 + 480},
		{"4,096 addresses of a provider", func(i int) string { return fmt.Sprintf("198.18.%d.%d", i%16, i/16%256) }, 4096, 200 + 16 + 3600},
	} {
		t.Run(attacker.name, func(t *testing.T) {
			t.Parallel()
			s := behindProxy(t, testdb.SQLite(t))
			got, n := 0, 0
			for range 12 {
				for range 200 {
					n++
					v := asksFrom(harness.NewVisitor(s), attacker.address(n), fmt.Sprintf("p%d@example.com", n))
					if v.Status == http.StatusSeeOther {
						got++
					} else {
						harness.WantPage(t, v, 429, "Too many sign-in links", "We didn’t send a link")
					}
				}
				s.Clock.Advance(5 * time.Minute)
			}
			for range 400 { // a last burst
				n++
				asksFrom(harness.NewVisitor(s), attacker.address(n), fmt.Sprintf("p%d@example.com", n))
			}
			if got > attacker.most {
				t.Errorf("%d links in an hour, want at most %d", got, attacker.most)
			}
			for i := range 50 {
				if v := asksFrom(harness.NewVisitor(s), fmt.Sprintf("203.0.%d.9", i), fmt.Sprintf("new%d@example.com", i)); v.Status != http.StatusSeeOther {
					t.Fatalf("newcomer %d from another network: %d %s", i, v.Status, v.Text())
				}
			}
		})
	}
}

func TestLimits_KnownBrowserIsNotBlocked(t *testing.T) {
	t.Parallel()
	s := behindProxy(t, testdb.SQLite(t))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	ada.Post("/signout")
	for i := range 400 { // from all networks, for her and for others: all limits are exhausted
		asksFrom(harness.NewVisitor(s), fmt.Sprintf("192.%d.%d.1", i/200, i%200), fmt.Sprintf("p%d@example.com", i))
		if i%4 == 0 {
			asksFrom(harness.NewVisitor(s), fmt.Sprintf("2001:db8:%d::1", i), ada.Email)
		}
	}
	if v := asksFrom(harness.NewVisitor(s), "203.0.113.9", "fresh@example.com"); v.Status != http.StatusTooManyRequests {
		t.Errorf("the attack has not used up the count of all: %d", v.Status)
	}
	harness.WantPage(t, ada.RequestLink(), 200, "Check your email")
	harness.WantPage(t, ada.PressContinue(ada.OpenNextLink()), 200, "My apps", "People")
	ada.Post("/signout")
	// Her browser is known for her address only.
	if v := asksFrom(ada, "203.0.113.9", "grace@example.com"); v.Status != http.StatusTooManyRequests {
		t.Errorf("a link for another: %d", v.Status)
	}
}

func TestLimits_NetworkSpellings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		network func(i int) string
		stopped bool
	}{
		{"one address", func(int) string { return "192.0.2.1" }, true},
		{"one household of IPv6", func(i int) string { return fmt.Sprintf("2001:db8::%x", i+1) }, true},
		{"one household of IPv6, spelt in full", func(i int) string { return fmt.Sprintf("2001:0DB8:0:0:%x::", i) }, true},
		{"IPv4 written as IPv6", func(i int) string { return []string{"192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"}[i%3] }, true},
		{"what a client puts in front of its own address", func(i int) string { return fmt.Sprintf("198.51.100.%d, 192.0.2.1", i) }, true},
		{"one address, with the port of each connection", func(i int) string { return fmt.Sprintf("192.0.2.1:%d", 50000+i) }, true},
		{"one household of IPv6, in brackets and with a port", func(i int) string { return fmt.Sprintf("[2001:db8::%x]:%d", i+1, 50000+i) }, true},
		{"many networks", func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, false},
		{"many networks, with a port", func(i int) string { return fmt.Sprintf("192.0.2.%d:50000", i) }, false},
		{"many households", func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := behindProxy(t, testdb.SQLite(t))
			last := 0
			for i := range 21 {
				last = asksFrom(harness.NewVisitor(s), test.network(i), fmt.Sprintf("p%d@example.com", i)).Status
			}
			if stopped := last == http.StatusTooManyRequests; stopped != test.stopped {
				t.Errorf("the twenty-first got %d", last)
			}
		})
	}
	t.Run("whatever a client says of itself without a proxy", func(t *testing.T) {
		t.Parallel()
		s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
		last := 0
		for i := range 21 {
			last = asksFrom(harness.NewVisitor(s), fmt.Sprintf("192.0.2.%d", i), fmt.Sprintf("p%d@example.com", i)).Status
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("the twenty-first got %d", last)
		}
	})
}

func TestLimits_InvalidLinks(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		there := here.StartAnother()
		ada := here.NewPerson("ada@example.com")
		ada.SignIn()
		ada.Invite("grace@example.com")
		grace := here.NewPerson("grace@example.com")
		link := grace.NextLink()
		guess := func(s *harness.Site) harness.View {
			p := harness.NewVisitor(s)
			r := p.NewRequest("POST", s.URL+app.CallbackPath, strings.NewReader("token=made-up"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return p.DoOnce(r)
		}
		for i := range 20 {
			if v := guess([]*harness.Site{here, there}[i%2]); v.Status == http.StatusTooManyRequests {
				t.Fatalf("try %d: %d", i, v.Status)
			}
		}
		refused := guess(there)
		harness.WantPage(t, refused, 429, "Too many attempts", "Try again in 1 minute.")
		if got := refused.Header.Get("Retry-After"); got != "30" {
			t.Errorf("Retry-After is %q", got)
		}
		// A known browser has its own limit, even at that address.
		ada.Post("/signout")
		harness.WantPage(t, ada.SignIn(), 200, "My apps", "People")
		// A valid link works in a new browser, even at that address.
		harness.WantPage(t, grace.PressContinue(grace.OpenLink(link)), 200, "My apps", "grace@example.com")
	})
}
