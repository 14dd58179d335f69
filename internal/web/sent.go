package web

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/session"
)

// resendPause is how long a browser waits before it requests another email on the page that says
// where the last one went. The limits of package session apply as well.
const resendPause = 30 * time.Second

// sentPage says that a link or a code may be on its way, and takes the code.
type sentPage struct {
	layoutData
	Address   string // that was asked for; empty if this browser's flow is unknown
	HasCode   bool   // a code was requested
	Code      string // as typed
	CodeError string // beside the field
	Notice    string // what the last request did
	Problem   string // why the last request did nothing
	Wait      int    // seconds until another email may be requested; 0 if it may be now

	LinkLifetime, CodeLifetime time.Duration
	Inbox                      string
}

// Described returns the ids of the elements that describe the field of the code.
func (p sentPage) Described() string {
	var ids []string
	for _, e := range []struct{ text, id string }{{p.CodeError, "code-error"}, {p.Problem, "sent-problem"}, {p.Notice, "sent-notice"}} {
		if e.text != "" {
			ids = append(ids, e.id)
		}
	}
	return strings.Join(ids, " ")
}

// showSent shows where the last email went.
func (s *server) showSent(w http.ResponseWriter, r *http.Request) error {
	if err := s.opts.Sessions.Ready(r.Context()); err != nil { // the page would claim that an email is on its way
		return err
	}
	return s.renderSent(w, r, http.StatusOK, sentPage{Notice: s.opts.Cookies.TakeMessage(w, r).Text})
}

func (s *server) renderSent(w http.ResponseWriter, r *http.Request, status int, view sentPage) error {
	flow, _ := s.opts.Cookies.Flow(r)
	view.layoutData = s.layout(r, "Check your email")
	view.Address, view.HasCode = flow.Email, flow.CodeID != ""
	view.LinkLifetime, view.CodeLifetime, view.Inbox = s.opts.LinkDuration, session.CodeDuration, s.opts.InboxPath
	view.Wait = cmp.Or(view.Wait, seconds(s.waitToResend(flow)))
	if status == http.StatusTooManyRequests && view.Wait > 0 {
		setRetryAfter(w, time.Duration(view.Wait)*time.Second)
	}
	return s.render(w, r, status, "sent", view)
}

// waitToResend returns how long a browser must wait for the next email, 0 or less for not at all.
func (s *server) waitToResend(flow session.SignInFlow) time.Duration {
	return min(flow.RequestedAt.Add(resendPause).Sub(s.opts.Now()), resendPause)
}

// seconds returns a duration in seconds, rounded up. It returns 0 for a negative one.
func seconds(d time.Duration) int { return int(math.Ceil(max(d, 0).Seconds())) }

// submitSent handles the forms of the page: a code, or a request for another email.
func (s *server) submitSent(w http.ResponseWriter, r *http.Request, form url.Values) error {
	flow, _ := s.opts.Cookies.Flow(r)
	switch {
	case flow.Email == "":
		return s.redirect(w, r, "/") // the flow has expired, and its code with it
	case form.Has("send"):
		return s.sendAnother(w, r, form.Get("send") == "code", flow)
	}
	return s.signInWithCode(w, r, form.Get("code"), flow)
}

// sendAnother requests another link or code for the same address. The first code needn't wait.
func (s *server) sendAnother(w http.ResponseWriter, r *http.Request, code bool, flow session.SignInFlow) error {
	isFirst := code && flow.CodeID == ""
	if wait := seconds(s.waitToResend(flow)); wait > 0 && !isFirst {
		return s.renderSent(w, r, http.StatusTooManyRequests, sentPage{
			Problem: fmt.Sprintf("You’ve just requested one. You can request another in %s.", humanize.Plural(wait, "second")),
		})
	}
	email, err := directory.ParseEmail(flow.Email)
	if err != nil {
		return err
	}
	err = s.requestEmail(w, r, email, code, flow)
	var refused *session.RateLimitError
	if errors.As(err, &refused) {
		reason := "too many were requested from your network or overall. What was already sent still works."
		if errors.Is(err, session.ErrTooManyLinks) {
			reason = "many were requested for this address in a short time. If it’s on the list, use the newest email you requested here."
		}
		return s.renderSent(w, r, http.StatusTooManyRequests, sentPage{
			Problem: "We didn’t send another email, because " + reason + " Try again in " + humanize.FormatWait(refused.After) + ".",
			Wait:    seconds(refused.After),
		})
	}
	if err != nil {
		return err
	}
	if !isFirst {
		what := "link"
		if code {
			what = "code"
		}
		text := fmt.Sprintf("Another %s is on its way if the address is on the list.", what)
		if err := s.opts.Cookies.SetMessage(w, r, session.Message{Text: text}); err != nil {
			return err
		}
	}
	return s.redirect(w, r, "/signin/sent")
}

