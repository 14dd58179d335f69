package stytch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// errorTypes are Stytch's error types that the product tells apart
// (https://stytch.com/docs/api/errors). All others are told apart by status.
var errorTypes = map[stytcherror.Type]error{
	"magic_link_not_found":        session.ErrLinkUnknown,
	"invalid_token":               session.ErrLinkUnknown,
	"unable_to_auth_magic_link":   session.ErrLinkSpent,
	"pkce_expected_code_verifier": session.ErrOtherBrowser,
	"pkce_mismatch":               session.ErrOtherBrowser,

	"pkce_did_not_expect_code_verifier": session.ErrNoChallenge,

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

// errHasAccount: the person to invite is at Stytch already.
var errHasAccount = errors.New("address is at Stytch already")

// localMailErrors say why a mail of the local Stytch did not leave, in sentences that
// are ours and for people to see.
var localMailErrors = []stytcherror.Type{"mail_refused", "mail_not_sent", "mail_not_confirmed"}

// callError is a call that did not succeed: what it means, and what Stytch said.
type callError struct {
	method  string
	meaning error
	cause   error
	reason  string // for an administrator
}

func (f *callError) Error() string {
	return fmt.Sprintf("stytch: %s: %v: %v", f.method, f.meaning, f.cause)
}

// Unwrap also gives the cause, so that a cancelled request is seen as one.
func (f *callError) Unwrap() []error { return []error{f.meaning, f.cause} }

// Reason implements what outbox.Reason looks for.
func (f *callError) Reason() string { return f.reason }

// translate gives an error of the SDK its meaning: by its type where that is one
// of ours, else a refusal (400..499), else that Stytch can't be relied on. The
// SDK's text is kept but for the address, which it doesn't hold.
func translate(method string, err error) error {
	if err == nil {
		return nil
	}
	f := &callError{method: method, meaning: session.ErrUnavailable, cause: err, reason: "Stytch could not be reached."}
	var e stytcherror.Error // by value: a pointer never matches
	if !errors.As(err, &e) {
		switch {
		case isDatabaseFault(err):
			f.reason = "The database could not be reached."
		case errors.Is(err, context.DeadlineExceeded):
			f.reason = "Stytch did not answer in time."
		}
		return f
	}
	f.cause = fmt.Errorf("%d %s (%s)", e.StatusCode, e.ErrorType, e.RequestID)
	f.reason = strings.TrimSpace(fmt.Sprintf("Stytch answered %d %s", e.StatusCode, e.ErrorType)) + "."
	switch {
	case e.ErrorType == "inactive_email":
		f.reason = "The mail server refuses the address."
	case slices.Contains(localMailErrors, e.ErrorType):
		f.reason = string(e.ErrorMessage)
	}
	switch meaning, known := errorTypes[e.ErrorType]; {
	case known:
		f.meaning = meaning
	case e.StatusCode == 429:
		f.meaning = session.ErrTooMany
	case e.StatusCode >= 400 && e.StatusCode < 500 && e.ErrorType != "": // without a name it isn't Stytch who refuses
		f.meaning = outbox.ErrRefused
	}
	return f
}
