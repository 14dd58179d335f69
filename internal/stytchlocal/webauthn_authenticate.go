package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/passkey"
)

type authenticateStartResponse struct {
	meta
	UserID  string `json:"user_id"`
	Options string `json:"public_key_credential_request_options"` // JSON
}

// startAssertion returns the options for a browser to use a passkey: one of a user, or any
// of the domain.
func (s *Server) startAssertion(c *call) (response, error) {
	var req struct {
		UserID string `json:"user_id"`
		Domain string `json:"domain"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	domain, ok := passkey.ParseDomain(req.Domain)
	if !ok {
		return nil, errInvalidDomain
	}
	options := passkey.Request{Domain: domain}
	userID := ""
	if req.UserID != "" {
		user, err := s.findUser(c.ctx, s.read, req.UserID)
		if err != nil {
			return nil, err
		}
		userID = user.UserID
		existing, err := s.listRegistrations(c.ctx, s.read, userID, domain)
		if err != nil {
			return nil, err
		}
		if len(existing) == 0 {
			return nil, errNoRegistrations
		}
		options.Allow = credentials(existing)
	}
	err := s.tx(c.ctx, func(q *dbsqlc.Queries) (err error) {
		options.Challenge, err = s.startChallenge(c.ctx, q, challengeAuthenticate, userID, domain, challengeDetails{UserVerification: passkey.UserVerification})
		return err
	})
	if err != nil {
		return nil, err
	}
	s.pruneChallenges(c.ctx, userID)
	text, err := options.JSON(base64.StdEncoding)
	return &authenticateStartResponse{UserID: userID, Options: text}, err
}

// authenticatePasskey checks a browser's use of a passkey. It checks the whole request
// before it uses up the challenge; a credential that can't be verified uses it up.
func (s *Server) authenticatePasskey(c *call) (response, error) {
	var req struct {
		sessionRequest
		Credential string `json:"public_key_credential"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	opts, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	got, err := passkey.ParseAssertion(req.Credential)
	if err != nil {
		return nil, errInvalidCredential
	}
	challenge, details, err := s.spendChallenge(c.ctx, challengeAuthenticate, "", got.Challenge())
	if err != nil {
		return nil, err
	}
	if challenge == nil {
		return nil, errAssertionRefused
	}
	row, err := s.read.GetWebAuthnCredential(c.ctx, dbsqlc.GetWebAuthnCredentialParams{
		CredentialHash: hashCredential(got.CredentialID()), Domain: challenge.Domain,
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errRegistrationNotFound
	}
	if err != nil {
		return nil, wrap("get passkey", err)
	}
	if challenge.UserID != "" && challenge.UserID != row.UserID || challenge.UserID == "" && len(got.UserHandle()) == 0 {
		return nil, errAssertionRefused
	}
	granted, err := s.authenticate(c.ctx, authentication{
		userID: row.UserID, gone: errRegistrationNotFound, opts: opts,
		prove: func(q *dbsqlc.Queries, user *account) (factor, error) {
			return s.useRegistration(c.ctx, q, row.RegistrationID, got, expected(challenge.Domain, details))
		},
	})
	if err != nil {
		return nil, err
	}
	return &webauthnResponse{authenticated: granted, RegistrationID: row.RegistrationID}, nil
}

// useRegistration verifies an assertion against the passkey, which it reads again now that
// its user is locked, and records the use.
func (s *Server) useRegistration(ctx context.Context, q *dbsqlc.Queries, id string, got passkey.Assertion, want passkey.Expected) (factor, error) {
	row, err := q.GetWebAuthnRegistration(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return factor{}, errRegistrationNotFound
	}
	if err != nil {
		return factor{}, wrap("get passkey", err)
	}
	r, err := openRegistration(row)
	if err != nil {
		return factor{}, err
	}
	used, signCount, err := got.Verify(r.Credential, want)
	if err == nil && !passkey.IsNewer(signCount, r.SignCount) {
		err = errors.New("the signature counter does not grow")
	}
	if err != nil {
		s.opts.Log.Info("passkey refused", "reason", err.Error())
		return factor{}, errAssertionRefused
	}
	r.Credential = used
	text, err := json.Marshal(r.registrationDetails)
	if err != nil {
		return factor{}, err
	}
	_, err = q.UseWebAuthnRegistration(ctx, dbsqlc.UseWebAuthnRegistrationParams{
		Details: string(text), SignCount: int64(signCount), UsedAt: s.now(), RegistrationID: r.RegistrationID,
	})
	return r.factor(), wrap("update passkey", err)
}
