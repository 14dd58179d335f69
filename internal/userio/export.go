package userio

import (
	"bufio"
	"context"
	"encoding/csv"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/directory"
)

// Writer writes users. End must be called after the last one.
type Writer interface {
	Write(directory.User, []directory.Membership) error
	Flush() error
	End() error
}

// Formats maps the file name extensions of the export formats to their media types.
var Formats = map[string]string{"csv": "text/csv; charset=utf-8; header=present", "json": "application/json; charset=utf-8"}

// NewWriter returns a Writer for one of Formats: CSV (RFC 4180) with cells that spreadsheets
// don't take for formulas, or a JSON array of the objects that GET /api/users/{id} returns,
// one per line. Read reads both. withGroups adds a column for the groups; in JSON, a member is
// written for users who are in some.
func NewWriter(w io.Writer, format string, withGroups bool) Writer {
	buffered := bufio.NewWriterSize(w, 32<<10)
	if format == "json" {
		return &jsonWriter{buffered, "[\n"}
	}
	table := csv.NewWriter(buffered)
	table.UseCRLF = true
	c := &csvWriter{table, withGroups}
	names := header
	if withGroups {
		names = append(slices.Clone(header), "groups")
	}
	_ = table.Write(names) // buffered; errors are returned later
	return c
}

// header has the field names of the JSON, which Read knows.
var header = []string{"id", "name", "email", "role", "status", "created_at", "last_seen_at"}

type csvWriter struct {
	table      *csv.Writer
	withGroups bool
}

func (c *csvWriter) Write(u directory.User, memberships []directory.Membership) error {
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	cells := []string{
		escapeFormula(u.ID), escapeFormula(u.Name), escapeFormula(u.Email.Display), string(u.Role), string(u.Status), stamp(u.CreatedAt), stamp(u.LastSeenAt),
	}
	if c.withGroups {
		cells = append(cells, escapeFormula(formatGroups(memberships)))
	}
	return c.table.Write(cells)
}

func (c *csvWriter) Flush() error {
	c.table.Flush()
	return c.table.Error()
}

func (c *csvWriter) End() error { return c.Flush() }

type jsonWriter struct {
	w         *bufio.Writer
	separator string // written before the next user
}

// jsonPerson is a user with the groups that they are in.
type jsonPerson struct {
	directory.UserJSON
	Groups []storedGroup `json:"groups,omitempty"`
}

func (j *jsonWriter) Write(u directory.User, memberships []directory.Membership) error {
	if _, err := j.w.WriteString(j.separator); err != nil {
		return err
	}
	j.separator = ",\n"
	person := jsonPerson{UserJSON: directory.NewUserJSON(u)}
	for _, m := range memberships {
		g := storedGroup{Name: m.GroupName}
		if !m.Until.IsZero() {
			g.Until = &m.Until
		}
		person.Groups = append(person.Groups, g)
	}
	return json.MarshalWrite(j.w, person)
}

func (j *jsonWriter) Flush() error { return j.w.Flush() }

func (j *jsonWriter) End() error {
	end := "\n]\n"
	if j.separator != ",\n" {
		end = "[]\n"
	}
	if _, err := j.w.WriteString(end); err != nil {
		return err
	}
	return j.Flush()
}

// UserLister lists users by page; directory.Store is one.
type UserLister interface {
	ListUsers(ctx context.Context, q directory.Query) (directory.Page, error)
}

// MembershipLister lists memberships; directory.Groups is one.
type MembershipLister interface {
	// HasGroups reports whether there is a group.
	HasGroups(ctx context.Context) (bool, error)
	// ActiveMemberships returns the memberships of users that haven't ended, by user id.
	ActiveMemberships(ctx context.Context, userIDs []string) (map[string][]directory.Membership, error)
}

// Export writes all users that match a query with their memberships to w in one of Formats, and
// returns their number. It reads page by page, so users that are added, removed or renamed in
// the meantime may be missing or repeated. Ended memberships are left out, and so is the column
// of the groups if there is no group. before is called before each page is flushed; it may be
// nil.
func Export(
	ctx context.Context, list UserLister, groups MembershipLister, q directory.Query, w io.Writer, format string, before func() error,
) (int, error) {
	withGroups, err := groups.HasGroups(ctx)
	if err != nil {
		return 0, err
	}
	to := NewWriter(w, format, withGroups)
	q.Limit = directory.MaxLimit
	for n := 0; ; {
		page, err := list.ListUsers(ctx, q)
		if err != nil {
			return n, err
		}
		var memberships map[string][]directory.Membership
		if withGroups {
			if memberships, err = groups.ActiveMemberships(ctx, userIDs(page.Users)); err != nil {
				return n, err
			}
		}
		for _, u := range page.Users {
			if err := to.Write(u, memberships[u.ID]); err != nil {
				return n, err
			}
		}
		n += len(page.Users)
		if before != nil {
			if err := before(); err != nil {
				return n, err
			}
		}
		if page.Next == nil {
			return n, to.End()
		}
		if err := to.Flush(); err != nil {
			return n, err
		}
		q.After = page.Next
	}
}

func userIDs(users []directory.User) []string {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids
}

// ExportDescription describes an export in the audit trail. Empty filters are left out.
func ExportDescription(format, search, role, status string) string {
	text := format
	for _, filter := range []struct{ name, value string }{{"q", search}, {"role", role}, {"status", status}} {
		if filter.value != "" {
			text += ", " + filter.name + " " + filter.value
		}
	}
	return text
}
