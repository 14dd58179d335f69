package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// proveForms are the forms by which a user proves a factor, on the pages /confirm and
// /second-factor.
type proveForms struct {
	Action     string // path that they post to
	Next       string // page to go to afterwards; may be empty
	HasPasskey bool
	HasApp     bool
	CodesLeft  int // recovery codes
	Email      bool
	Sent       bool   // a code was emailed
	Address    string // of the user
	Inbox      string // address of the local inbox; empty outside of local mode
	By         string // the form with the error
	Error      string
}

// IsEmpty reports whether there is no way to prove a factor.
func (p proveForms) IsEmpty() bool { return !p.HasPasskey && !p.HasApp && !p.Email }

// proveForms returns the forms for what the viewer has set up.
func (s *server) proveForms(r *http.Request, action string) (proveForms, error) {
	current := viewer(r)
	forms := proveForms{Action: action, Address: current.User.Email.Display, Inbox: s.opts.InboxPath}
	factors, err := s.opts.Factors.List(r.Context(), current.UserID)
	for _, f := range factors {
		switch f.Kind {
		case factor.Passkey:
			forms.HasPasskey = true
		case factor.TOTP:
			forms.HasApp, forms.CodesLeft = true, f.CodesLeft
		}
	}
	return forms, err
}

// Names of the forms, in their field "by".
const (
	byPasskey  = "passkey"
	byApp      = "app"
	byRecovery = "recovery"
	byEmail    = "email"
)

// prove proves a factor for the viewer's session by a posted form.
func (s *server) prove(r *http.Request, form url.Values) error {
	current, sessions := *viewer(r), s.opts.Sessions
	token, _ := s.opts.Cookies.Token(r)
	switch form.Get("by") {
	case byPasskey:
		return sessions.ConfirmWithPasskey(r.Context(), current, token, form.Get("credential"), s.browser(r))
	case byApp:
		return sessions.ConfirmWithTOTP(r.Context(), current, token, form.Get("code"), s.browser(r))
	case byRecovery:
		return sessions.ConfirmWithRecoveryCode(r.Context(), current, token, form.Get("code"), s.browser(r))
	case byEmail:
		if sessions.RequiresSecondFactor(current) {
			return errBadForm // the page doesn't offer it
		}
		flow, _ := s.opts.Cookies.Flow(r)
		return sessions.ConfirmWithCode(r.Context(), current, token, form.Get("code"), flow, s.browser(r))
	}
	return errBadForm
}

// proveProblem returns what to say beside a form whose factor was refused, and the status to answer
// with. found is false for other errors.
func proveProblem(by string, err error) (status int, text string, found bool) {
	refusal := func(text string) (int, string, bool) { return http.StatusUnprocessableEntity, text, true }
	var limited *session.RateLimitError
	switch {
	case errors.Is(err, session.ErrCodeFormat) && by == byRecovery:
		return refusal("Enter one of your recovery codes: twelve letters and digits, such as ab12-cd34-ef56.")
	case errors.Is(err, session.ErrCodeFormat):
		return refusal("Enter the six digits of the code.")
	case errors.Is(err, session.ErrCodeWrong) && by == byApp:
		return refusal("This code isn’t right. Enter the one that your app shows now.")
	case errors.Is(err, session.ErrCodeWrong) && by == byRecovery:
		return refusal("This isn’t one of your unused recovery codes. Check it, or use another one.")
	case errors.Is(err, session.ErrCodeWrong):
		return refusal("This code isn’t right. Check the newest email and try again.")
	case errors.Is(err, session.ErrCodeSpent) && by == byEmail:
		return refusal("This code no longer works. Email yourself another one.")
	case errors.Is(err, session.ErrCodeSpent) && by == byApp:
		return refusal("This code was already used. Wait until your app shows the next one.")
	case errors.Is(err, session.ErrCodeSpent):
		return refusal("This code was already used. Use another one.")
	case errors.Is(err, session.ErrUserVerification):
		return refusal("Your passkey has to check that it’s you, by fingerprint, face or PIN. Try again.")
	case errors.Is(err, session.ErrPasskey):
		return refusal("Your passkey wasn’t accepted. Try again, or choose another way.")
	case errors.Is(err, session.ErrPasskeyUnknown), errors.Is(err, session.ErrNoAuthenticator):
		return refusal("This isn’t set up for your account any more. Choose another way.")
	case errors.As(err, &limited):
		return http.StatusTooManyRequests, "Too many tries. Try again in " + waitText(limited.After) + ".", true
	case errors.Is(err, session.ErrTooMany):
		return http.StatusTooManyRequests, "Too many tries. Wait a moment, then try again.", true
	case errors.Is(err, session.ErrUnavailable), errors.Is(err, directory.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "We can’t check that right now. Nothing was lost. Try again in a minute.", true
	}
	return 0, "", false
}

// setWait sets the Retry-After of an answer to a refused factor.
func setWait(w http.ResponseWriter, status int, err error) {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return
	}
	setRetryAfter(w, waitOf(err))
}

// confirmPage asks for a factor before an action that needs a fresh sign-in.
type confirmPage struct {
	layoutData
	Forms   proveForms
	Pending pendingAction
	File    bool   // a file must be chosen again afterwards
	App     string // what the user is on the way to, see appOnTheWay; empty if there is none
}

