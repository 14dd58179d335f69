package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestAccessRequest_FromRefusalToEnd(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		g, via := newGuarded(t, databaseURL), harness.Askers[0]
		grace := g.person("grace@example.com", false)
		grace.SignIn()

		refused := grace.OpenApp(via, wikiURL+"/start")
		harness.WantPage(t, refused, http.StatusForbidden, "You can’t open Wiki", "grace@example.com")
		form := harness.FollowLink(t, grace, refused, "Request access")
		harness.WantPage(t, form, http.StatusOK, "Request access to Wiki")
		asked := grace.Submit(form, "Request access", "Why do you need it? (optional)", "for the handover")
		harness.WantPage(t, asked, http.StatusOK, "Request access to Wiki", "waiting for an administrator", "for the handover", "We’ll email you")
		harness.WantPage(t, grace.OpenApp(via, wikiURL+"/start"), http.StatusForbidden, "You can’t open Wiki")

		harness.Eventually(t, "the administrator's email", func() bool { return len(g.boss.Notices()) == 1 })
		if n := g.boss.Notices()[0]; n.Subject != "Access requested at Guestlist" {
			t.Errorf("the administrator gets %q", n.Subject)
		}
		queue := g.boss.Get("/requests")
		harness.WantPage(t, queue, http.StatusOK, "Access requests", "Requests 1 waiting", "grace@example.com wants to open Wiki", "for the handover")
		decided := g.boss.Submit(queue, "Approve grace@example.com for Wiki", "Access ends", "1")
		harness.WantPage(t, decided, http.StatusOK, "Access requests", "grace@example.com can open Wiki until 2 March 2026, 12:", "No requests waiting")

		g.wantPassed(grace, grace.OpenApp(via, wikiURL+"/start"))
		harness.Eventually(t, "the person's email", func() bool { return len(grace.Notices()) == 1 })
		if n := grace.Notices()[0]; n.Subject != "Your access was approved at Guestlist" {
			t.Errorf("the person gets %q", n.Subject)
		}
		g.Clock.Advance(24*time.Hour - time.Minute)
		g.wantPassed(grace, grace.OpenApp(via, wikiURL+"/start"))
		g.Clock.Advance(2 * time.Minute)
		over := grace.OpenApp(via, wikiURL+"/start")
		harness.WantPage(t, over, http.StatusForbidden, "You can’t open Wiki")
		href, _ := over.Link("Request access")
		harness.WantPage(t, grace.Get(href), http.StatusOK, "Request access to Wiki")

		harness.WantPage(t, g.boss.Get("/activity?kind=access_requested"), http.StatusOK, "Activity", "Access requested: Wiki", "for the handover")
		harness.WantPage(t, g.boss.Get("/activity?kind=access_approved"), http.StatusOK, "Activity", "Access approved: Wiki", "group: empty → Staff")
		harness.WantPage(t, g.boss.Get("/activity?kind=group_joined"), http.StatusOK, "Activity", "Added to group: Staff")
	})
}

// requestableApp adds an app that opens to the group Staff and allows requests.
func requestableApp(s *harness.Site, name string) apps.App {
	return s.AddAppWith(apps.Input{Name: name, URL: "https://" + strings.ToLower(name) + ".example.com", AllowRequests: true}, "Staff")
}

// member invites a person, signs them in, and drops the links that are mailed for it.
func member(s *harness.Site, mails *harness.MailServer, admin *harness.Person, address string) *harness.Person {
	s.T.Helper()
	admin.Invite(address)
	<-mails.Links
	p := s.NewPerson(address)
	p.PressContinue(p.OpenNextLink())
	return p
}

func requestAccess(t *testing.T, p *harness.Person, a apps.App, note string) {
	t.Helper()
	harness.WantPage(t, p.Submit(p.Get("/apps/"+a.ID+"/request"), "Request access", "Why do you need it? (optional)", note), http.StatusOK, "Request access to "+a.Name)
}

// mailFlags are the settings with which an instance sends mails by SMTP.
func mailFlags(mails *harness.MailServer) []string {
	return []string{"--smtp-url=smtp://" + mails.Addr, "--guestlist-mail-from=login@example.com"}
}

func TestAccessRequest_Emails(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, mails, ada := startWithMail(t, databaseURL)
		wiki := requestableApp(s, "Wiki")
		grace := member(s, mails, ada, "grace@example.com")
		requestAccess(t, grace, wiki, "see www.evil.example")
		wantNotice(mails.Next(t), t, "ada@example.com", "Access requested at Guestlist",
			"Someone requested access to an app.", "Person: grace@example.com\n", "App: Wiki\n", "Note: see www. evil. example\n", s.URL+"/requests")

		queue := ada.Get("/requests")
		ada.Submit(queue, "Deny request of grace@example.com for Wiki", "Reason (optional; they’ll see it)", "Use the read-only copy.")
		wantNotice(mails.Next(t), t, "grace@example.com", "Your request was denied at Guestlist",
			"App: Wiki\n", "Reason: Use the read-only copy.\n", "Denied by: ada@example.com\n", "You can ask again from 2 March 2026", s.URL+"/apps/"+wiki.ID+"/request")
		harness.WantPage(t, grace.Get("/apps/"+wiki.ID+"/request"), http.StatusOK, "Request access to Wiki", "denied your request", "Use the read-only copy.")

		s.Clock.Advance(24 * time.Hour)
		requestAccess(t, grace, wiki, "")
		wantNotice(mails.Next(t), t, "ada@example.com", "Access requested at Guestlist")
		ada.Submit(ada.Get("/requests"), "Approve grace@example.com for Wiki", "Access ends", "30")
		wantNotice(mails.Next(t), t, "grace@example.com", "Your access was approved at Guestlist",
			"App: Wiki\n", "Until: 1 April 2026", "Approved by: ada@example.com\n", "https://wiki.example.com")
	})
}

