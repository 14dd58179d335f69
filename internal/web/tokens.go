package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// tokensSection is the part of an administrator's profile with API tokens.
type tokensSection struct {
	List      []listedToken
	Max       int // the most a user may have
	Draft     token.Request
	Lifetimes []int
	Errors    map[string]string
	Created   string // name of the token just created; empty if none was
	Secret    string // that token, shown this once
}

type listedToken struct {
	token.Token
	IsExpired bool
}

// newDraft returns an empty form. Its ID makes sure that it creates one token however often it is
// sent.
func newDraft() token.Request {
	return token.Request{ID: token.NewID(), Scope: string(token.Read), Days: "30"}
}

// tokens returns the section with an empty form.
func (s *server) tokens(r *http.Request) (*tokensSection, error) {
	list, err := s.opts.Tokens.List(r.Context(), viewer(r).UserID)
	return &tokensSection{List: s.listed(list), Max: token.MaxPerUser, Lifetimes: token.Lifetimes, Draft: newDraft()}, err
}

// listed tells which tokens have expired.
func (s *server) listed(tokens []token.Token) []listedToken {
	list := make([]listedToken, len(tokens))
	for i, t := range tokens {
		list[i] = listedToken{t, t.Expired(s.opts.Now())}
	}
	return list
}

// showTokens answers a reload of the page that showed a new token.
func (s *server) showTokens(w http.ResponseWriter, r *http.Request) error {
	return s.redirect(w, r, "/profile")
}

// createToken shows the new token, this once. So it is the one form that doesn't redirect on
// success.
func (s *server) createToken(w http.ResponseWriter, r *http.Request, form url.Values) error {
	view, err := s.profile(w, r) // first: once the token is created, nothing may keep it from being shown
	if err != nil {
		return err
	}
	part := view.Tokens
	d := token.Request{ID: form.Get("id"), Name: form.Get("name"), Scope: form.Get("scope"), Days: form.Get("days")}
	created, secret, err := s.opts.Tokens.Create(r.Context(), originOf(r), viewer(r).User, d)
	invalid := invalidFields(err)
	switch {
	case invalid != nil && invalid["id"] != "":
		return errBadForm
	case invalid != nil:
		part.Draft, part.Errors = d, invalid
		return s.render(w, r, http.StatusUnprocessableEntity, "profile", view)
	case errors.Is(err, token.ErrDuplicate):
		return s.redirectWith(w, r, "/profile", session.Message{Warning: true, Text: "A token is shown only once, when it’s created. If you haven’t saved it, revoke it and create another."})
	case err != nil:
		return err
	}
	middleware.NoCompression(w.Header()) // the response contains the token
	part.List = slices.Insert(part.List, 0, listedToken{Token: created})
	part.Created, part.Secret = created.Name, secret
	view.Message = session.Message{Text: "Token " + created.Name + " created."}
	return s.render(w, r, http.StatusOK, "profile", view)
}

// revokePage asks before a token is revoked.
type revokePage struct {
	layoutData
	Token token.Token
	Owner string // display name; empty if the token is the viewer's own
	Path  string // where the form posts to
	Back  string
}

func (s *server) showRevokeToken(w http.ResponseWriter, r *http.Request) error {
	t, err := s.tokenOf(r, viewer(r).UserID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "revoke", revokePage{
		layoutData: s.sectionLayout(w, r, "Revoke "+t.Name+"?", "profile"), Token: t, Path: "/profile/tokens/" + t.ID + "/revoke", Back: "/profile",
	})
}

// showRevokeUserToken asks before another administrator's token is revoked.
func (s *server) showRevokeUserToken(w http.ResponseWriter, r *http.Request, u directory.User) error {
	t, err := s.tokenOf(r, u.ID, r.PathValue("token"))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "revoke", revokePage{
		layoutData: s.sectionLayout(w, r, "Revoke "+t.Name+"?", "users"), Token: t, Owner: u.DisplayName(),
		Path: "/users/" + u.ID + "/tokens/" + t.ID + "/revoke" + listStateOf(r).Carry(), Back: userPath(r, u.ID),
	})
}

// tokenOf returns one of a user's tokens by its ID, or errTokenNotFound.
func (s *server) tokenOf(r *http.Request, userID, id string) (token.Token, error) {
	list, err := s.opts.Tokens.List(r.Context(), userID)
	if err != nil {
		return token.Token{}, err
	}
	i := slices.IndexFunc(list, func(t token.Token) bool { return t.ID == id })
	if i < 0 {
		return token.Token{}, errTokenNotFound
	}
	return list[i], nil
}

func (s *server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	name, err := s.revoke(r, viewer(r).UserID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, "/profile", revoked(name))
}

func (s *server) revokeUserToken(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	name, err := s.revoke(r, id, r.PathValue("token"))
	if err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, userPath(r, id), revoked(name))
}

func revoked(name string) string { return "Revoked " + name + ": it no longer works." }

// revoke revokes one of a user's tokens and returns its name. It fails with errTokenNotFound if
// there is none with the ID.
func (s *server) revoke(r *http.Request, userID, id string) (name string, err error) {
	n, err := s.opts.Tokens.Revoke(r.Context(), originOf(r), userID, func(t token.Token) bool {
		is := t.ID == id
		if is {
			name = t.Name
		}
		return is
	})
	if errors.Is(err, directory.ErrNotFound) || err == nil && n == 0 {
		err = errTokenNotFound
	}
	return name, err
}
