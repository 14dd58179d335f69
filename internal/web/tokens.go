package web

import (
	"errors"
	"net/http"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
)

// tokensPart is what an administrator's profile shows of API tokens.
type tokensPart struct {
	List      []listedToken
	Max       int // how many there may be
	Draft     token.Draft
	Lifetimes []int
	Errors    map[string]string
	Made      string // name of the one that was just made
	Secret    string // and itself, this once
}

type listedToken struct {
	token.Token
	Over bool // it has expired
}

// newDraft is an empty form, whose ID has it make one token however often it is sent.
func newDraft() token.Draft {
	return token.Draft{ID: token.NewID(), Scope: string(token.Read), Days: "30"}
}

// tokens is the part with an empty form.
func (s *server) tokens(r *http.Request) (*tokensPart, error) {
	list, err := s.Tokens.List(r.Context(), viewer(r).UserID)
	p := &tokensPart{Max: token.Max, Lifetimes: token.Lifetimes, Draft: newDraft()}
	for _, t := range list {
		p.List = append(p.List, listedToken{t, t.Expired(s.Now())})
	}
	return p, err
}

// showTokens is where somebody comes who loads the page of a new token again.
func (s *server) showTokens(w http.ResponseWriter, r *http.Request) error {
	return s.redirect(w, r, "/profile")
}

// makeToken answers with the token itself: nowhere else, and never again, is it
// told. So this is the one form whose good answer is no redirect.
func (s *server) makeToken(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	view, err := s.profile(w, r) // before it is made: then nothing is left that could keep it from being shown
	if err != nil {
		return err
	}
	part := view.Tokens
	d := token.Draft{ID: form.Get("id"), Name: form.Get("name"), Scope: form.Get("scope"), Days: form.Get("days")}
	made, secret, err := s.Tokens.Make(r.Context(), viewer(r).User, d)
	invalid := (*directory.Invalid)(nil)
	switch {
	case errors.As(err, &invalid) && invalid.Fields["id"] != "":
		return errBadForm
	case errors.As(err, &invalid):
		part.Draft, part.Errors = d, invalid.Fields
		return s.render(w, r, http.StatusUnprocessableEntity, "profile", view)
	case errors.Is(err, token.ErrMade):
		return s.tell(w, r, "/profile", session.Message{Warning: true, Text: "A token is shown once, when it is made. If you have not kept it, revoke it and make another."})
	case err != nil:
		return err
	}
	w.Header().Set("Cache-Control", "no-store, no-transform") // there is a secret in it: see send
	part.List = slices.Insert(part.List, 0, listedToken{Token: made})
	part.Made, part.Secret = made.Name, secret
	view.Message = session.Message{Text: "Made the token " + made.Name + "."}
	return s.render(w, r, http.StatusOK, "profile", view)
}

// revokePage asks before a token is revoked.
type revokePage struct {
	page
	Token token.Token
}

func (s *server) showRevokeToken(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Tokens.List(r.Context(), viewer(r).UserID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(t token.Token) bool { return t.ID == r.PathValue("id") })
	if i < 0 {
		return errNoToken
	}
	return s.render(w, r, http.StatusOK, "revoke", revokePage{s.section(w, r, "Revoke "+list[i].Name+"?", "profile"), list[i]})
}

func (s *server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	name := ""
	n, err := s.Tokens.Revoke(r.Context(), viewer(r).UserID, func(t token.Token) bool {
		is := t.ID == r.PathValue("id")
		if is {
			name = t.Name
		}
		return is
	})
	switch {
	case err != nil:
		return err
	case n == 0:
		return errNoToken
	}
	return s.done(w, r, "/profile", "Revoked "+name+": it opens nothing any more.")
}
