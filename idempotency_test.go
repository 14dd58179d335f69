package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

// posting is a POST of the API under a key.
func (p *person) posting(key, path, body string) *http.Request {
	r := p.request("POST", p.site.url+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	return r
}

func TestARequestThatComesAtTwoInstancesAtOnceIsDoneOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := start(t, databaseURL, newClock(noon))
		there := here.another()
		ada := here.person("ada@example.com")
		ada.signsIn()
		for round := range 4 {
			for _, path := range []string{"/api/users", "/api/invite_user"} {
				email := fmt.Sprintf("grace%d%s@example.com", round, strings.ReplaceAll(path, "/", "-"))
				post := func(s *site) outcome {
					p := ada.at(s)
					return p.tries(p.posting(email, path, `{"email":"`+email+`"}`))
				}
				answers := make([]outcome, 10)
				atOnce(len(answers), func(i int) { answers[i] = post([]*site{here, there}[i%2]) })
				last := post(there)
				if last.status != http.StatusCreated && last.status != http.StatusOK {
					t.Fatalf("%s: %v", path, last)
				}
				for _, a := range answers {
					if a.status != http.StatusConflict && a != last {
						t.Errorf("%s: %v, and in the end %v", path, a, last)
					}
				}
				mails := 0
				if path == "/api/invite_user" {
					mails = 1
				}
				if n := here.count("SELECT COUNT(*) FROM events WHERE subject = ? AND kind IN ('user_added', 'user_invited')", email); n != 1 {
					t.Errorf("%s: done %d times", path, n)
				}
				if n := here.count("SELECT COUNT(*) FROM stytch_mails WHERE recipient = ?", email); n != mails {
					t.Errorf("%s: %d mails", path, n)
				}
			}
		}
	})
}
