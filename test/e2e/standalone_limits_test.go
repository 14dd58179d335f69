package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// An attacker requests links for two people all day, from many networks. Refusals are
// reported, everything else is mailed, and known browsers and invitations are not delayed.
func TestStandalone_AttackersDoNotUseUpMails(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, post := startStandalone(t, databaseURL, harness.NewClock(harness.Noon))
		ada := s.NewPerson("ada@example.com")
		harness.WantPage(t, ada.PressContinue(ada.OpenLink(post.nextLink(t, ada.Email, 0))), 200, "My apps", "People")
		ada.Invite("grace@example.com")
		post.nextLink(t, "grace@example.com", 0)

		sent := map[string]int{ada.Email: 1, "grace@example.com": 1}
		asks := func(round int) {
			for i := range 30 {
				for address := range sent {
					v := asksFrom(harness.NewVisitor(s), fmt.Sprintf("198.51.%d.7", (100+round*7+i%20)%250), address)
					switch v.Status {
					case http.StatusSeeOther:
						sent[address]++
					case http.StatusTooManyRequests:
					default:
						t.Fatalf("asking for %s: %d %s", address, v.Status, v.Body)
					}
				}
			}
		}
		for round := range 8 {
			asks(round)
			s.Clock.Advance(9 * time.Minute)
		}
		asks(9)
		for address, n := range sent {
			if n < 12 {
				t.Errorf("the stranger was let ask for %s %d times: too few to be an attack", address, n)
			}
			harness.Eventually(t, fmt.Sprintf("%d mails to %s", n, address), func() bool { return len(post.to(address)) >= n })
		}

		// Invitations are sent as usual.
		page := harness.FollowLink(t, ada, ada.Get("/users"), "grace@example.com")
		if v := ada.Post(strings.TrimSuffix(page.Path, "?") + "/invite"); v.Status != 200 {
			t.Fatalf("inviting again: %d %s", v.Status, v.Text())
		}
		post.nextLink(t, "grace@example.com", sent["grace@example.com"])

		// A known browser gets a link that works.
		ada.Post("/signout")
		harness.WantPage(t, ada.RequestLink(), 200, "Check your email")
		link := post.nextLink(t, ada.Email, sent[ada.Email])
		harness.WantPage(t, ada.PressContinue(ada.OpenLink(link)), 200, "My apps", "People")
	})
}
