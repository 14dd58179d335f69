package stytchlocal

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/passkey"
)

// The errors of passkeys. Stytch's statuses are documented for few of them.
var (
	errInvalidDomain            = newError(http.StatusBadRequest, "invalid_domain", "The domain must be a host name without scheme and port, such as example.com or localhost.")
	errInvalidAuthenticatorType = badRequest("The authenticator type must be platform or cross-platform.")
	errInvalidCredential        = newError(http.StatusBadRequest, "invalid_public_key_credential", "The public key credential must be the JSON form of a browser's credential.")
	errPendingUser              = newError(http.StatusBadRequest, "cannot_use_webauthn_with_pending_user", "The user must sign in by email first.")
	errNoPendingRegistration    = newError(http.StatusNotFound, "no_pending_webauthn_registration", "The user has no pending registration with this challenge. It may have expired or been used.")
	errNoRegistrations          = newError(http.StatusNotFound, "no_active_webauthn_registrations", "The user has no passkeys for this domain.")
	errRegistrationNotFound     = newError(http.StatusNotFound, "webauthn_registration_not_found", "The WebAuthn registration could not be found.")
	errDuplicateRegistration    = newError(http.StatusBadRequest, "duplicate_webauthn_registration", "This passkey is registered already.")
	errTooManyRegistrations     = badRequest("The user has too many passkeys.")
	errRegistrationRefused      = newError(http.StatusUnauthorized, "unable_to_register_webauthn_registration", "The public key credential could not be verified.")
	errAssertionRefused         = newError(http.StatusUnauthorized, "unable_to_auth_webauthn_registration", "The public key credential could not be verified, or its challenge has expired or been used.")
	errEmptyRegistrationName    = newError(http.StatusBadRequest, "empty_webauthn_registration_name", "The name must not be empty.")
)

const (
	maxRegistrations    = 50  // of a user
	maxRegistrationName = 128 // in characters
	maxUserHandle       = 64  // in bytes, by the specification
)

// registrationDetails are the fields without an index. They are stored as JSON.
type registrationDetails struct {
	passkey.Credential
	UserAgent         string `json:"user_agent,omitempty"`
	AuthenticatorType string `json:"authenticator_type,omitempty"`
}

type registration struct {
	dbsqlc.StytchWebauthnRegistration
	registrationDetails
}

func openRegistration(row dbsqlc.StytchWebauthnRegistration) (registration, error) {
	r := registration{StytchWebauthnRegistration: row}
	return r, wrap("read passkey "+row.RegistrationID, json.Unmarshal([]byte(row.Details), &r.registrationDetails))
}

func (r *registration) object() webauthnRegistrationObject {
	return webauthnRegistrationObject{
		RegistrationID: r.RegistrationID, Domain: r.Domain, UserAgent: r.UserAgent, Verified: true,
		AuthenticatorType: r.AuthenticatorType, Name: r.Name,
	}
}

func (r *registration) factor() factor {
	return factor{Type: "webauthn", DeliveryMethod: "webauthn_registration", WebAuthn: &webauthnFactor{
		RegistrationID: r.RegistrationID, Domain: r.Domain, UserAgent: r.UserAgent,
	}}
}

// listRegistrations returns a user's passkeys of a domain, oldest first.
func (s *Server) listRegistrations(ctx context.Context, q *dbsqlc.Queries, userID, domain string) ([]registration, error) {
	rows, err := q.ListWebAuthnRegistrationsOfUsers(ctx, []string{userID})
	if err != nil {
		return nil, wrap("list passkeys", err)
	}
	var list []registration
	for _, row := range rows {
		if row.Domain != domain {
			continue
		}
		r, err := openRegistration(row)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

func credentials(registrations []registration) []passkey.Credential {
	var list []passkey.Credential
	for _, r := range registrations {
		list = append(list, r.Credential)
	}
	return list
}
