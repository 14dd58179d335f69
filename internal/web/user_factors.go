package web

import (
	"net/http"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
)

// resetFactorsPage asks before all sign-in methods of a user are removed.
type resetFactorsPage struct {
	layoutData
	User    directory.User
	Summary string // see factor.Summary; empty for none
}

func (s *server) showResetFactors(w http.ResponseWriter, r *http.Request, u directory.User) error {
	if u.ID == viewer(r).UserID {
		return errOwnFactors
	}
	have, err := s.opts.Factors.List(r.Context(), u.ID)
	if err != nil {
		return err
	}
	title := "Remove the sign-in methods of " + u.DisplayName() + "?"
	return s.render(w, r, http.StatusOK, "factors_remove", resetFactorsPage{s.sectionLayout(w, r, title, "users"), u, factor.Summary(have)})
}

func (s *server) resetFactors(w http.ResponseWriter, r *http.Request, u directory.User) error {
	removed, err := s.removeFactors(r, u)
	if err != nil {
		return err
	}
	if len(removed) == 0 {
		return s.redirectWithMessage(w, r, userPath(r, u.ID), u.DisplayName()+" has no passkeys and no authenticator app.")
	}
	return s.redirectWithMessage(w, r, userPath(r, u.ID), "Removed "+factor.Summary(removed)+" of "+u.DisplayName()+".")
}

// removeFactors removes all passkeys and the authenticator app of another user than the
// viewer.
func (s *server) removeFactors(r *http.Request, u directory.User) ([]factor.Factor, error) {
	if u.ID == viewer(r).UserID {
		return nil, errOwnFactors
	}
	return s.opts.Factors.Reset(r.Context(), originOf(r), u.ID, "")
}

// apiResetFactors removes all passkeys and the authenticator app of a user.
func (s *server) apiResetFactors(w http.ResponseWriter, r *http.Request, u directory.User) error {
	removed, err := s.removeFactors(r, u)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, jsonRemovedFactors{len(removed)})
	return nil
}

// jsonRemovedFactors is the answer to a removal of sign-in methods.
type jsonRemovedFactors struct {
	Removed int `json:"removed"`
}
