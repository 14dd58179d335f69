package userio

import (
	"context"

	"github.com/guestlist/guestlist/internal/directory"
)

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
