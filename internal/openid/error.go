package openid

import (
	"errors"

	"github.com/guestlist/guestlist/internal/apps"
)

// Statuses of HTTP.
const (
	badRequest   = 400
	unauthorized = 401
)

// Error is an answer to a client's wrong request.
type Error struct {
	Code        string // registered, such as invalid_grant (https://www.iana.org/assignments/oauth-parameters)
	Description string // a sentence for the client's developer, in ASCII without quotes
	Status      int    // of an answer that isn't a redirect
}

func (e *Error) Error() string { return "openid: " + e.Code + ": " + e.Description }

func newError(code, description string) *Error {
	return &Error{Code: code, Description: description, Status: badRequest}
}

func invalidRequest(description string) *Error { return newError("invalid_request", description) }

func invalidGrant(description string) *Error { return newError("invalid_grant", description) }

// errInvalidClient is the same for every reason, so that it doesn't say which clients exist.
var errInvalidClient = &Error{
	Code: "invalid_client", Description: "The client is unknown, or its secret is missing, wrong or expired.", Status: unauthorized,
}

// errInvalidToken refuses an access token (https://www.rfc-editor.org/rfc/rfc6750#section-3.1).
var errInvalidToken = &Error{Code: "invalid_token", Description: "The access token is unknown, expired or revoked.", Status: unauthorized}

// grantRefusal returns the answer to a client whose grant was refused by check, or nil if err is another
// error.
func grantRefusal(err error) *Error {
	var notAllowed *apps.NotAllowedError
	switch {
	case errors.Is(err, errEnded):
		return invalidGrant("The sign-in of the user has ended.")
	case errors.As(err, &notAllowed):
		return invalidGrant("The user may not open this app any more.")
	}
	return nil
}

// orRefusal returns the answer of grantRefusal, or other errors as they are.
func orRefusal(err error) error {
	if refusal := grantRefusal(err); refusal != nil {
		return refusal
	}
	return err
}
