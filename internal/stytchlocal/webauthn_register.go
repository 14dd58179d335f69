package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/passkey"
	"github.com/guestlist/guestlist/internal/text"
)

type registerStartRequest struct {
	UserID              string `json:"user_id"`
	Domain              string `json:"domain"`
	UserAgent           string `json:"user_agent"`
	AuthenticatorType   string `json:"authenticator_type"`
	Passkey             bool   `json:"return_passkey_credential_options"`
	OverrideID          string `json:"override_id"`
	OverrideName        string `json:"override_name"`
	OverrideDisplayName string `json:"override_display_name"`
	Base64URL           bool   `json:"use_base64_url_encoding"`
}

type registerStartResponse struct {
	meta
	UserID  string `json:"user_id"`
	Options string `json:"public_key_credential_creation_options"` // JSON
}

// startRegistration returns the options for a browser to create a passkey.
func (s *Server) startRegistration(c *call) (response, error) {
	var req registerStartRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	domain, ok := passkey.ParseDomain(req.Domain)
	switch {
	case !ok:
		return nil, errInvalidDomain
	case req.AuthenticatorType != "" && req.AuthenticatorType != "platform" && req.AuthenticatorType != "cross-platform":
		return nil, errInvalidAuthenticatorType
	case len(req.OverrideID) > maxUserHandle:
		return nil, badRequest("override_id must not be longer than 64 bytes.")
	}
	details := challengeDetails{
		UserAgent: text.TruncateBytes(req.UserAgent, maxAttribute), AuthenticatorType: req.AuthenticatorType, UserVerification: passkey.UserVerification,
	}
	options := passkey.Creation{Domain: domain, AuthenticatorType: req.AuthenticatorType, Discoverable: req.Passkey}
	user, _, err := s.changeUser(c.ctx, req.UserID, func(q *dbsqlc.Queries, user *account) error {
		if user.Status == statusPending {
			return errPendingUser
		}
		existing, err := s.listRegistrations(c.ctx, q, user.UserID, domain)
		if err != nil {
			return err
		}
		options.Exclude = credentials(existing)
		options.UserHandle = []byte(user.UserID)
		if req.OverrideID != "" {
			options.UserHandle = []byte(req.OverrideID)
		}
		details.UserHandle = options.UserHandle
		options.Challenge, err = s.startChallenge(c.ctx, q, challengeRegister, user.UserID, domain, details)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.pruneChallenges(c.ctx, user.UserID)
	options.UserName, options.DisplayName = req.names(&user)
	text, err := options.JSON(req.encoding())
	return &registerStartResponse{UserID: user.UserID, Options: text}, err
}

// names returns the names under which an authenticator shows the passkey.
func (r *registerStartRequest) names(user *account) (name, displayName string) {
	name, displayName = r.OverrideName, r.OverrideDisplayName
	if name == "" && len(user.emails) > 0 {
		name = user.emails[0].Email
	}
	if name == "" {
		name = user.UserID
	}
	if displayName == "" {
		displayName = user.Name.full()
	}
	if displayName == "" {
		displayName = name
	}
	return name, displayName
}

func (r *registerStartRequest) encoding() *base64.Encoding {
	if r.Base64URL {
		return base64.RawURLEncoding
	}
	return base64.StdEncoding
}

type webauthnResponse struct {
	meta
	authenticated
	RegistrationID string       `json:"webauthn_registration_id"`
	UserDevice     *emptyObject `json:"user_device"`
}

// register stores the passkey that a browser has created. It checks the whole request
// before it uses up the challenge; a credential that can't be verified uses it up.
func (s *Server) register(c *call) (response, error) {
	var req struct {
		sessionRequest
		UserID     string `json:"user_id"`
		Credential string `json:"public_key_credential"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	opts, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	got, err := passkey.ParseRegistration(req.Credential)
	if err != nil {
		return nil, errInvalidCredential
	}
	user, err := s.findUser(c.ctx, s.read, req.UserID)
	if err != nil {
		return nil, err
	}
	challenge, details, err := s.spendChallenge(c.ctx, challengeRegister, user.UserID, got.Challenge())
	if err != nil {
		return nil, err
	}
	if challenge == nil {
		return nil, errNoPendingRegistration
	}
	credential, signCount, err := got.Verify(expected(challenge.Domain, details), details.UserHandle)
	if err != nil {
		s.opts.Log.Info("passkey not registered", "reason", err.Error())
		return nil, errRegistrationRefused
	}
	r := registration{registrationDetails: registrationDetails{credential, details.UserAgent, details.AuthenticatorType}}
	r.RegistrationID, r.UserID, r.Domain = newID("webauthn-registration"), user.UserID, challenge.Domain
	r.CredentialHash, r.SignCount, r.CreatedAt = hashCredential(credential.ID), int64(signCount), s.now()
	granted, err := s.authenticate(c.ctx, authentication{
		userID: user.UserID, gone: errUserNotFound, opts: opts,
		prove: func(q *dbsqlc.Queries, user *account) (factor, error) {
			return s.insertRegistration(c.ctx, q, user, &r)
		},
	})
	if err != nil {
		return nil, err
	}
	return &webauthnResponse{authenticated: granted, RegistrationID: r.RegistrationID}, nil
}

func expected(domain string, details challengeDetails) passkey.Expected {
	return passkey.Expected{Domain: domain, UserVerification: details.UserVerification == "required"}
}

func hashCredential(id []byte) string { return hashToken(string(id)) }

func (s *Server) insertRegistration(ctx context.Context, q *dbsqlc.Queries, user *account, r *registration) (factor, error) {
	_, err := q.GetWebAuthnCredential(ctx, dbsqlc.GetWebAuthnCredentialParams{CredentialHash: r.CredentialHash, Domain: r.Domain})
	switch {
	case err == nil:
		return factor{}, errDuplicateRegistration
	case !errors.Is(err, sql.ErrNoRows):
		return factor{}, wrap("get passkey", err)
	case len(user.webauthnRegistrations) >= maxRegistrations:
		return factor{}, errTooManyRegistrations
	}
	details, err := json.Marshal(r.registrationDetails)
	if err != nil {
		return factor{}, err
	}
	r.Details = string(details)
	if err := q.InsertWebAuthnRegistration(ctx, dbsqlc.InsertWebAuthnRegistrationParams(r.StytchWebauthnRegistration)); err != nil {
		return factor{}, wrap("insert passkey", err)
	}
	user.webauthnRegistrations = append(user.webauthnRegistrations, r.object())
	return r.factor(), nil
}
