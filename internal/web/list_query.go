package web

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"

	"github.com/guestlist/guestlist/internal/directory"
)

// queryFromRequest is parseQuery for what comes from outside, where a cursor is sealed.
func (s *server) queryFromRequest(v url.Values) (directory.Query, error) {
	opened := maps.Clone(v)
	if sealed := v.Get("cursor"); sealed != "" {
		cursor, ok := s.opts.Cookies.Unseal("cursor", sealed)
		if !ok {
			cursor = "not one of ours"
		}
		opened.Set("cursor", cursor)
	}
	return parseQuery(opened)
}

// sealCursor is where a page of the list begins, as it goes out: nobody can read a
// name from it, or make one up.
func (s *server) sealCursor(sort directory.Sort, p *directory.Keyset, backward bool) string {
	return s.opts.Cookies.Seal("cursor", directory.EncodeCursor(sort, p, backward))
}

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
	note("cursor", q.SetCursor(v.Get("cursor")))

	if role := v.Get("role"); role != "" {
		q.Role, err = directory.ParseRole(role)
		note("role", err)
	}
	if status := v.Get("status"); status != "" {
		note("status", q.FilterStatus(status))
	}
	readLimit(v, &q.Limit, directory.MaxLimit, "people", fields)
	if len(fields) > 0 {
		return q, &directory.ValidationError{Fields: fields}
	}
	return q, nil
}

// readLimit reads how many things a page shall have, if that is said, or notes
// beside the field how many it may have.
func readLimit(v url.Values, limit *int, most uint64, things string, fields map[string]string) {
	text := v.Get("limit")
	if text == "" {
		return
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n < 1 || n > most {
		fields["limit"] = fmt.Sprintf("Ask for 1 to %d %s.", most, things)
	}
	*limit = int(n)
}
