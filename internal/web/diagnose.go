package web

import (
	"net/http"
	"net/url"

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
	return s.renderDiagnosis(w, r, http.StatusOK, diagnosisPage{Email: typed.Get("email")})
}

// diagnoseAddress checks an address. It is a POST although it changes nothing, because email
// addresses must not be in URLs.
func (s *server) diagnoseAddress(w http.ResponseWriter, r *http.Request, form url.Values) error {
	typed := form.Get("email")
	email, err := directory.ParseEmail(typed)
	if err != nil {
		return s.renderDiagnosis(w, r, http.StatusUnprocessableEntity, diagnosisPage{Email: typed, Error: err.Error()})
	}
	return s.diagnose(w, r, typed, email)
}

func (s *server) showUserWhy(w http.ResponseWriter, r *http.Request, u directory.User) error {
	return s.diagnose(w, r, u.Email.Display, u.Email)
}

// diagnose shows what blocks the sign-in of an address, which was typed as given.
func (s *server) diagnose(w http.ResponseWriter, r *http.Request, typed string, email directory.Email) error {
	user, findings, err := s.opts.Sessions.Diagnose(r.Context(), email)
	if err != nil {
		return err
	}
	return s.renderDiagnosis(w, r, http.StatusOK, diagnosisPage{Email: typed, User: user, Findings: findings})
}

func (s *server) renderDiagnosis(w http.ResponseWriter, r *http.Request, status int, view diagnosisPage) error {
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
