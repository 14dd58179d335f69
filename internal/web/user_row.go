package web

import (
	"html/template"
	"net/url"
	"reflect"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

// userRow is a person as the list shows them, in words.
type userRow struct {
	Path, Name, Address string // the path is that of their page
	Role, RoleWord      string
	Badge, Label        string // the badge's style, and its text
	Added, Seen         string // how long ago
}

// personRow returns the row of a user, given their invitation jobs and the part of
// the list that shows it.
func (s *server) personRow(u directory.User, jobs []outbox.Job, now time.Time, from listState) userRow {
	return userRow{
		Path: s.url("/users/"+url.PathEscape(u.ID)) + from.Carry(), Name: u.DisplayName(), Address: u.Email.Display,
		Role: string(u.Role), RoleWord: roleLabel(u.Role),
		Badge: s.badge(u, jobs), Label: u.Label(jobs, s.InviteDuration, now),
		Added: timeAgo(now, u.CreatedAt), Seen: timeAgo(now, u.LastSeenAt),
	}
}

// badge is the style of the badge that says where a user stands: their status, refused
// if their invitation was, and none if they were not invited.
func (s *server) badge(u directory.User, jobs []outbox.Job) string {
	switch i := u.Invitation(jobs, s.InviteDuration, s.Now()); {
	case u.Status != directory.Invited:
		return string(u.Status)
	case i.Refused:
		return "refused"
	case i.Sent.IsZero() && !i.Pending:
		return ""
	}
	return string(directory.Invited)
}

// escaped is what plain has written. Nothing else may be.
type escaped = template.HTML

// renderRows are people as rows of the list, each as the template "person" has it. jobs are
// their invitation jobs by Email.Key.
func (s *server) renderRows(users []directory.User, jobs map[string][]outbox.Job, from listState) escaped {
	b := newBuffer()
	defer buffers.Put(b)
	now, person := s.Now(), s.userRowTemplate()
	var row userRow
	value := reflect.ValueOf(&row).Elem()
	for _, u := range users {
		row = s.personRow(u, jobs[u.Email.Normalized], now, from)
		person.write(b, value)
	}
	return escaped(b.String())
}
