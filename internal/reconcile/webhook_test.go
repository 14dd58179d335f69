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

// news is a webhook as Stytch writes it, with fields that nobody here reads; the
// addresses are those of the account then.
func (f *fixture) news(action, accountID string, addresses ...string) []byte {
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

func (f *fixture) hears(id string, body []byte) {
	f.t.Helper()
	if err := f.HandleWebhook(f.t.Context(), event.Origin{}, id, body); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) wantTold(want ...string) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.told()); diff != "" {
		f.t.Errorf("told: -want +got\n%s", diff)
	}
}

func TestAWebhookOfAnAccountThatIsGone(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, token := f.signedIn("ada@example.com")
		_, bob := f.signedIn("bob@example.com")
		f.deletes(ada)
		body := f.news("DELETE", ada.StytchUserID)
		f.hears("msg_1", body)
		if f.standsHere(token) || f.now(ada).StytchUserID != "" || !f.standsHere(bob) {
			t.Errorf("ada is still in, or bob is not: %+v", f.now(ada))
		}
		for _, id := range []string{"msg_1", "msg_2"} { // sent again, and told once more
			f.hears(id, body)
		}
		f.wantTold("ada@example.com: account gone at Stytch")
	})
}

func TestAWebhookOfAnAccountThatHasAnotherAddress(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, token := f.signedIn("Ada.K@Example.com")
		f.hears("msg_1", f.news("UPDATE", ada.StytchUserID, "other@example.com", "ada.k@example.com"))
		// Late, of a time when the address was another: what is so now counts.
		f.hears("msg_2", f.news("UPDATE", ada.StytchUserID, "other@example.com"))
		if f.now(ada) != ada || !f.standsHere(token) {
			t.Errorf("ada was mended: %+v", f.now(ada))
		}
		f.wantTold()

		f.unnames(ada)
		f.hears("msg_3", f.news("UPDATE", ada.StytchUserID))
		f.drained(ada.Email.Normalized)
		if f.now(ada).StytchUserID != "" || f.standsHere(token) || f.standsAtStytch(token) {
			t.Errorf("the account is still hers: %+v", f.now(ada))
		}
		f.wantTold("ada.k@example.com: account at Stytch has another address")
	})
}

func TestAnAccountOfTwoPeopleThatIsGone(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, _ := f.signedIn("ada@example.com")
		bob, token := f.signedIn("bob@example.com")
		must(f.db.ChangeUser(t.Context(), bob.ID, func(s directory.RuleState) (directory.Change, error) {
			s.User.StytchUserID = ada.StytchUserID // has both addresses
			return directory.Change{User: s.User}, nil
		}))(t)
		f.hears("msg_1", f.news("DELETE", ada.StytchUserID))
		if f.now(ada).StytchUserID != "" || f.now(bob).StytchUserID != "" || f.standsHere(token) {
			t.Errorf("one was forgotten: %+v, %+v", f.now(ada), f.now(bob))
		}
	})
}

func TestAWebhookOfSomebodyWhoIsJustBeingEditedIsToBeSentAgain(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, token := f.signedIn("ada@example.com")
		f.unnames(ada)
		name := "Ada King"
		f.network.before = func(r *http.Request) error {
			if r.URL.Path == "/v1/sessions" {
				f.clock.advance(time.Second)
				must(f.people.Edit(t.Context(), directory.Actor{}, ada.ID, directory.Edit{Name: &name}))(t)
			}
			return nil
		}
		body := f.news("UPDATE", ada.StytchUserID)
		if err := f.HandleWebhook(t.Context(), event.Origin{}, "msg_1", body); !errors.Is(err, directory.ErrUnavailable) || !f.standsHere(token) {
			t.Errorf("got %v", err)
		}
		f.network.before = nil
		f.hears("msg_1", body)
		if u := f.now(ada); u.StytchUserID != "" || u.Name != name || f.standsHere(token) {
			t.Errorf("the second time: %+v", u)
		}
	})
}

func TestAWebhookOfAStranger(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		proof := f.stranger("stranger@example.com")
		update := f.news("UPDATE", proof.StytchUserID, "stranger@example.com")
		f.hears("msg_1", update) // is only told of, and only when new
		f.wantTold()
		for range 2 { // sent again, it is heard once
			f.hears("msg_2", f.news("CREATE", proof.StytchUserID, "stranger@example.com"))
		}
		f.wantTold("stranger@example.com: at Stytch, not on the list")
		if !f.standsAtStytch(proof.SessionToken) {
			t.Error("the session has ended")
		}

		f.reconfigure(func(o *reconcile.Options) { o.EndStrangers = true })
		f.hears("msg_3", update)
		f.drained("stranger@example.com")
		if f.standsAtStytch(proof.SessionToken) {
			t.Error("the session lives on")
		}
		f.hears("msg_4", update) // now there is nothing to end
		f.wantTold("stranger@example.com: at Stytch, not on the list", "stranger@example.com: at Stytch, not on the list")
	})
}

