package stytchlocal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"reflect"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/webhook"
)

// What happened to a user, in the words of Stytch's webhooks.
const (
	userCreated = "CREATE"
	userUpdated = "UPDATE"
	userDeleted = "DELETE"
)

// eventTypes are the names by which Stytch's webhooks are subscribed to.
var eventTypes = map[string]string{
	userCreated: "direct.user.create", userUpdated: "direct.user.update", userDeleted: "direct.user.delete",
}

// event is the body of a webhook: https://stytch.com/docs/guides/webhooks
type event struct {
	ProjectID  string      `json:"project_id"`
	EventID    string      `json:"event_id"`
	EventType  string      `json:"event_type"`
	Action     string      `json:"action"`
	ObjectType string      `json:"object_type"`
	Source     string      `json:"source"`
	ID         string      `json:"id"` // of the user
	Timestamp  time.Time   `json:"timestamp"`
	User       *userObject `json:"user,omitempty"` // as it is now; nothing of a user who is deleted
}

// webhookKey is the key that webhooks are signed with. It is made from a key that
// the project has, so that it needs no place of its own and is the same for all
// instances.
func (p *project) webhookKey() []byte {
	mac := hmac.New(sha256.New, p.TokenKey)
	mac.Write([]byte("webhooks"))
	return mac.Sum(nil)
}

// openWebhooks starts sending, if there is somebody to send to.
func (s *Server) openWebhooks() {
	if s.opts.Webhook == nil || s.opts.WebhookURL == "" {
		return
	}
	s.webhooks = webhook.New(webhook.Options{
		URL: s.opts.WebhookURL, Transport: s.opts.Webhook, Key: s.project.webhookKey(), Now: s.clock.Now, Log: s.opts.Log,
	})
}

// sendWebhookIfChanged sends word of a user who is no longer as they were before.
func (s *Server) sendWebhookIfChanged(before userObject, user *account) {
	if !reflect.DeepEqual(before, user.object()) {
		s.sendWebhook(userUpdated, user)
	}
}

// sendWebhook sends word of a user. It comes after the commit and before the answer, so
// that whoever waits for one answer before the next call is told of in order.
func (s *Server) sendWebhook(action string, user *account) {
	if s.webhooks == nil {
		return
	}
	e := event{
		ProjectID: s.project.ProjectID, EventID: newID("event"), EventType: eventTypes[action], Action: action,
		ObjectType: "user", Source: "DIRECT", ID: user.UserID, Timestamp: toTime(s.now()),
	}
	if action != userDeleted {
		o := user.object()
		e.User = &o
	}
	body, err := json.Marshal(e)
	if err != nil {
		s.opts.Log.Error("local stytch: webhook not written", "error", err)
		return
	}
	s.webhooks.Send(body)
}
