package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/openid/recipe"
)

// openIDForm is the client of an app as typed.
type openIDForm struct {
	openid.ClientInput
	Kind   string // public, confidential or empty until one is chosen
	Tool   string // id of the recipe that filled it in; empty for none
	Errors map[string]string
}

// The kinds of clients in the form.
const (
	publicClient       = "public"
	confidentialClient = "confidential"
)

// readOpenIDForm returns the form as typed.
func readOpenIDForm(form url.Values) openIDForm {
	return openIDForm{Kind: form.Get("kind"), Tool: form.Get("tool"), ClientInput: openid.ClientInput{
		Public: form.Get("kind") == publicClient, Algorithm: form.Get("algorithm"), RedirectURIs: form.Get("redirect_uris"),
		PostLogoutURIs: form.Get("post_logout_redirect_uris"), BackchannelLogout: form.Get("backchannel_logout_uri"),
	}}
}

// savedOpenIDForm returns the form of a client as it is stored.
func savedOpenIDForm(c openid.Client) openIDForm {
	kind := confidentialClient
	if c.Public {
		kind = publicClient
	}
	return openIDForm{Kind: kind, ClientInput: c.Input()}
}

// recipeForm returns the form for a tool at the app's address, or at an example if it has none.
func recipeForm(tool recipe.Recipe, a apps.App) openIDForm {
	kind, at := confidentialClient, cmp.Or(toolURL(a), tool.ExampleURL())
	if tool.Public {
		kind = publicClient
	}
	return openIDForm{Kind: kind, Tool: tool.ID, ClientInput: openid.ClientInput{
		Public: tool.Public, RedirectURIs: strings.Join(tool.RedirectURIs(at), "\n"), PostLogoutURIs: strings.Join(tool.PostLogoutURIs(at), "\n"),
		BackchannelLogout: tool.BackchannelLogout(at),
	}}
}

// toolURL returns where the tool of an app is, or "" if it isn't known.
func toolURL(a apps.App) string { return cmp.Or(a.URL(), a.HomeURL) }

// MoreOpen reports whether the fields that few clients need are to be shown.
func (f openIDForm) MoreOpen() bool {
	return f.BackchannelLogout != "" || f.Algorithm == "ES256" || f.Errors["backchannel_logout_uri"] != "" || f.Errors["id_token_signed_response_alg"] != ""
}

// openIDPage has the form for the client of an app, which is new or exists.
type openIDPage struct {
	layoutData
	App         apps.App
	Exists      bool
	HasSecrets  bool // which a public client doesn't use
	Form        openIDForm
	Tools       []recipe.Recipe // that can fill in the form
	AtExample   bool            // a recipe filled it in, with an example for the app's address
	MaxListSize int             // in characters
	MaxURI      int
}

func (s *server) showOpenIDForm(w http.ResponseWriter, r *http.Request, a apps.App) error {
	if typed, ok := s.draft(w, r); ok {
		return s.openIDPage(w, r, http.StatusOK, a, readOpenIDForm(typed))
	}
	form := openIDForm{Kind: confidentialClient}
	if tool, found := recipe.Find(r.URL.Query().Get("tool")); found {
		form = recipeForm(tool, a)
	}
	c, err := s.opts.Clients.Get(r.Context(), a.ID)
	switch {
	case err == nil:
		form = savedOpenIDForm(c)
	case !errors.Is(err, directory.ErrNotFound):
		return err
	}
	return s.openIDPage(w, r, http.StatusOK, a, form)
}

func (s *server) openIDPage(w http.ResponseWriter, r *http.Request, status int, a apps.App, form openIDForm) error {
	view := openIDPage{App: a, Form: form, Tools: recipe.All(), AtExample: form.Tool != "" && form.Errors == nil && toolURL(a) == "", MaxListSize: openid.MaxURIs * (openid.MaxURI + 2), MaxURI: openid.MaxURI}
	title := "Set up OpenID Connect for " + a.Name
	_, err := s.opts.Clients.Get(r.Context(), a.ID)
	switch {
	case err == nil:
		view.Exists, title = true, "OpenID Connect for "+a.Name
	case !errors.Is(err, directory.ErrNotFound):
		return err
	}
	secrets, err := s.opts.Clients.ListSecrets(r.Context(), a.ID)
	if err != nil {
		return err
	}
	view.HasSecrets = len(secrets) > 0
	view.layoutData = s.sectionLayout(w, r, title, "apps")
	return s.render(w, r, status, "openid", view)
}

func (s *server) saveOpenID(w http.ResponseWriter, r *http.Request, form url.Values) error {
	a, err := s.opts.Apps.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return appError(err)
	}
	typed := readOpenIDForm(form)
	if typed.Kind != publicClient && typed.Kind != confidentialClient {
		typed.Errors = map[string]string{"kind": "Choose where the app runs."}
		return s.openIDPage(w, r, http.StatusUnprocessableEntity, a, typed)
	}
	_, notFound := s.opts.Clients.Get(r.Context(), a.ID)
	saved, err := s.opts.Clients.Save(r.Context(), originOf(r), a, typed.ClientInput)
	if fields := invalidFields(err); fields != nil {
		typed.Errors = fields
		return s.openIDPage(w, r, http.StatusUnprocessableEntity, a, typed)
	}
	if err != nil {
		return appError(err)
	}
	created := errors.Is(notFound, directory.ErrNotFound)
	text := "Saved the OpenID Connect settings of " + a.Name + "."
	switch {
	case created && saved.Public:
		text = "OpenID Connect is set up. Now enter the issuer and the client ID in " + a.Name + "."
	case created:
		text = "OpenID Connect is set up. Now create a client secret."
	}
	path := "/apps/" + a.ID
	if tool, found := recipe.Find(typed.Tool); found {
		path += "?tool=" + tool.ID
	}
	return s.redirectWithMessage(w, r, path, text)
}

// withClient passes the app in the route's {id} and its client to a handler.
func (s *server) withClient(next func(w http.ResponseWriter, r *http.Request, a apps.App, c openid.Client) error) handler {
	return s.withApp(func(w http.ResponseWriter, r *http.Request, a apps.App) error {
		c, err := s.opts.Clients.Get(r.Context(), a.ID)
		if err != nil {
			return asNoClient(err)
		}
		return next(w, r, a, c)
	})
}

// asNoClient returns errNoClient for a client that doesn't exist, and otherwise the error given.
func asNoClient(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return errNoClient
	}
	return err
}

// removeOpenIDPage asks before the client of an app is removed.
type removeOpenIDPage struct {
	layoutData
	App apps.App
}

func (s *server) showRemoveOpenID(w http.ResponseWriter, r *http.Request, a apps.App, _ openid.Client) error {
	return s.render(w, r, http.StatusOK, "openid_remove", removeOpenIDPage{s.sectionLayout(w, r, "Remove OpenID Connect from "+a.Name+"?", "apps"), a})
}

func (s *server) removeOpenID(w http.ResponseWriter, r *http.Request, a apps.App, _ openid.Client) error {
	if err := s.opts.Clients.Remove(r.Context(), originOf(r), a); err != nil {
		return asNoClient(err)
	}
	return s.redirectWithMessage(w, r, "/apps/"+a.ID, "OpenID Connect was removed. "+a.Name+" can’t sign people in any more.")
}
