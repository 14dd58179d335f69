package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/session"
)

// resumePath is where an authorization request of an OpenID Connect client goes on after its user has
// signed in: with the sealed request or, after resumePrefix was kept by keepTicket, without it.
const (
	resumePath   = "/oauth/continue"
	resumePrefix = resumePath + "?r="
)

// authorizeOpenID answers an authorization request. Browsers don't send our cookies with a form that
// another site posts, so that becomes a GET first.
func (s *server) authorizeOpenID(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodPost {
		form, err := readForm(r)
		if err != nil {
			return err
		}
		return s.redirect(w, r, openid.AuthorizePath+"?"+form.Encode())
	}
	if isSpeculative(r) {
		return skipSpeculation(w)
	}
	current, err := s.sessionForClient(w, r)
	if err != nil {
		return err
	}
	answer, err := s.opts.OpenID.Authorize(r.Context(), r.URL.Query(), current)
	if err != nil {
		return err
	}
	return s.writeAuthorization(w, r, answer, redirectToClient)
}

// isSpeculative reports whether a request isn't one of a user who goes to a page: it must not create a
// code or sign anyone out.
func isSpeculative(r *http.Request) bool {
	return r.Method == http.MethodHead || strings.HasPrefix(r.Header.Get("Sec-Purpose"), "prefetch") // https://wicg.github.io/nav-speculation/prefetch.html#sec-purpose-header
}

// skipSpeculation answers a speculative request. A browser that prefetches doesn't use an answer with
// this status, and asks again when the user goes there.
func skipSpeculation(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusTooEarly)
	return nil
}

// resumeOpenID goes on with a sealed authorization request.
func (s *server) resumeOpenID(w http.ResponseWriter, r *http.Request) error {
	if isSpeculative(r) {
		return skipSpeculation(w)
	}
	sealed := r.URL.Query().Get("r")
	if sealed == "" {
		return s.enterByCookie(w, r)
	}
	request, err := s.openRequest(sealed)
	if err != nil {
		return err
	}
	return s.resumeRequest(w, r, request, redirectToClient)
}

// resumeRequest answers an authorization request again. arrive sends the browser to the client.
func (s *server) resumeRequest(w http.ResponseWriter, r *http.Request, request openid.Request, arrive arrival) error {
	current, err := s.sessionForClient(w, r)
	if err != nil {
		return err
	}
	answer, err := s.opts.OpenID.Resume(r.Context(), request, current)
	if err != nil {
		return err
	}
	return s.writeAuthorization(w, r, answer, arrive)
}

// sessionForClient returns the browser's session, or nil if no one is signed in or the sign-in isn't
// complete.
func (s *server) sessionForClient(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	current, err := s.completeSession(w, r)
	switch {
	case errors.Is(err, errNoSession), errors.Is(err, session.ErrEnded), errors.Is(err, errSecondFactor):
		return nil, nil
	case err != nil:
		return nil, err
	}
	stateOf(r).session = current
	return &current, nil
}

// arrival sends a browser to an address of an app.
type arrival func(w http.ResponseWriter, r *http.Request, app apps.App, address string) error

// redirectToClient is the arrival of a browser that has followed a link.
func redirectToClient(w http.ResponseWriter, r *http.Request, _ apps.App, address string) error {
	return redirectToApp(w, r, address)
}

// writeAuthorization answers an authorization request.
func (s *server) writeAuthorization(w http.ResponseWriter, r *http.Request, a openid.Authorization, arrive arrival) error {
	if a.Step == openid.Redirect {
		return arrive(w, r, a.App, a.Location)
	}
	resume := resumePrefix + s.opts.Tickets.SealRequest(a.Request.Encode())
	switch a.Step {
	case openid.SignIn:
		q := url.Values{"next": {resume}}
		if hint := a.Request.LoginHint; hint != "" {
			q.Set("email", hint)
		}
		return s.redirect(w, r, "/?"+q.Encode())
	case openid.Confirm:
		return s.redirect(w, r, "/confirm?"+url.Values{"again": {""}, "next": {resume}}.Encode())
	case openid.ChooseAccount:
		chosen := a.Request
		chosen.ChooseAccount = false
		view := accountPage{layoutData: s.layout(r, "Continue to "+a.App.Name), App: a.App, Switch: "/signout?" + url.Values{"next": {resume}}.Encode()}
		view.Continue = resumePrefix + s.opts.Tickets.SealRequest(chosen.Encode())
		return s.render(w, r, http.StatusOK, "account", view)
	case openid.SwitchAccount:
		return s.redirect(w, r, "/signout?"+url.Values{"next": {resume}}.Encode())
	}
	return s.showRefused(w, r, a.App, a.Decision, resume)
}

// accountPage asks with which account to go on to an app.
type accountPage struct {
	layoutData
	App      apps.App
	Continue string // path of the page that goes on with the viewer's account
	Switch   string // path of the page that signs the viewer out first
}

// openRequest returns a sealed authorization request. Errors: apps.ErrTicket, apps.ErrTicketExpired.
func (s *server) openRequest(sealed string) (openid.Request, error) {
	text, err := s.opts.Tickets.OpenRequest(sealed)
	if err != nil {
		return openid.Request{}, err
	}
	request, err := s.opts.OpenID.DecodeRequest(text)
	if err != nil {
		return openid.Request{}, apps.ErrTicketExpired
	}
	return request, nil
}

// isResumePath reports whether a return path leads to the client of an authorization request.
func (s *server) isResumePath(next string) bool {
	sealed, found := strings.CutPrefix(next, resumePrefix)
	if !found {
		return next == resumePath
	}
	_, err := s.openRequest(sealed)
	return err == nil
}
