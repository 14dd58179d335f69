package web

import (
	"html/template"
	"net/url"
	"reflect"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// personRow is a person as the list shows them, in words.
type personRow struct {
	Path, Name, Address string // the path is that of their page
	Role, RoleWord      string
	Status, Label       string
	Added, Seen         string // how long ago
}

func (s *server) personRow(u directory.User, now time.Time) personRow {
	return personRow{
		Path: s.url("/users/" + url.PathEscape(u.ID)), Name: u.DisplayName(), Address: u.Email.Typed,
		Role: string(u.Role), RoleWord: roleWord(u.Role),
		Status: string(u.Status), Label: statusLabel(u, now, s.InviteDuration),
		Added: ago(now, u.CreatedAt), Seen: ago(now, u.LastSeenAt),
	}
}

// escaped is what plain has written. Nothing else may be.
type escaped = template.HTML

// rows are people as rows of the list, each as the template "person" has it.
func (s *server) rows(users []directory.User) escaped {
	b := newBuffer()
	defer buffers.Put(b)
	now, person := s.Now(), s.person()
	var row personRow
	value := reflect.ValueOf(&row).Elem()
	for _, u := range users {
		row = s.personRow(u, now)
		person.write(b, value)
	}
	return escaped(b.String())
}
