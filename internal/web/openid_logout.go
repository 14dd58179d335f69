package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/session"
)

// endSessionOpenID answers the request of an OpenID Connect client to sign its user out. With an ID
// token of the browser's session, that is done at once; otherwise the user is asked, because any site
// can send a browser here. Browsers don't send our cookies with a form that another site posts, so that
// becomes a GET first.
func (s *server) endSessionOpenID(w http.ResponseWriter, r *http.Request) error {
	if isSpeculative(r) {
		return skipSpeculation(w)
	}
	if r.Method == http.MethodPost {
		form, err := readForm(r)
		if err != nil {
			return err
		}
		return s.redirect(w, r, openid.EndSessionPath+"?"+form.Encode())
	}
	request, err := s.opts.OpenID.ParseLogout(r.Context(), r.URL.Query())
	if refused := (*openid.Error)(nil); errors.As(err, &refused) {
		return s.showBadLogout(w, r, refused)
	}
	if err != nil {
		return err
	}
	current, err := s.session(w, r)
	switch {
	case errors.Is(err, session.ErrEnded):
		return s.leaveSignedOut(w, r, request)
	case errors.Is(err, errNoSession):
		if _, found := s.opts.Cookies.Token(r); found {
			return errCookie // another instance may be able to read the cookie
		}
		return s.leaveSignedOut(w, r, request)
	case err != nil:
		return err
	}
	if request.SessionID != "" && request.SessionID == current.StytchSessionID {
		if err := s.endSession(w, r); err != nil {
			return err
		}
		return s.leaveSignedOut(w, r, request)
	}
	state := stateOf(r)
	state.session, state.incomplete = current, s.opts.Sessions.Standing(current).NeedsSecondFactor
	return s.render(w, r, http.StatusOK, "signout", signOutPage{
		layoutData: s.layout(r, "Sign out?"), User: current.User, Asked: true, Asking: request.App.Name, Logout: request.Encode(),
	})
}

// leaveSignedOut sends a browser that has followed a link to where a client wants it after signing out.
func (s *server) leaveSignedOut(w http.ResponseWriter, r *http.Request, l openid.LogoutRequest) error {
	if target := l.ReturnURL(); target != "" {
		return redirectToApp(w, r, target)
	}
	return s.redirect(w, r, "/?signed-out")
}

// logoutOfForm returns the request of a client with which the sign-out page was shown, or the zero
// value if there was none or it isn't valid any more.
func (s *server) logoutOfForm(r *http.Request, form url.Values) (openid.LogoutRequest, error) {
	params, err := url.ParseQuery(form.Get("logout"))
	if err != nil {
		return openid.LogoutRequest{}, nil
	}
	request, err := s.opts.OpenID.ParseLogout(r.Context(), params)
	if refused := (*openid.Error)(nil); errors.As(err, &refused) {
		return openid.LogoutRequest{}, nil // the user is signed out all the same
	}
	return request, err
}

// showBadLogout shows what is wrong with a request to sign out, and lets the user sign out.
func (s *server) showBadLogout(w http.ResponseWriter, r *http.Request, e *openid.Error) error {
	s.loadViewer(w, r)
	return s.render(w, r, e.Status, "problem", errorPage{
		layoutData: s.layout(r, "You weren’t signed out"), Text: "The app you came from sent a request that isn’t valid. " + e.Description,
		Action: "Sign out", ActionPath: openid.EndSessionPath,
	})
}
