package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
)

// asksFrom asks for a link for an address, from a network behind a proxy.
func asksFrom(p *person, network, address string) view {
	r := p.request("POST", p.site.url+"/signin", strings.NewReader("email="+address))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-For", network)
	return p.only(r)
}

// behindProxy starts an instance that believes the proxy it is asked through.
func behindProxy(t *testing.T, databaseURL string) *site {
	t.Helper()
	return start(t, databaseURL, newClock(noon), "--guestlist-trusted-proxies=127.0.0.1")
}

func TestASixthLinkForOneAddressIsRefusedWhoeverHasIt(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := behindProxy(t, databaseURL)
		there := here.another("--guestlist-trusted-proxies=127.0.0.1")
		known := here.person("ada@example.com")
		known.signsIn()
		ada := known.elsewhere()
		refused := map[string]view{}
		for _, address := range []string{"ada@example.com", "nobody@example.com"} {
			for i, s := range []*site{here, there, here, there, here} {
				if v := asksFrom(newcomer(s), "192.0.2.77", address); v.status != http.StatusSeeOther {
					t.Fatalf("link %d: %d %s", i, v.status, v.body)
				}
			}
			refused[address] = asksFrom(newcomer(there), "192.0.2.77", strings.ToUpper(address))
			wants(t, refused[address], 429, "Look in your mail first", "No new link was sent", "Links that were mailed already still work", "Try again in 2 minutes.")
			if got := refused[address].header.Get("Retry-After"); got != "120" {
				t.Errorf("%s: Retry-After is %q", address, got)
			}
		}
		if diff := cmp.Diff(essence(refused["ada@example.com"]), essence(refused["nobody@example.com"])); diff != "" {
			t.Errorf("the answers differ (-listed +unlisted):\n%s", diff)
		}
		// What is said is true: the links in the mailbox work.
		wants(t, ada.continues(ada.opensMail()), 200, "People")
		here.clock.advance(2 * time.Minute)
		if v := asksFrom(newcomer(there), "192.0.2.77", "ada@example.com"); v.status != http.StatusSeeOther {
			t.Errorf("two minutes later: %d %s", v.status, v.body)
		}
	})
}

// Where links work only in the browser they were asked for in, nothing else is promised.
func TestARefusalDoesNotPromiseLinksOfOtherBrowsers(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-link-same-browser=on")
	var v view
	for range 6 {
		v = s.person("ada@example.com").asks()
	}
	wants(t, v, 429, "Look in your mail first", "the newest link that was asked for in this browser still works", "An invitation works in any browser.")
	if strings.Contains(v.body, "Links that were mailed already still work") {
		t.Error("the page promises that links of other browsers work")
	}
}

// However many networks somebody has, an address gets a couple of dozen mails from them.
func TestAMailboxIsNotFilledFromManyNetworks(t *testing.T) {
	t.Parallel()
	s := behindProxy(t, testdb.SQLite(t))
	ada := s.person("ada@example.com")
	ada.signsIn()
	before := len(ada.mailbox())
	let := map[string]int{}
	for _, address := range []string{ada.email, "nobody@example.com"} {
		for i := range 60 {
			v := asksFrom(newcomer(s), fmt.Sprintf("198.51.%d.7", i), address)
			switch v.status {
			case http.StatusSeeOther:
				let[address]++
			case http.StatusTooManyRequests:
				wants(t, v, 429, "Look in your mail first")
			default:
				t.Fatalf("%d %s", v.status, v.body)
			}
		}
		if let[address] < 12 || let[address] > 24 {
			t.Errorf("%d links for %s, want 12 to 24", let[address], address)
		}
	}
	eventually(t, "as many mails as were promised", func() bool { return len(ada.mailbox())-before == let[ada.email] })
}

// Whoever asks for somebody else's address is told the same whether that person has
// asked or not.
func TestRefusalsDoNotTellWhetherAPersonHasAsked(t *testing.T) {
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
					ada := s.person("ada@example.com")
					ada.signsIn()
					ada.posts("/signout")
					s.clock.advance(time.Hour)
					if browser == "in a browser that is new" {
						ada = ada.elsewhere()
					}
					if asked {
						for range 2 {
							if v := asksFrom(ada, "203.0.113.9", ada.email); v.status != http.StatusSeeOther {
								t.Fatalf("ada asks: %d %s", v.status, v.body)
							}
						}
					}
					for i := range attack.asks {
						seen[asked] = append(seen[asked], asksFrom(newcomer(s), attack.network(i), ada.email).status)
					}
				}
				if diff := cmp.Diff(seen[false], seen[true]); diff != "" {
					t.Errorf("the answers tell that ada asked (-not asked +asked):\n%s", diff)
				}
			})
		}
	}
}

