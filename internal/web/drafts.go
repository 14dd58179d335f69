package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/session"
)

// drafted are the forms whose text comes back after signing in again, by route, with
// the fields that are kept. Others have nothing to type, or bring a file.
var drafted = map[string][]string{
	"POST /users":          {"email", "name", "role"},
	"POST /users/{id}":     {"name", "role"},
	"POST /profile/tokens": {"name", "scope", "days"},
	"POST /why":            {"email"},
}

// formPage returns the page with the form of a route that was posted to: the one at
// the same address if there is one, but for two.
func (s *server) formPage(pattern, path string) string {
	switch pattern {
	case "POST /users":
		return "/users/new"
	case "POST /profile/tokens":
		return "/profile"
	}
	for _, r := range s.routes {
		if r.pattern == strings.Replace(pattern, "POST ", "GET ", 1) {
			return path
		}
	}
	return pageOfForm(path)
}

// keepDraft keeps the page of a form whose person is not signed in any more, and what
// was typed into it.
func (s *server) keepDraft(w http.ResponseWriter, r *http.Request) {
	d := session.Draft{Page: s.formPage(r.Pattern, s.relativePath(r)), Form: url.Values{}}
	if fields := drafted[r.Pattern]; len(fields) > 0 {
		posted, err := readForm(r)
		if err != nil {
			return
		}
		for _, field := range fields {
			d.Form.Set(field, posted.Get(field))
		}
	}
	if err := s.opts.Cookies.SetDraft(w, r, d); err != nil {
		s.opts.Log.Info("web: form not kept for after signing in", "error", err, "request_id", requestID(r))
	}
}

// draft returns what the viewer had typed on this page before they had to sign in
// again. The page then says that it is not saved.
func (s *server) draft(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	path, _, _ := strings.Cut(s.relativePath(r), "?")
	form, ok := s.opts.Cookies.TakeDraft(w, r, path, viewer(r).User.Email.Normalized)
	if ok {
		stateOf(r).draft = true
	}
	return form, ok
}

// unsaved is what a page says that shows a draft.
var unsaved = session.Message{Warning: true, Text: "You were signed out before this was saved. Here is what you typed: check it and send it again."}
