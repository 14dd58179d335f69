package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/webhooksig"
)

// Errors of this package.
var (
	errNoSession       = errors.New("user unauthenticated")
	errNotAdmin        = errors.New("administrators only")
	errReadOnly        = errors.New("API token may only read")
	errTokenNotAllowed = errors.New("API tokens do not open this")
	errTokenNotFound   = errors.New("API token not found")
	errPageNotFound    = errors.New("not found")
	errOutsideBasePath = errors.New("not below the path of GUESTLIST_BASE_URL")
	errMethod          = errors.New("method not allowed")
	errCrossOrigin     = errors.New("request came from another site")
	errTooLarge        = errors.New("request is larger than 64 KiB")
	errContentType     = errors.New("content type must be application/json")
	errBadJSON         = errors.New("body must be one JSON object with known fields, each once, in UTF-8")
	errBadForm         = errors.New("form could not be read")
	errInternal        = errors.New("internal error")
	errBusy            = errors.New("too busy")

	errTooManyBound = errors.New("too many links asked for, each for its browser alone") // wraps session.ErrTooManyLinks
	errCookie       = errors.New("session cookie could not be read")
)

// errorResponse is what people and programs get to see of an error.
type errorResponse struct {
	err    error
	status int
	json   string // for programs; empty: the error's own text
	title  string // for people
	text   string
	action string // the next step, as a button; empty: to the start page
	path   string

	challenge string // what was wrong with an API token, for programs
}

// problems is the one table from errors to answers; the first that matches counts.
var problems = []errorResponse{
	{err: errNotAdmin, status: 403, title: "This page is for administrators", text: "You are signed in, but your role does not open this page. An administrator can change that.", action: "Go to your profile", path: "/profile"},
	{err: token.ErrUnknown, status: 401, challenge: `error="invalid_token", error_description="unknown or revoked"`},
	{err: token.ErrExpired, status: 401, challenge: `error="invalid_token", error_description="expired"`},
	{err: errReadOnly, status: 403, challenge: `error="insufficient_scope", scope="write"`},
	{err: errTokenNotAllowed, status: 403, title: "API tokens are for programs", text: "They open what is below /api and no page. Leave the header Authorization away and sign in.", action: "Sign in", path: "/"},
	{err: errTokenNotFound, status: 404, title: "This token is gone", text: "It was revoked, or it expired long ago.", action: "Go to your profile", path: "/profile"},
	{err: token.ErrTooMany, status: 409, title: "You have as many tokens as there may be", text: "Revoke one that you no longer need. Nothing was changed.", action: "Go to your profile", path: "/profile"},
	{err: token.ErrNotAdmin, status: 403, title: "API tokens are for administrators", text: "You no longer are one. Nothing was changed.", action: "Go to your profile", path: "/profile"},
	{err: errPageNotFound, status: 404, title: "There is nothing here", text: "The address may be mistyped, or what was here is gone."},
	{err: errOutsideBasePath, status: 404, title: "There is nothing here", text: "All pages are below the path of GUESTLIST_BASE_URL, and the path that was asked for is not. Seen at an address that is? Then the proxy in front takes that path off, and has to leave it on."},
	{err: errMethod, status: 405, title: "That is not how this page works", text: "Go back to the page you came from and use its buttons."},
	{err: errCrossOrigin, status: 403, title: "This did not come from here", text: "Another site tried to act in your name. Nothing was changed."},
	{err: errCookie, status: 409, title: "You weren’t signed out here", text: "We can’t read this browser’s sign-in, so nothing was ended. Try again in a minute. If the start page asks you to sign in, you are signed out."},
	{err: errTooLarge, status: 413, title: "That was too much", text: "What was sent is larger than 64 KiB. Nothing was changed."},
	{err: errContentType, status: 415},
	{err: errBadJSON, status: 400},
	{err: errBadForm, status: 400, title: "That could not be read", text: "The form arrived damaged. Nothing was changed. Go back and try again."},

	{err: webhooksig.ErrSignature, status: 401},
	{err: webhooksig.ErrTime, status: 400},
	{err: webhooksig.ErrIncomplete, status: 400},
	{err: reconcile.ErrInvalidWebhook, status: 400},

	{err: directory.ErrNotFound, status: 404, json: "user not found", title: "This person is not on the list", text: "They may have been removed in the meantime.", action: "Back to the list", path: "/users"},
	{err: directory.ErrEmailTaken, status: 409, json: "email already on the list", title: "This address is on the list already", text: "Nothing was changed.", action: "Back to the list", path: "/users"},
	{err: directory.ErrLastAdmin, status: 409, title: "Somebody must stay administrator", text: "This is the last active administrator. Make another active person an administrator first. Nothing was changed.", action: "Back to the list", path: "/users"},

	{err: idempotency.ErrKey, status: 400},
	{err: idempotency.ErrInProgress, status: 409},
	{err: idempotency.ErrReused, status: 422},

	{err: session.ErrLinkSpent, status: 410, title: "This link no longer works", text: "A link works once, and only for a while: this one was used already, or it is too old. Ask for a new one."},
	{err: session.ErrLinkOld, status: 410, title: "This link no longer works", text: "Your access has changed since, which ends all links from before, and this one can’t be told from those. Ask for a new one in this browser."},
	{err: session.ErrLinkUnknown, status: 404, title: "This link is not complete", text: "Part of it may have been lost on the way, or it was replaced. Open the newest mail again, or ask for a new link."},
	{err: session.ErrOtherBrowser, status: 403, title: "Open this link where you asked for it", text: "For your safety this link works only in the browser that asked for it. Open it there, or ask for a new link here."},
	{err: directory.ErrNotListed, status: 403, json: "not on the list", title: "You are not on the list", text: "Your address is confirmed, but it is not on the list. Ask an administrator to invite you."},
	{err: directory.ErrSuspended, status: 403, json: "suspended", title: "Your access is suspended", text: "Your address is confirmed, but an administrator has suspended your access. Ask them to let you in again."},
	{err: errTooManyBound, status: 429, title: "Look in your mail first", text: "No new link was sent: many were asked for this address in a short time. If it is on the list, the newest link that was asked for in this browser still works. An invitation works in any browser."},
	{err: session.ErrTooManyLinks, status: 429, title: "Look in your mail first", text: "No new link was sent: many were asked for this address in a short time. If it is on the list, the newest mail is the way in. Links that were mailed already still work."},
	{err: session.ErrTooManyFromHere, status: 429, title: "Too many sign-in links at once", text: "No link was sent: too many were asked for from your network, or everywhere at once. Links and invitations that were mailed already still work. Wait, then ask again."},
	{err: session.ErrTooMany, status: 429, title: "One moment, please", text: "There were too many tries in a short time. Wait, then try again."},
	{err: session.ErrUnavailable, status: 503, json: "login service out of reach", title: "Sign-in is unavailable right now", text: "We can’t reach the login service. Nothing is lost: try again in a minute."},
	{err: directory.ErrUnavailable, status: 503, json: "database out of reach", title: "We can't get at the list for the moment", text: "Its database can't be reached. Nothing is lost: try again in a minute."},
	{err: errBusy, status: 503, title: "Too many people at once", text: "More is asked of this place right now than it can answer. Nothing was changed: try again in a moment.", action: "Go to the start page", path: "/"},
	{err: context.DeadlineExceeded, status: 503, json: "took too long", title: "That took too long", text: "It was given up. Try again in a minute."},
}

