package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
)

// appForm is an app as typed.
type appForm struct {
	Path          string // where it is posted
	New           bool
	Way           string // how people sign in to a new app: one of the ways below, or empty until one is chosen
	Name, URL     string
	HomeURL       string
	Audience      string // empty until one is chosen
	Choices       groupChoices
	Upstream      string
	PublicPaths   string
	AllowRequests bool
	Seen          string // version of the app that the form was made from; empty for a new one
	Errors        map[string]string
}

// The ways to sign in to a new app.
const (
	byProxy  = "proxy"  // Guestlist checks every request to its address
	byOpenID = "openid" // the app asks with OpenID Connect
	byBoth   = "both"
)

// checkWay returns what is wrong with the address of a new app for the chosen way, or nil.
func (f appForm) checkWay() map[string]string {
	switch {
	case f.Way == byOpenID && f.URL+f.Upstream+f.PublicPaths != "":
		return map[string]string{"way": "For OpenID Connect alone, leave “Address”, “Where the app listens” and “Public paths” empty. Or choose both."}
	case (f.Way == byProxy || f.Way == byBoth) && strings.TrimSpace(f.URL) == "":
		return map[string]string{"url": "Enter the app’s address, such as https://wiki.example.com. Only with OpenID Connect alone, it needs none."}
	}
	return nil
}

// readAppForm returns the form as typed, without its choices.
func readAppForm(form url.Values) appForm {
	return appForm{
		Way: form.Get("way"), Name: form.Get("name"), URL: form.Get("url"), HomeURL: form.Get("home_url"), Audience: form.Get("audience"),
		Upstream: form.Get("upstream"), PublicPaths: form.Get("public_paths"), AllowRequests: form.Has("allow_requests"), Seen: form.Get("seen"),
	}
}

// appInput returns the input for the service. Its error is that of chosenGroups.
func (s *server) appInput(r *http.Request, typed appForm, form url.Values) (apps.Input, error) {
	in := apps.Input{
		Name: typed.Name, URL: typed.URL, HomeURL: typed.HomeURL, Audience: typed.Audience, Upstream: typed.Upstream,
		PublicPaths: typed.PublicPaths, AllowRequests: typed.AllowRequests,
	}
	if typed.Seen != "" {
		seen, err := time.Parse(time.RFC3339Nano, typed.Seen)
		if err != nil {
			return in, errBadForm
		}
		in.Seen = seen
	}
	if typed.Audience != string(apps.Groups) {
		return in, nil
	}
	groups, err := s.chosenGroups(r, form)
	for _, g := range groups {
		in.GroupIDs = append(in.GroupIDs, g.ID)
	}
	return in, err
}

// newAppPage has the form for a new app.
type newAppPage struct {
	layoutData
	Form appForm
}

func (s *server) showNewApp(w http.ResponseWriter, r *http.Request) error {
	typed, _ := s.draft(w, r)
	return s.newAppPage(w, r, http.StatusOK, readAppForm(typed), typed)
}

func (s *server) newAppPage(w http.ResponseWriter, r *http.Request, status int, typed appForm, form url.Values) error {
	var err error
	if typed.Choices, err = s.groupChoices(r, form["groups"]); err != nil {
		return err
	}
	typed.Choices.Names, typed.Path, typed.New = form.Get("group_names"), "/apps/new", true
	return s.render(w, r, status, "app_new", newAppPage{s.sectionLayout(w, r, "Add an app", "apps"), typed})
}

func (s *server) createApp(w http.ResponseWriter, r *http.Request, form url.Values) error {
	typed := readAppForm(form)
	if typed.Errors = typed.checkWay(); typed.Errors != nil {
		return s.newAppPage(w, r, http.StatusUnprocessableEntity, typed, form)
	}
	in, err := s.appInput(r, typed, form)
	var a apps.App
	if err == nil {
		a, err = s.opts.Apps.Create(r.Context(), originOf(r), in)
	}
	status, fields := appFormErrors(err)
	switch {
	case fields != nil:
		typed.Errors = fields
		return s.newAppPage(w, r, status, typed, form)
	case err != nil:
		return err
	}
	text := a.Name + " was added."
	if typed.Way == byOpenID || typed.Way == byBoth {
		return s.redirectWithMessage(w, r, "/apps/"+a.ID+"/openid", text)
	}
	if a.HasAddress() {
		text += " Next, connect it."
	}
	return s.redirectWithMessage(w, r, "/apps/"+a.ID, text)
}

// appFormErrors returns the messages for the fields of an app, and the status to answer with.
// fields is nil for other errors.
func appFormErrors(err error) (status int, fields map[string]string) {
	switch {
	case errors.Is(err, apps.ErrNameTaken):
		return http.StatusConflict, map[string]string{"name": "Another app has this name."}
	case errors.Is(err, apps.ErrHostTaken):
		return http.StatusConflict, map[string]string{"url": "Another app has this address."}
	case errors.Is(err, apps.ErrTooManyApps):
		return http.StatusConflict, map[string]string{"name": "There are 1,000 apps already. Remove one first."}
	}
	return http.StatusUnprocessableEntity, invalidFields(err)
}

// withApp passes the app in the route's {id} to a handler.
func (s *server) withApp(next func(w http.ResponseWriter, r *http.Request, a apps.App) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := s.opts.Apps.Get(r.Context(), r.PathValue("id"))
		if err != nil {
			return appError(err)
		}
		return next(w, r, a)
	}
}

// appError returns errAppNotFound for an app that doesn't exist, and otherwise the error given.
func appError(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return errAppNotFound
	}
	return err
}
