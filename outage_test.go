package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestTheProgramStartsWhileStytchIsOutOfReachAndRecoversByItself(t *testing.T) {
	t.Parallel()
	c := newClock(noon)
	stytch, databaseURL := newRemote(t, c), testdb.SQLite(t)
	first := start(t, databaseURL, c, stytch.flags()...)
	ada := stytch.person(first, "ada@example.com")
	ada.continues(ada.opensMail()) // the invitation of GUESTLIST_ADMINS
	first.close()
	stytch.down()

	s := start(t, databaseURL, c, stytch.flags()...)
	ada = ada.at(s)
	wants(t, newcomer(s).get("/"), 200, "Sign in")
	if v := newcomer(s).get("/readyz"); v.status != http.StatusOK || v.body != `{"status":"ready","database":"ok","stytch":"out of reach"}`+"\n" {
		t.Errorf("%d %s", v.status, v.body)
	}
	known, unknown := ada.elsewhere(), stytch.person(s, "nobody@example.com")
	if diff := cmp.Diff(essence(unknown.asks()), essence(known.asks())); diff != "" {
		t.Errorf("the answers differ (-unknown +known):\n%s", diff)
	}
	refused := known.asks()
	wants(t, refused, 503, "Sign-in is unavailable right now")
	if refused.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}

	invited := ada.submits(ada.get("/users/new"), "Send invitation", "Email address", "grace@example.com")
	wants(t, invited, 200, "People", "grace@example.com is on the list, but the mail has not left yet.", "It will be tried again by itself.")
	wantsRow(t, invited, "grace@example.com", "grace@example.com", "Member", "Not sent yet")
	if !strings.Contains(invited.body, `class="notice bad"`) {
		t.Error("what has not left yet is told like a success")
	}
	entry := follows(t, ada, invited, "grace@example.com")
	wants(t, entry, 200, "grace@example.com", "Not sent yet. Stytch could not be reached.")
	wants(t, ada.submits(entry, "Try again now"), 200, "grace@example.com", "the mail has not left yet")
	if v := ada.calls("POST", "/api/invite_user", `{"email":"grace@example.com"}`); v.status != http.StatusAccepted {
		t.Errorf("by the API: %d %s", v.status, v.body)
	}

	stytch.up()
	c.advance(time.Minute)
	eventually(t, "the call that goes ahead after the pause", func() bool { // the mail is there a moment before its answer
		return hasRow(ada.get("/users"), "grace@example.com", "grace@example.com", "Member", "Invited")
	})
	grace := stytch.person(s, "grace@example.com")
	wants(t, grace.continues(grace.opensMail()), 200, "grace@example.com")
	wantsRow(t, ada.get("/users"), "grace@example.com", "grace@example.com", "Member", "Active")
	wants(t, known.asks(), 200, "Check your email")
	if n := len(grace.mailbox()); n != 1 {
		t.Errorf("grace was mailed %d times", n)
	}
}

func TestEveryRequestEndsInItsDeadlineWhileStytchHangs(t *testing.T) {
	t.Parallel()
	c := newClock(noon)
	stytch := newRemote(t, c)
	s := start(t, testdb.SQLite(t), c, stytch.flags()...)
	ada, grace := stytch.person(s, "ada@example.com"), stytch.person(s, "grace@example.com")
	ada.continues(ada.opensMail())
	ada.invites(grace.email)
	link := grace.newMail()
	press := grace.press(link)
	ask := grace.request("POST", s.url+"/signin", strings.NewReader("email=grace@example.com"))
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	invite := ada.request("POST", s.url+"/users", strings.NewReader("email=joan@example.com"))
	invite.Header.Set("Content-Type", "application/x-www-form-urlencoded")

	stytch.fails(hang)
	c.advance(6 * time.Minute) // so that sessions are checked again
	requests := []struct {
		name string
		who  *person
		r    *http.Request
		want outcome
	}{
		{"asking for a link", grace.elsewhere(), ask, outcome{status: 503}},
		{"following one", grace, press, outcome{status: 503}},
		{"inviting", ada, invite, outcome{status: 303, location: "/users"}},
		{"looking", ada, ada.request("GET", s.url+"/users", nil), outcome{status: 200}},
		{"signing out", ada.elsewhere(), ada.request("POST", s.url+"/signout", nil), outcome{status: 303, location: "/?signed-out"}},
	}
	atOnce(len(requests), func(i int) {
		begin := time.Now()
		if got := requests[i].who.tries(requests[i].r); got != requests[i].want {
			t.Errorf("%s: got %v, want %v", requests[i].name, got, requests[i].want)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s: took %v", requests[i].name, took)
		}
	})

	// Nothing was lost: the link is as good as new.
	stytch.fails(nil)
	c.advance(10 * time.Second)
	wants(t, grace.continues(grace.opens(link)), 200, "grace@example.com")
}

