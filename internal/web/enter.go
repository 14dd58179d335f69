package web

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/guard"
	"github.com/guestlist/guestlist/internal/session"
)

// enterPrefix begins the return paths that lead to an app.
const enterPrefix = guard.EnterPath + "?t="

// enter brings a browser with a ticket to the app that it came from, signed in. A user without a
// session signs in first and comes back: with the ticket, or, after opening an emailed link,
// without it, in which case the cookie of the ticket says where to.
func (s *server) enter(w http.ResponseWriter, r *http.Request) error {
	sealed := r.URL.Query().Get("t")
	if sealed == "" {
		return s.enterByCookie(w, r)
	}
	ticket, err := s.opts.Tickets.Open(sealed)
	if err != nil && !errors.Is(err, apps.ErrTicketExpired) {
		return err
	}
	app, appErr := s.appOfTicket(r.Context(), ticket)
	if appErr != nil {
		return appErr
	}
	if !app.Enabled {
		return s.showSwitchedOff(w, r, app, ticket.Path)
	}
	if err != nil {
		s.loadViewer(w, r)
		return s.startAgain(w, r, app, ticket.Path, apps.ProblemCode)
	}
	if problem := ticket.Problem; problem != apps.NoProblem && problem != apps.ProblemRefused {
		s.loadViewer(w, r)
		return s.startAgain(w, r, app, ticket.Path, problem)
	}
	current, err := s.completeSession(w, r)
	switch {
	case errors.Is(err, errSecondFactor):
		return s.redirect(w, r, "/second-factor?"+url.Values{"next": {enterPrefix + sealed}}.Encode())
	case err == nil:
		stateOf(r).session = current
		return s.handOver(w, r, current, app, ticket)
	case !errors.Is(err, errNoSession) && !errors.Is(err, session.ErrEnded):
		return err
	case ticket.Round > 0: // a browser that has just been signed in here has a session
		return s.startAgain(w, r, app, ticket.Path, apps.ProblemCode)
	}
	return s.redirect(w, r, "/?"+url.Values{"next": {enterPrefix + sealed}}.Encode())
}

// enterByCookie brings a browser that has signed in by an emailed link or by a form to the app that it
// wanted: where the way in begins again, or with the request of its client. A ticket may have expired by
// then.
func (s *server) enterByCookie(w http.ResponseWriter, r *http.Request) error {
	sealed := s.opts.Cookies.Ticket(r)
	if request, err := s.openRequest(sealed); !errors.Is(err, apps.ErrTicket) {
		if err != nil {
			return err
		}
		return s.resumeRequest(w, r, request, s.continueToApp)
	}
	ticket, err := s.opts.Tickets.Open(sealed)
	if err != nil && !errors.Is(err, apps.ErrTicketExpired) {
		return err
	}
	app, err := s.appOfTicket(r.Context(), ticket)
	if err != nil {
		return err
	}
	if !app.Enabled {
		return s.showSwitchedOff(w, r, app, ticket.Path)
	}
	return s.continueToApp(w, r, app, app.URL()+ticket.Path)
}

// appOfTicket returns the app that a browser came from. Errors: errAppNotFound, errNoAddress.
func (s *server) appOfTicket(ctx context.Context, ticket apps.Ticket) (apps.App, error) {
	app, err := s.opts.Apps.Get(ctx, ticket.AppID)
	if err == nil && !app.HasAddress() {
		return apps.App{}, errNoAddress
	}
	return app, appError(err)
}

// toAppPage leads on to an app by itself.
type toAppPage struct {
	layoutData
	App apps.App
	URL template.URL // of any scheme that a client may use, see openid.ClientInput
}

// continueToApp sends a browser that has just posted a form to an address of an app. A redirect
// would be the form's target, which the policy of our pages limits to our own origin, and with it
// each redirect of the app that follows
// (https://www.w3.org/TR/CSP3/#directive-form-action). A page that loads another ends that.
func (s *server) continueToApp(w http.ResponseWriter, r *http.Request, app apps.App, address string) error {
	s.loadViewer(w, r)
	return s.leaveForApp(w, r, "You’re signed in", app, address)
}

// leaveForApp writes a page that loads an address of an app.
func (s *server) leaveForApp(w http.ResponseWriter, r *http.Request, title string, app apps.App, address string) error {
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Refresh", "0;url="+address)
	return s.render(w, r, http.StatusOK, "to_app", toAppPage{layoutData: s.layout(r, title), App: app, URL: template.URL(address)})
}

// handOver sends a signed-in user's browser to the app with a code, or shows why the user may not
// open it.
func (s *server) handOver(w http.ResponseWriter, r *http.Request, current session.Session, app apps.App, ticket apps.Ticket) error {
	if ticket.CookieHash == "" { // the way in begins at the app
		decision, _, err := s.opts.Apps.AccessOf(r.Context(), app, current.User)
		if err != nil {
			return err
		}
		if decision != apps.Allowed {
			return s.showRefused(w, r, app, decision, "")
		}
		return redirectToApp(w, r, app.URL()+ticket.Path)
	}
	app, code, err := s.opts.Apps.Enter(r.Context(), current, app.ID, ticket.CookieHash, ticket.Path)
	if refused := (*apps.NotAllowedError)(nil); errors.As(err, &refused) {
		return s.showRefused(w, r, app, refused.Decision, "")
	}
	if err != nil {
		return err
	}
	return redirectToApp(w, r, guard.CallbackURL(app, code, ticket.Round))
}

