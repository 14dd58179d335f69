package web

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

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

// UserJSON is a person as programs see them, here and on the command line.
func UserJSON(u directory.User) any { return toJSON(u) }

func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	b := newBuffer()
	defer buffers.Put(b)
	_ = json.MarshalWrite(b, v) // plain structs into a buffer
	b.WriteByte('\n')
	send(w, r, status, "application/json; charset=utf-8", b)
}
