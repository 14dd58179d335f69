package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// fewCodes is the number of recovery codes from which on the profile advises to get new ones.
const fewCodes = 2

// authenticatorSection is the part of the profile with the authenticator app.
type authenticatorSection struct {
	App    factor.Factor
	HasApp bool
	Few    bool // few recovery codes are left
}

func newAuthenticatorSection(factors []factor.Factor) authenticatorSection {
	app, ok := factor.FindTOTP(factors)
	return authenticatorSection{App: app, HasApp: ok, Few: ok && app.CodesLeft <= fewCodes}
}

// account returns the viewer for setting up a factor in the viewer's session.
func (s *server) account(r *http.Request) factor.Account {
	current := *viewer(r)
	token, _ := s.opts.Cookies.Token(r)
	return factor.Account{
		User: current.User, SessionHash: current.TokenHash, SessionToken: token,
		MaySetUp: func(hasFactor bool) bool { return s.opts.Sessions.MaySetUp(current, hasFactor) },
	}
}

// holdsSecret marks a response with a secret: nothing compresses or stores it.
func holdsSecret(w http.ResponseWriter) { middleware.NoCompression(w.Header()) }

// refuseSetup answers a session that may not set up a factor: it leads to where it can become one
// that may.
func (s *server) refuseSetup(w http.ResponseWriter, r *http.Request, next string) error {
	current := *viewer(r)
	factors, err := s.opts.Factors.List(r.Context(), current.UserID)
	switch {
	case err != nil:
		return err
	case len(factors) == 0 && s.opts.Sessions.RequiresSecondFactor(current):
		return s.redirect(w, r, setupPath(next)) // only a new sign-in helps, as that page says
	case s.opts.Sessions.Standing(current).NeedsSecondFactor:
		return errSecondFactor
	}
	return directory.ErrNotFresh
}

// showAuthenticator answers a reload of a page that showed a secret.
func (s *server) showAuthenticator(w http.ResponseWriter, r *http.Request) error {
	return s.redirect(w, r, "/profile")
}

// startAuthenticator begins to set up an authenticator app and shows its secret.
func (s *server) startAuthenticator(w http.ResponseWriter, r *http.Request, form url.Values) error {
	setup, err := s.beginSetup(r, s.returnPath(form.Get("next")))
	switch {
	case errors.Is(err, factor.ErrMayNotSetUp):
		return s.refuseSetup(w, r, form.Get("next"))
	case errors.Is(err, factor.ErrHasTOTP):
		return s.redirectWith(w, r, "/profile", hasAuthenticator)
	case err != nil:
		return err
	}
	return s.renderSetup(w, r, http.StatusOK, setup, setupPage{Setup: s.sealSetup(r, setup)})
}

var hasAuthenticator = session.Message{Warning: true, Text: "You’ve already set up an authenticator app. Nothing was changed."}

// beginSetup begins to set up an authenticator app for the viewer.
func (s *server) beginSetup(r *http.Request, next string) (authenticatorSetup, error) {
	if err := s.opts.Sessions.CountSetup(r.Context(), *viewer(r)); err != nil {
		return authenticatorSetup{}, err
	}
	begun, err := s.opts.Factors.StartTOTP(r.Context(), s.account(r))
	return authenticatorSetup{TOTPSetup: begun, Next: next}, err
}

// confirmAuthenticator completes the setup with a code of the app, and shows the recovery codes. A
// form that is sent again shows them again, as its first answer may not have arrived.
func (s *server) confirmAuthenticator(w http.ResponseWriter, r *http.Request, form url.Values) error {
	sealed := form.Get("setup")
	setup, err := s.unsealSetup(r, sealed)
	if err != nil {
		return err
	}
	err = s.confirmSetup(r, setup, form.Get("code"))
	switch {
	case errors.Is(err, factor.ErrMayNotSetUp):
		return s.refuseSetup(w, r, setup.Next)
	case errors.Is(err, factor.ErrHasTOTP):
		return s.redirectWith(w, r, "/profile", hasAuthenticator)
	case errors.Is(err, factor.ErrSetupReplaced), errors.Is(err, session.ErrNoAuthenticator):
		return errSetup
	}
	if status, text, found := setupProblem(err); found {
		setWait(w, status, err)
		return s.renderSetup(w, r, status, setup, setupPage{Setup: sealed, Code: form.Get("code"), Error: text})
	}
	if err != nil {
		return err
	}
	view := recoveryCodesPage{layoutData: s.sectionLayout(w, r, "Save your recovery codes", "profile"), Setup: sealed, Codes: setup.RecoveryCodes, Account: viewer(r).User.Email.Display}
	view.Message = session.Message{Text: "Your authenticator app is set up."}
	view.Next = setup.Next
	if view.Next == "" {
		view.Next = "/profile"
	}
	holdsSecret(w)
	return s.render(w, r, http.StatusOK, "recovery_codes", view)
}

// confirmSetup completes a setup with a typed code.
func (s *server) confirmSetup(r *http.Request, setup authenticatorSetup, typed string) error {
	code, err := session.ParseCode(typed)
	if err != nil {
		return err
	}
	if err := s.opts.Sessions.CountSetupTry(r.Context(), *viewer(r)); err != nil {
		return err
	}
	return s.opts.Factors.ConfirmTOTP(r.Context(), originOf(r), s.account(r), setup.ProviderID, code)
}

