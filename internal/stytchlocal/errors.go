package stytchlocal

import (
	"net/http"
	"time"
)

type apiError struct {
	status     int
	kind       string // Stytch's error_type
	message    string
	retryAfter time.Duration // of a 429; 0 for none
	allow      string        // the methods that a 405 names
}

func (e *apiError) Error() string { return e.kind + ": " + e.message }

// The errors of the API. Types and statuses are Stytch's
// (https://stytch.com/docs/api/errors); the messages are our own.
var (
	errInternal         = newError(http.StatusInternalServerError, "internal_server_error", "Something went wrong. Please try again.")
	errNoRoute          = newError(http.StatusNotFound, "route_not_found", "There is no such route.")
	errCredentials      = newError(http.StatusUnauthorized, "unauthorized_credentials", "Project id and secret do not match.")
	errInvalidProjectID = newError(http.StatusUnauthorized, "invalid_project_id_authentication", "The project id is not one of the test environment.")
	errInvalidSecret    = newError(http.StatusUnauthorized, "invalid_secret_authentication", "The secret is not one of the test environment.")
	errProjectNotFound  = newError(http.StatusNotFound, "project_not_found", "Project could not be found.")
	errInvalidLocale    = newError(http.StatusBadRequest, "invalid_locale", "Locale must be en, es, fr or pt-br.")
	errTooManyRequests  = newError(http.StatusTooManyRequests, "too_many_requests", "Too many requests. Please try again later.")
	errInvalidUserID    = newError(http.StatusBadRequest, "invalid_user_id", "User id format is invalid.")
	errInvalidEmailID   = newError(http.StatusBadRequest, "invalid_email_id", "Email id format is invalid.")
	errInvalidSessionID = newError(http.StatusBadRequest, "invalid_session_id", "Session id format is invalid.")
	errNoPhoneNumbers   = badRequest("Phone numbers are not available here.")
	errUserNotFound     = newError(http.StatusNotFound, "user_not_found", "User could not be found.")

	errInvalidEmail        = newError(http.StatusBadRequest, "invalid_email", "Email format is invalid.")
	errEmailNotFound       = newError(http.StatusNotFound, "email_not_found", "Email could not be found.")
	errDuplicateEmail      = newError(http.StatusBadRequest, "duplicate_email", "A user with this email exists already.")
	errSameEmail           = newError(http.StatusBadRequest, "duplicate_email_for_user", "The user has this email already.")
	errTooManyUnverified   = newError(http.StatusBadRequest, "too_many_unverified_factors", "The user has too many unverified emails.")
	errDuplicateExternalID = newError(http.StatusBadRequest, "duplicate_user_external_id", "Another user has this external id.")
	errMetadataForm        = newError(http.StatusBadRequest, "metadata_invalid_format", "Metadata must be a JSON object.")
	errMetadataTooLarge    = newError(http.StatusBadRequest, "metadata_too_large", "Metadata must not exceed 4 kB.")
	errMetadataKeys        = newError(http.StatusBadRequest, "metadata_too_many_keys", "Metadata must not have more than 20 keys.")

	errRedirectNotListed   = newError(http.StatusBadRequest, "no_match_for_provided_magic_link_url", "The URL is not one of the project's redirect URLs.")
	errInvalidExpiration   = newError(http.StatusBadRequest, "invalid_expiration", "Expiration must be between 5 and 10080 minutes.")
	errInvalidToken        = newError(http.StatusBadRequest, "invalid_token", "Token format is invalid.")
	errLinkNotFound        = newError(http.StatusNotFound, "magic_link_not_found", "The magic link could not be found.")
	errLinkSpent           = newError(http.StatusUnauthorized, "unable_to_auth_magic_link", "The magic link was used before, or has expired.")
	errInvalidChallenge    = newError(http.StatusBadRequest, "invalid_pkce_code_challenge", "The code challenge must be the base64url form of a SHA-256 hash.")
	errInvalidVerifier     = newError(http.StatusBadRequest, "invalid_pkce_code_verifier", "The code verifier must have 43 to 128 unreserved characters.")
	errVerifierExpected    = newError(http.StatusBadRequest, "pkce_expected_code_verifier", "The code verifier of the browser that asked is needed.")
	errVerifierNotExpected = newError(http.StatusBadRequest, "pkce_did_not_expect_code_verifier", "The browser asked without a code challenge.")
	errVerifierMismatch    = newError(http.StatusBadRequest, "pkce_mismatch", "The code verifier does not match the code challenge.")
	errAttributeMismatch   = newError(http.StatusUnauthorized, "attribute_mismatch", "The attributes are not those of the browser that asked.")

	errInvalidMethodID       = newError(http.StatusBadRequest, "invalid_method_id", "Method id format is invalid.")
	errInvalidCode           = newError(http.StatusBadRequest, "invalid_code", "A passcode has six digits.")
	errInvalidCodeExpiration = newError(http.StatusBadRequest, "invalid_expiration_otp", "Expiration must be between 1 and 10 minutes.")
	errCodeNotFound          = newError(http.StatusNotFound, "otp_code_not_found", "The passcode is incorrect.")
	errCodeSpent             = newError(http.StatusUnauthorized, "unable_to_auth_otp_code", "The passcode was used before, was tried too often, or has expired.")

	errInvalidTOTPID         = newError(http.StatusBadRequest, "invalid_totp_id", "TOTP id format is invalid.")
	errInvalidTOTPCode       = newError(http.StatusBadRequest, "invalid_totp_code", "A TOTP code has six digits.")
	errInvalidTOTPExpiration = newError(http.StatusBadRequest, "invalid_expiration", "Expiration must be between 5 and 1440 minutes.")
	errActiveTOTP            = newError(http.StatusBadRequest, "active_totp_exists", "The user has an authenticator app already.")
	errTOTPNotFound          = newError(http.StatusNotFound, "totp_not_found", "TOTP could not be found.")
	errNoTOTPs               = newError(http.StatusNotFound, "totps_not_found_for_user", "The user has no authenticator app.")
	errTOTPExpired           = newError(http.StatusUnauthorized, "expired_totp", "The authenticator app was not confirmed in time.")
	errWrongTOTPCode         = newError(http.StatusUnauthorized, "unable_to_authenticate_totp", "The TOTP code is incorrect.")
	errTOTPCodeUsed          = newError(http.StatusUnauthorized, "totp_code_already_authenticated", "This TOTP code, or a later one, was used before.")
	errRecoveryCodeAsTOTP    = newError(http.StatusBadRequest, "recovery_code_used_as_totp_code", "This is a recovery code and not a TOTP code.")
	errTOTPAsRecoveryCode    = newError(http.StatusBadRequest, "totp_code_used_as_recovery_code", "This is a TOTP code and not a recovery code.")
	errInvalidRecoveryCode   = newError(http.StatusBadRequest, "invalid_recovery_code", "A recovery code looks like xxxx-xxxx-xxxx.")
	errNoRecoveryCodes       = newError(http.StatusNotFound, "recovery_codes_not_found", "Recovery codes work once the authenticator app is confirmed.")
	errWrongRecoveryCode     = newError(http.StatusUnauthorized, "unable_to_authenticate_recovery_code", "The recovery code is incorrect, or was used before.")
	errTooManyTries          = newError(http.StatusTooManyRequests, "user_lock_limit_reached", "Too many incorrect codes. Please try again later.")

	errSessionNotFound      = newError(http.StatusNotFound, "session_not_found", "Session could not be found.")
	errInvalidSessionToken  = newError(http.StatusBadRequest, "invalid_session_token", "Session token format is invalid.")
	errUnparsableJWT        = newError(http.StatusBadRequest, "unable_to_parse_session_jwt", "The session JWT is not one of this project.")
	errTooManySessions      = newError(http.StatusBadRequest, "too_many_session_arguments", "Give session_token or session_jwt, not both.")
	errNoSession            = newError(http.StatusBadRequest, "no_session_arguments", "Give session_token or session_jwt.")
	errTooManyToRevoke      = newError(http.StatusBadRequest, "too_many_session_revoke_arguments", "Give one of session_id, session_token and session_jwt.")
	errNothingToRevoke      = newError(http.StatusBadRequest, "no_session_revoke_arguments", "Give one of session_id, session_token and session_jwt.")
	errInvalidDuration      = newError(http.StatusBadRequest, "invalid_session_duration_minutes", "Session duration must be between 5 and 527040 minutes.")
	errNoAuthorizationCheck = newError(http.StatusForbidden, "consumer_session_authorization_error", "Authorization checks are not available here.")
	errReservedClaims       = newError(http.StatusBadRequest, "reserved_claims_in_custom_claims", "Custom claims must not use reserved names.")
	errStytchClaims         = newError(http.StatusBadRequest, "stytch_claims_in_custom_claims", "Custom claims must not use Stytch's names.")
	errClaimsTooLarge       = newError(http.StatusBadRequest, "custom_claims_too_large", "Custom claims must not exceed 4 kB.")
)

func newError(status int, kind, message string) *apiError {
	return &apiError{status: status, kind: kind, message: message}
}

// badRequest returns the error for which Stytch has no specific type.
func badRequest(message string) *apiError {
	return newError(http.StatusBadRequest, "bad_request", message)
}

// writeSimulatedError writes the error that Stytch responds with a status.
func writeSimulatedError(w http.ResponseWriter, status int) {
	e := *badRequest("The call was refused on purpose.")
	switch {
	case status >= 500:
		e = *errInternal
	case status == http.StatusTooManyRequests:
		e = *errTooManyRequests
		e.retryAfter = time.Minute
	case status == http.StatusUnauthorized:
		e = *errCredentials
	}
	e.status = status
	writeError(w, newRequestID(), &e)
}
