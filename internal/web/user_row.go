package web

import (
	"net/url"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

// userRow is a user in the list, as text.
type userRow struct {
	Path, Name, Address string // Path leads to the user's page
	Role, RoleLabel     string
	Badge, Label        string // style and text of the badge with the status
	Added, Seen         string // how long ago
}

// userRows converts users. jobs are their invitation jobs by normalized address; from is the part
// of the list that is shown.
func (s *server) userRows(users []directory.User, jobs map[string][]outbox.Job, from listState) []userRow {
	now := s.opts.Now()
	rows := make([]userRow, len(users))
	for i, u := range users {
		waiting := jobs[u.Email.Normalized]
		rows[i] = userRow{
			Path: s.url("/users/"+url.PathEscape(u.ID)) + from.Carry(), Name: u.DisplayName(), Address: u.Email.Display,
			Role: string(u.Role), RoleLabel: roleLabel(u.Role),
			Badge: s.badge(u, waiting), Label: u.Label(waiting, s.opts.InviteDuration, now),
			Added: timeAgo(now, u.CreatedAt), Seen: timeAgo(now, u.LastSeenAt),
		}
	}
	return rows
}

// badge returns the style of the badge that shows a user's status: the status itself, "refused" if
// the invitation was refused, and none if the user was not invited.
func (s *server) badge(u directory.User, jobs []outbox.Job) string {
	switch i := u.Invitation(jobs, s.opts.InviteDuration, s.opts.Now()); {
	case u.Status != directory.Invited:
		return string(u.Status)
	case i.Refused:
		return "refused"
	case i.Sent.IsZero() && !i.Pending:
		return ""
	}
	return string(directory.Invited)
}
