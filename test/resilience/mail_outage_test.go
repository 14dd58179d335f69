package resilience

import (
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestMailOutage_ResponsesRevealNothing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, server, reason string }{
		{"says nothing", harness.SilentServer(t), "The mail server didn't respond in time."},
		{"is not there", harness.FreeAddr(t), "The mail server couldn't be reached."},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off",
				"--smtp-url=smtp://"+row.server, "--guestlist-mail-from=login@example.com", "--guestlist-admins=ada@example.com")
			var answers []map[string]any
			for _, address := range []string{"ada@example.com", "nobody@example.com"} {
				begin := time.Now()
				v := s.NewPerson(address).RequestLink()
				if took := time.Since(begin); took > 4*time.Second {
					t.Errorf("%s waits %v", address, took)
				}
				harness.WantPage(t, v, 200, "Check your email")
				content := harness.PageContent(v)
				content["body"] = strings.ReplaceAll(content["body"].(string), address, "ADDRESS") // as it was typed
				answers = append(answers, content)
			}
			if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
				t.Errorf("the answers differ (-listed +unlisted):\n%s", diff)
			}

			// The inbox has the mails that the server didn't get. An invited person is on the
			// list, and the invitation isn't reported as sent.
			ada := s.NewPerson("ada@example.com")
			harness.WantPage(t, ada.PressContinue(ada.OpenNextLink()), 200, "My apps", "People")
			begin := time.Now()
			invited := ada.Submit(ada.Get("/users/new"), "Send invitation", "Email address", "grace@example.com")
			harness.WantPage(t, invited, 200, "People", "grace@example.com was added, but the email hasn’t been sent yet.", "We’ll keep trying.")
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("inviting takes %v", took)
			}
			harness.Eventually(t, "an administrator is told what is wrong", func() bool {
				return strings.Contains(ada.Get("/waiting").Text(), row.reason)
			})
		})
	}
}

// A mail that was refused temporarily is retried. One that was refused permanently waits for
// an administrator, with the reason, and is sent when they retry it.
func TestMailOutage_RefusedInvitation(t *testing.T) {
	t.Parallel()
	mails, c := harness.NewMailServer(t), harness.NewClock(harness.Noon)
	s := harness.Start(t, testdb.SQLite(t), c, "--guestlist-local-stytch-limits=off",
		"--smtp-url=smtp://"+mails.Addr, "--guestlist-mail-from=login@example.com", "--guestlist-admins=ada@example.com")
	ada := s.NewPerson("ada@example.com")
	harness.WantPage(t, ada.PressContinue(ada.OpenNextLink()), 200, "My apps", "People")
	<-mails.Links

	mails.Refusal.Store(&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<grace@example.com> is unknown"})
	invited := ada.Submit(ada.Get("/users/new"), "Send invitation", "Email address", "grace@example.com")
	harness.WantPage(t, invited, 200, "People", "grace@example.com was added, but the email hasn’t been sent yet. The mail server rejected the address.")
	entry := harness.FollowLink(t, ada, invited, "grace@example.com")
	harness.WantPage(t, entry, 200, "grace@example.com", "Not sent. The mail server rejected the address.")
	if strings.Contains(entry.Body, "keep trying") {
		t.Error("a refused address is said to be tried again")
	}
	harness.WantRow(t, ada.Get("/users?status=refused"), "grace@example.com", "grace@example.com", "Member", "Email refused")
	if harness.HasRow(ada.Get("/users?status=refused"), "ada@example.com", "ada@example.com", "Administrator", "Active") {
		t.Error("the filter lets a user through whose invitation was not refused")
	}
	out, err := s.Command("users", "list", "--status", "refused")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 2 || !strings.Contains(lines[1], "grace@example.com") || !strings.Contains(lines[1], "email refused") {
		t.Errorf("the command line lists\n%s", out)
	}
	c.Advance(time.Hour)
	harness.WantPage(t, ada.Get("/waiting"), 200, "Pending updates", "grace@example.com", "Refused", "tried 1 time")

	mails.Refusal.Store(&smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "greylisted"})
	harness.WantPage(t, ada.Submit(ada.Get("/waiting"), "Try again"), 200, "Pending updates", "The mail server asks to try again later (450 4.2.0).")
	if v := harness.NewVisitor(s).Get("/readyz"); !strings.Contains(v.Body, `"stytch":"ok"`) { // the mail server's failure is not Stytch's
		t.Errorf("%d %s", v.Status, v.Body)
	}
	mails.Refusal.Store(nil)
	c.Advance(time.Minute)
	select {
	case <-mails.Links:
	case <-time.After(20 * time.Second):
		t.Fatal("no mail after the server takes them again")
	}
	harness.Eventually(t, "the invitation counts as sent", func() bool {
		return harness.HasRow(ada.Get("/users"), "grace@example.com", "grace@example.com", "Member", "Invited")
	})
	grace := s.NewPerson("grace@example.com").Mailbox()
	if text := grace[len(grace)-1].Text; !strings.Contains(text, "ada@example.com has invited you to Guestlist.") {
		t.Errorf("the mail does not say who invites:\n%s", text)
	}
	if log := s.Log.String(); strings.Contains(log, "is unknown") || !strings.Contains(log, "smtp: recipient: answered 550 5.1.1") {
		t.Errorf("the log has other words than the code:\n%s", log)
	}
}
