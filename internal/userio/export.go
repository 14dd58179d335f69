package userio

import (
	"context"

	"github.com/guestlist/guestlist/internal/directory"
)

// UserLister reads one page of people; directory.Store has one.
type UserLister interface {
	ListUsers(ctx context.Context, q directory.Query) (directory.Page, error)
}

// Export writes all people that a query lets through, page by page, each read by
// itself: who comes, goes or is renamed meanwhile may be missing or there twice,
// and nobody else is. before is called before each page is handed on, to give it
// time; it may be nil. It returns how many there were.
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

// ExportDescription say for the audit trail what is exported, in which format; a filter
// that is empty lets everybody through.
func ExportDescription(format, search, role, status string) string {
	words := format
	for _, filter := range []struct{ name, value string }{{"q", search}, {"role", role}, {"status", status}} {
		if filter.value != "" {
			words += ", " + filter.name + " " + filter.value
		}
	}
	return words
}
