package main

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
)

// explanation is what /api/why says.
type explanation struct {
	CanSignIn bool `json:"can_sign_in"`
	Findings  []struct{ Code, Text string }
}

func why(p *person, address string) (codes []string, text string, canSignIn bool) {
	p.t.Helper()
	var e explanation
	v := p.calls("GET", "/api/why?email="+url.QueryEscape(address), "")
	if err := json.Unmarshal([]byte(v.body), &e); err != nil || v.status != 200 {
		p.t.Fatalf("%d %s", v.status, v.body)
	}
	for _, f := range e.Findings {
		codes, text = append(codes, f.Code), text+f.Text+" "
	}
	return codes, text, e.CanSignIn
}

// breaks has the local Stytch answer some calls with a status.
func (s *site) breaks(route, status string) {
	s.t.Helper()
	v := newcomer(s).calls("PUT", "/dev/faults.json", `{"rules":[{"route":"`+route+`","kind":"status","status":`+status+`}]}`)
	if v.status != 200 {
		s.t.Fatalf("%d %s", v.status, v.body)
	}
}

func TestWhySomebodyCannotSignIn(t *testing.T) {
	t.Parallel()
	grace := "grace@example.com"
	for _, row := range []struct {
		name  string
		flags []string
		make  func(t *testing.T, s *site, ada, grace *person)
		in    bool // can sign in
		codes []string
		text  string
	}{
		{"nobody has the address", nil, func(*testing.T, *site, *person, *person) {}, false, []string{"not_listed"}, "is not on the list."},
		{"removed", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			ada.calls("DELETE", "/api/users/"+idOf(ada, grace.email), "")
		}, false, []string{"not_listed"}, "it was removed by ada@example.com on 1 March 2026, 12:00 UTC."},
		{"suspended", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			ada.calls("PATCH", "/api/users/"+idOf(ada, grace.email), `{"status":"suspended"}`)
		}, false, []string{"suspended"}, "They are suspended by ada@example.com on 1 March 2026, 12:00 UTC."},
		{"the invitation waits", nil, func(t *testing.T, s *site, ada, grace *person) {
			s.breaks("/v1/magic_links/email/invite", "500")
			ada.calls("POST", "/api/invite_user", `{"email":"grace@example.com"}`)
		}, true, []string{"invitation_waiting"}, "has not been handed over yet. Stytch answered 500 internal_server_error."},
		{"the invitation was refused", nil, func(t *testing.T, s *site, ada, grace *person) {
			s.breaks("/v1/magic_links/email/invite", "400")
			ada.calls("POST", "/api/invite_user", `{"email":"grace@example.com"}`)
		}, true, []string{"invitation_refused"}, "Their invitation was not handed over. Stytch answered 400"},
		{"the invitation has expired", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			s.clock.advance(168 * time.Hour)
			ada.signsIn() // her session is over as well
		}, true, []string{"invitation_expired"}, "expired on 8 March 2026, 12:00 UTC."},
		{"too many links were asked for", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			for range 5 {
				grace.asks()
			}
		}, true, []string{"too_many", "link_mailed"}, "they must wait for 2 minutes."},
		{"Stytch is down", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			s.clock.advance(time.Minute) // its last good word is too old to count
			s.breaks("*", "500")
		}, false, []string{"stytch_down"}, "nobody can sign in"},
		{"the link could not be mailed", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			s.breaks("/v1/magic_links/email/send", "429")
			grace.asks()
			eventually(t, "the failure on record", func() bool { return s.count("SELECT COUNT(*) FROM events WHERE kind = 'link_failed'") > 0 })
		}, true, []string{"link_failed"}, "could not be mailed. Stytch answered 429 too_many_requests."},
		{"the link was not used in time", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			grace.asks()
			s.clock.advance(11 * time.Minute)
		}, true, []string{"link_expired"}, "was not used, and expired on 1 March 2026, 12:10 UTC."},
		{"a mail scanner fetched the link", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			grace.newMail()
			grace.asks()
			scanner := newcomer(s).request("GET", s.url+app.CallbackPath+"?token="+tokenOf(t, grace.newMail()), nil)
			scanner.Header.Del("Sec-Fetch-Mode")
			newcomer(s).only(scanner)
		}, true, []string{"link_mailed", "mail_scanner"}, "a mail scanner fetched a link, perhaps theirs."},
		{"the link was opened in another browser", []string{"--guestlist-link-same-browser=on"}, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			grace.newMail()
			grace.asks()
			phone := grace.elsewhere()
			wants(t, phone.continues(phone.opens(grace.newMail())), 403, "Open this link where you asked for it")
		}, true, []string{"link_mailed", "other_browser"}, "in another browser than the one that had asked for it"},
		{"an old link was used again", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			link := grace.newMail()
			grace.continues(grace.opens(link))
			grace.posts("/signout")
			grace.asks()
			wants(t, grace.continues(grace.opens(link)), 410, "This link no longer works")
		}, true, []string{"link_mailed", "link_spent"}, "a link that had been used or was too old"},
		{"they were forgotten at Stytch, and it refuses to have them again", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			grace.continues(grace.opensMail())
			grace.posts("/signout")
			s.breaks("/v1/magic_links/email/invite", "400")
			ada.calls("POST", "/api/invite_user", `{"email":"grace@example.com"}`)
			grace.asks()
		}, true, []string{"invitation_refused"}, "Their invitation was not handed over."},
		{"Stytch wants a pause", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			grace.continues(grace.opensMail())
			s.breaks("/v1/users/*", "429")
		}, true, []string{"signed_in"}, "in 1 browser."},
		{"they are in", nil, func(t *testing.T, s *site, ada, grace *person) {
			ada.invites(grace.email)
			grace.continues(grace.opensMail())
		}, true, []string{"signed_in"}, "in 1 browser."},
		{"nothing is in the way", nil, func(t *testing.T, s *site, ada, grace *person) { ada.invites(grace.email) }, true, []string{"nothing"}, "Nothing is in the way."},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, testdb.SQLite(t), newClock(noon), row.flags...)
			ada := s.person("ada@example.com")
			ada.signsIn()
			row.make(t, s, ada, s.person(grace))
			codes, text, in := why(ada, strings.ToUpper(grace))
			if diff := cmp.Diff(row.codes, codes); diff != "" || in != row.in || !strings.Contains(text, row.text) {
				t.Errorf("can sign in: %v, findings (-want +got):\n%s\n%s", in, diff, text)
			}
			page := ada.submits(ada.get("/why"), "Check", "Email address", grace)
			wants(t, page, 200, "Why can’t they sign in?", row.text)
		})
	}
}

// tokenOf is the token in a mailed link.
func tokenOf(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("token")
}
