package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// askPage lets a user request access to an app, and shows what became of it.
type askPage struct {
	layoutData
	App      apps.App
	Off      bool          // the app is switched off
	Open     bool          // the viewer can open the app
	Until    time.Time     // when that ends; zero if it has no end
	MayAsk   bool          // the form is shown
	Pending  *apps.Request // waits for a decision; nil if none does
	Denied   *apps.Request // the newest request if it was denied
	AskAgain time.Time     // when the viewer may ask again; zero unless they must wait
	Note     string        // as typed
	Errors   map[string]string
	Problem  string // why the request wasn't made; empty if it wasn't tried
	Emails   bool   // the decision is emailed
}

func (s *server) showAsk(w http.ResponseWriter, r *http.Request) error {
	typed, _ := s.draft(w, r)
	return s.askPage(w, r, http.StatusOK, askPage{Note: typed.Get("note")})
}

// askPage completes the page for the app in the route's {id}.
func (s *server) askPage(w http.ResponseWriter, r *http.Request, status int, view askPage) error {
	standing, err := s.opts.Requests.Standing(r.Context(), r.PathValue("id"), viewer(r).UserID)
	if errors.Is(err, directory.ErrNotFound) {
		return errPageNotFound // the viewer may not know whether there is such an app
	}
	if err != nil {
		return err
	}
	title := "Request access to " + standing.App.Name
	switch {
	case standing.Decision == apps.SwitchedOff:
		view.Off, title = true, standing.App.Name+" is switched off"
	case standing.Decision == apps.Allowed && standing.Refusal != nil:
		title = standing.App.Name
	}
	view.layoutData = s.sectionLayout(w, r, title, "apps")
	view.App, view.Until, view.MayAsk, view.Emails = standing.App, standing.Until, standing.Refusal == nil, s.opts.MailsNotices
	view.Open = standing.Decision == apps.Allowed
	if q := standing.Request; q != nil {
		switch q.State {
		case apps.RequestPending:
			view.Pending = q
		case apps.RequestDenied:
			view.Denied = q
		}
	}
	if denied := (*apps.DeniedError)(nil); errors.As(standing.Refusal, &denied) {
		view.AskAgain = denied.Until
	}
	return s.render(w, r, status, "ask", view)
}

func (s *server) ask(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id, note := r.PathValue("id"), form.Get("note")
	err := s.opts.Requests.Ask(r.Context(), originOf(r), id, viewer(r).UserID, note)
	fields := invalidFields(err)
	denied, limited := (*apps.DeniedError)(nil), (*session.RateLimitError)(nil)
	switch {
	case err == nil:
		return s.redirectWithMessage(w, r, askPath(id), "Your request is waiting for an administrator.")
	case fields != nil:
		return s.askPage(w, r, http.StatusUnprocessableEntity, askPage{Note: note, Errors: fields})
	case errors.As(err, &limited):
		setRetryAfter(w, limited.After)
		return s.askPage(w, r, http.StatusTooManyRequests, askPage{
			Note: note, Problem: "You’ve asked for access to many apps today. Try again in " + waitText(limited.After) + ".",
		})
	case errors.As(err, &denied), errors.Is(err, apps.ErrSwitchedOff), errors.Is(err, apps.ErrRequestPending), errors.Is(err, apps.ErrHasAccess):
		return s.redirect(w, r, askPath(id)) // the page says so
	case errors.Is(err, directory.ErrNotFound):
		return errPageNotFound
	}
	return err
}

// askPath returns the path of the page to request access to an app.
func askPath(appID string) string { return "/apps/" + appID + "/request" }

// waitText returns a duration of minutes or hours, rounded up.
func waitText(d time.Duration) string {
	unit := time.Minute
	if d > time.Hour {
		unit = time.Hour
	}
	return formatDuration((d + unit - 1).Truncate(unit))
}