func (s *server) showConfirm(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	// With again, a factor is needed although one was proven a moment ago. Then sent must not carry on
	// either: it would ask for another factor, before the emailed code can be entered.
	if actorOf(r).Fresh && !q.Has("again") && !q.Has("sent") {
		return s.carryOn(w, r, q.Get("next"))
	}
	return s.confirmPage(w, r, http.StatusOK, q, func(view *confirmPage) {
		flow, _ := s.opts.Cookies.Flow(r)
		view.Forms.Sent = q.Has("sent") && flow.CodeID != "" && flow.Email == viewer(r).User.Email.Normalized
	})
}

// confirmPage shows the page. in has the parameter next.
func (s *server) confirmPage(w http.ResponseWriter, r *http.Request, status int, in url.Values, complete func(*confirmPage)) error {
	forms, err := s.proveForms(r, "/confirm")
	if err != nil {
		return err
	}
	view := confirmPage{layoutData: s.layout(r, "Confirm it’s you"), Forms: forms, Pending: s.pendingAction(r, in.Get("next")), File: in.Has("file")}
	view.Forms.Email = !s.opts.Sessions.RequiresSecondFactor(*viewer(r))
	view.Forms.Next = s.returnPath(in.Get("next"))
	if view.App, err = s.appOnTheWay(r.Context(), view.Forms.Next); err != nil {
		return err
	}
	if view.App != "" {
		view.Pending.Back = "/apps" // the app's request would lead here again
	}
	complete(&view)
	return s.render(w, r, status, "confirm", view)
}

// confirm proves a factor and carries on with what needed it.
func (s *server) confirm(w http.ResponseWriter, r *http.Request, form url.Values) error {
	err := s.prove(r, form)
	if err == nil {
		return s.carryOn(w, r, form.Get("next"))
	}
	by := form.Get("by")
	status, text, found := proveProblem(by, err)
	if !found {
		return err
	}
	setWait(w, status, err)
	return s.confirmPage(w, r, status, form, func(view *confirmPage) {
		view.Forms.By, view.Forms.Error = by, text
		view.Forms.Sent = by == byEmail && !errors.Is(err, session.ErrCodeSpent)
	})
}

// emailConfirmationCode emails the viewer a code for the page.
func (s *server) emailConfirmationCode(w http.ResponseWriter, r *http.Request, form url.Values) error {
	if s.opts.Sessions.RequiresSecondFactor(*viewer(r)) {
		return errBadForm // the page doesn't offer it
	}
	flow, _ := s.opts.Cookies.Flow(r)
	browser := s.browser(r)
	browser.KnownID = s.opts.Cookies.KnownBrowser(r, viewer(r).User.Email.Normalized)
	err := s.opts.Sessions.Ready(r.Context()) // the page would claim that a code is on its way
	if err == nil {
		flow, err = s.opts.Sessions.RequestConfirmationCode(r.Context(), *viewer(r), flow, browser)
	}
	if status, text, found := emailProblem(err); found {
		setWait(w, status, err)
		return s.confirmPage(w, r, status, form, func(view *confirmPage) { view.Forms.By, view.Forms.Error = byEmail, text })
	}
	if err != nil {
		return err
	}
	if err := s.opts.Cookies.SetFlow(w, r, flow); err != nil {
		return err
	}
	q := url.Values{"sent": {""}}
	if next := s.returnPath(form.Get("next")); next != "" {
		q.Set("next", next)
	}
	return s.redirect(w, r, "/confirm?"+q.Encode())
}

// emailProblem returns what to say if no code was emailed; see proveProblem. Other errors have
// pages of their own.
func emailProblem(err error) (status int, text string, found bool) {
	if errors.Is(err, session.ErrTooManyLinks) || errors.Is(err, session.ErrTooManyFromHere) {
		text = "We didn’t email a code, because many emails were requested in a short time."
		if limited := (*session.RateLimitError)(nil); errors.As(err, &limited) {
			text += " Try again in " + waitText(limited.After) + "."
		}
		return http.StatusTooManyRequests, text, true
	}
	if err == nil {
		return 0, "", false
	}
	if status, _, _ := proveProblem(byEmail, err); status == http.StatusServiceUnavailable {
		return status, "We can’t email a code right now. Nothing was lost. Try again in a minute.", true
	}
	return 0, "", false
}

// carryOn leads to what needed a fresh sign-in.
func (s *server) carryOn(w http.ResponseWriter, r *http.Request, next string) error {
	pending := s.pendingAction(r, next)
	switch {
	case pending.Form != nil:
		return s.redirect(w, r, "/confirm/continue")
	case pending.Target == "":
		return s.redirectWithMessage(w, r, "/apps", "You’ve confirmed it’s you. Now go back to what you were doing and try again.")
	}
	return s.redirect(w, r, s.keepTicket(w, r, pending.Target))
}

// isProvePage reports whether a path is one of the pages that ask for a factor: they keep no draft
// and aren't returned to.
func isProvePage(path string) bool {
	return path == "/confirm" || strings.HasPrefix(path, "/confirm/") || path == "/second-factor" || strings.HasPrefix(path, "/second-factor/")
}
