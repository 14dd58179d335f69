package web

import (
	"net/http"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// diagnosisPage asks for an address and shows why it can't sign in.
type diagnosisPage struct {
	layoutData
	Email    string // as typed
	Error    string // beside the field
	User     *directory.User
	Findings []session.Finding // empty until an address was checked
}

func (s *server) showWhy(w http.ResponseWriter, r *http.Request) error {
	typed, _ := s.draft(w, r)
	return s.diagnose(w, r, http.StatusOK, diagnosisPage{Email: typed.Get("email")})
}

// diagnoseAddress checks an address. It is a POST although it changes nothing, because email
// addresses must not be in URLs.
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
	view.layoutData = s.sectionLayout(w, r, "Sign-in help", "users")
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
