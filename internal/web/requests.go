package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/session"
)

// maxRequests is how many requests, and how many memberships that end, the page shows.
const maxRequests = 50

// requestsPage is the administrators' queue of requests, and the memberships that end soon.
type requestsPage struct {
	layoutData
	Waiting []requestRow
	More    bool
	Days    []int // choices of how long access lasts
	Ending  []endingRow
}

// requestRow is a pending request with the forms that decide it.
type requestRow struct {
	apps.Request
	Obstacle apps.Obstacle
	Own      bool      // it is the viewer's, who can't decide it
	KeepsTo  time.Time // when their present access ends; zero if they have none
	Form     decisionForm
}

// decisionForm is what was typed to decide a request.
type decisionForm struct {
	Group  string // id
	Days   string // one of accessDays; empty for no end
	Date   string // YYYY-MM-DD; counts instead of Days
	Reason string
	Errors map[string]string
}

// endingRow is a membership that ends soon, or has ended a short time ago.
type endingRow struct {
	directory.GroupMember
	Ended bool
}

// accessDays are the choices of how many days access lasts.
var accessDays = []int{1, 7, 30, 90}

func (s *server) showRequests(w http.ResponseWriter, r *http.Request) error {
	return s.requestsPage(w, r, http.StatusOK, "", decisionForm{})
}

// requestsPage shows the queue, with a form as it was typed for the request with the ID failed.
func (s *server) requestsPage(w http.ResponseWriter, r *http.Request, status int, failed string, form decisionForm) error {
	now := s.opts.Now()
	list, err := s.opts.Requests.List(r.Context(), apps.RequestQuery{State: apps.RequestPending, Limit: maxRequests + 1})
	if err != nil {
		return err
	}
	view := requestsPage{layoutData: s.sectionLayout(w, r, "Access requests", "requests"), More: len(list) > maxRequests, Days: accessDays}
	for _, q := range list[:min(len(list), maxRequests)] {
		row := requestRow{Request: q, Obstacle: q.Obstacle(now), Own: q.UserID == viewer(r).UserID}
		if apps.Decide(q.App, q.User, q.Memberships, now) == apps.Allowed {
			row.KeepsTo = apps.AccessEnd(q.App, q.Memberships, now)
		}
		if q.ID == failed {
			row.Form = form
		}
		view.Waiting = append(view.Waiting, row)
	}
	ending, err := s.opts.Groups.Ending(r.Context(), directory.EndWarning, maxRequests)
	if err != nil {
		return err
	}
	for _, m := range ending {
		view.Ending = append(view.Ending, endingRow{m, !m.Active(now)})
	}
	return s.render(w, r, status, "requests", view)
}

// approval parses the form of an approval. The error is a *directory.ValidationError.
func (f decisionForm) approval(now time.Time) (apps.Approval, error) {
	a := apps.Approval{Group: f.Group}
	if f.Date != "" || f.Days == "" {
		until, err := directory.ParseUntil(f.Date, now)
		if err != nil {
			return a, &directory.ValidationError{Fields: map[string]string{"until": err.Error()}}
		}
		a.Until = until
		return a, nil
	}
	days, err := strconv.Atoi(f.Days)
	if err != nil || !slices.Contains(accessDays, days) {
		return a, &directory.ValidationError{Fields: map[string]string{"days": "Choose one of these times."}}
	}
	a.Until = now.AddDate(0, 0, days)
	return a, nil
}

func (s *server) approveRequest(w http.ResponseWriter, r *http.Request, posted url.Values) error {
	form := decisionForm{Group: posted.Get("group"), Days: posted.Get("days"), Date: posted.Get("date")}
	approval, err := form.approval(s.opts.Now())
	if err != nil {
		return s.refuseDecision(w, r, form, err)
	}
	decided, err := s.opts.Requests.Approve(r.Context(), originOf(r), r.PathValue("id"), approval)
	if err != nil {
		return s.refuseDecision(w, r, form, err)
	}
	text := decided.User.DisplayName() + " can open " + decided.App.Name
	if !approval.Until.IsZero() && decided.Obstacle(s.opts.Now()) != apps.HasAccess {
		text += " until " + humanize.FormatEnd(approval.Until)
	}
	return s.redirectWithMessage(w, r, "/requests", text+"."+s.emailedSoon())
}

func (s *server) denyRequest(w http.ResponseWriter, r *http.Request, posted url.Values) error {
	form := decisionForm{Reason: posted.Get("reason")}
	decided, err := s.opts.Requests.Deny(r.Context(), originOf(r), r.PathValue("id"), form.Reason)
	if err != nil {
		return s.refuseDecision(w, r, form, err)
	}
	return s.redirectWithMessage(w, r, "/requests", "Denied "+decided.User.DisplayName()+"’s request for "+decided.App.Name+"."+s.emailedSoon())
}

// emailedSoon returns what to add to a message about a decision.
func (s *server) emailedSoon() string {
	if s.opts.MailsNotices {
		return " We’ll email them."
	}
	return " Let them know: no email is sent."
}

// refuseDecision answers a decision that wasn't made: with the form as it was typed, or with what
// has happened to the request in the meantime.
func (s *server) refuseDecision(w http.ResponseWriter, r *http.Request, form decisionForm, err error) error {
	fields := invalidFields(err)
	switch {
	case fields != nil:
		form.Errors = fields
		return s.requestsPage(w, r, http.StatusUnprocessableEntity, r.PathValue("id"), form)
	case errors.Is(err, apps.ErrRequestDecided):
		text, err := s.decidedText(r)
		if err != nil {
			return err
		}
		return s.redirectWith(w, r, "/requests", session.Message{Warning: true, Text: text})
	}
	return err
}

// decidedText says how the request in the route's {id} was decided.
func (s *server) decidedText(r *http.Request) (string, error) {
	q, err := s.opts.Requests.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return "", err
	}
	by := ""
	if q.DecidedBy != "" {
		u, err := s.opts.Directory.GetUser(r.Context(), q.DecidedBy)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return "", err
		}
		if err == nil {
			by = " by " + u.DisplayName()
		}
	}
	return q.User.DisplayName() + "’s request for " + q.App.Name + " was already " + string(q.State) + by + ". Nothing was changed.", nil
}

// countRequests returns the number of pending requests for the navigation. It is 0 if the number
// can't be read: a page is more useful without it than an error.
func (s *server) countRequests(r *http.Request) int {
	n, err := s.opts.Requests.CountPending(r.Context())
	if err != nil {
		s.opts.Log.Warn("requests not counted", "error", err, "request_id", requestID(r))
	}
	return n
}
