package web

import (
	"net/url"
	"strconv"

	"github.com/guestlist/guestlist/internal/directory"
)

// parseQuery reads what part of the list is asked for, from a page's address or
// a program's: q, role, status, sort, limit, cursor. The error is *directory.Invalid.
func parseQuery(v url.Values) (directory.Query, error) {
	q := directory.Query{Limit: directory.DefaultLimit}
	fields := map[string]string{}
	note := func(field string, err error) {
		if err != nil {
			fields[field] = err.Error()
		}
	}
	var err error
	q.Terms, err = directory.ParseSearch(v.Get("q"))
	note("q", err)
	q.Sort, err = directory.ParseSort(v.Get("sort"))
	note("sort", err)
	note("cursor", q.Follow(v.Get("cursor")))

	if role := v.Get("role"); role != "" {
		q.Role, err = directory.ParseRole(role)
		note("role", err)
	}
	q.Status = directory.Status(v.Get("status"))
	switch q.Status {
	case "", directory.Invited, directory.Active, directory.Suspended:
	default:
		fields["status"] = "Choose invited, active or suspended."
	}
	if limit := v.Get("limit"); limit != "" {
		n, err := strconv.ParseUint(limit, 10, 16)
		if err != nil || n < 1 || n > directory.MaxLimit {
			fields["limit"] = "Ask for 1 to 200 people."
		}
		q.Limit = int(n)
	}
	if len(fields) > 0 {
		return q, &directory.Invalid{Fields: fields}
	}
	return q, nil
}
