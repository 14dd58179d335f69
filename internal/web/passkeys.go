package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// passkeysSection is the part of the viewer's profile with passkeys.
type passkeysSection struct {
	List   []listedPasskey
	Max    int    // the most a user may have
	IsFull bool   // the user has as many
	Gone   string // id of a passkey that was just removed, for its browser to forget it; empty if none was
}

// listedPasskey is a passkey in the list, with the form to rename it.
type listedPasskey struct {
	factor.Factor
	Typed string // the name in the form
	Error string // beside the field; the form is open then
}

// newPasskeysSection returns the section for a user with these factors, or nil if passkeys don't work
// at the base URL.
func (s *server) newPasskeysSection(have []factor.Factor) *passkeysSection {
	if !s.passkeysWork() {
		return nil
	}
	section := &passkeysSection{Max: factor.MaxPasskeys}
	for _, f := range have {
		if f.Kind == factor.Passkey {
			section.List = append(section.List, listedPasskey{Factor: f, Typed: f.Name})
		}
	}
	section.IsFull = len(section.List) >= section.Max
	return section
}

// startPasskey returns the options of a new passkey to the page's script.
func (s *server) startPasskey(w http.ResponseWriter, r *http.Request) error {
	options, err := s.opts.Factors.StartPasskey(r.Context(), s.account(r), r.UserAgent())
	if errors.Is(err, factor.ErrMayNotSetUp) {
		return s.refuseSetup(w, r, "")
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, options)
	return nil
}

// addPasskey adds a passkey that the page's script has made. The form is also sent without one, when
// startPasskey has refused, for this route to say why.
func (s *server) addPasskey(w http.ResponseWriter, r *http.Request, form url.Values) error {
	back := "/profile"
	if next := s.returnPath(form.Get("next")); next != "" {
		back = next
	}
	account := s.account(r)
	if form.Get("credential") == "" {
		have, err := s.opts.Factors.List(r.Context(), account.User.ID)
		if err != nil {
			return err
		}
		if !account.MaySetUp(len(have) > 0) {
			return s.refuseSetup(w, r, back)
		}
		return s.redirectWithMessage(w, r, back, "You can add a passkey now.")
	}
	added, err := s.opts.Factors.AddPasskey(r.Context(), originOf(r), account, form.Get("credential"), describeBrowser(r.UserAgent()))
	switch {
	case errors.Is(err, factor.ErrMayNotSetUp):
		return s.refuseSetup(w, r, back)
	case errors.Is(err, factor.ErrCredential):
		return fmt.Errorf("%w: %w", errPasskeyNotAdded, err)
	case err != nil:
		return err
	}
	return s.redirectWithMessage(w, r, back, "Added the passkey "+added.Name+". You can sign in with it from now on.")
}

// renamePasskey changes the name of one of the viewer's passkeys.
func (s *server) renamePasskey(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id, name := r.PathValue("id"), form.Get("name")
	err := s.opts.Factors.Rename(r.Context(), originOf(r), viewer(r).User, id, name)
	invalid := invalidFields(err)
	if invalid == nil && err != nil {
		return err
	}
	if invalid == nil {
		return s.redirectWithMessage(w, r, "/profile", "Renamed the passkey.")
	}
	view, err := s.profile(w, r)
	if err != nil {
		return err
	}
	if view.Passkeys == nil {
		return factor.ErrNotFound
	}
	i := slices.IndexFunc(view.Passkeys.List, func(p listedPasskey) bool { return p.ID == id })
	if i < 0 {
		return factor.ErrNotFound
	}
	row := &view.Passkeys.List[i]
	row.Typed, row.Error = name, invalid["name"]
	return s.render(w, r, http.StatusUnprocessableEntity, "profile", view)
}

// removePasskeyPage asks before a passkey is removed.
type removePasskeyPage struct {
	layoutData
	Passkey factor.Factor
}

func (s *server) showRemovePasskey(w http.ResponseWriter, r *http.Request) error {
	have, err := s.opts.Factors.List(r.Context(), viewer(r).UserID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(have, func(f factor.Factor) bool { return f.ID == r.PathValue("id") && f.Kind == factor.Passkey })
	if i < 0 {
		return factor.ErrNotFound
	}
	return s.render(w, r, http.StatusOK, "passkey_remove", removePasskeyPage{
		layoutData: s.sectionLayout(w, r, "Remove "+have[i].Name+"?", "profile"), Passkey: have[i],
	})
}

func (s *server) removePasskey(w http.ResponseWriter, r *http.Request) error {
	removed, err := s.opts.Factors.RemovePasskey(r.Context(), originOf(r), viewer(r).UserID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.redirectWith(w, r, "/profile", session.Message{Text: "Removed " + removed.Name + ": it no longer works.", GonePasskey: removed.CredentialID})
}

// offersPasskey reports whether to ask the viewer if they want a passkey. It is not asked rather than
// keeping the page from being shown.
func (s *server) offersPasskey(r *http.Request) bool {
	current := viewer(r)
	if !s.passkeysWork() || current.Proofs.Has(factor.Passkey) {
		return false
	}
	offer, err := s.opts.Factors.OfferPasskey(r.Context(), current.UserID, current.TokenHash)
	if err != nil {
		s.opts.Log.Warn("passkey not offered", "error", err, "request_id", requestID(r))
	}
	return offer && err == nil
}

// declinePasskey records that the viewer doesn't want to be asked again.
func (s *server) declinePasskey(w http.ResponseWriter, r *http.Request) error {
	if err := s.opts.Factors.AnswerPasskeyOffer(r.Context(), viewer(r).UserID); err != nil {
		return err
	}
	return s.redirect(w, r, "/apps")
}
