package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// postWithKey returns a POST request with an idempotency key.
func postWithKey(p *harness.Person, key, path, body string) *http.Request {
	r := p.NewRequest("POST", p.Site.URL+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	return r
}

func TestIdempotencyKey_AtTwoInstancesConcurrently(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		there := here.StartAnother()
		ada := here.NewPerson("ada@example.com")
		ada.SignIn()
		for round := range 4 {
			for _, path := range []string{"/api/users", "/api/invite_user"} {
				email := fmt.Sprintf("grace%d%s@example.com", round, strings.ReplaceAll(path, "/", "-"))
				post := func(s *harness.Site) harness.Outcome {
					p := ada.At(s)
					return p.TryOutcome(postWithKey(p, email, path, `{"email":"`+email+`"}`))
				}
				answers := make([]harness.Outcome, 10)
				harness.Concurrently(len(answers), func(i int) { answers[i] = post([]*harness.Site{here, there}[i%2]) })
				last := post(there)
				if last.Status != http.StatusCreated && last.Status != http.StatusOK {
					t.Fatalf("%s: %v", path, last)
				}
				for _, a := range answers {
					if a.Status != http.StatusConflict && a != last {
						t.Errorf("%s: %v, and in the end %v", path, a, last)
					}
				}
				mails := 0
				if path == "/api/invite_user" {
					mails = 1
				}
				if n := here.Count("SELECT COUNT(*) FROM events WHERE subject = ? AND kind IN ('user_added', 'user_invited')", email); n != 1 {
					t.Errorf("%s: done %d times", path, n)
				}
				if n := here.Count("SELECT COUNT(*) FROM stytch_mails WHERE recipient = ?", email); n != mails {
					t.Errorf("%s: %d mails", path, n)
				}
			}
		}
	})
}
