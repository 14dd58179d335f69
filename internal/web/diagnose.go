package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// diagnosisPage asks for an address and shows why it can't sign in or open an app.
type diagnosisPage struct {
	layoutData
	Email    string // as typed
	Error    string // beside the field
	App      string // ID of the chosen app; empty for none
	AppError string // beside the field
	Apps     []apps.App
	User     *directory.User
	Findings []session.Finding // empty until an address was checked
	Access   *apps.Explanation // nil unless an app was chosen
}

func (s *server) showWhy(w http.ResponseWriter, r *http.Request) error {
	typed, _ := s.draft(w, r)
	return s.renderDiagnosis(w, r, http.StatusOK, diagnosisPage{Email: typed.Get("email"), App: typed.Get("app")})
}

// diagnoseAddress checks an address. It is a POST although it changes nothing, because email
// addresses must not be in URLs.
func (s *server) diagnoseAddress(w http.ResponseWriter, r *http.Request, form url.Values) error {
	view := diagnosisPage{Email: form.Get("email"), App: form.Get("app")}
	email, err := directory.ParseEmail(view.Email)
	if err != nil {
		view.Error = err.Error()
		return s.renderDiagnosis(w, r, http.StatusUnprocessableEntity, view)
	}
	return s.diagnose(w, r, view, email)
}

func (s *server) showUserWhy(w http.ResponseWriter, r *http.Request, u directory.User) error {
	return s.diagnose(w, r, diagnosisPage{Email: u.Email.Display, App: r.URL.Query().Get("app")}, u.Email)
}

// diagnose shows what blocks the sign-in of an address and, if an app is chosen, whether they may
// open it.
func (s *server) diagnose(w http.ResponseWriter, r *http.Request, view diagnosisPage, email directory.Email) error {
	d, err := s.runDiagnosis(r, email, view.App)
	if invalid := invalidFields(err); invalid != nil {
		view.AppError = invalid["app"]
		return s.renderDiagnosis(w, r, http.StatusUnprocessableEntity, view)
	}
	if err != nil {
		return err
	}
	view.User, view.Findings, view.Access = d.user, d.findings, d.access
	return s.renderDiagnosis(w, r, http.StatusOK, view)
}

// diagnosis is the result of runDiagnosis.
type diagnosis struct {
	user     *directory.User // nil if no user has the address
	findings []session.Finding
	access   *apps.Explanation // nil if no app was named
}

// runDiagnosis diagnoses the sign-in of an address and, if an app is given by ID, name or address,
// the access to it. The error is a *directory.ValidationError if there is no such app.
func (s *server) runDiagnosis(r *http.Request, email directory.Email, app string) (diagnosis, error) {
	var a apps.App
	var err error
	if app = strings.TrimSpace(app); app != "" {
		a, err = s.opts.Apps.Find(r.Context(), app)
	}
	if errors.Is(err, directory.ErrNotFound) {
		return diagnosis{}, &directory.ValidationError{Fields: map[string]string{"app": "There is no such app."}}
	}
	if err != nil {
		return diagnosis{}, err
	}
	var d diagnosis
	if d.user, d.findings, err = s.opts.Sessions.Diagnose(r.Context(), email); err != nil || app == "" {
		return d, err
	}
	access, err := s.opts.Apps.Explain(r.Context(), a, d.user)
	if err != nil {
		return d, err
	}
	access.SignIn, err = s.opts.Clients.Explain(r.Context(), a, d.user)
	d.access = &access
	return d, err
}

func (s *server) renderDiagnosis(w http.ResponseWriter, r *http.Request, status int, view diagnosisPage) error {
	var err error
	if view.Apps, err = s.opts.Apps.List(r.Context()); err != nil {
		return err
	}
	view.layoutData = s.sectionLayout(w, r, "Sign-in help", "users")
	return s.render(w, r, status, "why", view)
}

func (s *server) apiWhy(w http.ResponseWriter, r *http.Request) error {
	email, err := directory.ParseEmail(r.URL.Query().Get("email"))
	if err != nil {
		return &directory.ValidationError{Fields: map[string]string{"email": err.Error()}}
	}
	d, err := s.runDiagnosis(r, email, r.URL.Query().Get("app"))
	if err != nil {
		return err
	}
	answer := apps.DiagnosisJSON{DiagnosisJSON: session.NewDiagnosisJSON(email, d.user, d.findings)}
	if d.access != nil {
		access := apps.NewExplanationJSON(*d.access)
		answer.App = &access
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}