// An attacker with an address in each of 4,096 networks competes with others only until
// each of them has asked; then the others are left to themselves for hours.
func TestFourThousandNetworksCompeteForAnHourOnly(t *testing.T) {
	t.Parallel()
	s := behindProxy(t, testdb.SQLite(t))
	ada := s.person("ada@example.com")
	ada.signsIn()
	got, n := 0, 0
	for range 14 {
		for range 310 { // and more would be refused: all together have 300 in five minutes
			if v := asksFrom(newcomer(s), fmt.Sprintf("198.%d.%d.7", n%4096/256, n%256), fmt.Sprintf("p%d@example.com", n)); v.status == http.StatusSeeOther {
				got++
			}
			n++
		}
		if v := asksFrom(ada, "203.0.113.9", ada.email); v.status != http.StatusSeeOther {
			t.Fatalf("a known browser: %d", v.status)
		}
		s.clock.advance(5 * time.Minute)
	}
	if got < 3900 || got > 300+14*300 {
		t.Errorf("%d links for the attacker", got)
	}
	for i := range 200 { // another rush, from networks that have all asked by now
		asksFrom(newcomer(s), fmt.Sprintf("198.%d.%d.7", i/256, i%256), fmt.Sprintf("q%d@example.com", i))
	}
	for i := range 50 {
		if v := asksFrom(newcomer(s), fmt.Sprintf("203.0.%d.9", i), fmt.Sprintf("new%d@example.com", i)); v.status != http.StatusSeeOther {
			t.Fatalf("newcomer %d: %d %s", i, v.status, v.Text())
		}
	}
}

// Each has an hour and asks as often as it likes. Whoever comes then from a network
// that has not asked gets a link.
func TestNoAttackerOfTheseSizesUsesUpTheLinksOfOthers(t *testing.T) {
	t.Parallel()
	for _, attacker := range []struct {
		name      string
		address   func(i int) string
		addresses int
		most      int // links in the hour
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
					v := asksFrom(newcomer(s), attacker.address(n), fmt.Sprintf("p%d@example.com", n))
					if v.status == http.StatusSeeOther {
						got++
					} else {
						wants(t, v, 429, "Too many sign-in links at once", "No link was sent")
					}
				}
				s.clock.advance(5 * time.Minute)
			}
			for range 400 { // and a last rush
				n++
				asksFrom(newcomer(s), attacker.address(n), fmt.Sprintf("p%d@example.com", n))
			}
			if got > attacker.most {
				t.Errorf("%d links in an hour, want at most %d", got, attacker.most)
			}
			for i := range 50 {
				if v := asksFrom(newcomer(s), fmt.Sprintf("203.0.%d.9", i), fmt.Sprintf("new%d@example.com", i)); v.status != http.StatusSeeOther {
					t.Fatalf("newcomer %d from another network: %d %s", i, v.status, v.Text())
				}
			}
		})
	}
}

func TestNobodyCanKeepAnotherFromAskingInABrowserTheyHaveUsed(t *testing.T) {
	t.Parallel()
	s := behindProxy(t, testdb.SQLite(t))
	ada := s.person("ada@example.com")
	ada.signsIn()
	ada.posts("/signout")
	for i := range 400 { // from everywhere, for her and for others: all counts are used up
		asksFrom(newcomer(s), fmt.Sprintf("192.%d.%d.1", i/200, i%200), fmt.Sprintf("p%d@example.com", i))
		if i%4 == 0 {
			asksFrom(newcomer(s), fmt.Sprintf("2001:db8:%d::1", i), ada.email)
		}
	}
	if v := asksFrom(newcomer(s), "203.0.113.9", "fresh@example.com"); v.status != http.StatusTooManyRequests {
		t.Errorf("the attack has not used up the count of all: %d", v.status)
	}
	wants(t, ada.asks(), 200, "Check your email")
	wants(t, ada.continues(ada.opensMail()), 200, "People")
	ada.posts("/signout")
	// Her browser is known as hers; it has no such count for others.
	if v := asksFrom(ada, "203.0.113.9", "grace@example.com"); v.status != http.StatusTooManyRequests {
		t.Errorf("a link for another: %d", v.status)
	}
}

func TestANetworkIsCountedOnceHoweverItIsSpelt(t *testing.T) {
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
				last = asksFrom(newcomer(s), test.network(i), fmt.Sprintf("p%d@example.com", i)).status
			}
			if stopped := last == http.StatusTooManyRequests; stopped != test.stopped {
				t.Errorf("the twenty-first got %d", last)
			}
		})
	}
	t.Run("whatever a client says of itself without a proxy", func(t *testing.T) {
		t.Parallel()
		s := start(t, testdb.SQLite(t), newClock(noon))
		last := 0
		for i := range 21 {
			last = asksFrom(newcomer(s), fmt.Sprintf("192.0.2.%d", i), fmt.Sprintf("p%d@example.com", i)).status
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("the twenty-first got %d", last)
		}
	})
}

func TestWhoTriesWrongLinksMustWaitAndKeepsNobodyElseOut(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := start(t, databaseURL, newClock(noon))
		there := here.another()
		ada := here.person("ada@example.com")
		ada.signsIn()
		ada.invites("grace@example.com")
		grace := here.person("grace@example.com")
		link := grace.newMail()
		guess := func(s *site) view {
			p := newcomer(s)
			r := p.request("POST", s.url+app.CallbackPath, strings.NewReader("token=made-up"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return p.only(r)
		}
		for i := range 20 {
			if v := guess([]*site{here, there}[i%2]); v.status == http.StatusTooManyRequests {
				t.Fatalf("try %d: %d", i, v.status)
			}
		}
		refused := guess(there)
		wants(t, refused, 429, "One moment, please", "Try again in 1 minute.")
		if got := refused.header.Get("Retry-After"); got != "30" {
			t.Errorf("Retry-After is %q", got)
		}
		// A browser that was here before has its own count, also behind that address.
		ada.posts("/signout")
		wants(t, ada.signsIn(), 200, "People")
		// So does a good link in a browser that is new, though it is behind that address.
		wants(t, grace.continues(grace.opens(link)), 200, "grace@example.com")
	})
}
