package userio

import (
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// UserJSON is somebody as programs see them: in files, in the API and on the command
// line.
type UserJSON struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Email      string     `json:"email"`
	Role       string     `json:"role"`
	Status     string     `json:"status"`
	CreatedAt  time.Time  `json:"created_at"`
	LastSeenAt *time.Time `json:"last_seen_at"` // null: never
}

// NewPerson returns what programs see of somebody.
func NewPerson(u directory.User) UserJSON {
	p := UserJSON{
		ID: u.ID, Name: u.Name, Email: u.Email.Display, Role: string(u.Role), Status: string(u.Status), CreatedAt: u.CreatedAt,
	}
	if at := u.LastSeenAt; !at.IsZero() {
		p.LastSeenAt = &at // not of u, all of which it would keep
	}
	return p
}
