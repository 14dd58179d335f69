package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

// A stranger asks for links for two people, all day and from many networks. What is
// refused says so, what is not is mailed, and neither a browser that is known nor an
// administrator's invitation waits for it.
func TestStandaloneAStrangerUsesUpNobodysMails(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, post := startStandalone(t, databaseURL, newClock(noon))
		ada := s.person("ada@example.com")
		wants(t, ada.continues(ada.opens(post.nextLink(t, ada.email, 0))), 200, "People")
		ada.invites("grace@example.com")
		post.nextLink(t, "grace@example.com", 0)

		sent := map[string]int{ada.email: 1, "grace@example.com": 1}
		asks := func(round int) {
			for i := range 30 {
				for address := range sent {
					v := asksFrom(newcomer(s), fmt.Sprintf("198.51.%d.7", (100+round*7+i%20)%250), address)
					switch v.status {
					case http.StatusSeeOther:
						sent[address]++
					case http.StatusTooManyRequests:
					default:
						t.Fatalf("asking for %s: %d %s", address, v.status, v.body)
					}
				}
			}
		}
		for round := range 8 {
			asks(round)
			s.clock.advance(9 * time.Minute)
		}
		asks(9)
		for address, n := range sent {
			if n < 12 {
				t.Errorf("the stranger was let ask for %s %d times: too few to be an attack", address, n)
			}
			eventually(t, fmt.Sprintf("%d mails to %s", n, address), func() bool { return len(post.to(address)) >= n })
		}

		// An administrator invites as ever.
		page := follows(t, ada, ada.get("/users"), "grace@example.com")
		if v := ada.posts(strings.TrimSuffix(page.path, "?") + "/invite"); v.status != 200 {
			t.Fatalf("inviting again: %d %s", v.status, v.Text())
		}
		post.nextLink(t, "grace@example.com", sent["grace@example.com"])

		// A browser that is known gets its link, and the link works.
		ada.posts("/signout")
		wants(t, ada.asks(), 200, "Check your email")
		link := post.nextLink(t, ada.email, sent[ada.email])
		wants(t, ada.continues(ada.opens(link)), 200, "People")
	})
}
