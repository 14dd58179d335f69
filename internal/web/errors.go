package web

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/webhooksig"
)

// Errors of this package.
var (
	errNoSession        = errors.New("user unauthenticated")
	errSecondFactor     = errors.New("second factor required")
	errNotAdmin         = errors.New("administrators only")
	errReadOnly         = errors.New("API token may only read")
	errTokenNotAllowed  = errors.New("API tokens do not open this")
	errTokenNotFound    = errors.New("API token not found")
	errAppNotFound      = errors.New("app not found")
	errNoAddress        = errors.New("app has no address any more")
	errAppTokenNotFound = errors.New("app token not found")
	errNoClient         = errors.New("app has no OpenID Connect client")
	errSecretNotFound   = errors.New("client secret not found")
	errGroupNotFound    = errors.New("group not found")
	errOwnFactors       = errors.New("your own sign-in methods are on your profile")
	errPageNotFound     = errors.New("not found")
	errOutsideBasePath  = errors.New("not below the path of GUESTLIST_BASE_URL")
	errMethod           = errors.New("method not allowed")
	errCrossOrigin      = errors.New("request came from another site")
	errTooLarge         = errors.New("request is larger than 64 KiB")
	errContentType      = errors.New("content type must be application/json")
	errBadJSON          = errors.New("body must be one JSON object with known fields, each once, in UTF-8")
	errBadForm          = errors.New("form could not be read")
	errInternal         = errors.New("internal error")
	errBusy             = errors.New("too busy")
	errSetup            = errors.New("setup of the authenticator app not found")
	errCodes            = errors.New("recovery codes not found")

	errPasskeyNotAdded = errors.New("passkey not added") // wraps factor.ErrCredential

	errOAuthFailed  = errors.New("another provider reported an error")
	errTooManyBound = errors.New("too many links requested, each for one browser") // if Options.SameBrowser; wraps session.ErrTooManyLinks
	errCookie       = errors.New("session cookie could not be read")
)

// errorResponse is how an error is shown.
type errorResponse struct {
	err    error
	status int
	json   string // for programs; empty means the error's own text
	code   string // for programs that distinguish it from other errors of its status; may be empty
	title  string // for people; empty if the answer is always JSON
	text   string
	action string // label of a button; empty means that it leads to the start page
	path   string // where the button leads

	challenge string // parameters of WWW-Authenticate; empty unless an API token is at fault
}

