package web

import (
	"net/http"
	"net/url"

	"github.com/guestlist/guestlist/internal/directory"
)

// secondFactorSetupPage lets a user who needs a second factor to sign in, and has none, set one up.
type secondFactorSetupPage struct {
	layoutData
	User  directory.User
	Next  string // page to go to afterwards; may be empty
	Stale bool   // only a new sign-in allows it
}

// setupPath returns the path of the page, with the page to go to afterwards.
func setupPath(next string) string {
	if next == "" {
		return "/second-factor/setup"
	}
	return "/second-factor/setup?" + url.Values{"next": {next}}.Encode()
}

func (s *server) showSecondFactorSetup(w http.ResponseWriter, r *http.Request) error {
	current, next := *viewer(r), s.returnPath(r.URL.Query().Get("next"))
	factors, err := s.opts.Factors.List(r.Context(), current.UserID)
	if err != nil {
		return err
	}
	mayGoOn := !s.opts.Sessions.Standing(current).NeedsSecondFactor
	switch {
	case len(factors) > 0 && !mayGoOn:
		return errSecondFactor // to prove it
	case len(factors) > 0, !s.opts.Sessions.RequiresSecondFactor(current):
		return s.redirect(w, r, s.startPath(next))
	}
	return s.render(w, r, http.StatusOK, "second_factor_setup", secondFactorSetupPage{
		layoutData: s.layout(r, "Set up a second factor"), User: current.User, Next: next, Stale: !s.opts.Sessions.MaySetUp(current, false),
	})
}
