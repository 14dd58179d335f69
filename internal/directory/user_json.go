package directory

import "time"

// UserJSON is a user as programs see it: in files, in the API and on the command line.
type UserJSON struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Email      string     `json:"email"`
	Role       string     `json:"role"`
	Status     string     `json:"status"`
	CreatedAt  time.Time  `json:"created_at"`
	LastSeenAt *time.Time `json:"last_seen_at"` // null if the user was never seen
}

// NewUserJSON converts a user.
func NewUserJSON(u User) UserJSON {
	j := UserJSON{ID: u.ID, Name: u.Name, Email: u.Email.Display, Role: string(u.Role), Status: string(u.Status), CreatedAt: u.CreatedAt}
	if seen := u.LastSeenAt; !seen.IsZero() {
		j.LastSeenAt = &seen // a copy: &u.LastSeenAt would keep all of u in memory
	}
	return j
}
