package web

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// secondFactorPage asks for the second factor that completes a sign-in.
type secondFactorPage struct {
	layoutData
	User  directory.User // whose sign-in it is
	Forms proveForms
}

// completeSession returns the session of a request. If it lacks a second factor that it needs, it
// returns errSecondFactor: nothing is open to it then. Other errors: those of session.
func (s *server) completeSession(w http.ResponseWriter, r *http.Request) (session.Session, error) {
	current, err := s.session(w, r)
	if err == nil && s.opts.Sessions.Standing(current).NeedsSecondFactor {
		err = errSecondFactor
	}
	return current, err
}

// askForSecondFactor leads a session that lacks its second factor to the page for it. A posted form
// is filled in again afterwards.
func (s *server) askForSecondFactor(w http.ResponseWriter, r *http.Request) {
	q := url.Values{}
	if isReadOnly(r) {
		q.Set("next", r.URL.RequestURI())
	} else {
		s.keepDraft(w, r)
	}
	s.redirectToSecondFactor(w, r, q)
}

func (s *server) redirectToSecondFactor(w http.ResponseWriter, r *http.Request, q url.Values) {
	target := "/second-factor"
	if next := s.returnPath(q.Get("next")); next != "" {
		target += "?" + url.Values{"next": {next}}.Encode()
	}
	_ = s.redirect(w, r, target)
}

// afterSecondFactor returns where to go once the sign-in is complete.
func (s *server) afterSecondFactor(w http.ResponseWriter, r *http.Request, next string) string {
	page := s.opts.Cookies.Draft(r).Page
	s.opts.Cookies.DropPage(w, r)
	return s.startPath(s.keepTicket(w, r, s.returnPath(cmp.Or(next, page))))
}

func (s *server) showSecondFactor(w http.ResponseWriter, r *http.Request) error {
	next := r.URL.Query().Get("next")
	if !stateOf(r).incomplete {
		return s.redirect(w, r, s.afterSecondFactor(w, r, next))
	}
	return s.secondFactorPage(w, r, http.StatusOK, next, "", "")
}

func (s *server) secondFactorPage(w http.ResponseWriter, r *http.Request, status int, next, by, problem string) error {
	forms, err := s.proveForms(r, "/second-factor")
	if err != nil {
		return err
	}
	forms.Next, forms.By, forms.Error = s.returnPath(next), by, problem
	if forms.IsEmpty() {
		target := "/second-factor/setup"
		if forms.Next != "" {
			target += "?" + url.Values{"next": {forms.Next}}.Encode()
		}
		return s.redirect(w, r, target)
	}
	return s.render(w, r, status, "second_factor", secondFactorPage{layoutData: s.layout(r, "One more step"), User: viewer(r).User, Forms: forms})
}

// proveSecondFactor completes the sign-in.
func (s *server) proveSecondFactor(w http.ResponseWriter, r *http.Request, form url.Values) error {
	by, next := form.Get("by"), form.Get("next")
	err := errBadForm
	if by != byEmail {
		err = s.prove(r, form)
	}
	if err == nil {
		return s.redirect(w, r, s.afterSecondFactor(w, r, next))
	}
	status, text, found := proveProblem(by, err)
	if !found {
		return err
	}
	setWait(w, status, err)
	return s.secondFactorPage(w, r, status, next, by, text)
}
