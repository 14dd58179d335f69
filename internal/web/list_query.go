package web

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"

	"github.com/guestlist/guestlist/internal/directory"
)

// queryFromRequest is parseQuery for requests, in which the cursor is sealed.
func (s *server) queryFromRequest(v url.Values) (directory.Query, error) {
	opened := maps.Clone(v)
	if sealed := v.Get("cursor"); sealed != "" {
		cursor, ok := s.opts.Cookies.Unseal("cursor", sealed)
		if !ok {
			return directory.Query{}, directory.ErrCursor
		}
		opened.Set("cursor", cursor)
	}
	return parseQuery(opened)
}

// sealCursor returns a cursor that clients can neither read nor make up.
func (s *server) sealCursor(sort directory.Sort, p *directory.Keyset, backward bool) string {
	return s.opts.Cookies.Seal("cursor", directory.EncodeCursor(sort, p, backward))
}

// parseQuery parses which part of the list is requested: q, role, status, sort, limit and cursor.
// The error is a *directory.ValidationError.
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

// readLimit parses the limit of a list, if there is one. If it is out of range, it sets the error
// of the field.
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