func TestWhatOurOwnCallsDidIsNoNews(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *reconcile.Options) { o.EndStrangers = true })
		ada, token := f.signedIn("ada@example.com")
		f.hears("msg_1", f.news("CREATE", ada.StytchUserID, "ada@example.com"))
		f.hears("msg_2", f.news("UPDATE", ada.StytchUserID, "ada@example.com"))
		// An invitation is heard of before its outcome is written down.
		bob := must(f.people.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "bob@example.com"}))(t)
		id := must(f.client.Invite(t.Context(), "bob@example.com", "", ""))(t)
		f.hears("msg_3", f.news("CREATE", id, "bob@example.com"))
		if f.now(ada) != ada || f.now(bob) != bob || !f.standsHere(token) {
			t.Errorf("somebody was mended: %+v, %+v", f.now(ada), f.now(bob))
		}
		// A removal, too: first the row goes, then the account.
		must(f.people.Remove(t.Context(), directory.Actor{}, ada.ID))(t)
		f.hears("msg_4", f.news("UPDATE", ada.StytchUserID, "ada@example.com"))
		f.drained("ada@example.com")
		f.hears("msg_5", f.news("DELETE", ada.StytchUserID))
		f.hears("msg_6", f.news("UPDATE", ada.StytchUserID, "ada@example.com")) // late
		f.wantTold()
	})
}

func TestAWebhookThatHadNoEffectHasItWhenItComesAgain(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *reconcile.Options) { o.EndStrangers = true })
		proof := f.stranger("stranger@example.com")
		body := f.news("UPDATE", proof.StytchUserID, "stranger@example.com")
		f.network.before = func(*http.Request) error { return errors.New("connection refused") }
		if err := f.HandleWebhook(t.Context(), event.Origin{}, "msg_1", body); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("while Stytch is down: %v", err)
		}
		f.network.before = nil
		f.hears("msg_1", body)
		f.drained("stranger@example.com")
		if f.standsAtStytch(proof.SessionToken) {
			t.Error("the session lives on")
		}

		f.clock.advance(24 * time.Hour)
		if n, err := f.db.DeleteWebhooks(t.Context(), f.clock.now()); n != 1 || err != nil {
			t.Errorf("%d webhooks were remembered; %v", n, err)
		}
	})
}

func TestWebhooksOfOtherThingsAndNonsense(t *testing.T) {
	t.Parallel()
	f := open(t, testdb.SQLite(t), directory.AdmissionPolicy{})
	ada, token := f.signedIn("ada@example.com")
	var other map[string]any
	if err := json.Unmarshal(f.news("DELETE", ada.StytchUserID), &other); err != nil {
		t.Fatal(err)
	}
	other["object_type"] = "organization"
	f.hears("msg_1", must(json.Marshal(other))(t))
	f.hears("msg_2", f.news("FREEZE", ada.StytchUserID))
	for _, body := range []string{"", "null", "[]", "{}", `{"action":"DELETE","object_type":"user"}`, `{"action":"DELETE","object_type":"user","id":""}`, `{"action":`} {
		if err := f.HandleWebhook(t.Context(), event.Origin{}, "msg_3", []byte(body)); !errors.Is(err, reconcile.ErrInvalidWebhook) {
			t.Errorf("%q: %v", body, err)
		}
	}
	if f.now(ada) != ada || !f.standsHere(token) {
		t.Errorf("ada was mended: %+v", f.now(ada))
	}
	f.db.Close()
	if err := f.HandleWebhook(t.Context(), event.Origin{}, "msg_4", f.news("DELETE", ada.StytchUserID)); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("without a database: %v", err)
	}
}

// An account that was never anybody's here may have no address at all.
func TestAnAccountWithoutAnAddress(t *testing.T) {
	t.Parallel()
	f := open(t, testdb.SQLite(t), directory.AdmissionPolicy{})
	f.reconfigure(func(o *reconcile.Options) { o.EndStrangers = true })
	made := must(f.api.Users.Create(t.Context(), &users.CreateParams{Email: "bob@example.com"}))(t)
	f.unnames(directory.User{StytchUserID: made.UserID})
	must(f.people.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "ada@example.com"}))(t) // who has no account
	f.hears("msg_1", f.news("CREATE", made.UserID))
	f.wantTold(made.UserID + ": at Stytch, not on the list")
	f.wantPass(true, "stranger "+made.UserID+", mended")
}
