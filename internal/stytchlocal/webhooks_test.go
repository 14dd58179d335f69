package stytchlocal_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/stytchlocal"
)

// webhookRequest is a received webhook.
type webhookRequest struct {
	header http.Header
	body   object
}

// withWebhooks returns a fixture and a channel of its webhooks.
func withWebhooks(t *testing.T) (*fixture, <-chan webhookRequest) {
	t.Helper()
	all := make(chan webhookRequest, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		got := webhookRequest{header: r.Header}
		if err != nil || json.Unmarshal(text, &got.body) != nil {
			t.Errorf("the body is %q, %v", text, err)
		}
		got.header.Set("Signed", string(text))
		all <- got
	}))
	t.Cleanup(receiver.Close)
	f := onSQLite(t, func(o *stytchlocal.Options) {
		o.WebhookTransport, o.WebhookURL = http.DefaultTransport, receiver.URL+"/webhooks"
	})
	t.Cleanup(f.server.Close)
	return f, all
}

// next waits for a webhook, checks the fields that all webhooks share, and returns the
// action and the user.
func (f *fixture) next(all <-chan webhookRequest, userID string) (action string, user object) {
	f.t.Helper()
	var got webhookRequest
	select {
	case got = <-all:
	case <-time.After(30 * time.Second):
		f.t.Fatal("no webhook")
	}
	f.checkSignature(got.header)
	action, _ = got.body["action"].(string)
	user, _ = got.body["user"].(object)
	eventID, _ := got.body["event_id"].(string)
	delete(got.body, "user")
	want := object{
		"project_id": f.server.Credentials().ProjectID, "event_id": eventID, "event_type": "direct.user." + strings.ToLower(action), "action": action,
		"object_type": "user", "source": "DIRECT", "id": userID, "timestamp": f.clock.now().Format(time.RFC3339Nano),
	}
	if diff := cmp.Diff(want, got.body); diff != "" || !strings.HasPrefix(eventID, "event-test-") {
		f.t.Errorf("event %q: %s", eventID, diff)
	}
	return action, user
}

func (f *fixture) checkSignature(h http.Header) {
	f.t.Helper()
	secret, ok := strings.CutPrefix(f.server.Credentials().WebhookSecret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(secret)
	if !ok || err != nil || len(key) < 24 {
		f.t.Fatalf("the secret is %q", f.server.Credentials().WebhookSecret)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h.Get("svix-id") + "." + h.Get("svix-timestamp") + "." + h.Get("Signed")))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); h.Get("svix-signature") != want {
		f.t.Errorf("the signature is %q, want %q", h.Get("svix-signature"), want)
	}
	if want := strconv.FormatInt(f.clock.now().Unix(), 10); h.Get("svix-timestamp") != want {
		f.t.Errorf("the timestamp is %s, want %s", h.Get("svix-timestamp"), want)
	}
}

// stored returns the user of a GET request, without the envelope.
func (f *fixture) stored(userID string) object {
	f.t.Helper()
	user := f.ok("GET", "/v1/users/"+userID, nil)
	delete(user, "status_code")
	delete(user, "request_id")
	return user
}

func TestWebhooks_UserChanges(t *testing.T) {
	t.Parallel()
	f, all := withWebhooks(t)
	var userID string
	expect := func(what, want string) {
		t.Helper()
		action, user := f.next(all, userID)
		if action != want {
			t.Errorf("%s: webhookRequest %s, want %s", what, action, want)
		}
		if diff := cmp.Diff(f.stored(userID), user); diff != "" {
			t.Errorf("%s (-stored +webhookRequest):\n%s", what, diff)
		}
	}

	userID = f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"})["user_id"].(string)
	invitation := f.token("ada@example.com")
	expect("invited", "CREATE")
	f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com", "name": object{"first_name": "Ada"}})
	expect("invited again, with a name", "UPDATE")
	f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"}) // nothing new
	f.ok("POST", "/v1/magic_links/authenticate", object{"token": invitation})
	expect("in for the first time", "UPDATE")
	f.signIn("ada@example.com") // nothing new
	f.ok("PUT", "/v1/users/"+userID, object{"name": object{"last_name": "Lovelace"}})
	expect("named", "UPDATE")
	f.ok("PUT", "/v1/users/"+userID, object{"name": object{"last_name": "Lovelace"}}) // nothing new
	f.ok("POST", "/v1/magic_links/email/send", object{"user_id": userID, "email": "ada@example.org"})
	expect("another address", "UPDATE")
	emails := dig(f.stored(userID), "emails").([]any)
	f.ok("DELETE", "/v1/users/emails/"+dig(emails, 1, "email_id").(string), nil)
	expect("without it", "UPDATE")
	f.ok("PUT", "/v1/users/"+userID+"/exchange_primary_factor", object{"email_address": "ada@example.net"})
	expect("another address for the first", "UPDATE")

	f.ok("DELETE", "/v1/users/"+userID, nil)
	if action, user := f.next(all, userID); action != "DELETE" || user != nil {
		t.Errorf("deleted: webhookRequest %s of %v", action, user)
	}
	userID = f.ok("POST", "/v1/users", object{"email": "grace@example.com"})["user_id"].(string)
	expect("made", "CREATE")
	userID = f.ok("POST", "/v1/magic_links/email/login_or_create", object{"email": "joan@example.com"})["user_id"].(string)
	expect("made by asking for a link", "CREATE")

	f.refused("POST", "/v1/users", object{"email": "grace@example.com"}, 400, "duplicate_email")
	f.refused("DELETE", "/v1/users/"+strings.Replace(userID, "-test-0", "-test-1", 1), nil, 404, "user_not_found")
	userID = f.ok("POST", "/v1/users", object{"email": "last@example.com"})["user_id"].(string)
	expect("made after what was refused", "CREATE")
}

func TestWebhooks_Secret(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	if diff := cmp.Diff(f.server.Credentials(), f.newServer().Credentials()); diff != "" {
		t.Error(diff)
	}
	var row string
	if err := f.store.Reader().QueryRowContext(t.Context(), "SELECT value FROM stytch_project").Scan(&row); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(row), "webhook") {
		t.Error("the secret is stored")
	}
	if other := onSQLite(t); other.server.Credentials().WebhookSecret == f.server.Credentials().WebhookSecret {
		t.Error("two projects share a secret")
	}
}
