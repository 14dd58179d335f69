package stytch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// errorTypes maps Stytch's error types to their meaning. Other types are classified by
// their status. https://stytch.com/docs/api/errors
var errorTypes = map[stytcherror.Type]error{
	"magic_link_not_found":        session.ErrLinkUnknown,
	"invalid_token":               session.ErrLinkUnknown,
	"unable_to_auth_magic_link":   session.ErrLinkSpent,
	"pkce_expected_code_verifier": session.ErrOtherBrowser,
	"pkce_mismatch":               session.ErrOtherBrowser,

	"pkce_did_not_expect_code_verifier": session.ErrNoChallenge,

	"oauth_token_not_found":        session.ErrLinkUnknown,
	"unable_to_auth_oauth_token":   session.ErrLinkSpent,
	"oauth_unable_to_authenticate": session.ErrLinkSpent,

	"otp_code_not_found":      session.ErrCodeWrong,
	"invalid_code":            session.ErrCodeWrong,
	"invalid_method_id":       session.ErrCodeWrong,
	"invalid_email_id":        session.ErrCodeWrong,
	"unable_to_auth_otp_code": session.ErrCodeSpent,

	"unable_to_authenticate_totp":          session.ErrCodeWrong,
	"invalid_totp_code":                    session.ErrCodeWrong,
	"totp_code_already_authenticated":      session.ErrCodeSpent,
	"unable_to_authenticate_recovery_code": session.ErrCodeWrong,
	"recovery_codes_not_found":             session.ErrCodeWrong,
	"expired_totp":                         session.ErrNoAuthenticator,
	"totp_not_found":                       session.ErrNoAuthenticator,
	"totps_not_found_for_user":             session.ErrNoAuthenticator,
	"active_totp_exists":                   factor.ErrHasTOTP,

	"unable_to_auth_webauthn_registration":     session.ErrPasskey,
	"unable_to_register_webauthn_registration": session.ErrPasskey,
	"invalid_public_key_credential":            session.ErrPasskey,
	"no_pending_webauthn_registration":         session.ErrPasskey,
	"no_active_webauthn_registrations":         session.ErrPasskeyUnknown,
	"webauthn_registration_not_found":          session.ErrPasskeyUnknown,
	"duplicate_webauthn_registration":          factor.ErrPasskeyExists,

	"session_not_found":     session.ErrEnded,
	"invalid_session_token": session.ErrEnded,

	"email_not_found": session.ErrNoAccount,
	"user_not_found":  session.ErrNoAccount,

	"too_many_requests":                 session.ErrTooMany,
	"too_few_tokens_authenticated":      session.ErrTooMany,
	"user_lock_limit_reached":           session.ErrTooMany,
	"mail_not_sent":                     session.ErrNotMailed,
	"mail_not_confirmed":                outbox.ErrUnconfirmed,
	"duplicate_email":                   errHasAccount,
	"user_already_invited":              errHasAccount,
	"unauthorized_credentials":          session.ErrUnavailable,
	"invalid_project_id_authentication": session.ErrUnavailable,
	"invalid_secret_authentication":     session.ErrUnavailable,
}

// errHasAccount reports that the address to invite has an active account.
var errHasAccount = errors.New("address is at Stytch already")

// errMalformedResponse reports a successful response without a required field.
var errMalformedResponse = errors.New("answer without the fields it must have")

// requireField returns err, or errMalformedResponse if there is none and a required field
// of the response is empty.
func requireField(value string, err error) error {
	if err == nil && value == "" {
		return errMalformedResponse
	}
	return err
}

// localMailErrors are the local Stytch's errors for an email that was not sent. Their
// messages are written for administrators.
var localMailErrors = []stytcherror.Type{"mail_refused", "mail_not_sent", "mail_not_confirmed"}

// callError is the error of a call.
type callError struct {
	method  string
	meaning error // for errors.Is
	cause   error
	reason  string // for administrators
}

func (e *callError) Error() string {
	return fmt.Sprintf("stytch: %s: %v: %v", e.method, e.meaning, e.cause)
}

// Unwrap returns the meaning and the cause, so that a cancelled context is found.
func (e *callError) Unwrap() []error { return []error{e.meaning, e.cause} }

// Reason returns a sentence for administrators; see outbox.Reason.
func (e *callError) Reason() string { return e.reason }

// translate gives an SDK error its meaning: by its type, as a refusal (400 to 499), or
// else as session.ErrUnavailable. The text leaves out the request, which contains the
// address.
func translate(method string, err error) error {
	if err == nil {
		return nil
	}
	f := &callError{method: method, meaning: session.ErrUnavailable, cause: err, reason: "The login service could not be reached."}
	var e stytcherror.Error // the SDK returns it by value
	if !errors.As(err, &e) {
		switch {
		case isDatabaseFault(err):
			f.reason = "The database could not be reached."
		case errors.Is(err, context.DeadlineExceeded):
			f.reason = "The login service did not answer in time."
		}
		return f
	}
	f.cause = fmt.Errorf("%d %s (%s)", e.StatusCode, e.ErrorType, e.RequestID)
	f.reason = strings.TrimSpace(fmt.Sprintf("The login service answered %d %s", e.StatusCode, e.ErrorType)) + "."
	switch {
	case e.ErrorType == "inactive_email":
		f.reason = "The mail server rejected the address."
	case slices.Contains(localMailErrors, e.ErrorType):
		f.reason = string(e.ErrorMessage)
	}
	switch meaning, ok := errorTypes[e.ErrorType]; {
	case ok:
		f.meaning = meaning
	case e.StatusCode == 429:
		f.meaning = session.ErrTooMany
	case e.StatusCode >= 400 && e.StatusCode < 500 && e.ErrorType != "": // without a type, the response is not Stytch's
		f.meaning = outbox.ErrRefused
	}
	return f
}
