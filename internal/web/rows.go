package web

import (
	"net/url"

	"github.com/guestlist/guestlist/internal/directory"
)

// userRow is a person as the list shows them, in words: there are fifty on a page,
// and a template is quick where it has nothing to call.
type userRow struct {
	Path, Name, Address string // the path is that of their page
	Admin               bool
	Status, Label       string
	Added, Seen         string // how long ago; Seen is empty: never
}

func (s *server) rows(users []directory.User) []userRow {
	now, path, rows := s.Now(), s.url("/users/"), make([]userRow, len(users))
	for i, u := range users {
		rows[i] = userRow{
			Path: path + url.PathEscape(u.ID), Name: u.DisplayName(), Address: u.Email.Typed, Admin: u.Role == directory.Admin,
			Status: string(u.Status), Label: statusLabel(u, now, s.InviteDuration), Added: ago(now, u.CreatedAt),
		}
		if !u.LastSeenAt.IsZero() {
			rows[i].Seen = ago(now, u.LastSeenAt)
		}
	}
	return rows
}