// requestEmail requests a link or a code for an address and stores the browser's flow.
func (s *server) requestEmail(w http.ResponseWriter, r *http.Request, email directory.Email, code bool, flow session.SignInFlow) error {
	browser := s.browser(r)
	browser.KnownID = s.opts.Cookies.KnownBrowser(r, email.Normalized)
	request := s.opts.Sessions.RequestLink
	if code {
		request = s.opts.Sessions.RequestCode
	}
	flow, err := request(r.Context(), email, flow, browser)
	if err != nil {
		return err
	}
	return s.opts.Cookies.SetFlow(w, r, flow)
}

// signInWithCode signs in with an emailed code. What is wrong with a code is said beside its field.
func (s *server) signInWithCode(w http.ResponseWriter, r *http.Request, typed string, flow session.SignInFlow) error {
	held, _ := s.opts.Cookies.Token(r)
	browser := s.browser(r)
	browser.KnownID = s.opts.Cookies.KnownBrowser(r, flow.Email)
	newSession, token, err := s.opts.Sessions.SignInWithCode(r.Context(), session.CodeCredentials{Code: typed, Flow: flow, ReplacedToken: held}, browser)
	if errors.Is(err, session.ErrCodeSpent) { // the button was pressed twice, or the user came back to the page
		if current, sessionErr := s.session(w, r); sessionErr == nil && current.User.Email.Normalized == flow.Email {
			return s.redirect(w, r, s.startPath(flow.ReturnPath))
		}
	}
	if status, text := codeProblem(err); text != "" {
		return s.renderSent(w, r, status, sentPage{Code: typed, CodeError: text})
	}
	if err != nil {
		return err
	}
	next := flow.ReturnPath
	flow.Returned = true // the code stays in the flow, so that a repeated request succeeds
	if err := s.opts.Cookies.SetFlow(w, r, flow); err != nil {
		return err
	}
	return s.finishSignIn(w, r, newSession, token, next)
}

// codeProblem returns what is wrong with an emailed code, and the status of the page that says it.
// The text is empty if err is about something else.
func codeProblem(err error) (status int, text string) {
	var wrong *session.WrongCodeError
	var limited *session.RateLimitError
	switch {
	case errors.Is(err, session.ErrCodeFormat):
		return http.StatusUnprocessableEntity, "Enter the six digits from the email."
	case errors.As(err, &wrong):
		left := "You have " + humanize.Plural(wrong.Left, "try") + " left."
		if wrong.Left == 1 {
			left = "You have one try left."
		}
		return http.StatusUnprocessableEntity, "That code isn’t right. Check the newest email. " + left
	case errors.Is(err, session.ErrCodeSpent):
		return http.StatusUnprocessableEntity, "This code no longer works: it was used, replaced or tried too often, or it has expired. Send another code."
	case errors.Is(err, session.ErrLinkOld):
		return http.StatusUnprocessableEntity, "This code no longer works, because your access changed after it was requested. Send another code."
	case errors.Is(err, session.ErrTooManyCodes) && errors.As(err, &limited):
		return http.StatusTooManyRequests, "Too many wrong codes were entered for this address. Use a link instead, or enter a code again in " + humanize.FormatWait(limited.After) + "."
	case errors.Is(err, session.ErrTooMany) && errors.As(err, &limited):
		return http.StatusTooManyRequests, "Too many attempts. Try again in " + humanize.FormatWait(limited.After) + "."
	}
	return 0, ""
}
