package web

import (
	"net/http"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// diagnosisPage asks about somebody who can't sign in, and answers.
type diagnosisPage struct {
	layoutData
	Email    string // as typed
	Error    string // beside the field
	User     *directory.User
	Findings []session.Finding // empty: nobody was asked about yet
}

func (s *server) showWhy(w http.ResponseWriter, r *http.Request) error {
	typed, _ := s.draft(w, r)
	return s.diagnose(w, r, http.StatusOK, diagnosisPage{Email: typed.Get("email")})
}

// diagnoseAddress answers about an address. It is a POST that changes nothing, because an
// address does not belong into the page's own.
func (s *server) diagnoseAddress(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	view := diagnosisPage{Email: form.Get("email")}
	email, err := directory.ParseEmail(view.Email)
	if err != nil {
		view.Error = err.Error()
		return s.diagnose(w, r, http.StatusUnprocessableEntity, view)
	}
	view.User, view.Findings, err = s.opts.Sessions.Diagnose(r.Context(), email)
	if err != nil {
		return err
	}
	return s.diagnose(w, r, http.StatusOK, view)
}

func (s *server) showUserWhy(w http.ResponseWriter, r *http.Request) error {
	u, err := s.opts.Directory.GetUser(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	view := diagnosisPage{Email: u.Email.Display}
	if view.User, view.Findings, err = s.opts.Sessions.Diagnose(r.Context(), u.Email); err != nil {
		return err
	}
	return s.diagnose(w, r, http.StatusOK, view)
}

func (s *server) diagnose(w http.ResponseWriter, r *http.Request, status int, view diagnosisPage) error {
	view.layoutData = s.sectionLayout(w, r, "Why can’t they sign in?", "users")
	return s.render(w, r, status, "why", view)
}

func (s *server) apiWhy(w http.ResponseWriter, r *http.Request) error {
	email, err := directory.ParseEmail(r.URL.Query().Get("email"))
	if err != nil {
		return &directory.ValidationError{Fields: map[string]string{"email": err.Error()}}
	}
	found, findings, err := s.opts.Sessions.Diagnose(r.Context(), email)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, session.NewDiagnosisJSON(email, found, findings))
	return nil
}
