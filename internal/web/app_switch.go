package web

import (
	"net/http"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/guard"
)

// switchApp returns the handler that switches an app on or off.
func (s *server) switchApp(on bool) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := s.opts.Apps.Switch(r.Context(), originOf(r), r.PathValue("id"), on)
		if err != nil {
			return appError(err)
		}
		text := a.Name + " is switched off. No one can open it until you switch it on again."
		if on {
			text = a.Name + " is switched on."
		}
		return s.redirectWithMessage(w, r, "/apps/"+a.ID, text)
	}
}

// showSwitchedOff shows that an app is switched off, also to visitors who aren't signed in.
func (s *server) showSwitchedOff(w http.ResponseWriter, r *http.Request, app apps.App, path string) error {
	s.loadViewer(w, r)
	title, text := guard.SwitchedOffText(app)
	view := againPage{layoutData: s.layout(r, title), Text: text, URL: app.URL() + path, Label: "Try again"}
	return s.render(w, r, http.StatusForbidden, "again", view)
}
