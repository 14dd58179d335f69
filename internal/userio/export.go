package userio

import (
	"bufio"
	"context"
	"encoding/csv"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/directory"
)

// Writer writes users. End must be called after the last one.
type Writer interface {
	Write(directory.User) error
	Flush() error
	End() error
}

// Formats maps the file name extensions of the export formats to their media types.
var Formats = map[string]string{"csv": "text/csv; charset=utf-8; header=present", "json": "application/json; charset=utf-8"}

// NewWriter returns a Writer for one of Formats: CSV (RFC 4180) with cells that spreadsheets
// don't take for formulas, or a JSON array of the objects that GET /api/users/{id} returns,
// one per line. Read reads both.
func NewWriter(w io.Writer, format string) Writer {
	buffered := bufio.NewWriterSize(w, 32<<10)
	if format == "json" {
		return &jsonWriter{buffered, "[\n"}
	}
	table := csv.NewWriter(buffered)
	table.UseCRLF = true
	_ = table.Write(header) // buffered; errors are returned later
	return &csvWriter{table}
}

// header has the field names of the JSON, which Read knows.
var header = []string{"id", "name", "email", "role", "status", "created_at", "last_seen_at"}

type csvWriter struct{ table *csv.Writer }

func (c *csvWriter) Write(u directory.User) error {
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	return c.table.Write([]string{
		escapeFormula(u.ID), escapeFormula(u.Name), escapeFormula(u.Email.Display), string(u.Role), string(u.Status), stamp(u.CreatedAt), stamp(u.LastSeenAt),
	})
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

func (j *jsonWriter) Write(u directory.User) error {
	if _, err := j.w.WriteString(j.separator); err != nil {
		return err
	}
	j.separator = ",\n"
	return json.MarshalWrite(j.w, directory.NewUserJSON(u))
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

// Export writes all users that match a query and returns their number. It reads page by
// page, so users that are added, removed or renamed in the meantime may be missing or
// repeated. before is called before each page is flushed; it may be nil.
func Export(ctx context.Context, list UserLister, q directory.Query, to Writer, before func() error) (int, error) {
	q.Limit = directory.MaxLimit
	for n := 0; ; {
		page, err := list.ListUsers(ctx, q)
		if err != nil {
			return n, err
		}
		for _, u := range page.Users {
			if err := to.Write(u); err != nil {
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
