package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/session"
)

// draftFields lists the forms whose fields are restored after the user signed in again, by route.
// Others have nothing to type or upload a file.
var draftFields = map[string][]string{
	"POST /users":               {"email", "name", "role", "groups", "group_names", "until"},
	"POST /apps/new":            appFields,
	"POST /apps/{id}":           appFields,
	"POST /apps/{id}/openid":    {"kind", "redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri", "algorithm", "tool"},
	"POST /groups":              {"name"},
	"POST /groups/{id}":         {"name"},
	"POST /groups/{id}/members": {"who", "until"},
	"POST /users/{id}":          {"name", "role"},
	"POST /profile/tokens":      {"name", "scope", "days"},
	"POST /why":                 {"email"},
	"POST /apps/{id}/request":   {"note"},
	"POST /device":              {"user_code"},
}

var appFields = []string{"way", "name", "url", "home_url", "audience", "groups", "group_names", "upstream", "public_paths", "allow_requests", "seen"}

// formPage returns the page with the form that posts to path.
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

// keepDraft stores the page and the fields of a form whose user is no longer signed in.
func (s *server) keepDraft(w http.ResponseWriter, r *http.Request) {
	d := session.Draft{Page: s.formPage(r.Pattern, s.relativePath(r)), Form: url.Values{}}
	if fields := draftFields[r.Pattern]; len(fields) > 0 {
		posted, err := readForm(r)
		if err != nil {
			return
		}
		for _, field := range fields {
			if values := posted[field]; len(values) > 0 {
				d.Form[field] = values
			}
		}
	}
	if err := s.opts.Cookies.SetDraft(w, r, d); err != nil {
		s.opts.Log.Info("form not kept", "error", err, "request_id", requestID(r))
	}
}

// draft returns what the viewer typed on this page before signing in again. The page then says that
// it isn't saved.
func (s *server) draft(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	path, _, _ := strings.Cut(s.relativePath(r), "?")
	cancelled := s.opts.Cookies.Draft(r).Action != ""
	form, ok := s.opts.Cookies.TakeDraft(w, r, path, viewer(r).User.Email.Normalized)
	switch {
	case ok && cancelled:
		stateOf(r).restored = unconfirmed
	case ok:
		stateOf(r).restored = unsaved
	}
	return form, ok
}

// Messages on a page with a restored form.
var (
	unsaved     = session.Message{Warning: true, Text: "You were signed out before this was saved. Check what you typed and submit it again."}
	unconfirmed = session.Message{Warning: true, Text: "You didn’t confirm it’s you, so this wasn’t saved. Check what you typed and submit it again."}
)