// problems maps errors to responses. The first match counts.
var problems = []errorResponse{
	{err: errNotAdmin, status: 403, title: "This page is for administrators", text: "You’re signed in, but you don’t have access to this page. An administrator can change that.", action: "Go to your apps", path: "/apps"},
	{err: errSecondFactor, status: 403, code: "second_factor_required", title: "One more step", text: "Your account needs a second factor to sign in.", action: "Continue", path: "/second-factor"},
	{err: directory.ErrNotFresh, status: 403, code: "fresh_sign_in_required", title: "Confirm it’s you", text: "This action needs a fresh sign-in. Nothing was changed.", action: "Continue", path: "/confirm"},
	{err: token.ErrUnknown, status: 401, challenge: `error="invalid_token", error_description="unknown or revoked"`},
	{err: token.ErrExpired, status: 401, challenge: `error="invalid_token", error_description="expired"`},
	{err: errReadOnly, status: 403, challenge: `error="insufficient_scope", scope="write"`},
	{err: errTokenNotAllowed, status: 403, title: "API tokens are for programs", text: "They work for the API, not for pages. Remove the Authorization header and sign in.", action: "Sign in", path: "/"},
	{err: errTokenNotFound, status: 404, title: "Token not found", text: "It was revoked, or it expired long ago.", action: "Go to your profile", path: "/profile"},
	{err: token.ErrTooMany, status: 409, title: "Token limit reached", text: "Revoke a token you no longer need, then try again. Nothing was changed.", action: "Go to your profile", path: "/profile"},
	{err: token.ErrNotAdmin, status: 403, title: "API tokens are for administrators", text: "You’re no longer an administrator. Nothing was changed.", action: "Go to your profile", path: "/profile"},
	{err: apps.ErrTicket, status: 400, title: "This address isn’t valid", text: "Part of it may be missing. Open the app you wanted again."},
	{err: apps.ErrTicketExpired, status: 410, title: "This address has expired", text: "Open the app you wanted again."},
	{err: openid.ErrLoop, status: 429, title: "Signing in keeps starting over", text: "The app sent you here many times within a minute. Wait a minute, then open it again. If that doesn’t help, tell the person who set it up.", action: "Go to your apps", path: "/apps"},
	{err: openid.ErrUserCode, status: 410, title: "This code no longer works", text: "Codes work once, for ten minutes. Get a new one on your device.", action: "Enter another code", path: openid.VerificationPath},
	{err: errAppNotFound, status: 404, title: "This app was removed", text: "It isn’t in the list of apps any more.", action: "Go to your apps", path: "/apps"},
	{err: errNoAddress, status: 404, title: "This app has no address any more", text: "An administrator has removed it. Ask them where to find the app.", action: "Go to your apps", path: "/apps"},
	{err: errAppTokenNotFound, status: 404, title: "Token not found", text: "It was revoked, or it expired long ago.", action: "Go to your apps", path: "/apps"},
	{err: errNoClient, status: 404, title: "This app doesn’t use OpenID Connect", text: "Someone else may have removed it. Nothing was changed.", action: "Go to your apps", path: "/apps"},
	{err: errSecretNotFound, status: 404, title: "Secret not found", text: "It was revoked.", action: "Go to your apps", path: "/apps"},
	{err: errGroupNotFound, status: 404, title: "This group doesn’t exist", text: "It may have been removed.", action: "Back to groups", path: "/groups"},
	{err: directory.ErrNotMember, status: 404, title: "They’re not in this group any more", text: "Someone else may have removed them. Nothing was changed.", action: "Back to groups", path: "/groups"},
	{err: errOwnFactors, status: 409, title: "Your own sign-in methods are on your profile", text: "Remove them there. Nothing was changed.", action: "Go to your profile", path: "/profile"},
	{err: errPageNotFound, status: 404, title: "Page not found", text: "The address may be mistyped, or the page may have been removed."},
	{err: errOutsideBasePath, status: 404, title: "Page not found", text: "All pages are below the path of GUESTLIST_BASE_URL, and this one isn’t. If the address in your browser is right, the proxy in front removes that path and must keep it."},
	{err: errMethod, status: 405, title: "That doesn’t work here", text: "Go back to the page you came from and use its buttons."},
	{err: errCrossOrigin, status: 403, title: "Request blocked", text: "It came from another site. Nothing was changed."},
	{err: errCookie, status: 409, title: "You weren’t signed out", text: "We couldn’t read this browser’s session cookie. Try again in a minute. If the start page asks you to sign in, you’re already signed out."},
	{err: errTooLarge, status: 413, title: "Request too large", text: "A request can have at most 64 KiB. Nothing was changed."},
	{err: errContentType, status: 415},
	{err: errBadJSON, status: 400},
	{err: errBadForm, status: 400, title: "We couldn’t read that form", text: "It arrived damaged. Nothing was changed. Go back and try again."},

	{err: errSetup, status: 410, title: "This setup no longer works", text: "It has expired, or it was started again elsewhere. Nothing was changed. Start again.", action: "Start again", path: "/profile"},
	{err: errCodes, status: 410, title: "These codes can’t be shown again", text: "They can be downloaded for 30 minutes, in the browser where they were created. If you haven’t saved them, get new ones.", action: "Go to your profile", path: "/profile"},

	{err: webhooksig.ErrSignature, status: 401},
	{err: webhooksig.ErrTime, status: 400},
	{err: webhooksig.ErrIncomplete, status: 400},
	{err: reconcile.ErrInvalidWebhook, status: 400},

	{err: directory.ErrNotFound, status: 404, json: "user not found", title: "This person isn’t on the list", text: "They may have been removed.", action: "Back to the list", path: "/users"},
	{err: directory.ErrEmailTaken, status: 409, json: "email already on the list", title: "This address is already on the list", text: "Nothing was changed.", action: "Back to the list", path: "/users"},
	{err: directory.ErrLastAdmin, status: 409, title: "You need at least one administrator", text: "This is the last active administrator. Make someone else who is active an administrator first. Nothing was changed.", action: "Back to the list", path: "/users"},

	{err: directory.ErrNoGroup, status: 409, json: "one of the groups was removed meanwhile", title: "One of the groups was removed", text: "Someone else removed it meanwhile. Nothing was changed. Go back and choose again."},
	{err: directory.ErrGroupTaken, status: 409, title: "A group with this name exists already", text: "Nothing was changed. Go back and choose another name."},
	{err: directory.ErrTooManyGroups, status: 409, title: "Group limit reached", text: "Remove a group you no longer need, then try again. Nothing was changed."},
	{err: apps.ErrNameTaken, status: 409, title: "An app with this name exists already", text: "Nothing was changed. Go back and choose another name."},
	{err: apps.ErrHostTaken, status: 409, title: "An app with this address exists already", text: "Nothing was changed. Go back and enter another address."},
	{err: apps.ErrChanged, status: 409, title: "Someone else changed this app", text: "Nothing was changed. Load its page again to see the app as it is now."},
	{err: apps.ErrTooManyApps, status: 409, title: "App limit reached", text: "Remove an app you no longer need, then try again. Nothing was changed."},
	{err: apps.ErrTooManyTokens, status: 409, title: "Token limit reached", text: "Revoke a token you no longer need, then try again. Nothing was changed."},
	{err: openid.ErrTooManySecrets, status: 409, title: "Secret limit reached", text: "Revoke a secret that isn’t used any more, then try again. Nothing was changed."},
	{err: openid.ErrPublicClient, status: 409, title: "Public clients have no secrets", text: "To use a secret, change the settings of OpenID Connect for this app first. Nothing was changed."},
	{err: apps.ErrOwnRequest, status: 403, json: "no one can decide their own request", title: "You can’t decide your own request", text: "Ask another administrator to decide it. Nothing was changed.", action: "Back to the requests", path: "/requests"},
	{err: apps.ErrRequestDecided, status: 409, title: "This request was already decided", text: "Nothing was changed.", action: "Back to the requests", path: "/requests"},
	{err: apps.ErrNoRequest, status: 404, json: "request not found", title: "Request not found", text: "The person or the app may have been removed, or the person has asked again. Nothing was changed.", action: "Back to the requests", path: "/requests"},
	{err: apps.ErrUserSuspended, status: 409, json: "suspended: restore their access first", title: "This person is suspended", text: "Restore their access first, then approve the request. Nothing was changed.", action: "Back to the requests", path: "/requests"},
	{err: apps.ErrNoAppGroups, status: 409, title: "No group opens this app", text: "Choose which groups may open it, then approve the request. Nothing was changed.", action: "Back to the requests", path: "/requests"},

	{err: idempotency.ErrKey, status: 400},
	{err: idempotency.ErrInProgress, status: 409},
	{err: idempotency.ErrReused, status: 422},

	{err: errPasskeyNotAdded, status: 422, title: "Your passkey wasn’t added", text: "The request may have expired or been cancelled. Nothing was changed. Go back to your profile and try again.", action: "Go to your profile", path: "/profile"},
	{err: session.ErrUserVerification, status: 422, title: "Your passkey wasn’t added", text: "Your device didn’t check that it’s you. Set up a screen lock, a fingerprint or a PIN on it, then try again.", action: "Go to your profile", path: "/profile"},
	{err: factor.ErrPasskeyExists, status: 409, title: "You’ve added this passkey already", text: "Nothing was changed. To use another device, add its passkey there.", action: "Go to your profile", path: "/profile"},
	{err: factor.ErrTooManyPasskeys, status: 409, title: "Passkey limit reached", text: "Remove a passkey you no longer use, then try again. Nothing was changed.", action: "Go to your profile", path: "/profile"},
	{err: factor.ErrNotFound, status: 404, title: "Passkey not found", text: "It was removed.", action: "Go to your profile", path: "/profile"},

	{err: session.ErrLinkSpent, status: 410, title: "This link no longer works", text: "A link works once and expires after a while. This one was already used or has expired. Request a new one."},
	{err: session.ErrLinkOld, status: 410, title: "This link no longer works", text: "Links stop working when your access changes, and we can’t tell whether this one was sent before that. Request a new one in this browser."},
	{err: session.ErrLinkUnknown, status: 404, title: "This link isn’t valid", text: "Part of it may be missing, or a newer link replaced it. Open the link in your newest email, or request a new one."},
	{err: session.ErrOtherBrowser, status: 403, title: "Open this link where you requested it", text: "For your security, this link works only in the browser that requested it. Open it there, or request a new link here."},
	{err: session.ErrOAuth, status: 410, title: "This sign-in has expired", text: "Coming back from another account works once, for a few minutes. Start again.", action: "Sign in", path: "/"},
	{err: session.ErrOAuthBrowser, status: 403, title: "Start again in this browser", text: "For your security, a sign-in with another account has to begin and end in the same browser, and a newer one replaces it. Start again here.", action: "Sign in", path: "/"},
	{err: session.ErrOAuthEmail, status: 403, title: "We couldn’t confirm your address", text: "The account you chose has no confirmed email address. Confirm it there and try again, or sign in by email.", action: "Sign in", path: "/"},
	{err: session.ErrOAuthProvider, status: 403, title: "Choose another way to sign in", text: "Accounts of this kind can’t be used here.", action: "Sign in", path: "/"},
	{err: errOAuthFailed, status: 400, title: "You weren’t signed in", text: "The other account’s provider reported an error. Try again, or sign in by email.", action: "Sign in", path: "/"},
	{err: directory.ErrNotListed, status: 403, json: "not on the list", title: "You’re not on the list", text: "We confirmed your address, but it isn’t on the list. Ask an administrator to invite you."},
	{err: directory.ErrSuspended, status: 403, json: "suspended", title: "Your access is suspended", text: "An administrator suspended your access. Ask them to restore it."},
	{err: errTooManyBound, status: 429, title: "Check your email first", text: "We didn’t send another link, because many were requested for this address in a short time. If it’s on the list, the newest link requested in this browser still works. An invitation works in any browser."},
	{err: session.ErrTooManyLinks, status: 429, title: "Check your email first", text: "We didn’t send another link, because many were requested for this address in a short time. If it’s on the list, use the newest email: links that were already sent still work."},
	{err: session.ErrTooManyFromHere, status: 429, title: "Too many sign-in links", text: "We didn’t send a link, because too many were requested from your network or overall. Links and invitations that were already sent still work. Wait, then try again."},
	{err: session.ErrTooMany, status: 429, title: "Too many attempts", text: "Wait a moment, then try again."},
	{err: session.ErrUnavailable, status: 503, json: "login service out of reach", title: "Sign-in is unavailable right now", text: "We can’t reach the login service. Nothing was lost. Try again in a minute."},
	{err: directory.ErrUnavailable, status: 503, json: "database out of reach", title: "The list is temporarily unavailable", text: "We can’t reach its database. Nothing was lost. Try again in a minute."},
	{err: errBusy, status: 503, title: "We’re too busy right now", text: "There are more requests than we can answer. Nothing was changed. Try again in a moment.", action: "Go to the start page", path: "/"},
	{err: context.DeadlineExceeded, status: 503, json: "took too long", title: "That took too long", text: "The request timed out. Try again in a minute."},
}

