package reconcile_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/testdb"
)

// webhook returns the body of a webhook as Stytch sends it, including unused fields.
// addresses are the account's addresses at that time.
func (f *fixture) webhook(action, accountID string, addresses ...string) []byte {
	f.t.Helper()
	event := map[string]any{
		"project_id": f.local.Credentials().ProjectID, "event_id": "event-1", "event_type": "dashboard.user." + strings.ToLower(action),
		"action": action, "object_type": "user", "source": "DASHBOARD", "id": accountID, "timestamp": f.clock.now(),
	}
	if action != "DELETE" {
		emails := []map[string]any{}
		for _, a := range addresses {
			emails = append(emails, map[string]any{"email": a, "email_id": "email-1", "verified": true})
		}
		event["user"] = map[string]any{"user_id": accountID, "emails": emails, "status": "active"}
	}
	return must(json.Marshal(event))(f.t)
}

// receive processes a webhook with the given id.
func (f *fixture) receive(id string, body []byte) {
	f.t.Helper()
	if err := f.HandleWebhook(f.t.Context(), event.Origin{}, id, body); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) wantEvents(want ...string) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.events()); diff != "" {
		f.t.Errorf("events: -want +got\n%s", diff)
	}
}

func TestHandleWebhook_AccountDeleted(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		ada, token := f.signIn("ada@example.com")
		_, bob := f.signIn("bob@example.com")
		f.deleteAccount(ada)
		body := f.webhook("DELETE", ada.StytchUserID)
		f.receive("msg_1", body)
		if f.isSignedIn(token) || f.reload(ada).StytchUserID != "" || !f.isSignedIn(bob) {
			t.Errorf("ada is still signed in, or bob isn't: %+v", f.reload(ada))
		}
		for _, id := range []string{"msg_1", "msg_2"} { // the same webhook, and another one for the same event
			f.receive(id, body)
		}
		f.wantEvents("ada@example.com: account gone at Stytch")
	})
}

func TestHandleWebhook_AddressChanged(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		ada, token := f.signIn("Ada.K@Example.com")
		f.receive("msg_1", f.webhook("UPDATE", ada.StytchUserID, "other@example.com", "ada.k@example.com"))
		// A late webhook with an outdated address: the current one counts.
		f.receive("msg_2", f.webhook("UPDATE", ada.StytchUserID, "other@example.com"))
		if f.reload(ada) != ada || !f.isSignedIn(token) {
			t.Errorf("ada was changed: %+v", f.reload(ada))
		}
		f.wantEvents()

		f.deleteAddresses(ada)
		f.receive("msg_3", f.webhook("UPDATE", ada.StytchUserID))
		f.drainOutbox(ada.Email.Normalized)
		if f.reload(ada).StytchUserID != "" || f.isSignedIn(token) || f.isValidAtStytch(token) {
			t.Errorf("the account is still linked: %+v", f.reload(ada))
		}
		f.wantEvents("ada.k@example.com: account at Stytch has another address")
	})
}

func TestHandleWebhook_SharedAccountDeleted(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		ada, _ := f.signIn("ada@example.com")
		bob, token := f.signIn("bob@example.com")
		must(f.db.ChangeUser(t.Context(), bob.ID, func(s directory.RuleState) (directory.Change, error) {
			s.User.StytchUserID = ada.StytchUserID // has both addresses
			return directory.Change{User: s.User}, nil
		}))(t)
		f.receive("msg_1", f.webhook("DELETE", ada.StytchUserID))
		if f.reload(ada).StytchUserID != "" || f.reload(bob).StytchUserID != "" || f.isSignedIn(token) {
			t.Errorf("an account is still linked: %+v, %+v", f.reload(ada), f.reload(bob))
		}
	})
}

func TestHandleWebhook_UserEditedConcurrently(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		ada, token := f.signIn("ada@example.com")
		f.deleteAddresses(ada)
		name := "Ada King"
		f.network.before = func(r *http.Request) error {
			if r.URL.Path == "/v1/sessions" {
				f.clock.advance(time.Second)
				must(f.directory.Edit(t.Context(), directory.Actor{}, ada.ID, directory.Edit{Name: &name}))(t)
			}
			return nil
		}
		body := f.webhook("UPDATE", ada.StytchUserID)
		if err := f.HandleWebhook(t.Context(), event.Origin{}, "msg_1", body); !errors.Is(err, directory.ErrUnavailable) || !f.isSignedIn(token) {
			t.Errorf("got %v", err)
		}
		f.network.before = nil
		f.receive("msg_1", body)
		if u := f.reload(ada); u.StytchUserID != "" || u.Name != name || f.isSignedIn(token) {
			t.Errorf("the second time: %+v", u)
		}
	})
}

