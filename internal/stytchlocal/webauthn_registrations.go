package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/passkey"
	"github.com/guestlist/guestlist/internal/text"
)

type registrationResponse struct {
	meta
	Registration webauthnRegistrationObject `json:"webauthn_registration"`
}

// nameRegistration changes the name of a passkey.
func (s *Server) nameRegistration(c *call) (response, error) {
	var req struct {
		Name string `json:"name"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	name := strings.TrimSpace(text.Clean(req.Name))
	switch {
	case name == "":
		return nil, errEmptyRegistrationName
	case utf8.RuneCountInString(name) > maxRegistrationName:
		return nil, badRequest("The name must not be longer than 128 characters.")
	}
	var named registration
	user, before, err := s.changeRegistration(c.ctx, c.id, func(q *dbsqlc.Queries, r registration) error {
		r.Name = name
		named = r
		_, err := q.NameWebAuthnRegistration(c.ctx, dbsqlc.NameWebAuthnRegistrationParams{Name: name, RegistrationID: r.RegistrationID})
		return wrap("name passkey", err)
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhookIfChanged(before, &user)
	return &registrationResponse{Registration: named.object()}, nil
}

// factorChangeResponse is the response to the removal of a factor.
type factorChangeResponse struct {
	meta
	UserID string     `json:"user_id"`
	User   userObject `json:"user"`
}

func (s *Server) deleteRegistration(c *call) (response, error) {
	user, before, err := s.changeRegistration(c.ctx, c.id, func(q *dbsqlc.Queries, r registration) error {
		_, err := q.DeleteWebAuthnRegistration(c.ctx, r.RegistrationID)
		return wrap("delete passkey", err)
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhookIfChanged(before, &user)
	return &factorChangeResponse{UserID: user.UserID, User: user.object()}, nil
}

// changeRegistration changes a passkey while its user is locked. It returns the user as it
// is after the change, and as it was before.
func (s *Server) changeRegistration(ctx context.Context, id string, change func(q *dbsqlc.Queries, r registration) error) (
	user account, before userObject, err error,
) {
	var found dbsqlc.StytchWebauthnRegistration
	err = s.readThenTx(ctx, func() (err error) {
		found, err = s.read.GetWebAuthnRegistration(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return errRegistrationNotFound
		}
		return err
	}, func(q *dbsqlc.Queries) error {
		locked, err := s.lockUser(ctx, q, found.UserID)
		if err != nil {
			return err
		}
		before = locked.object()
		row, err := q.GetWebAuthnRegistration(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return errRegistrationNotFound
		}
		if err != nil {
			return wrap("get passkey", err)
		}
		r, err := openRegistration(row)
		if err != nil {
			return err
		}
		if err := change(q, r); err != nil {
			return err
		}
		user, err = s.findUser(ctx, q, found.UserID)
		return err
	})
	return user, before, err
}

type credentialsResponse struct {
	meta
	Credentials []credentialObject `json:"credentials"`
}

type credentialObject struct {
	CredentialID   string `json:"credential_id"` // base64url
	RegistrationID string `json:"webauthn_registration_id"`
	Type           string `json:"type"`
	PublicKey      string `json:"public_key"` // a COSE key, base64url
}

// listCredentials returns a user's passkeys of a domain with their public keys.
func (s *Server) listCredentials(c *call) (response, error) {
	user, err := s.findUser(c.ctx, s.read, c.id)
	if err != nil {
		return nil, err
	}
	domain, ok := passkey.ParseDomain(c.domain)
	if !ok {
		return nil, errInvalidDomain
	}
	list, err := s.listRegistrations(c.ctx, s.read, user.UserID, domain)
	if err != nil {
		return nil, err
	}
	out := &credentialsResponse{Credentials: []credentialObject{}}
	for _, r := range list {
		out.Credentials = append(out.Credentials, credentialObject{
			CredentialID: base64.RawURLEncoding.EncodeToString(r.ID), RegistrationID: r.RegistrationID, Type: "public-key",
			PublicKey: base64.RawURLEncoding.EncodeToString(r.PublicKey),
		})
	}
	return out, nil
}
