package web

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/webhooksig"
)

const hookBody = `{"action":"DELETE","object_type":"user","id":"user-test-1"}`

// newWebhookFixture returns a fixture that receives webhooks, the IDs of those that were handled, and a pointer
// to the error that handling returns.
func newWebhookFixture(t *testing.T) (f *fixture, key webhooksig.Key, handled *[]string, result *error) {
	t.Helper()
	key, handled, result = webhooksig.Key("0123456789abcdef0123"), new([]string), new(error)
	f = newFixture(t, func(o *Options) {
		o.Webhooks = Webhooks{Key: key, Handle: func(_ context.Context, _ event.Origin, id string, body []byte) error {
			*handled = append(*handled, id+" "+string(body))
			return *result
		}}
	})
	return f, key, handled, result
}

// signed are the headers of a webhook.
func signed(key webhooksig.Key, id string, at time.Time, body string) []string {
	signature, err := key.Sign(id, at, []byte(body))
	if err != nil {
		panic(err) // every key is valid
	}
	return []string{"Content-Type", "application/json", "Svix-Id", id, "Svix-Timestamp", strconv.FormatInt(at.Unix(), 10), "Svix-Signature", signature}
}

func TestWebhook_MustBeSignedAndRecent(t *testing.T) {
	t.Parallel()
	f, key, received, _ := newWebhookFixture(t)
	other := webhooksig.Key("another secret of Stytch")
	for _, row := range []struct {
		name    string
		body    string
		headers []string
		status  int
		answer  string
	}{
		{"a good one", hookBody, signed(key, "msg_1", noon, hookBody), 200, `{"message":"heard"}`},
		{"a good one, by a machine whose clock is behind", hookBody, signed(key, "msg_2", noon.Add(-5*time.Minute).Add(time.Second), hookBody), 200, `{"message":"heard"}`},
		{"signed with another secret", hookBody, signed(other, "msg_3", noon, hookBody), 401, `{"error":"webhook is not signed with the secret that is set"}`},
		{"with another body", hookBody + " ", signed(key, "msg_4", noon, hookBody), 401, `{"error":"webhook is not signed with the secret that is set"}`},
		{"of long ago", hookBody, signed(key, "msg_5", noon.Add(-6*time.Minute), hookBody), 400, `{"error":"webhook was sent more than five minutes before or after now"}`},
		{"of the future", hookBody, signed(key, "msg_6", noon.Add(6*time.Minute), hookBody), 400, `{"error":"webhook was sent more than five minutes before or after now"}`},
		{"without a signature", hookBody, nil, 400, `{"error":"webhook must have the headers svix-id, svix-timestamp and svix-signature"}`},
		{"too large", strings.Repeat("x", maxBody+1), signed(key, "msg_7", noon, hookBody), 413, `{"error":"request is larger than 64 KiB"}`},
		{"by a page of another site", hookBody, append(signed(key, "msg_8", noon, hookBody), "Origin", "https://evil.example"), 403, `{"error":"request came from another site"}`},
	} {
		before := f.rows()
		a := f.visitor().send("POST", "/webhooks/stytch", row.body, row.headers...)
		if a.status != row.status || strings.TrimSpace(a.body) != row.answer {
			t.Errorf("%s: %d %s, want %d %s", row.name, a.status, a.body, row.status, row.answer)
		}
		if f.rows() != before {
			t.Errorf("%s: something was written", row.name)
		}
	}
	if diff := cmp.Diff([]string{"msg_1 " + hookBody, "msg_2 " + hookBody}, *received); diff != "" {
		t.Errorf("received: -want +got\n%s", diff)
	}
}

func TestWebhook_FailureAsksForARepetition(t *testing.T) {
	t.Parallel()
	f, key, _, outcome := newWebhookFixture(t)
	for err, status := range map[error]int{directory.ErrUnavailable: 503, session.ErrUnavailable: 503, session.ErrTooMany: 429, context.DeadlineExceeded: 503} {
		*outcome = err
		if a := f.visitor().send("POST", "/webhooks/stytch", hookBody, signed(key, "msg_1", noon, hookBody)...); a.status != status || a.object(t)["error"] == "" {
			t.Errorf("%v: %d %s, want %d", err, a.status, a.body, status)
		}
	}
}

func TestWebhook_RouteNeedsASecret(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	empty := signed(webhooksig.Key{}, "msg_1", noon, hookBody) // anyone could sign with an empty key
	if a := f.visitor().send("POST", "/webhooks/stytch", hookBody, empty...); a.status != http.StatusNotFound || a.object(t)["error"] != "not found" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if _, err := webhooksig.ParseKey("whsec_" + base64.StdEncoding.EncodeToString(nil)); err == nil {
		t.Error("a secret may be empty")
	}
}
