package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// continuePage is where a sign-in link leads, and where a browser comes back to from another provider.
// Opening it doesn't use the link, because email scanners open links, and some run scripts.
type continuePage struct {
	layoutData
	Token      string
	Type       string          // of the token; see tokenTypes
	AutoSubmit bool            // a script presses the button, because this browser requested a link or began the sign-in
	SignedInAs *directory.User // the user who would be signed out; nil if none
	Unasked    string          // the link's address if this browser requested another one; otherwise empty
}

// tokenTypes are the values of stytch_token_type and of the form's field type, and what their tokens
// prove. A token is only tried as what its type says, and a token of another type not at all. Links
// of some templates have no type.
var tokenTypes = map[string]factor.Kind{"": factor.EmailLink, "magic_links": factor.EmailLink, "oauth": factor.OAuth}

// tokenKind returns what a token of a type proves. known is false for other types, and for accounts
// at other providers if they aren't accepted.
func (s *server) tokenKind(tokenType string) (kind factor.Kind, known bool) {
	kind, known = tokenTypes[tokenType]
	return kind, known && (kind != factor.OAuth || len(s.opts.OAuth) > 0)
}

// holdsToken sets the headers of a page whose address and form may contain a link's token. Other
// pages get no referrer with it; with no-referrer, browsers would send "Origin: null" with the
// form.
func holdsToken(w http.ResponseWriter) {
	w.Header().Set("Referrer-Policy", "strict-origin")
	middleware.NoCompression(w.Header())
}

// showContinue shows the button that uses the link. The browser's flow cookie keeps the token: a
// script removes it from the address when the button is pressed, and a reload during the request
// must not lose it.
func (s *server) showContinue(w http.ResponseWriter, r *http.Request) error {
	holdsToken(w)
	q := r.URL.Query()
	current, err := s.completeSession(w, r)
	isSignedIn := err == nil
	flow, _ := s.opts.Cookies.Flow(r)
	token := q.Get("token")
	tokenType := q.Get("stytch_token_type")
	if reason := q.Get("error"); reason != "" && token == "" && len(s.opts.OAuth) > 0 {
		return s.finishOAuthWithError(w, r, reason, flow)
	}
	if _, known := s.tokenKind(tokenType); !known {
		return session.ErrLinkUnknown
	}
	if token == "" && (isSignedIn || errors.Is(err, errSecondFactor)) {
		return s.redirect(w, r, s.startPath("")) // a reload after the script removed the token
	}
	if token == "" && tokenType == "" {
		token = flow.Token
		if flow.TokenIsOAuth {
			tokenType = "oauth"
		}
	}
	isOAuth := tokenType == "oauth"
	switch {
	case isOAuth && flow.OAuthVerifier == "": // another site could sign the user in as someone else
		return session.ErrOAuthBrowser
	case isOAuth && token == "":
		return session.ErrOAuth
	case token == "":
		return session.ErrLinkUnknown
	}
	flow.TokenIsOAuth = isOAuth
	s.rememberLink(w, r, flow, token)
	view := continuePage{layoutData: s.layout(r, "Continue"), Token: token, Type: tokenType}
	hasAsked := flow.Asked != ""
	if isSignedIn {
		view.SignedInAs = &current.User
	}
	view.AutoSubmit = (hasAsked || isOAuth) && !isSignedIn
	if !hasAsked && !isOAuth {
		s.opts.Sessions.RecordLinkOpened(r.Context(), classifyOpener(r), s.browser(r))
	}
	return s.render(w, r, http.StatusOK, "continue", view)
}

// Limits of what a browser keeps of a link it has opened without requesting one.
const (
	openedFor      = 24 * time.Hour // how long
	maxOpenedToken = 200            // longer tokens are not kept
)

// rememberLink stores the token of an opened link in the browser's flow cookie.
func (s *server) rememberLink(w http.ResponseWriter, r *http.Request, flow session.SignInFlow, token string) {
	flow.EnsureID()
	if flow.ExpiresAt.IsZero() {
		flow.ExpiresAt = s.opts.Now().Add(openedFor)
	}
	if flow.Token = token; len(token) > maxOpenedToken {
		flow.Token = ""
	}
	if err := s.opts.Cookies.SetFlow(w, r, flow); err != nil {
		s.opts.Log.Warn("opened link not kept", "error", err)
	}
}

// classifyOpener tells browsers from email scanners. A browser says that a user opened the link
// (https://www.w3.org/TR/fetch-metadata/).
func classifyOpener(r *http.Request) string {
	if r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return session.ByBrowser
	}
	return session.ByScanner
}

// usedTokenErrors are the errors of a token that was used before.
var usedTokenErrors = []error{session.ErrLinkSpent, session.ErrLinkUnknown, session.ErrLinkOld, session.ErrOAuth, session.ErrOAuthBrowser}

// authenticate uses the link, or the token of another provider, creates the session and redirects to
// where the user wanted to go. A browser may send the same link again: see session.Service.SignIn.
func (s *server) authenticate(w http.ResponseWriter, r *http.Request, form url.Values) error {
	kind, known := s.tokenKind(form.Get("type"))
	if !known {
		return session.ErrLinkUnknown
	}
	flow, _ := s.opts.Cookies.Flow(r)
	currentToken, _ := s.opts.Cookies.Token(r)
	browser := s.browser(r)
	browser.KnownID = s.opts.Cookies.KnownBrowser(r, "")
	newSession, token, err := s.opts.Sessions.SignIn(r.Context(), session.Credentials{
		Kind: kind, Token: form.Get("token"), Flow: flow, ReplacedToken: currentToken, Pressed: form.Get("pressed") != "",
	}, browser)
	if other := (*session.OtherAddress)(nil); errors.As(err, &other) {
		holdsToken(w)
		view := continuePage{layoutData: s.layout(r, "Continue"), Token: form.Get("token"), Type: form.Get("type"), Unasked: other.Email}
		return s.render(w, r, http.StatusOK, "continue", view)
	}
	if slices.ContainsFunc(usedTokenErrors, func(used error) bool { return errors.Is(err, used) }) {
		// The button was pressed twice, or the user came back to the page.
		if _, sessionErr := s.session(w, r); sessionErr == nil {
			return s.redirect(w, r, s.startPath(flow.ReturnPath))
		}
	}
	if err != nil {
		return err
	}
	next := flow.ReturnPath
	if flow.ID != "" { // other links this browser requested still work
		flow.Token, flow.TokenIsOAuth, flow.Returned = "", false, true
		if err := s.opts.Cookies.SetFlow(w, r, flow); err != nil {
			return err
		}
	}
	return s.finishSignIn(w, r, newSession, token, next)
}

// finishSignIn stores a new session in the browser and redirects to next, or to the start page if it
// is empty. Every way to sign in ends here.
func (s *server) finishSignIn(w http.ResponseWriter, r *http.Request, newSession session.Session, token, next string) error {
	if err := s.opts.Cookies.SetToken(w, r, token); err != nil {
		return err
	}
	if err := s.opts.Cookies.SetKnown(w, r, newSession.User.Email.Normalized); err != nil {
		return err
	}
	s.opts.Cookies.DropPage(w, r)
	return s.redirect(w, r, s.startPath(next))
}
