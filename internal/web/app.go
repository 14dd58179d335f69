package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/apps/probe"
	"github.com/guestlist/guestlist/internal/apps/snippet"
	"github.com/guestlist/guestlist/internal/session"
)

// appPage shows one app.
type appPage struct {
	layoutData
	App       apps.App // without an address, there is nothing to connect
	Form      appForm
	LastCheck time.Time // zero if this instance checked no request since it started
	Recent    bool      // LastCheck is within a day
	Snippets  []snippet.Snippet
	Open      snippet.Way // the snippet to show first; empty if none
	OpenID    appOpenID
	Tokens    appTokens
}

func (s *server) showApp(w http.ResponseWriter, r *http.Request, a apps.App) error {
	if typed, ok := s.draft(w, r); ok {
		view := appPage{App: a, Form: readAppForm(typed)}
		return s.appPage(w, r, http.StatusOK, view, typed)
	}
	return s.appPage(w, r, http.StatusOK, appPage{App: a, Form: savedForm(a)}, savedGroups(a))
}

// savedForm returns the form of an app as it is stored.
func savedForm(a apps.App) appForm {
	return appForm{
		Name: a.Name, URL: a.URL(), HomeURL: a.HomeURL, Audience: string(a.Audience), Upstream: a.Upstream,
		PublicPaths: strings.Join(a.PublicPaths, "\n"), AllowRequests: a.AllowRequests, Seen: a.UpdatedAt.Format(time.RFC3339Nano),
	}
}

// savedGroups returns the fields of a form that choose an app's groups.
func savedGroups(a apps.App) url.Values {
	v := url.Values{}
	for _, g := range a.Groups {
		v.Add("groups", g.ID)
	}
	return v
}

// appPage completes the page for view.App. form has the chosen groups.
func (s *server) appPage(w http.ResponseWriter, r *http.Request, status int, view appPage, form url.Values) error {
	if err := s.completeApp(w, r, &view, form); err != nil {
		return err
	}
	return s.render(w, r, status, "app", view)
}

func (s *server) completeApp(w http.ResponseWriter, r *http.Request, view *appPage, form url.Values) error {
	a := view.App
	view.layoutData = s.sectionLayout(w, r, a.Name, "apps")
	var err error
	if view.Form.Choices, err = s.groupChoices(r, form["groups"]); err != nil {
		return err
	}
	view.Form.Choices.Names, view.Form.Path = form.Get("group_names"), "/apps/"+a.ID
	if a.HasAddress() {
		s.completeConnection(view)
	}
	if err := s.completeAppOpenID(r, a, &view.OpenID); err != nil {
		return err
	}
	return s.completeAppTokens(r, a, &view.Tokens)
}

// completeConnection sets what the page says about requests to the app's address.
func (s *server) completeConnection(view *appPage) {
	a := view.App
	view.LastCheck = s.opts.Apps.LastCheck(a.ID)
	view.Recent = s.opts.Now().Sub(view.LastCheck) < 24*time.Hour
	view.Snippets = snippet.All(a, snippet.Installation{BaseURL: s.opts.BaseURL, Addr: s.opts.Addr})
	switch {
	case !view.LastCheck.IsZero():
	case a.Upstream != "":
		view.Open = snippet.BuiltIn
	default:
		view.Open = snippet.Caddy
	}
}

func (s *server) editApp(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id, typed := r.PathValue("id"), readAppForm(form)
	in, err := s.appInput(r, typed, form)
	var a apps.App
	if err == nil {
		a, err = s.opts.Apps.Edit(r.Context(), originOf(r), id, in)
	}
	if err == nil {
		return s.redirectWithMessage(w, r, "/apps/"+id, "Saved "+a.Name+".")
	}
	status, fields := appFormErrors(err)
	changed := errors.Is(err, apps.ErrChanged)
	if fields == nil && !changed {
		return appError(err)
	}
	current, err := s.opts.Apps.Get(r.Context(), id)
	if err != nil {
		return appError(err)
	}
	view := appPage{App: current, Form: typed}
	view.Form.Errors = fields
	if !changed {
		return s.appPage(w, r, status, view, form)
	}
	view.Form.Seen = savedForm(current).Seen
	if err := s.completeApp(w, r, &view, form); err != nil {
		return err
	}
	view.Message = session.Message{Warning: true, Text: "Someone else changed this app while you were editing, so nothing was saved. What you typed is still here: compare it with Activity, then save again."}
	return s.render(w, r, http.StatusConflict, "app", view)
}

// testApp sends a request to the app's address and says whether it reached Guestlist.
func (s *server) testApp(w http.ResponseWriter, r *http.Request, a apps.App) error {
	switch {
	case !a.HasAddress():
		return s.redirectWith(w, r, "/apps/"+a.ID, session.Message{Text: "Give the app an address first, then test it.", Warning: true})
	case !a.Enabled:
		return s.redirectWith(w, r, "/apps/"+a.ID, session.Message{Text: "Switch the app on first, then test it.", Warning: true})
	}
	found := probe.Run(r.Context(), a, s.opts.BaseURL)
	return s.redirectWith(w, r, "/apps/"+a.ID, session.Message{Text: found.Message(a), Warning: found != probe.Reached})
}

// removeAppPage asks before an app is removed.
type removeAppPage struct {
	layoutData
	App apps.App
}

func (s *server) showRemoveApp(w http.ResponseWriter, r *http.Request, a apps.App) error {
	return s.render(w, r, http.StatusOK, "app_remove", removeAppPage{s.sectionLayout(w, r, "Remove "+a.Name+"?", "apps"), a})
}

func (s *server) removeApp(w http.ResponseWriter, r *http.Request, a apps.App) error {
	if err := s.opts.Apps.Remove(r.Context(), originOf(r), a.ID); err != nil {
		return appError(err)
	}
	return s.redirectWithMessage(w, r, "/apps", a.Name+" was removed. No one can open it through Guestlist any more.")
}