var internalProblem = errorResponse{
	err: errInternal, status: 500, json: "internal error",
	title: "Something went wrong", text: "We’ve logged the error. Try again, and if it keeps happening, tell an administrator the number below.",
}

// retryAfter is the Retry-After of 429 and 503 responses without a better estimate.
const retryAfter = 30 * time.Second

func setRetryAfter(w http.ResponseWriter, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
}

// waitOf returns after how long to try again.
func waitOf(err error) time.Duration {
	if limited := (*session.RateLimitError)(nil); errors.As(err, &limited) {
		return limited.After
	}
	return retryAfter
}

func problemOf(err error) errorResponse {
	if refused := (*openid.Error)(nil); errors.As(err, &refused) {
		return authorizationProblem(refused)
	}
	for _, p := range problems {
		if errors.Is(err, p.err) {
			return p
		}
	}
	return internalProblem
}

// authorizationProblem is how an authorization request is refused that doesn't say which client has
// sent it, or where to send the browser back.
func authorizationProblem(e *openid.Error) errorResponse {
	return errorResponse{
		err: e, status: e.Status, title: "This sign-in request isn’t valid",
		text: "We can’t tell which app sent you here, or where to send you back. " + e.Description + " If you came from an app, tell the person who set it up.",
	}
}

// invalidFields returns what is wrong with the fields of some input, or nil if err is another error.
func invalidFields(err error) map[string]string {
	var invalid *directory.ValidationError
	if !errors.As(err, &invalid) {
		return nil
	}
	return invalid.Fields
}