func TestAccessRequest_FloodIsBundled(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, mails, ada := startWithMail(t, databaseURL)
		withMail := mailFlags(mails)
		wiki := requestableApp(s, "Wiki")
		for i := range 7 {
			requestAccess(t, member(s, mails, ada, fmt.Sprintf("u%d@example.com", i)), wiki, "")
		}
		first := mails.Next(t)
		wantNotice(first, t, "ada@example.com", "Access requested at Guestlist")
		s.Clock.Advance(time.Hour)
		s.StartAnother(withMail...)
		s.StartAnother(withMail...)
		wantNotice(mails.Next(t), t, "ada@example.com", "Access requested at Guestlist", "7 requests for access are waiting.", "And: 2 more")
		// What follows was written after all of them.
		ada = ada.InNewBrowser() // a fresh sign-in, for a token
		ada.SignIn()
		<-mails.Links
		ada.MakeToken("marker", "read", "7")
		wantNotice(mails.Next(t), t, "ada@example.com", "A new API token at Guestlist")
	})
}

func TestMembershipEnd_IsAnnouncedOnceAndRenewed(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, mails, ada := startWithMail(t, databaseURL)
		withMail := mailFlags(mails)
		wiki := requestableApp(s, "Wiki")
		grace := member(s, mails, ada, "grace@example.com")
		staff := wiki.Groups[0]
		end := s.Clock.Now().Add(10 * 24 * time.Hour)
		harness.Must(t, s.App.Groups.Join(t.Context(), event.Origin{}, staff.ID, s.UserID(t, grace.Email), end))
		s.Clock.Advance(4 * 24 * time.Hour)
		s.StartAnother(withMail...)
		s.StartAnother(withMail...)
		got := map[string]harness.MailedNotice{}
		for range 2 {
			n := mails.Next(t)
			got[strings.Trim(n.To, "<>")] = n
		}
		wantNotice(got["grace@example.com"], t, "grace@example.com", "Your access at Guestlist ends soon",
			"Apps: Wiki\n", "Group: Staff\n", "Ends: 11 March 2026, 12:00 UTC\n", "/apps/"+wiki.ID+"/request\n")
		path := "/users/" + s.UserID(t, grace.Email) + "/groups/" + staff.ID + "/renew"
		wantNotice(got["ada@example.com"], t, "ada@example.com", "Access at Guestlist ends soon", "Person: grace@example.com\n", "Group: Staff\n", path+"\n")
		s.StartAnother(withMail...) // warns of nothing more
		ada = ada.InNewBrowser()    // a fresh sign-in, for a token
		ada.SignIn()
		<-mails.Links
		ada.MakeToken("marker", "read", "7")
		wantNotice(mails.Next(t), t, "ada@example.com", "A new API token at Guestlist")

		until := func() int { return s.Count("SELECT until_at FROM group_members WHERE group_id = '" + staff.ID + "'") }
		before := until()
		page := ada.Get(path)
		harness.WantPage(t, page, http.StatusOK, "Renew grace@example.com’s access", "ends on 11 March 2026")
		if until() != before {
			t.Error("opening the link changed something")
		}
		harness.WantPage(t, ada.Submit(page, "Renew access"), http.StatusOK, "Access requests", "grace@example.com stays in Staff until 10 April 2026.")
		harness.WantPage(t, ada.Submit(page, "Renew access"), http.StatusOK, "Access requests", "was already changed")
	})
}

func TestAccessRequest_OnTheCommandLine(t *testing.T) {
	t.Parallel()
	s, mails, ada := startWithMail(t, testdb.SQLite(t))
	wiki := requestableApp(s, "Wiki")
	grace := member(s, mails, ada, "grace@example.com")
	requestAccess(t, grace, wiki, "please")
	requestAccess(t, ada, wiki, "for me")
	out, err := s.Command("requests", "list", "--json")
	harness.Must(t, err)
	var listed struct{ Requests []apps.RequestJSON }
	harness.Must(t, json.Unmarshal([]byte(out), &listed))
	if len(listed.Requests) != 2 || listed.Requests[0].Note != "please" || listed.Requests[0].User.Email != "grace@example.com" {
		t.Fatalf("listed: %s", out)
	}
	out, err = s.Command("requests", "list")
	if err != nil || !strings.Contains(out, "grace@example.com  Wiki  Staff   please") {
		t.Errorf("listed: %v\n%s", err, out)
	}
	out, err = s.Command("requests", "approve", listed.Requests[0].ID, "--group", "staff", "--until", "2d")
	if err != nil || !strings.Contains(out, "grace@example.com can open Wiki until 3 March 2026") {
		t.Errorf("approve: %v %s", err, out)
	}
	if out, err = s.Command("requests", "approve", listed.Requests[0].ID); err == nil || !strings.Contains(err.Error()+out, "decided already") {
		t.Errorf("approve again: %v %s", err, out)
	}
	out, err = s.Command("requests", "deny", listed.Requests[1].ID, "--reason", "no")
	if err != nil || out != "Denied the request of ada@example.com for Wiki.\n" {
		t.Errorf("deny: %v %s", err, out)
	}
	harness.WantPage(t, ada.Get("/activity?kind=access_denied"), http.StatusOK, "Activity", "Access denied: Wiki", "on the command line")
	wantMails := map[string]bool{"Your access was approved at Guestlist": true, "Your request was denied at Guestlist": true}
	for len(wantMails) > 0 {
		delete(wantMails, mails.Next(t).Subject)
	}
}