func TestHandleWebhook_UnlistedAccount(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		auth := f.signInElsewhere("stranger@example.com")
		update := f.webhook("UPDATE", auth.StytchUserID, "stranger@example.com")
		f.receive("msg_1", update) // only new accounts are recorded
		f.wantEvents()
		for range 2 { // a webhook is processed once
			f.receive("msg_2", f.webhook("CREATE", auth.StytchUserID, "stranger@example.com"))
		}
		f.wantEvents("stranger@example.com: at Stytch, not on the list")
		if !f.isValidAtStytch(auth.SessionToken) {
			t.Error("the session has ended")
		}

		f.reconfigure(func(o *reconcile.Options) { o.EndUnlistedSessions = true })
		f.receive("msg_3", update)
		f.drainOutbox("stranger@example.com")
		if f.isValidAtStytch(auth.SessionToken) {
			t.Error("the session is still active")
		}
		f.receive("msg_4", update) // there are no sessions left
		f.wantEvents("stranger@example.com: at Stytch, not on the list", "stranger@example.com: at Stytch, not on the list")
	})
}

func TestHandleWebhook_OwnCallsAreIgnored(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *reconcile.Options) { o.EndUnlistedSessions = true })
		ada, token := f.signIn("ada@example.com")
		f.receive("msg_1", f.webhook("CREATE", ada.StytchUserID, "ada@example.com"))
		f.receive("msg_2", f.webhook("UPDATE", ada.StytchUserID, "ada@example.com"))
		// The webhook of an invitation arrives before the invitation is recorded as sent.
		bob := must(f.directory.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "bob@example.com"}))(t)
		id := must(f.client.Invite(t.Context(), "bob@example.com", "", ""))(t)
		f.receive("msg_3", f.webhook("CREATE", id, "bob@example.com"))
		if f.reload(ada) != ada || f.reload(bob) != bob || !f.isSignedIn(token) {
			t.Errorf("a user was changed: %+v, %+v", f.reload(ada), f.reload(bob))
		}
		// A removal deletes the user first and the account later.
		must(f.directory.Remove(t.Context(), directory.Actor{}, ada.ID))(t)
		f.receive("msg_4", f.webhook("UPDATE", ada.StytchUserID, "ada@example.com"))
		f.drainOutbox("ada@example.com")
		f.receive("msg_5", f.webhook("DELETE", ada.StytchUserID))
		f.receive("msg_6", f.webhook("UPDATE", ada.StytchUserID, "ada@example.com")) // late
		f.wantEvents()
	})
}

func TestHandleWebhook_RetriedAfterFailure(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *reconcile.Options) { o.EndUnlistedSessions = true })
		auth := f.signInElsewhere("stranger@example.com")
		body := f.webhook("UPDATE", auth.StytchUserID, "stranger@example.com")
		f.network.before = func(*http.Request) error { return errors.New("connection refused") }
		if err := f.HandleWebhook(t.Context(), event.Origin{}, "msg_1", body); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("while Stytch is down: %v", err)
		}
		f.network.before = nil
		f.receive("msg_1", body)
		f.drainOutbox("stranger@example.com")
		if f.isValidAtStytch(auth.SessionToken) {
			t.Error("the session is still active")
		}

		f.clock.advance(24 * time.Hour)
		if n, err := f.db.DeleteWebhooks(t.Context(), f.clock.now()); n != 1 || err != nil {
			t.Errorf("deleted %d webhooks, want 1; %v", n, err)
		}
	})
}

func TestHandleWebhook_OtherObjectsAndInvalidBodies(t *testing.T) {
	t.Parallel()
	f := open(t, testdb.SQLite(t), directory.AdmissionPolicy{})
	ada, token := f.signIn("ada@example.com")
	var other map[string]any
	if err := json.Unmarshal(f.webhook("DELETE", ada.StytchUserID), &other); err != nil {
		t.Fatal(err)
	}
	other["object_type"] = "organization"
	f.receive("msg_1", must(json.Marshal(other))(t))
	f.receive("msg_2", f.webhook("FREEZE", ada.StytchUserID))
	for _, body := range []string{"", "null", "[]", "{}", `{"action":"DELETE","object_type":"user"}`, `{"action":"DELETE","object_type":"user","id":""}`, `{"action":`} {
		if err := f.HandleWebhook(t.Context(), event.Origin{}, "msg_3", []byte(body)); !errors.Is(err, reconcile.ErrInvalidWebhook) {
			t.Errorf("%q: %v", body, err)
		}
	}
	if f.reload(ada) != ada || !f.isSignedIn(token) {
		t.Errorf("ada was changed: %+v", f.reload(ada))
	}
	f.db.Close()
	if err := f.HandleWebhook(t.Context(), event.Origin{}, "msg_4", f.webhook("DELETE", ada.StytchUserID)); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("without a database: %v", err)
	}
}

func TestHandleWebhook_AccountWithoutAddress(t *testing.T) {
	t.Parallel()
	f := open(t, testdb.SQLite(t), directory.AdmissionPolicy{})
	f.reconfigure(func(o *reconcile.Options) { o.EndUnlistedSessions = true })
	created := must(f.api.Users.Create(t.Context(), &users.CreateParams{Email: "bob@example.com"}))(t)
	f.deleteAddresses(directory.User{StytchUserID: created.UserID})
	must(f.directory.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "ada@example.com"}))(t) // without an account
	f.receive("msg_1", f.webhook("CREATE", created.UserID))
	f.wantEvents(created.UserID + ": at Stytch, not on the list")
	f.wantRun(true, "stranger "+created.UserID+", mended")
}
