package resilience

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestStytchOutage_StartAndRecovery(t *testing.T) {
	t.Parallel()
	c := harness.NewClock(harness.Noon)
	stytch, databaseURL := harness.NewRemoteStytch(t, c), testdb.SQLite(t)
	first := harness.Start(t, databaseURL, c, stytch.Flags()...)
	ada := stytch.NewPerson(first, "ada@example.com")
	ada.PressContinue(ada.OpenNextLink()) // the invitation for GUESTLIST_ADMINS
	first.Close()
	stytch.Down()

	s := harness.Start(t, databaseURL, c, stytch.Flags()...)
	ada = ada.At(s)
	harness.WantPage(t, harness.NewVisitor(s).Get("/"), 200, "Sign in")
	if v := harness.NewVisitor(s).Get("/readyz"); v.Status != http.StatusOK || v.Body != `{"status":"ready","database":"ok","stytch":"out of reach"}`+"\n" {
		t.Errorf("%d %s", v.Status, v.Body)
	}
	known, unknown := ada.InNewBrowser(), stytch.NewPerson(s, "nobody@example.com")
	if diff := cmp.Diff(harness.PageContent(unknown.RequestLink()), harness.PageContent(known.RequestLink())); diff != "" {
		t.Errorf("the answers differ (-unknown +known):\n%s", diff)
	}
	refused := known.RequestLink()
	harness.WantPage(t, refused, 503, "Sign-in is unavailable right now")
	if refused.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}

	invited := ada.Submit(ada.Get("/users/new"), "Send invitation", "Email address", "grace@example.com")
	harness.WantPage(t, invited, 200, "People", "grace@example.com was added, but the email hasn’t been sent yet.", "We’ll keep trying.")
	harness.WantRow(t, invited, "grace@example.com", "grace@example.com", "Member", "Not sent yet")
	if !strings.Contains(invited.Body, `class="notice bad"`) {
		t.Error("what has not left yet is told like a success")
	}
	entry := harness.FollowLink(t, ada, invited, "grace@example.com")
	harness.WantPage(t, entry, 200, "grace@example.com", "Not sent yet. The login service could not be reached.")
	harness.WantPage(t, ada.Submit(entry, "Try again now"), 200, "grace@example.com", "the email hasn’t been sent yet")
	if v := ada.CallAPI("POST", "/api/invite_user", `{"email":"grace@example.com"}`); v.Status != http.StatusAccepted {
		t.Errorf("by the API: %d %s", v.Status, v.Body)
	}

	stytch.Up()
	c.Advance(time.Minute)
	harness.Eventually(t, "the call that goes ahead after the pause", func() bool { // the mail arrives a moment before the response
		return harness.HasRow(ada.Get("/users"), "grace@example.com", "grace@example.com", "Member", "Invited")
	})
	grace := stytch.NewPerson(s, "grace@example.com")
	harness.WantPage(t, grace.PressContinue(grace.OpenNextLink()), 200, "My apps", "grace@example.com")
	harness.WantRow(t, ada.Get("/users"), "grace@example.com", "grace@example.com", "Member", "Active")
	harness.WantPage(t, known.RequestLink(), 200, "Check your email")
	if n := len(grace.Mailbox()); n != 1 {
		t.Errorf("grace was mailed %d times", n)
	}
}

func TestStytchOutage_RequestsEndInTime(t *testing.T) {
	t.Parallel()
	c := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, c)
	s := harness.Start(t, testdb.SQLite(t), c, stytch.Flags()...)
	ada, grace := stytch.NewPerson(s, "ada@example.com"), stytch.NewPerson(s, "grace@example.com")
	ada.PressContinue(ada.OpenNextLink())
	ada.Invite(grace.Email)
	link := grace.NextLink()
	press := grace.ContinueRequest(link)
	ask := grace.NewRequest("POST", s.URL+"/signin", strings.NewReader("email=grace@example.com"))
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	invite := ada.NewRequest("POST", s.URL+"/users", strings.NewReader("email=joan@example.com"))
	invite.Header.Set("Content-Type", "application/x-www-form-urlencoded")

	stytch.SetFault(harness.NeverAnswer)
	c.Advance(6 * time.Minute) // so that sessions are checked again
	requests := []struct {
		name string
		who  *harness.Person
		r    *http.Request
		want harness.Outcome
	}{
		{"asking for a link", grace.InNewBrowser(), ask, harness.Outcome{Status: 503}},
		{"following one", grace, press, harness.Outcome{Status: 503}},
		{"inviting", ada, invite, harness.Outcome{Status: 303, Location: "/users"}},
		{"looking", ada, ada.NewRequest("GET", s.URL+"/users", nil), harness.Outcome{Status: 200}},
		{"signing out", ada.InNewBrowser(), ada.NewRequest("POST", s.URL+"/signout", nil), harness.Outcome{Status: 303, Location: "/?signed-out"}},
	}
	harness.Concurrently(len(requests), func(i int) {
		begin := time.Now()
		if got := requests[i].who.TryOutcome(requests[i].r); got != requests[i].want {
			t.Errorf("%s: got %v, want %v", requests[i].name, got, requests[i].want)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s: took %v", requests[i].name, took)
		}
	})

	// The link is still valid.
	stytch.SetFault(nil)
	c.Advance(10 * time.Second)
	harness.WantPage(t, grace.PressContinue(grace.OpenLink(link)), 200, "My apps", "grace@example.com")
}