// redirectToApp sends the browser to an address of an app. The caller has made it from the app's
// own URL.
func redirectToApp(w http.ResponseWriter, r *http.Request, address string) error {
	w.Header().Set("Referrer-Policy", "no-referrer") // the ticket is in the address
	w.Header().Set("Location", address)              // http.Redirect would clean the path
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// refusedPage says that the viewer may not open an app.
type refusedPage struct {
	layoutData
	App    apps.App
	Off    bool // the app is switched off, so neither a request nor another account helps
	Text   string
	Switch string // path of the page that signs the viewer out, to go on with another account
}

// showRefused says that the viewer may not open an app. resume is the path on which another account
// goes on, empty to open the app.
func (s *server) showRefused(w http.ResponseWriter, r *http.Request, app apps.App, d apps.Decision, resume string) error {
	u := viewer(r).User
	s.opts.Sessions.RecordAppRefused(r.Context(), originOf(r).WithActor(u.ID, u.Email.Normalized), u, app.Name, guard.RefusalReason(d))
	view := refusedPage{App: app, Off: d == apps.SwitchedOff, Text: guard.RefusedText(d), Switch: "/signout?app=" + app.ID}
	view.layoutData = s.layout(r, "You can’t open "+app.Name)
	if view.Off {
		view.Title = app.Name + " is switched off"
	}
	if resume != "" {
		view.Switch = "/signout?" + url.Values{"next": {resume}}.Encode()
	}
	return s.render(w, r, http.StatusForbidden, "refused", view)
}

// againPage leads back to an app.
type againPage struct {
	layoutData
	Text  string
	URL   string
	Label string // of the button
}

func (s *server) startAgain(w http.ResponseWriter, r *http.Request, app apps.App, path string, problem apps.Problem) error {
	title, text := guard.StartAgainText(app, problem)
	return s.render(w, r, http.StatusBadRequest, "again", againPage{layoutData: s.layout(r, title), Text: text, URL: app.URL() + path, Label: "Start again"})
}

// showReport shows what a guard has received, as JSON.
func (s *server) showReport(w http.ResponseWriter, r *http.Request) error {
	content, err := s.opts.Tickets.OpenReport(r.URL.Query().Get("r"))
	if err != nil {
		return err
	}
	writeResponse(w, http.StatusOK, "application/json; charset=utf-8", []byte(content+"\n"))
	return nil
}

// keepTicket stores the ticket or request of a return path in a cookie and returns the path to keep in
// its place, because a flow has no room for a long one. Other paths are returned as they are.
func (s *server) keepTicket(w http.ResponseWriter, r *http.Request, next string) string {
	for prefix, kept := range map[string]string{enterPrefix: guard.EnterPath, resumePrefix: resumePath} {
		if sealed, found := strings.CutPrefix(next, prefix); found {
			s.opts.Cookies.SetTicket(w, sealed)
			return kept
		}
	}
	return next
}

// isEnterPath reports whether a return path leads to an app: with a ticket, or by its cookie.
func (s *server) isEnterPath(next string) bool {
	sealed, found := strings.CutPrefix(next, enterPrefix)
	if !found {
		return next == guard.EnterPath
	}
	_, err := s.opts.Tickets.Open(sealed)
	return err == nil || errors.Is(err, apps.ErrTicketExpired)
}

// appOnTheWay returns how to call the app that a return path leads to: by its host or, if it asked with
// OpenID Connect, by its name. It returns "" for other paths.
func (s *server) appOnTheWay(ctx context.Context, next string) (string, error) {
	if sealed, found := strings.CutPrefix(next, resumePrefix); found {
		request, err := s.openRequest(sealed)
		if err != nil {
			return "", nil
		}
		app, err := s.opts.Apps.Get(ctx, request.ClientID)
		if errors.Is(err, directory.ErrNotFound) {
			return "", nil
		}
		return app.Name, err
	}
	sealed, found := strings.CutPrefix(next, enterPrefix)
	if !found {
		return "", nil
	}
	ticket, err := s.opts.Tickets.Open(sealed)
	if err != nil && !errors.Is(err, apps.ErrTicketExpired) {
		return "", nil
	}
	app, err := s.opts.Apps.Get(ctx, ticket.AppID)
	if errors.Is(err, directory.ErrNotFound) {
		return "", nil
	}
	return app.Host, err
}

// signOutPage asks whether to sign out.
type signOutPage struct {
	layoutData
	User   directory.User
	App    *apps.App // to sign in to with another account; nil to sign out only
	Next   string    // path on which another account goes on; empty for none
	Asked  bool      // a client has asked to sign out
	Asking string    // its name; empty if it is unknown
	Logout string    // its request, for logoutOfForm
}

// showSignOut asks whether to sign out. Apps link here, and so does the page that refuses one.
func (s *server) showSignOut(w http.ResponseWriter, r *http.Request) error {
	view := signOutPage{layoutData: s.layout(r, "Sign out"), User: viewer(r).User}
	if next := r.URL.Query().Get("next"); s.isResumePath(next) || s.isDevicePath(next) {
		view.Next, view.Title = next, "Switch account"
	}
	if id := r.URL.Query().Get("app"); id != "" {
		app, err := s.opts.Apps.Get(r.Context(), id)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return err
		}
		if err == nil && app.HasAddress() { // otherwise there's nowhere to continue
			view.App, view.Title = &app, "Switch account"
		}
	}
	return s.render(w, r, http.StatusOK, "signout", view)
}
