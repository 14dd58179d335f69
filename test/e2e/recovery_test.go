package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// wantRecorded checks that an event about a person is among the newest, and that they got an
// email about it.
func wantRecorded(t *testing.T, p *harness.Person, kind event.Kind, actor, reason, subject string) {
	t.Helper()
	events, _, err := p.Site.App.Store.ListEvents(t.Context(), event.Query{Person: p.Site.UserID(t, p.Email), Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, e := range events {
		found = found || e.Kind == kind && strings.HasSuffix(e.Actor, actor) && e.Reason == reason
	}
	if !found {
		t.Errorf("no %s by %s, %q, in %+v", kind, actor, reason, events)
	}
	harness.Eventually(t, "an email: "+subject, func() bool {
		mails := p.Notices()
		return len(mails) > 0 && mails[len(mails)-1].Subject == subject
	})
}

// A person with a lost phone gets in again in each way.
func TestRecovery_OfALostPhone(t *testing.T) {
	t.Parallel()
	f := newSecondFactors(t, testdb.SQLite(t))
	s := f.requiring(factor.Everyone)
	const email, host = "ada@example.com", "on the command line"

	lost := f.ada.InNewBrowser().At(s)
	harness.WantPage(t, lost.Submit(lost.SignIn(), "Use recovery code", "Recovery code", f.phone.RecoveryCodes[0]), http.StatusOK, "My apps")
	wantRecorded(t, f.ada, event.Confirmed, email, "by recovery code", "A recovery code was used at Guestlist")
	if out, err := s.Command("why", email); err != nil || !strings.Contains(out, "They used a recovery code on") || !strings.Contains(out, "an authenticator app with 9 recovery codes") {
		t.Errorf("why: %v\n%s", err, out)
	}

	out, err := s.Command("users", "link", email)
	if err != nil {
		t.Fatal(err)
	}
	link := strings.TrimSpace(out[strings.LastIndex(strings.TrimSpace(out), "\n"):])
	_, token, _ := strings.Cut(link, "token=")
	f.Log.AddSecret(token)
	wantRecorded(t, f.ada, event.HostLinkMade, host, "", "A sign-in link was made for you at Guestlist")
	lost = f.ada.InNewBrowser().At(s)
	harness.WantPage(t, lost.PressContinue(lost.Get(link)), http.StatusOK, "My apps")
	thief := lost.InNewBrowser()
	harness.WantPage(t, thief.PressContinue(thief.Get(link)), http.StatusGone, "This link no longer works")
	if page := f.ada.InNewBrowser().At(s).SignIn(); page.Heading() != "One more step" {
		t.Errorf("a link by email is enough afterwards: %s", page.Text())
	}
	trail := lost.Site.Count("SELECT COUNT(*) FROM events WHERE kind = 'signed_in' AND reason = 'by link from the server'")
	if trail != 1 {
		t.Errorf("%d sign-ins by a link from the server are recorded", trail)
	}

	path := "/users/" + f.UserID(t, email)
	harness.WantPage(t, f.boss.Get(path), http.StatusOK, email, "Remove all…")
	harness.WantPage(t, f.boss.Submit(f.boss.Get(path+"/factors/remove"), "Remove all"), http.StatusOK, email, "Removed an authenticator app of")
	wantRecorded(t, f.ada, event.FactorsReset, "boss@example.com", "an authenticator app", "Your sign-in methods were removed at Guestlist")
	ada := f.ada.InNewBrowser()
	harness.WantPage(t, ada.SignIn(), http.StatusOK, "My apps")

	ada.AddAuthenticator()
	wantRecorded(t, f.ada, event.FactorAdded, email, "authenticator app", "An authenticator app was set up at Guestlist")
	if out, err := f.Command("users", "reset-factors", email); err != nil || out != "Removed an authenticator app of ada@example.com.\n" {
		t.Errorf("%v: %s", err, out)
	}
	wantRecorded(t, f.ada, event.FactorsReset, host, "an authenticator app", "Your sign-in methods were removed at Guestlist")
	harness.WantPage(t, f.ada.InNewBrowser().SignIn(), http.StatusOK, "My apps")
	if page := f.ada.InNewBrowser().At(s).SignIn(); page.Path == "/apps" {
		t.Errorf("where everyone needs a second factor, it isn't set up first: %s", page.Text())
	}
}