func TestStytchOutage_RecentlyCheckedSessionsContinue(t *testing.T) {
	t.Parallel()
	c := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, c)
	s := harness.Start(t, testdb.SQLite(t), c, stytch.Flags()...)
	ada := stytch.NewPerson(s, "ada@example.com")
	ada.PressContinue(ada.OpenNextLink())

	stytch.Down()
	c.Advance(59*time.Minute + 59*time.Second)
	harness.WantPage(t, ada.Get("/users"), 200, "People")
	if !strings.Contains(s.Log.String(), "session not verified; it stays valid for now") {
		t.Error("the log has no word of it")
	}
	c.Advance(time.Second)
	for _, path := range []string{"/users", "/api/users"} {
		v := ada.CallAPI("GET", path, "")
		if v.Status != http.StatusServiceUnavailable || v.Header.Get("Retry-After") == "" || v.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s after an hour: %d %v", path, v.Status, v.Header)
		}
	}
	if _, held := ada.SessionCookie(); !held {
		t.Fatal("the cookie was thrown away")
	}

	stytch.Up()
	c.Advance(10 * time.Second)
	harness.WantPage(t, ada.Get("/users"), 200, "People")
}

func TestStytchOutage_RemovedPersonStaysOut(t *testing.T) {
	t.Parallel()
	c := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, c)
	s := harness.Start(t, testdb.SQLite(t), c, stytch.Flags()...)
	ada, grace := stytch.NewPerson(s, "ada@example.com"), stytch.NewPerson(s, "grace@example.com")
	ada.PressContinue(ada.OpenNextLink())
	ada.Invite(grace.Email)
	grace.PressContinue(grace.OpenNextLink())
	phone := grace.InNewBrowser()
	phone.RequestLink()
	landing := phone.OpenNextLink()

	stytch.SetFault(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method == "DELETE" {
			http.Error(w, "{}", http.StatusInternalServerError)
			return
		}
		pass.ServeHTTP(w, r)
	})
	if v := ada.CallAPI("DELETE", "/api/users/"+harness.CurrentSession(grace).User.ID, ""); v.Status != http.StatusOK {
		t.Fatalf("not removed: %d %s", v.Status, v.Body)
	}
	harness.WantPage(t, grace.Get("/profile"), 200, "Sign in")
	harness.WantPage(t, phone.PressContinue(landing), 403, "You’re not on the list", "Ask an administrator to invite you.")
	harness.WantPage(t, phone.Get("/profile"), 200, "Sign in")

	// When Stytch is reachable again, her account is deleted there. No call may be in
	// progress while the clock moves, because it would be retried later.
	harness.Eventually(t, "the call failed", func() bool {
		return s.Count("SELECT COUNT(*) FROM outbox WHERE last_error <> '' AND leased_until = 0") > 0
	})
	stytch.SetFault(nil)
	c.Advance(time.Hour)
	ada.CallAPI("PATCH", "/api/users/"+harness.CurrentSession(ada).User.ID, `{"name":"Ada"}`) // wakes the outbox at once
	harness.Eventually(t, "grace forgotten at Stytch", func() bool {
		return stytch.Site.Count("SELECT COUNT(*) FROM stytch_emails WHERE email = ?", grace.Email) == 0 &&
			s.Count("SELECT COUNT(*) FROM outbox") == 0
	})
	if n := stytch.Site.Count("SELECT COUNT(*) FROM stytch_sessions"); n != 1 {
		t.Errorf("%d sessions live on at Stytch, want ada's alone", n)
	}
}
