package stytchlocal

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/webhook"
)

// project is what the server made once for itself and keeps in one row, as JSON.
type project struct {
	Credentials
	KeyID      string // of the signing key, jwk-test-<uuid>
	SigningKey []byte // RSA, PKCS #8
	TokenKey   []byte // session tokens are made from session ids with it

	key *rsa.PrivateKey // SigningKey, parsed
}

// openProject finds the project in the database or makes it. Of two instances
// that start together, one makes it and both use it.
func (s *Server) openProject(ctx context.Context) (project, error) {
	value, err := s.read.GetProject(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		value, err = s.makeProject(ctx)
	}
	if err != nil {
		return project{}, fmt.Errorf("local stytch: open project: %w", err)
	}
	var p project
	if err := json.Unmarshal([]byte(value), &p); err != nil {
		return project{}, fmt.Errorf("local stytch: read project: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(p.SigningKey)
	if err != nil {
		return project{}, fmt.Errorf("local stytch: read signing key: %w", err)
	}
	var ok bool
	if p.key, ok = key.(*rsa.PrivateKey); !ok || len(p.TokenKey) == 0 {
		return project{}, errors.New("local stytch: the project's keys in table stytch_project are damaged")
	}
	p.WebhookSecret = webhook.Secret(p.webhookKey())
	return p, nil
}

// makeProject stores a new project and returns the one that is stored, which is
// another's if that was quicker.
func (s *Server) makeProject(ctx context.Context) (string, error) {
	fresh, err := newProject()
	if err != nil {
		return "", err
	}
	err = s.opts.InTx(ctx, func(tx *sql.Tx) error {
		return s.read.WithTx(tx).InsertProject(ctx, fresh)
	})
	if s.opts.IsDuplicate(err) {
		return s.read.GetProject(ctx)
	}
	return fresh, err
}

func newProject() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	value, err := json.Marshal(project{
		Credentials: Credentials{
			ProjectID:   "project-test-" + uuid.NewString(),
			Secret:      "secret-test-" + base64.URLEncoding.EncodeToString(randomBytes(33)),
			PublicToken: "public-token-test-" + uuid.NewString(),
		},
		KeyID:      "jwk-test-" + uuid.NewString(),
		SigningKey: der,
		TokenKey:   randomBytes(32),
	})
	return string(value), err
}
