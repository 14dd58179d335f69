package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// jsonProblem is the body of every refusal.
type jsonProblem struct {
	Error  string            `json:"error"`
	Fields map[string]string `json:"fields,omitempty"`
}

type jsonMessage struct {
	Message string `json:"message"`
}

// jsonUser is a person as programs see them.
type jsonUser struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Email      string     `json:"email"`
	Role       string     `json:"role"`
	Status     string     `json:"status"`
	CreatedAt  time.Time  `json:"created_at"`
	LastSeenAt *time.Time `json:"last_seen_at"` // null: never
}

func toJSON(u directory.User) jsonUser {
	j := jsonUser{
		ID: u.ID, Name: u.Name, Email: u.Email.Typed, Role: string(u.Role), Status: string(u.Status), CreatedAt: u.CreatedAt,
	}
	if !u.LastSeenAt.IsZero() {
		j.LastSeenAt = &u.LastSeenAt
	}
	return j
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // plain structs; the client may be gone
}
