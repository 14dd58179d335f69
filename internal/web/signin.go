package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
)

// signInPage asks for an email address.
type signInPage struct {
	layoutData
	Next           string // where to go after signing in; empty means the start page
	Email          string // as typed
	Error          string // beside the field
	Expired        bool
	SignedOut      bool
	Cancelled      bool   // the user came back from another provider without signing in
	Draft          bool   // a form will be restored
	App            string // what the user is on the way to, see appOnTheWay; empty if there is none
	Passkeys       bool   // passkeys work at the base URL
	PasskeyError   string // beside the button
	UnknownPasskey string // id of a passkey to be forgotten by its browser; empty if there is none

	FirstAdmin   bool // the first user to sign in becomes an administrator
	LinkLifetime time.Duration
	Providers    []provider // whose accounts users may sign in with
}

// showSignIn shows the sign-in page, or redirects a user who is signed in.
func (s *server) showSignIn(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	switch _, err := s.completeSession(w, r); {
	case err == nil:
		return s.redirect(w, r, s.startPath(q.Get("next")))
	case errors.Is(err, errSecondFactor):
		s.redirectToSecondFactor(w, r, q)
		return nil
	}
	view := signInPage{Next: q.Get("next"), Email: q.Get("email"), Expired: q.Has("expired"), SignedOut: q.Has("signed-out"), Cancelled: q.Has("cancelled")}
	if q.Has("change") { // the address that was asked for last
		flow, _ := s.opts.Cookies.Flow(r)
		view.Email = flow.Email
	}
	return s.renderSignIn(w, r, http.StatusOK, view)
}

func (s *server) renderSignIn(w http.ResponseWriter, r *http.Request, status int, view signInPage) error {
	draft := s.opts.Cookies.Draft(r)
	view.layoutData, view.Draft, view.Passkeys = s.layout(r, "Sign in"), len(draft.Form) > 0, s.passkeysWork()
	if view.Next == "" {
		view.Next = draft.Page
	}
	if view.Email == "" && view.Error == "" {
		view.Email = s.opts.Cookies.Last(r)
	}
	view.Next, view.LinkLifetime, view.Providers = s.returnPath(view.Next), s.opts.LinkDuration, s.providers()
	var err error
	if view.App, err = s.appOnTheWay(r.Context(), view.Next); err != nil {
		return err
	}
	if s.opts.FirstAdmin {
		admins, err := s.opts.Directory.CountAdmins(r.Context())
		if err != nil {
			return err
		}
		view.FirstAdmin = admins == 0
	}
	return s.render(w, r, status, "signin", view)
}

// startPath returns where a user goes after signing in.
func (s *server) startPath(next string) string {
	return cmp.Or(s.returnPath(next), "/apps")
}

// requestSignIn sends a sign-in link, or a code if that was asked for, if the address may sign in. The
// response is the same for every address.
func (s *server) requestSignIn(w http.ResponseWriter, r *http.Request, form url.Values) error {
	email, err := directory.ParseEmail(form.Get("email"))
	if err != nil {
		return s.renderSignIn(w, r, http.StatusUnprocessableEntity, signInPage{
			Next: form.Get("next"), Email: form.Get("email"), Error: err.Error(),
		})
	}
	flow, _ := s.opts.Cookies.Flow(r)
	if next := s.keepTicket(w, r, s.returnPath(form.Get("next"))); next != "" || flow.Returned {
		flow.ReturnPath, flow.Returned = next, false
	}
	err = s.requestEmail(w, r, email, form.Get("send") == "code", flow)
	if s.opts.SameBrowser && errors.Is(err, session.ErrTooManyLinks) {
		return fmt.Errorf("%w: %w", errTooManyBound, err)
	}
	if err != nil {
		return err
	}
	return s.redirect(w, r, "/signin/sent")
}

// signOut ends the session. If that isn't possible now, the user stays signed in and sees an error.
// With the field app, the user wants to sign in to an app with another account; with logout, a client
// has asked to sign the user out.
func (s *server) signOut(w http.ResponseWriter, r *http.Request, form url.Values) error {
	logout, err := s.logoutOfForm(r, form)
	if err != nil {
		return err
	}
	if err := s.endSession(w, r); err != nil {
		return err
	}
	if target := logout.ReturnURL(); target != "" {
		return s.leaveForApp(w, r, "You’ve signed out", logout.App, target)
	}
	if next := form.Get("next"); s.isResumePath(next) || s.isDevicePath(next) {
		return s.redirect(w, r, "/?"+url.Values{"next": {next}}.Encode())
	}
	if id := form.Get("app"); id != "" {
		ticket := s.opts.Tickets.Seal(s.opts.Tickets.New(apps.App{ID: id}, "/", ""))
		return s.redirect(w, r, "/?"+url.Values{"next": {enterPrefix + ticket}}.Encode())
	}
	return s.redirect(w, r, "/?signed-out")
}

func (s *server) apiLogout(w http.ResponseWriter, r *http.Request) error {
	if err := s.endSession(w, r); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, jsonMessage{"logged out"})
	return nil
}

func (s *server) endSession(w http.ResponseWriter, r *http.Request) error {
	if _, found := s.bearerToken(r); found {
		return errTokenNotAllowed // a token has no session to end
	}
	held, found := s.opts.Cookies.Token(r)
	if !found {
		return nil
	}
	if held == "" {
		return errCookie // another instance may be able to read the cookie
	}
	if err := s.opts.Sessions.SignOut(r.Context(), held, s.browser(r)); err != nil {
		return err
	}
	s.opts.Cookies.ClearToken(w, r)
	s.opts.Cookies.ForgetLast(w, r)
	return nil
}

// apiSession returns the user of the session or API token.
func (s *server) apiSession(w http.ResponseWriter, r *http.Request) error {
	current := viewer(r)
	answer := struct {
		User    directory.UserJSON `json:"user"`
		Session *jsonSession       `json:"session,omitzero"` // if a cookie was used
		Token   *token.Public      `json:"token,omitzero"`   // if an API token was used
	}{User: directory.NewUserJSON(current.User)}
	if t := stateOf(r).token; t != nil {
		public := t.Public()
		answer.Token = &public
	} else {
		answer.Session = &jsonSession{ID: current.StytchSessionID, CreatedAt: current.CreatedAt, ExpiresAt: current.ExpiresAt, Factors: newJSONFactors(current.Proofs)}
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

type jsonSession struct {
	ID        string       `json:"id"`
	CreatedAt time.Time    `json:"created_at"`
	ExpiresAt time.Time    `json:"expires_at"`
	Factors   []jsonFactor `json:"factors"` // by which the user came in; empty for a session of an earlier release
}