var internalProblem = errorResponse{
	err: errInternal, status: 500, json: "internal error",
	title: "Something went wrong here", text: "It has been noted. Try again, and if it stays, tell an administrator the number below.",
}

// retryAfter is how long a 429 and a 503 ask to wait where nothing better is known.
const retryAfter = 30 * time.Second

// setRetryAfter says after how long it is any use to ask again.
func setRetryAfter(w http.ResponseWriter, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
}

func problemOf(err error) errorResponse {
	for _, p := range problems {
		if errors.Is(err, p.err) {
			return p
		}
	}
	return internalProblem
}

// jsonErrorOf is what programs are told of an error.
func jsonErrorOf(err error) (status int, body jsonError) {
	var invalid *directory.ValidationError
	if errors.As(err, &invalid) {
		return http.StatusUnprocessableEntity, jsonError{Error: invalid.Error(), Fields: invalid.Fields}
	}
	p := problemOf(err)
	if p.json == "" {
		return p.status, jsonError{Error: p.err.Error()}
	}
	return p.status, jsonError{Error: p.json}
}

// handleError runs a handler and turns its error into an answer.
func (s *server) handleError(handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		var invalid *directory.ValidationError
		switch {
		case err == nil:
		case s.wantsJSON(r) && errors.As(err, &invalid):
			status, body := jsonErrorOf(err)
			writeJSON(w, status, body)
		case errors.Is(err, errNoSession), errors.Is(err, session.ErrEnded):
			s.redirectToSignIn(w, r, err)
		default:
			s.writeError(w, r, err)
		}
	})
}

// redirectToSignIn is the answer to somebody without a session: an ordinary thing,
// after which they come back to where they were.
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
	switch r.Method {
	case http.MethodGet:
		q.Set("next", r.URL.RequestURI())
	case http.MethodPost:
		s.keepDraft(w, r)
	}
	target := "/"
	if len(q) > 0 {
		target += "?" + strings.ReplaceAll(q.Encode(), "expired=", "expired")
	}
	_ = s.redirect(w, r, target)
}

// writeError answers with what the table has for an error.
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
		wait = retryAfter
		if tooMany := (*session.RateLimitError)(nil); errors.As(err, &tooMany) {
			wait = tooMany.After
		}
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
		s.opts.Log.Error("web: page not rendered", "page", "problem", "error", err, "request_id", requestID(r))
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

// relativePath returns the request's path below the base URL's, which may be taken off
// already.
func (s *server) relativePath(r *http.Request) string {
	if v, ok := r.Context().Value(visitKey{}).(*requestState); ok {
		return v.path
	}
	return s.trimBasePath(r.URL.Path)
}

// trimBasePath takes the base URL's path off one that has it.
func (s *server) trimBasePath(path string) string {
	return strings.TrimPrefix(path, s.opts.BaseURL.Path)
}

// wantsJSON reports whether a path is answered in JSON, or as it is, and not
// by a page.
func (s *server) wantsJSON(r *http.Request) bool {
	path := s.relativePath(r)
	if path == "/api/authenticate_magic_link" {
		return false // a page: the address is the one that Stytch's example registers
	}
	for _, prefix := range []string{"/api", "/webhooks", "/healthz", "/readyz", "/static"} {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return true
		}
	}
	return false
}

// errorPage is the page of an error.
type errorPage struct {
	layoutData
	Text       string
	Action     string
	ActionPath string
	Wait       time.Duration // before it is any use to try again; 0: not known
	RequestID  string        // to name to an administrator; empty where there is nothing to look up
}
