package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// TestProgram_KilledDuringAnInvitationRecovers kills the program when an invitation is in the
// database and Stytch has not responded yet.
func TestProgram_KilledDuringAnInvitationRecovers(t *testing.T) {
	t.Parallel()
	path := harness.BuildProgram(t)
	moments := []struct {
		name    string
		arrived bool // the call has reached Stytch, and its response is lost
		mails   int  // the number of mails in the end: a call with an unknown outcome is repeated
	}{
		{"before the call has reached Stytch", false, 1},
		{"before its answer has come back", true, 2},
	}
	for _, moment := range moments {
		t.Run(moment.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, databaseURL string) {
				c := harness.NewClock(time.Now())
				stytch := harness.NewRemoteStytch(t, c)
				flags := stytch.Flags("--database-url=" + databaseURL)
				p := harness.Launch(t, path, flags...)
				ada, grace := stytch.NewPerson(p.Site, "ada@example.com"), stytch.NewPerson(p.Site, "grace@example.com")
				ada.PressContinue(ada.OpenNextLink())

				stalled := make(chan struct{}, 10)
				stytch.SetFault(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
					if strings.HasSuffix(r.URL.Path, "/invite") {
						if moment.arrived {
							pass.ServeHTTP(httptest.NewRecorder(), r)
						}
						stalled <- struct{}{}
						harness.NeverAnswer(w, r, pass)
						return
					}
					pass.ServeHTTP(w, r)
				})
				cut := make(chan harness.Outcome, 1)
				invite := ada.NewRequest("POST", p.URL+"/users", strings.NewReader("email=grace@example.com"))
				invite.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				go func() { cut <- ada.TryOutcome(invite) }()
				<-stalled
				p.Cmd.Process.Kill()
				p.Cmd.Wait() // returns an error, because it was killed
				if o := <-cut; o.Status != 0 {
					t.Fatalf("the program still answered: %v", o)
				}
				stytch.SetFault(nil)

				// The lease of the killed program expires in half a minute.
				c.Advance(time.Minute)
				s := harness.Start(t, databaseURL, c, stytch.Flags("--guestlist-addr="+p.Config.Addr, "--guestlist-base-url="+p.URL)...)
				ada, grace = ada.At(s), grace.At(s)
				harness.Eventually(t, "grace invited", func() bool {
					return harness.HasRow(ada.Get("/users"), grace.Email, grace.Email, "Member", "Invited")
				})
				if n := s.Count("SELECT COUNT(*) FROM outbox"); n != 0 {
					t.Errorf("%d calls are still to be made", n)
				}
				if n := s.Count("SELECT COUNT(*) FROM users WHERE email_key = ?", grace.Email); n != 1 {
					t.Errorf("grace is on the list %d times", n)
				}
				if n := stytch.Site.Count("SELECT COUNT(*) FROM stytch_emails WHERE email = ?", grace.Email); n != 1 {
					t.Errorf("grace is at Stytch %d times", n)
				}
				if n := len(grace.Mailbox()); n != moment.mails {
					t.Errorf("grace was mailed %d times, want %d", n, moment.mails)
				}
				var last harness.View
				for range moment.mails {
					last = grace.PressContinue(grace.OpenNextLink())
				}
				harness.WantPage(t, last, 200, "My apps", grace.Email)
			})
		})
	}
}
