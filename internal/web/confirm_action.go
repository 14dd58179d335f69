package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/guestlist/guestlist/internal/session"
)

// dangerousActions says, by route, what needs a fresh sign-in, always or with some input: it
// completes "You’re about to …". Only these are submitted again after one.
var dangerousActions = map[string]string{
	"POST /users":                     "invite an administrator",
	"POST /users/{id}":                "change who is an administrator",
	"POST /users/{id}/suspend":        "suspend an administrator",
	"POST /users/{id}/reinstate":      "give an administrator their access back",
	"POST /users/{id}/remove":         "remove an administrator",
	"POST /imports/{id}/start":        "import administrators",
	"POST /imports/{id}/resume":       "import administrators",
	"POST /users/{id}/factors/remove": "reset a person’s second factor",
	"GET /users/export.csv":           "export the list",
	"GET /users/export.json":          "export the list",
	"POST /profile/tokens":            "create an API token",
	"POST /apps/new":                  "add an app",
	"POST /apps/{id}":                 "change an app",
	"POST /apps/{id}/on":              "switch an app on",
	"POST /apps/{id}/off":             "switch an app off",
	"POST /apps/{id}/remove":          "remove an app",
	"POST /apps/{id}/tokens":          "create an app token",
	"POST /apps/{id}/openid":          "change an app’s OpenID Connect settings",
	"POST /apps/{id}/openid/remove":   "remove OpenID Connect from an app",
	"POST /apps/{id}/secrets":         "create a client secret",

	"POST /profile/authenticator":         "set up an authenticator app",
	"POST /profile/authenticator/confirm": "set up an authenticator app",
	"POST /profile/authenticator/remove":  "remove your authenticator app",
	"POST /profile/authenticator/renew":   "get new recovery codes",
	"POST /profile/passkeys":              "add a passkey",
	"POST /profile/passkeys/{id}/remove":  "remove a passkey",
}

// actionMatcher matches the routes of dangerousActions.
func actionMatcher() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern := range dangerousActions {
		mux.Handle(pattern, http.NotFoundHandler()) // never called
	}
	return mux
}

// describeAction says what a request for a path, with its query, does. It returns "" unless it is
// one of dangerousActions.
func (s *server) describeAction(method, target string) string {
	u, err := url.Parse(target)
	if err != nil || u.IsAbs() || u.Host != "" || path.Clean(u.Path) != u.Path {
		return ""
	}
	_, pattern := s.actions.Handler(&http.Request{Method: method, URL: u})
	return dangerousActions[pattern]
}

// pendingAction is what a user wanted to do when a fresh sign-in was needed.
type pendingAction struct {
	What   string     // completes "You’re about to …"; may be empty
	Target string     // path and query, below the base URL's path
	Form   url.Values // to submit again; nil for a page to open
	Back   string     // page that the user came from
}

// pendingAction returns what to go on with: the page at next or, if that is empty, the form that
// the browser keeps. Its Target is empty if there is nothing.
func (s *server) pendingAction(r *http.Request, next string) pendingAction {
	if next = s.returnPath(next); next != "" {
		p := pendingAction{What: s.describeAction(http.MethodGet, next), Target: next, Back: next}
		if page, _, _ := strings.Cut(next, "?"); p.What != "" {
			p.Back = pageOfForm(page)
		}
		return p
	}
	kept, found := s.opts.Cookies.Action(r, viewer(r).User.Email.Normalized)
	if what := s.describeAction(http.MethodPost, kept.Action); found && what != "" {
		return pendingAction{What: what, Target: kept.Action, Form: kept.Form, Back: kept.Page}
	}
	return pendingAction{Back: "/apps"}
}

// askToConfirm answers a request that needs a fresh sign-in: it leads to the page for it, and keeps
// a posted form for afterwards.
func (s *server) askToConfirm(w http.ResponseWriter, r *http.Request) error {
	target := r.URL.RequestURI()
	if isReadOnly(r) {
		return s.redirect(w, r, "/confirm?"+url.Values{"next": {target}}.Encode())
	}
	page := s.formPage(r.Pattern, s.relativePath(r))
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && strings.HasPrefix(kind, "multipart/") {
		return s.redirect(w, r, "/confirm?"+url.Values{"next": {page}, "file": {""}}.Encode())
	}
	form, err := readForm(r)
	if err != nil {
		return err
	}
	err = s.opts.Cookies.KeepAction(w, r, session.Draft{Page: page, Action: target, Form: form}, viewer(r).User.Email.Normalized)
	if errors.Is(err, session.ErrDraftNotKept) {
		view := resubmitPage{layoutData: s.layout(r, "Confirm it’s you"), Action: target, Fields: fieldsOf(form), Back: page}
		view.What = s.describeAction(r.Method, target)
		return s.render(w, r, http.StatusForbidden, "resubmit", view)
	}
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/confirm")
}

// resubmitPage submits a form again: by itself if the user has just confirmed their sign-in, or
// after they have done so in another tab, if the form is too long for a cookie.
type resubmitPage struct {
	layoutData
	Confirmed bool
	What      string // completes "You’re about to …"
	Action    string
	Fields    []formField
	Back      string
}

type formField struct{ Name, Value string }

func fieldsOf(form url.Values) []formField {
	var fields []formField
	for name, values := range form {
		for _, value := range values {
			fields = append(fields, formField{name, value})
		}
	}
	return fields
}

// continueAction shows the page that submits the kept form again, once.
func (s *server) continueAction(w http.ResponseWriter, r *http.Request) error {
	pending := s.pendingAction(r, "")
	s.opts.Cookies.DropDraft(w, r)
	if pending.Form == nil {
		return s.redirect(w, r, "/apps")
	}
	return s.render(w, r, http.StatusOK, "resubmit", resubmitPage{
		layoutData: s.layout(r, "Confirmed"), Confirmed: true, What: pending.What, Action: pending.Target, Fields: fieldsOf(pending.Form), Back: pending.Back,
	})
}