// setupProblem returns what to say beside the field if a code didn't complete a setup, and the
// status to answer with. found is false for other errors.
func setupProblem(err error) (status int, text string, found bool) {
	switch status, text, found = proveProblem(byApp, err); {
	case status == http.StatusServiceUnavailable:
		text = "We couldn’t finish setting it up. In a minute, try again with the code that your app shows then."
	case errors.Is(err, session.ErrCodeWrong):
		text += " If it fails again, let your phone set its clock automatically."
	}
	return status, text, found
}

// downloadCodes answers the recovery codes of a setup that was completed as a text file.
func (s *server) downloadCodes(w http.ResponseWriter, r *http.Request, form url.Values) error {
	setup, err := s.unsealSetup(r, form.Get("setup"))
	if err != nil {
		return errCodes
	}
	factors, err := s.opts.Factors.List(r.Context(), viewer(r).UserID)
	if err != nil {
		return err
	}
	app, _ := factor.FindTOTP(factors)
	if app.ProviderID != setup.ProviderID {
		return errCodes
	}
	holdsSecret(w)
	w.Header().Set("Content-Disposition", `attachment; filename="recovery-codes.txt"`)
	writeResponse(w, http.StatusOK, "text/plain; charset=utf-8", []byte(codesFile(s.opts.BaseURL.Host, viewer(r).User.Email.Display, setup.RecoveryCodes, s.opts.Now())))
	return nil
}

// codesFile returns the text file with recovery codes.
func codesFile(host, address string, codes []string, now time.Time) string {
	return fmt.Sprintf("Recovery codes for %s\nAccount: %s\nCreated: %s\n\nEach code works once, in place of a code of your authenticator app.\n\n%s\n",
		host, address, now.UTC().Format(time.DateOnly), strings.Join(codes, "\n"))
}

// authenticatorPage asks before an authenticator app is removed or replaced.
type authenticatorPage struct {
	layoutData
	App      factor.Factor
	Required bool // the user must have a second factor, and this is the only one
}

func (s *server) showRemoveAuthenticator(w http.ResponseWriter, r *http.Request) error {
	return s.authenticatorPage(w, r, "authenticator_remove", "Remove your authenticator app?")
}

func (s *server) showRenewAuthenticator(w http.ResponseWriter, r *http.Request) error {
	return s.authenticatorPage(w, r, "authenticator_renew", "Get new recovery codes?")
}

// authenticatorPage shows a page about the viewer's app, or the profile if there is none.
func (s *server) authenticatorPage(w http.ResponseWriter, r *http.Request, name, title string) error {
	factors, err := s.opts.Factors.List(r.Context(), viewer(r).UserID)
	if err != nil {
		return err
	}
	app, ok := factor.FindTOTP(factors)
	if !ok {
		return s.redirectWith(w, r, "/profile", noAuthenticator)
	}
	return s.render(w, r, http.StatusOK, name, authenticatorPage{
		layoutData: s.sectionLayout(w, r, title, "profile"), App: app, Required: len(factors) == 1 && s.policyRequires(r),
	})
}

var noAuthenticator = session.Message{Warning: true, Text: "You have no authenticator app. Nothing was changed."}

// policyRequires reports whether the viewer needs a second factor even without an authenticator
// app.
func (s *server) policyRequires(r *http.Request) bool {
	without := *viewer(r)
	without.HasSecondFactor = false
	return s.opts.Sessions.RequiresSecondFactor(without)
}

// removeAuthenticator removes the viewer's app.
func (s *server) removeAuthenticator(w http.ResponseWriter, r *http.Request) error {
	last, err := s.dropAuthenticator(r)
	switch {
	case errors.Is(err, factor.ErrNotFound):
		return s.redirectWith(w, r, "/profile", noAuthenticator)
	case err != nil:
		return err
	}
	text := "Your authenticator app was removed. Its recovery codes no longer work."
	if last && s.policyRequires(r) {
		text += " You’ll set up a second factor when you next sign in, or now."
	}
	return s.redirectWithMessage(w, r, "/profile", text)
}

// dropAuthenticator removes the viewer's app, and reports whether it was the last of the viewer's
// factors. It returns factor.ErrNotFound if there is none.
func (s *server) dropAuthenticator(r *http.Request) (last bool, err error) {
	factors, err := s.opts.Factors.List(r.Context(), viewer(r).UserID)
	if err != nil {
		return false, err
	}
	app, ok := factor.FindTOTP(factors)
	if !ok {
		return false, factor.ErrNotFound
	}
	_, err = s.opts.Factors.Remove(r.Context(), originOf(r), app.UserID, app.ID)
	return len(factors) == 1, err
}

// renewAuthenticator removes the viewer's app and begins to set it up again, which is the only way
// to get new recovery codes: the login service keeps one app for each account.
func (s *server) renewAuthenticator(w http.ResponseWriter, r *http.Request) error {
	if err := s.opts.Sessions.Ready(r.Context()); err != nil {
		return err // nothing is removed
	}
	if _, err := s.dropAuthenticator(r); err != nil && !errors.Is(err, factor.ErrNotFound) {
		return err
	}
	setup, err := s.beginSetup(r, "")
	if err != nil {
		s.opts.Log.WarnContext(r.Context(), "authenticator app removed, and not set up again", "error", err, "request_id", requestID(r))
		return s.redirectWith(w, r, "/profile", session.Message{
			Warning: true, Text: "Your authenticator app was removed, but we couldn’t start setting it up again. Try again in a minute: choose “Set up” below.",
		})
	}
	return s.renderSetup(w, r, http.StatusOK, setup, setupPage{Setup: s.sealSetup(r, setup), Renewed: true})
}