func TestASessionCheckedLessThanAnHourAgoGoesOnWhileStytchIsOutOfReach(t *testing.T) {
	t.Parallel()
	c := newClock(noon)
	stytch := newRemote(t, c)
	s := start(t, testdb.SQLite(t), c, stytch.flags()...)
	ada := stytch.person(s, "ada@example.com")
	ada.continues(ada.opensMail())

	stytch.down()
	c.advance(59*time.Minute + 59*time.Second)
	wants(t, ada.get("/users"), 200, "People")
	if !strings.Contains(s.log.String(), "session: goes on without a check") {
		t.Error("the log has no word of it")
	}
	c.advance(time.Second)
	for _, path := range []string{"/users", "/api/users"} {
		v := ada.calls("GET", path, "")
		if v.status != http.StatusServiceUnavailable || v.header.Get("Retry-After") == "" || v.header.Get("Set-Cookie") != "" {
			t.Errorf("%s after an hour: %d %v", path, v.status, v.header)
		}
	}
	if _, held := ada.cookie(); !held {
		t.Fatal("the cookie was thrown away")
	}

	stytch.up()
	c.advance(10 * time.Second)
	wants(t, ada.get("/users"), 200, "People")
}

func TestSomebodyRemovedWhileStytchCannotBeToldStaysOutside(t *testing.T) {
	t.Parallel()
	c := newClock(noon)
	stytch := newRemote(t, c)
	s := start(t, testdb.SQLite(t), c, stytch.flags()...)
	ada, grace := stytch.person(s, "ada@example.com"), stytch.person(s, "grace@example.com")
	ada.continues(ada.opensMail())
	ada.invites(grace.email)
	grace.continues(grace.opensMail())
	phone := grace.elsewhere()
	phone.asks()
	landing := phone.opensMail()

	stytch.fails(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method == "DELETE" {
			http.Error(w, "{}", http.StatusInternalServerError)
			return
		}
		pass.ServeHTTP(w, r)
	})
	if v := ada.calls("DELETE", "/api/users/"+whoHolds(grace).User.ID, ""); v.status != http.StatusOK {
		t.Fatalf("not removed: %d %s", v.status, v.body)
	}
	wants(t, grace.get("/profile"), 200, "Sign in")
	wants(t, phone.continues(landing), 403, "You are not on the list", "Ask an administrator to invite you.")
	wants(t, phone.get("/profile"), 200, "Sign in")

	// When Stytch can be told again, nothing of her is left there. A call under way
	// while the hour passes would come back later than that, so none is.
	eventually(t, "the call failed", func() bool {
		return s.count("SELECT COUNT(*) FROM outbox WHERE last_error <> '' AND leased_until = 0") > 0
	})
	stytch.fails(nil)
	c.advance(time.Hour)
	ada.calls("PATCH", "/api/users/"+whoHolds(ada).User.ID, `{"name":"Ada"}`) // wakes the outbox sooner than it would by itself
	eventually(t, "grace forgotten at Stytch", func() bool {
		return stytch.site.count("SELECT COUNT(*) FROM stytch_emails WHERE email = ?", grace.email) == 0 &&
			s.count("SELECT COUNT(*) FROM outbox") == 0
	})
	if n := stytch.site.count("SELECT COUNT(*) FROM stytch_sessions"); n != 1 {
		t.Errorf("%d sessions live on at Stytch, want ada's alone", n)
	}
}

// essence is what somebody could tell an answer by: all of it but the request's
// id, the time, and what a cookie holds.
func essence(v view) map[string]any {
	header := v.header.Clone()
	header.Del("X-Request-Id")
	header.Del("Date")
	for i, c := range header["Set-Cookie"] {
		name, rest, _ := strings.Cut(c, "=")
		value, attributes, _ := strings.Cut(rest, ";")
		before, expires, _ := strings.Cut(attributes, "Expires=") // the wall clock's, as Date
		header["Set-Cookie"][i] = name + "=" + strings.Repeat("x", len(value)) + ";" + before + expires[len(http.TimeFormat):]
	}
	return map[string]any{"status": v.status, "header": header, "body": v.body}
}
