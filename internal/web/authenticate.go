package web

import (
	"errors"
	"net/http"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// continuePage is where a mailed link lands. Looking at it spends nothing: mail
// scanners open links, and some run scripts.
type continuePage struct {
	page
	Token string
	Auto  bool            // a script may press the button: this browser asked for a link
	Other *directory.User // who is signed in here now and would be signed out
}

// showContinue shows the button that spends the link.
func (s *server) showContinue(w http.ResponseWriter, r *http.Request) error {
	// The address holds the token, which goes into no referrer. With no-referrer, a
	// browser would send "Origin: null" with the form.
	w.Header().Set("Referrer-Policy", "strict-origin")
	w.Header().Set("Cache-Control", "no-store, no-transform") // and so does the page: see send
	q := r.URL.Query()
	current, err := s.session(w, r)
	isIn := err == nil
	token := q.Get("token")
	if kind := q.Get("stytch_token_type"); token == "" || kind != "" && kind != "magic_links" {
		if isIn {
			return s.redirect(w, r, s.startPath("", current.User)) // a reload after the token left the address
		}
		return session.ErrLinkUnknown
	}
	view := continuePage{page: s.page(r, "Continue"), Token: token}
	_, asked := s.Cookies.Flow(r)
	if isIn {
		view.Other = &current.User
	}
	view.Auto = asked && !isIn
	if !asked {
		s.Sessions.Opened(r.Context(), looksLike(r), s.browser(r))
	}
	return s.render(w, r, http.StatusOK, "continue", view)
}

// looksLike says what opened a link. A browser that a person uses says that it
// was sent there (https://www.w3.org/TR/fetch-metadata/); a mail scanner fetches.
func looksLike(r *http.Request) string {
	if r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return session.ByBrowser
	}
	return session.ByScanner
}

// authenticate spends the link, makes the session and brings the person to where
// they wanted to go.
func (s *server) authenticate(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	flow, asked := s.Cookies.Flow(r)
	held, _ := s.Cookies.Token(r)
	browser := s.browser(r)
	browser.Known = s.Cookies.Known(r, "")
	signedIn, token, err := s.Sessions.SignIn(r.Context(), session.Credentials{
		Token: form.Get("token"), Verifier: flow.Verifier, VerifierMadeAt: flow.MadeAt, Held: held,
	}, browser)
	if errors.Is(err, session.ErrLinkSpent) || errors.Is(err, session.ErrLinkUnknown) || errors.Is(err, session.ErrLinkOld) {
		// Pressed twice, or came back to the page: who is in is in.
		if current, sessionErr := s.session(w, r); sessionErr == nil {
			return s.redirect(w, r, s.startPath(flow.ReturnPath, current.User))
		}
	}
	if err != nil {
		return err
	}
	if err := s.Cookies.SetToken(w, r, token); err != nil {
		return err
	}
	if err := s.Cookies.SetKnown(w, r, signedIn.User.Email.Key); err != nil {
		return err
	}
	if asked { // other links that this browser asked for go on working
		flow, next := session.Flow{Verifier: flow.Verifier, MadeAt: flow.MadeAt, ExpiresAt: flow.ExpiresAt}, flow.ReturnPath
		if err := s.Cookies.SetFlow(w, r, flow); err != nil {
			return err
		}
		return s.redirect(w, r, s.startPath(next, signedIn.User))
	}
	return s.redirect(w, r, s.startPath("", signedIn.User))
}
