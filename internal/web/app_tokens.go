package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// appTokens is the part of an app's page with its tokens.
type appTokens struct {
	List      []listedAppToken
	Max       int // the most an app may have
	Draft     appTokenForm
	Lifetimes []int
	Created   string // name of the token just created; empty if none was
	Secret    string // that token, shown this once
}

type listedAppToken struct {
	apps.Token
	IsExpired bool
}

// appTokenForm is a token as typed.
type appTokenForm struct {
	ID, Name, Email, Days string
	Errors                map[string]string
}

// completeAppTokens sets what the page needs besides the form and a new token.
func (s *server) completeAppTokens(r *http.Request, a apps.App, part *appTokens) error {
	list, err := s.opts.Apps.ListTokens(r.Context(), a.ID)
	if err != nil {
		return err
	}
	for _, t := range list {
		part.List = append(part.List, listedAppToken{t, t.Expired(s.opts.Now())})
	}
	part.Max, part.Lifetimes = apps.MaxTokens, token.Lifetimes
	if part.Draft.ID == "" {
		part.Draft.ID = apps.NewTokenID() // makes sure that the form creates one token however often it is sent
	}
	if part.Draft.Days == "" {
		part.Draft.Days = "90"
	}
	return nil
}

// createAppToken shows the new token, this once. So it doesn't redirect on success.
func (s *server) createAppToken(w http.ResponseWriter, r *http.Request, form url.Values) error {
	a, err := s.opts.Apps.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return appError(err)
	}
	typed := appTokenForm{ID: form.Get("id"), Name: form.Get("name"), Email: form.Get("email"), Days: form.Get("days")}
	view := appPage{App: a, Form: savedForm(a)}
	view.Tokens.Draft = typed
	// First: once the token is created, nothing may keep it from being shown.
	if err := s.completeApp(w, r, &view, savedGroups(a)); err != nil {
		return err
	}
	part := &view.Tokens
	user, err := s.tokenUser(r, typed.Email)
	var created apps.Token
	var secret string
	if err == nil {
		created, secret, err = s.opts.Apps.CreateToken(r.Context(), originOf(r), a, user, apps.TokenRequest{ID: typed.ID, Name: typed.Name, UserID: user.ID, Days: typed.Days})
	}
	invalid := invalidFields(err)
	switch {
	case invalid != nil && invalid["id"] != "":
		return errBadForm
	case invalid != nil:
		part.Draft.Errors = invalid
		return s.render(w, r, http.StatusUnprocessableEntity, "app", view)
	case errors.Is(err, apps.ErrTooManyTokens):
		part.Draft.Errors = map[string]string{"name": "This app has as many tokens as it can have. Revoke one first."}
		return s.render(w, r, http.StatusConflict, "app", view)
	case errors.Is(err, apps.ErrTokenExists):
		return s.redirectWith(w, r, "/apps/"+a.ID, session.Message{Warning: true, Text: "A token is shown only once, when it’s created. If you haven’t saved it, revoke it and create another."})
	case err != nil:
		return appError(err)
	}
	middleware.NoCompression(w.Header()) // the response contains the token
	part.List = slices.Insert(part.List, 0, listedAppToken{Token: created})
	part.Created, part.Secret = created.Name, secret
	part.Draft = appTokenForm{ID: apps.NewTokenID(), Days: "90"}
	view.Message = session.Message{Text: "Token " + created.Name + " created."}
	return s.render(w, r, http.StatusOK, "app", view)
}

// tokenUser returns the user that a token acts as, zero if no address was typed. The error is a
// *directory.ValidationError.
func (s *server) tokenUser(r *http.Request, address string) (directory.User, error) {
	if address == "" {
		return directory.User{}, nil
	}
	email, err := directory.ParseEmail(address)
	if err != nil {
		return directory.User{}, &directory.ValidationError{Fields: map[string]string{"email": err.Error()}}
	}
	u, err := s.opts.Directory.GetUserByEmail(r.Context(), email)
	if errors.Is(err, directory.ErrNotFound) {
		err = &directory.ValidationError{Fields: map[string]string{"email": email.Display + " isn’t on the list."}}
	}
	return u, err
}

// revokeAppTokenPage asks before a token is revoked.
type revokeAppTokenPage struct {
	layoutData
	Token apps.Token
	Owner string // the app; see the template
	Path  string
	Back  string
}

func (s *server) showRevokeAppToken(w http.ResponseWriter, r *http.Request, a apps.App) error {
	t, err := s.appToken(r, a)
	if err != nil {
		return err
	}
	back := "/apps/" + a.ID
	return s.render(w, r, http.StatusOK, "revoke", revokeAppTokenPage{
		layoutData: s.sectionLayout(w, r, "Revoke "+t.Name+"?", "apps"), Token: t, Owner: a.Name, Path: back + "/tokens/" + t.ID + "/revoke", Back: back,
	})
}

// appToken returns the app's token in the route's {token}, or errAppTokenNotFound.
func (s *server) appToken(r *http.Request, a apps.App) (apps.Token, error) {
	list, err := s.opts.Apps.ListTokens(r.Context(), a.ID)
	if err != nil {
		return apps.Token{}, err
	}
	i := slices.IndexFunc(list, func(t apps.Token) bool { return t.ID == r.PathValue("token") })
	if i < 0 {
		return apps.Token{}, errAppTokenNotFound
	}
	return list[i], nil
}

func (s *server) revokeAppToken(w http.ResponseWriter, r *http.Request, a apps.App) error {
	t, err := s.appToken(r, a)
	if err != nil {
		return err
	}
	err = s.opts.Apps.RevokeToken(r.Context(), originOf(r), a, t.ID)
	if err != nil {
		return asNotFound(err, errAppTokenNotFound)
	}
	return s.redirectWithMessage(w, r, "/apps/"+a.ID, revoked(t.Name))
}