// jsonErrorOf returns the status and body that programs get for an error.
func jsonErrorOf(err error) (status int, body jsonError) {
	var invalid *directory.ValidationError
	if errors.As(err, &invalid) {
		return http.StatusUnprocessableEntity, jsonError{Error: invalid.Error(), Fields: invalid.Fields}
	}
	p := problemOf(err)
	return p.status, jsonError{Error: cmp.Or(p.json, p.err.Error()), Code: p.code}
}

// handleError runs a handler and turns its error into a response.
func (s *server) handleError(handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		switch {
		case err == nil:
		case s.wantsJSON(r) && invalidFields(err) != nil:
			status, body := jsonErrorOf(err)
			writeJSON(w, status, body)
		case errors.Is(err, errNoSession), errors.Is(err, session.ErrEnded):
			s.redirectToSignIn(w, r, err)
		case errors.Is(err, errSecondFactor) && !s.wantsJSON(r):
			s.askForSecondFactor(w, r)
		case errors.Is(err, directory.ErrNotFresh) && s.wantsJSON(r):
			s.opts.Sessions.RecordRefused(r.Context(), originOf(r), viewer(r).User, stateOf(r).route+": needs a fresh sign-in")
			s.writeError(w, r, err)
		case errors.Is(err, directory.ErrNotFresh):
			if err := s.askToConfirm(w, r); err != nil {
				s.writeError(w, r, err)
			}
		default:
			s.writeError(w, r, err)
		}
	})
}

