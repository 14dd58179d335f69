package web

import (
	"encoding/base32"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/guestlist/guestlist/internal/factor"
)

// authenticatorSetup is an authenticator app that is being set up. Between the pages, the
// browser keeps it in a form, sealed for the session: it is stored nowhere else.
type authenticatorSetup struct {
	factor.TOTPSetup
	Next string // page to go to afterwards; empty for the profile
}

const setupPurpose = "authenticator setup"

// sealSetup returns the form field for a setup that has just begun.
func (s *server) sealSetup(r *http.Request, setup authenticatorSetup) string {
	return s.opts.Cookies.Seal(setupPurpose, url.Values{
		"session": {viewer(r).TokenHash}, "id": {setup.ProviderID}, "secret": {setup.Secret}, "codes": {strings.Join(setup.RecoveryCodes, " ")},
		"next": {setup.Next}, "expires": {strconv.FormatInt(s.opts.Now().Add(factor.SetupDuration).Unix(), 10)},
	}.Encode())
}

// unsealSetup returns the setup in a form field. It returns errSetup unless it was begun in this
// session and not too long ago.
func (s *server) unsealSetup(r *http.Request, sealed string) (authenticatorSetup, error) {
	text, _ := s.opts.Cookies.Unseal(setupPurpose, sealed)
	v, err := url.ParseQuery(text)
	if err != nil {
		return authenticatorSetup{}, errSetup
	}
	seconds, err := strconv.ParseInt(v.Get("expires"), 10, 64)
	if err != nil || !s.opts.Now().Before(time.Unix(seconds, 0)) || v.Get("session") != viewer(r).TokenHash {
		return authenticatorSetup{}, errSetup
	}
	return authenticatorSetup{
		TOTPSetup: factor.TOTPSetup{ProviderID: v.Get("id"), Secret: v.Get("secret"), RecoveryCodes: strings.Fields(v.Get("codes"))},
		Next:      v.Get("next"),
	}, nil
}

// setupAddress returns the address that opens the setup in an authenticator app; see
// https://github.com/google/google-authenticator/wiki/Key-Uri-Format.
func setupAddress(issuer, account, secret string) (string, error) {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(secret, "="))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	// A colon would end the issuer.
	key, err := totp.Generate(totp.GenerateOpts{Issuer: strings.ReplaceAll(issuer, ":", " "), AccountName: account, Secret: raw})
	if err != nil {
		return "", fmt.Errorf("describe authenticator app: %w", err)
	}
	return key.URL(), nil
}

// setupPage shows the secret of an authenticator app and asks for its first code.
type setupPage struct {
	layoutData
	Setup   string // sealed
	QR      qrCode
	Address string   // opens an app on the same device; without its scheme
	Secret  []string // in groups of four characters
	Account string
	Renewed bool // the app that the user had was removed for it
	Code    string
	Error   string
	Cancel  string // page that the user came from
}

// renderSetup shows the page. view has what differs between its uses.
func (s *server) renderSetup(w http.ResponseWriter, r *http.Request, status int, setup authenticatorSetup, view setupPage) error {
	u := viewer(r).User
	issuer := s.opts.BaseURL.Hostname()
	address, err := setupAddress(issuer, u.Email.Display, setup.Secret)
	if err != nil {
		return err
	}
	if view.QR, err = newQRCode(address); err != nil {
		return err
	}
	view.layoutData = s.sectionLayout(w, r, "Set up an authenticator app", "profile")
	view.Address, view.Secret, view.Account = strings.TrimPrefix(address, "otpauth://"), inFours(setup.Secret), issuer+": "+u.Email.Display
	view.Cancel = "/profile"
	if s.opts.Sessions.Standing(*viewer(r)).NeedsSecondFactor {
		view.Cancel = setupPath(setup.Next)
	}
	holdsSecret(w)
	return s.render(w, r, status, "authenticator_setup", view)
}

// inFours splits a text into groups of four characters, so that people can read it.
func inFours(text string) []string {
	var groups []string
	for len(text) > 4 {
		groups, text = append(groups, text[:4]), text[4:]
	}
	return append(groups, text)
}

// recoveryCodesPage shows the recovery codes of an authenticator app.
type recoveryCodesPage struct {
	layoutData
	Setup   string // sealed, for the download
	Account string // the user's address, for a printed page
	Codes   []string
	Next    string
}
