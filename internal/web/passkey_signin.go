package web

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// passkeysWork reports whether the base URL allows passkeys: they belong to a host name, never to a
// network address.
func (s *server) passkeysWork() bool {
	_, err := netip.ParseAddr(s.opts.BaseURL.Hostname())
	return err != nil
}

// startPasskeySignIn returns the options of a sign-in with a passkey to the page's script.
func (s *server) startPasskeySignIn(w http.ResponseWriter, r *http.Request) error {
	browser := s.browser(r)
	browser.KnownID = s.opts.Cookies.KnownBrowser(r, "")
	options, err := s.opts.Sessions.StartPasskey(r.Context(), browser)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, options)
	return nil
}

// signInWithPasskey creates the session of a passkey that the page's script has used, and redirects
// to where the user wanted to go.
func (s *server) signInWithPasskey(w http.ResponseWriter, r *http.Request, form url.Values) error {
	replaced, _ := s.opts.Cookies.Token(r)
	browser := s.browser(r)
	browser.KnownID = s.opts.Cookies.KnownBrowser(r, "")
	credential, next := form.Get("credential"), form.Get("next")
	newSession, token, err := s.opts.Sessions.SignInWithPasskey(r.Context(), credential, replaced, browser)
	if errors.Is(err, session.ErrPasskey) {
		// The form was sent twice, or the user came back to the page.
		if _, sessionErr := s.session(w, r); sessionErr == nil {
			return s.redirect(w, r, s.startPath(next))
		}
	}
	if refusal := passkeyRefusal(err); refusal != "" {
		view := signInPage{Next: next, PasskeyError: refusal}
		if parsed, parseErr := factor.ParseCredential(credential); parseErr == nil && errors.Is(err, session.ErrPasskeyUnknown) {
			view.UnknownPasskey = parsed.ID
		}
		return s.renderSignIn(w, r, http.StatusUnprocessableEntity, view)
	}
	if err != nil {
		return err
	}
	return s.finishSignIn(w, r, newSession, token, s.keepTicket(w, r, s.returnPath(next)))
}

// passkeyRefusal says why a passkey wasn't accepted. It returns "" for other errors and for nil.
func passkeyRefusal(err error) string {
	switch {
	case errors.Is(err, session.ErrPasskeyUnknown):
		return "This passkey was removed, so it no longer works. Sign in by email, then add a new one on your profile."
	case errors.Is(err, session.ErrUserVerification):
		return "Your device didn’t check that it’s you. Set up a screen lock, a fingerprint or a PIN on it, or sign in by email."
	case errors.Is(err, session.ErrPasskey):
		return "That passkey wasn’t accepted. Try again, or sign in by email."
	}
	return ""
}
