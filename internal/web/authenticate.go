package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// continuePage is where a mailed link lands. Looking at it spends nothing: mail
// scanners open links, and some run scripts.
type continuePage struct {
	layoutData
	Token      string
	AutoSubmit bool            // a script may press the button: this browser asked for a link
	SignedInAs *directory.User // who is signed in here now and would be signed out
	Unasked    string          // the address that the link is for, if this browser asked for another; else empty
}

// holdsToken sets the headers of a page that holds a link's token, as its address may.
// The token goes into no referrer; with no-referrer, a browser would send
// "Origin: null" with the form. The page is not compressed either: see send.
func holdsToken(w http.ResponseWriter) {
	w.Header().Set("Referrer-Policy", "strict-origin")
	middleware.NoCompression(w.Header())
}

// showContinue shows the button that spends the link. The browser's flow remembers the
// link: the script takes the token out of the address when the button is pressed, and
// a reload while the answer is on its way must not lose it.
func (s *server) showContinue(w http.ResponseWriter, r *http.Request) error {
	holdsToken(w)
	q := r.URL.Query()
	current, err := s.session(w, r)
	isIn := err == nil
	flow, _ := s.opts.Cookies.Flow(r)
	token := q.Get("token")
	kind := q.Get("stytch_token_type")
	if kind != "" && kind != "magic_links" {
		token = ""
	}
	if token == "" && isIn {
		return s.redirect(w, r, s.startPath("", current.User)) // a reload after the token left the address
	}
	if token == "" && kind == "" {
		token = flow.Token
	}
	if token == "" {
		return session.ErrLinkUnknown
	}
	s.rememberLink(w, r, flow, token)
	view := continuePage{layoutData: s.layout(r, "Continue"), Token: token}
	asked := flow.Asked != ""
	if isIn {
		view.SignedInAs = &current.User
	}
	view.AutoSubmit = asked && !isIn
	if !asked {
		s.opts.Sessions.RecordLinkOpened(r.Context(), classifyOpener(r), s.browser(r))
	}
	return s.render(w, r, http.StatusOK, "continue", view)
}

// Bounds on what a browser remembers of a link that it has opened: for how long,
// where it asked for none, and how long a token at most.
const (
	openedFor      = 24 * time.Hour
	maxOpenedToken = 200
)

// rememberLink has the browser's flow remember the link that it has opened, and
// begins a flow where there is none.
func (s *server) rememberLink(w http.ResponseWriter, r *http.Request, flow session.SignInFlow, token string) {
	if flow.ID == "" {
		flow.ID = session.NewFlowID()
	}
	if flow.ExpiresAt.IsZero() {
		flow.ExpiresAt = s.opts.Now().Add(openedFor)
	}
	if flow.Token = token; len(token) > maxOpenedToken {
		flow.Token = ""
	}
	if err := s.opts.Cookies.SetFlow(w, r, flow); err != nil {
		s.opts.Log.Warn("web: opened link not remembered", "error", err)
	}
}

// classifyOpener says what opened a link. A browser that a person uses says that it
// was sent there (https://www.w3.org/TR/fetch-metadata/); a mail scanner fetches.
func classifyOpener(r *http.Request) string {
	if r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return session.ByBrowser
	}
	return session.ByScanner
}

// authenticate spends the link, makes the session and brings the person to where
// they wanted to go. A browser may bring the same link again: see session.SignIn.
func (s *server) authenticate(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	flow, _ := s.opts.Cookies.Flow(r)
	held, _ := s.opts.Cookies.Token(r)
	browser := s.browser(r)
	browser.KnownID = s.opts.Cookies.KnownBrowser(r, "")
	signedIn, token, err := s.opts.Sessions.SignIn(r.Context(), session.Credentials{
		Token: form.Get("token"), Verifier: flow.Verifier, VerifierMadeAt: flow.MadeAt, ReplacedToken: held,
		FlowID: flow.ID, Asked: flow.Asked, Pressed: form.Get("pressed") != "",
	}, browser)
	if other := (*session.OtherAddress)(nil); errors.As(err, &other) {
		holdsToken(w)
		view := continuePage{layoutData: s.layout(r, "Continue"), Token: form.Get("token"), Unasked: other.Email}
		return s.render(w, r, http.StatusOK, "continue", view)
	}
	if errors.Is(err, session.ErrLinkSpent) || errors.Is(err, session.ErrLinkUnknown) || errors.Is(err, session.ErrLinkOld) {
		// Pressed twice, or came back to the page: who is in is in.
		if current, sessionErr := s.session(w, r); sessionErr == nil {
			return s.redirect(w, r, s.startPath(flow.ReturnPath, current.User))
		}
	}
	if err != nil {
		return err
	}
	if err := s.opts.Cookies.SetToken(w, r, token); err != nil {
		return err
	}
	if err := s.opts.Cookies.SetKnown(w, r, signedIn.User.Email.Normalized); err != nil {
		return err
	}
	s.opts.Cookies.DropPage(w, r)
	next := flow.ReturnPath
	if flow.ID != "" { // other links that this browser asked for go on working
		flow.Token, flow.Returned = "", true
		if err := s.opts.Cookies.SetFlow(w, r, flow); err != nil {
			return err
		}
	}
	return s.redirect(w, r, s.startPath(next, signedIn.User))
}
