package stytchlocal

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// The actions of Stytch's webhooks about users.
const (
	userCreated = "CREATE"
	userUpdated = "UPDATE"
	userDeleted = "DELETE"
)

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
	User       *userObject `json:"user,omitempty"` // nil for a deleted user
}

// sendWebhookIfChanged sends a webhook about a user who differs from before.
func (s *Server) sendWebhookIfChanged(before userObject, user *account) {
	if !reflect.DeepEqual(before, user.object()) {
		s.sendWebhook(userUpdated, user)
	}
}

// sendWebhook sends a webhook about a user. It runs after the commit and before the
// response, so that sequential calls produce ordered webhooks.
func (s *Server) sendWebhook(action string, user *account) {
	if s.webhooks == nil {
		return
	}
	e := event{
		ProjectID: s.project.ProjectID, EventID: newID("event"), EventType: "direct.user." + strings.ToLower(action), Action: action,
		ObjectType: "user", Source: "DIRECT", ID: user.UserID, Timestamp: toTime(s.now()),
	}
	if action != userDeleted {
		o := user.object()
		e.User = &o
	}
	body, err := json.Marshal(e)
	if err != nil {
		s.opts.Log.Error("cannot write webhook", "error", err)
		return
	}
	s.webhooks.Send(body)
}
