package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

// killedBetweenTheHalves kills the program, with no time to tidy up, when an
// invitation is in the database and Stytch's word on it is still to come.
func killedBetweenTheHalves(t *testing.T, path string) {
	moments := []struct {
		name    string
		arrived bool // the call has reached Stytch, and the answer is lost
		mails   int  // there are in the end: a call whose outcome nobody knows is made again
	}{
		{"before the call has reached Stytch", false, 1},
		{"before its answer has come back", true, 2},
	}
	for _, moment := range moments {
		t.Run(moment.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, databaseURL string) {
				c := newClock(time.Now())
				stytch := newRemote(t, c)
				flags := stytch.flags("--database-url=" + databaseURL)
				p := launch(t, path, flags...)
				ada, grace := stytch.person(p.site, "ada@example.com"), stytch.person(p.site, "grace@example.com")
				ada.continues(ada.opensMail())

				stalled := make(chan struct{}, 10)
				stytch.fails(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
					if strings.HasSuffix(r.URL.Path, "/invite") {
						if moment.arrived {
							pass.ServeHTTP(httptest.NewRecorder(), r)
						}
						stalled <- struct{}{}
						hang(w, r, pass)
						return
					}
					pass.ServeHTTP(w, r)
				})
				cut := make(chan outcome, 1)
				invite := ada.request("POST", p.url+"/users", strings.NewReader("email=grace@example.com"))
				invite.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				go func() { cut <- ada.tries(invite) }()
				<-stalled
				p.cmd.Process.Kill()
				p.cmd.Wait() // its error is that it was killed
				if o := <-cut; o.status != 0 {
					t.Fatalf("the program still answered: %v", o)
				}
				stytch.fails(nil)

				// The one who had the job is dead; its lease is over in half a minute.
				c.advance(time.Minute)
				s := start(t, databaseURL, c, stytch.flags("--guestlist-addr="+p.cfg.Addr, "--guestlist-base-url="+p.url)...)
				ada, grace = ada.at(s), grace.at(s)
				eventually(t, "grace invited", func() bool {
					return hasRow(ada.get("/users"), grace.email, grace.email, "Member", "Invited")
				})
				if n := s.count("SELECT COUNT(*) FROM outbox"); n != 0 {
					t.Errorf("%d calls are still to be made", n)
				}
				if n := s.count("SELECT COUNT(*) FROM users WHERE email_key = ?", grace.email); n != 1 {
					t.Errorf("grace is on the list %d times", n)
				}
				if n := stytch.site.count("SELECT COUNT(*) FROM stytch_emails WHERE email = ?", grace.email); n != 1 {
					t.Errorf("grace is at Stytch %d times", n)
				}
				if n := len(grace.mailbox()); n != moment.mails {
					t.Errorf("grace was mailed %d times, want %d", n, moment.mails)
				}
				var last view
				for range moment.mails {
					last = grace.continues(grace.opensMail())
				}
				wants(t, last, 200, grace.email)
			})
		})
	}
}