// redirectToSignIn answers a request without a session. After signing in, the user returns to the
// page.
func (s *server) redirectToSignIn(w http.ResponseWriter, r *http.Request, err error) {
	if s.wantsJSON(r) {
		w.Header().Set("WWW-Authenticate", bearerChallenge)
		writeJSON(w, http.StatusUnauthorized, jsonError{Error: errNoSession.Error()})
		return
	}
	q := url.Values{}
	if errors.Is(err, session.ErrEnded) {
		q.Set("expired", "")
	}
	switch {
	case isProvePage(s.relativePath(r)): // the draft of the form that led there is kept
	case r.Method == http.MethodGet:
		q.Set("next", r.URL.RequestURI())
	case r.Method == http.MethodPost:
		s.keepDraft(w, r)
	}
	target := "/"
	if len(q) > 0 {
		target += "?" + strings.ReplaceAll(q.Encode(), "expired=", "expired")
	}
	_ = s.redirect(w, r, target)
}

// writeError answers with the entry of problems for an error.
func (s *server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.status >= 500 {
		s.opts.Log.ErrorContext(r.Context(), "answered with an error", "status", p.status, "path", s.redactedPath(r), "error", err, "request_id", requestID(r))
	}
	if p.challenge != "" {
		w.Header().Set("WWW-Authenticate", bearerChallenge+", "+p.challenge)
	}
	wait := time.Duration(0)
	if p.status == http.StatusServiceUnavailable || p.status == http.StatusTooManyRequests {
		wait = waitOf(err)
		setRetryAfter(w, wait)
	}
	if s.wantsJSON(r) || p.title == "" {
		status, body := jsonErrorOf(err)
		writeJSON(w, status, body)
		return
	}
	if p.action == "" {
		p.action, p.path = "Go to the start page", "/"
	}
	if p.path == "/users" {
		p.path += listStateOf(r).Back()
	}
	view := errorPage{layoutData: s.layout(r, p.title), Text: p.text, Action: p.action, ActionPath: p.path}
	if p.status == http.StatusTooManyRequests {
		view.Wait = wait
	}
	if p.status == http.StatusInternalServerError {
		view.RequestID = requestID(r)
	}
	if err := s.render(w, r, p.status, "problem", view); err != nil {
		s.opts.Log.Error("page not rendered", "page", "problem", "error", err, "request_id", requestID(r))
		http.Error(w, p.title, p.status)
	}
}

// errorHandler answers every request with an error.
func (s *server) errorHandler(err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.writeError(w, r, err) })
}

// writePanic logs the cause of a panic and answers with an error.
func (s *server) writePanic(w http.ResponseWriter, r *http.Request, cause any) {
	s.opts.Log.ErrorContext(r.Context(), "panic", "cause", cause, "stack", string(debug.Stack()), "request_id", requestID(r))
	s.writeError(w, r, errInternal)
}

// relativePath returns the request's path below the base URL's path, which may be stripped already.
func (s *server) relativePath(r *http.Request) string {
	if v, ok := r.Context().Value(stateKey{}).(*requestState); ok {
		return v.path
	}
	return s.trimBasePath(r.URL.Path)
}

// trimBasePath strips the base URL's path if it is there.
func (s *server) trimBasePath(path string) string {
	return strings.TrimPrefix(path, s.opts.BaseURL.Path)
}

// wantsJSON reports whether a path is answered with JSON or a file instead of a page.
func (s *server) wantsJSON(r *http.Request) bool {
	path := s.relativePath(r)
	if path == "/api/authenticate_magic_link" {
		return false // a page; Stytch's example registers this path
	}
	for _, prefix := range []string{"/api", "/webhooks", "/healthz", "/readyz", "/static"} {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return true
		}
	}
	return false
}

// errorPage shows an error.
type errorPage struct {
	layoutData
	Text       string
	Action     string
	ActionPath string
	Wait       time.Duration // until the user may try again; 0 if unknown
	RequestID  string        // for administrators to find the error; empty if it isn't logged
}
