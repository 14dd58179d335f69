package e2e

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// explanation is the response of /api/why.
type explanation struct {
	CanSignIn bool `json:"can_sign_in"`
	Findings  []struct{ Code, Text string }
}

func why(p *harness.Person, address string) (codes []string, text string, canSignIn bool) {
	p.T.Helper()
	var e explanation
	v := p.CallAPI("GET", "/api/why?email="+url.QueryEscape(address), "")
	if err := json.Unmarshal([]byte(v.Body), &e); err != nil || v.Status != 200 {
		p.T.Fatalf("%d %s", v.Status, v.Body)
	}
	for _, f := range e.Findings {
		codes, text = append(codes, f.Code), text+f.Text+" "
	}
	return codes, text, e.CanSignIn
}

// breakRoute makes the local Stytch respond to a route with a status.
func breakRoute(s *harness.Site, route, status string) {
	s.T.Helper()
	v := harness.NewVisitor(s).CallAPI("PUT", "/dev/faults.json", `{"rules":[{"route":"`+route+`","kind":"status","status":`+status+`}]}`)
	if v.Status != 200 {
		s.T.Fatalf("%d %s", v.Status, v.Body)
	}
}

func TestDiagnose_Reasons(t *testing.T) {
	t.Parallel()
	grace := "grace@example.com"
	for _, row := range []struct {
		name  string
		flags []string
		make  func(t *testing.T, s *harness.Site, ada, grace *harness.Person)
		in    bool // can sign in
		codes []string
		text  string
	}{
		{"unknown address", nil, func(*testing.T, *harness.Site, *harness.Person, *harness.Person) {}, false, []string{"not_listed"}, "is not on the list."},
		{"removed", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			ada.CallAPI("DELETE", "/api/users/"+harness.UserIDOf(ada, grace.Email), "")
		}, false, []string{"not_listed"}, "it was removed by ada@example.com on 1 March 2026, 12:00 UTC."},
		{"suspended", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			ada.CallAPI("PATCH", "/api/users/"+harness.UserIDOf(ada, grace.Email), `{"status":"suspended"}`)
		}, false, []string{"suspended"}, "They were suspended by ada@example.com on 1 March 2026, 12:00 UTC."},
		{"the invitation waits", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			breakRoute(s, "/v1/magic_links/email/invite", "500")
			ada.CallAPI("POST", "/api/invite_user", `{"email":"grace@example.com"}`)
		}, true, []string{"invitation_waiting"}, "hasn't been sent yet. The login service answered 500 internal_server_error."},
		{"the invitation was refused", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			breakRoute(s, "/v1/magic_links/email/invite", "400")
			ada.CallAPI("POST", "/api/invite_user", `{"email":"grace@example.com"}`)
		}, true, []string{"invitation_refused"}, "Their invitation couldn't be sent. The login service answered 400"},
		{"the invitation has expired", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			s.Clock.Advance(168 * time.Hour)
			ada.SignIn() // her session has ended as well
		}, true, []string{"invitation_expired"}, "expired on 8 March 2026, 12:00 UTC."},
		{"too many links were asked for", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			for range 5 {
				grace.RequestLink()
			}
		}, true, []string{"too_many", "link_mailed"}, "they must wait for 2 minutes."},
		{"Stytch is down", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			s.Clock.Advance(time.Minute) // the last successful call is too old
			breakRoute(s, "*", "500")
		}, false, []string{"stytch_down"}, "no one can sign in"},
		{"the link could not be mailed", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			breakRoute(s, "/v1/magic_links/email/send", "429")
			grace.RequestLink()
			harness.Eventually(t, "the failure on record", func() bool { return s.Count("SELECT COUNT(*) FROM events WHERE kind = 'link_failed'") > 0 })
		}, true, []string{"link_failed"}, "couldn't be sent. The login service answered 429 too_many_requests."},
		{"the link was not used in time", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			grace.RequestLink()
			s.Clock.Advance(11 * time.Minute)
		}, true, []string{"link_expired"}, "wasn't used and expired on 1 March 2026, 12:10 UTC."},
		{"a mail scanner fetched the link", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			grace.NextLink()
			grace.RequestLink()
			scanner := harness.NewVisitor(s).NewRequest("GET", s.URL+app.CallbackPath+"?token="+harness.LinkToken(t, grace.NextLink()), nil)
			scanner.Header.Del("Sec-Fetch-Mode")
			harness.NewVisitor(s).DoOnce(scanner)
		}, true, []string{"link_mailed", "mail_scanner"}, "a mail scanner opened a link, possibly theirs."},
		{"the link was opened in another browser", []string{"--guestlist-link-same-browser=on"}, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			grace.NextLink()
			grace.RequestLink()
			phone := grace.InNewBrowser()
			harness.WantPage(t, phone.PressContinue(phone.OpenLink(grace.NextLink())), 403, "Open this link where you requested it")
		}, true, []string{"link_mailed", "other_browser"}, "in another browser than the one that requested it"},
		{"an old link was used again", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			link := grace.NextLink()
			grace.PressContinue(grace.OpenLink(link))
			grace.Post("/signout")
			grace.RequestLink()
			harness.WantPage(t, grace.PressContinue(grace.OpenLink(link)), 410, "This link no longer works")
		}, true, []string{"link_mailed", "link_spent"}, "a link that had been used before or had expired"},
		{"they were forgotten at Stytch, and it refuses to have them again", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			grace.PressContinue(grace.OpenNextLink())
			grace.Post("/signout")
			breakRoute(s, "/v1/magic_links/email/invite", "400")
			ada.CallAPI("POST", "/api/invite_user", `{"email":"grace@example.com"}`)
			grace.RequestLink()
		}, true, []string{"invitation_refused"}, "Their invitation couldn't be sent."},
		{"Stytch wants a pause", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			grace.PressContinue(grace.OpenNextLink())
			breakRoute(s, "/v1/users/*", "429")
		}, true, []string{"signed_in"}, "on 1 browser."},
		{"they are in", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) {
			ada.Invite(grace.Email)
			grace.PressContinue(grace.OpenNextLink())
		}, true, []string{"signed_in"}, "on 1 browser."},
		{"nothing is in the way", nil, func(t *testing.T, s *harness.Site, ada, grace *harness.Person) { ada.Invite(grace.Email) }, true, []string{"nothing"}, "Nothing is blocking sign-in."},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), row.flags...)
			ada := s.NewPerson("ada@example.com")
			ada.SignIn()
			row.make(t, s, ada, s.NewPerson(grace))
			codes, text, in := why(ada, strings.ToUpper(grace))
			if diff := cmp.Diff(row.codes, codes); diff != "" || in != row.in || !strings.Contains(text, row.text) {
				t.Errorf("can sign in: %v, findings (-want +got):\n%s\n%s", in, diff, text)
			}
			page := ada.Submit(ada.Get("/why"), "Check", "Email address", grace)
			harness.WantPage(t, page, 200, "Sign-in help", row.text)
		})
	}
}
