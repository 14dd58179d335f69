package stytchlocal

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/webhook"
)

// project holds the server's credentials and keys. It is stored as JSON in one row.
type project struct {
	Credentials
	signingKey         // the newest
	Retired    keyRing `json:",omitempty"` // older ones
	TokenKey   []byte  // other secrets are derived from it
}

func (p project) keyRing() keyRing { return append(keyRing{p.signingKey}, p.Retired...) }

// derive returns a secret for a purpose. All instances derive the same one, and none needs
// to be stored.
func (p *project) derive(purpose string) []byte {
	mac := hmac.New(sha256.New, p.TokenKey)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

func (p *project) webhookKey() []byte { return p.derive("webhooks") }

// openProject reads the project from the database or creates it. If two instances start at
// the same time, one creates it and both use it.
func (s *Server) openProject(ctx context.Context) (project, error) {
	value, err := s.read.GetProject(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		value, err = s.createProject(ctx)
	}
	if err != nil {
		return project{}, fmt.Errorf("local stytch: open project: %w", err)
	}
	p, err := parseProject(value)
	if err != nil {
		return project{}, fmt.Errorf("local stytch: %w", err)
	}
	s.ring.Store(&storedKeyRing{value, p.keyRing()})
	p.WebhookSecret = webhook.Secret(p.webhookKey())
	return p, nil
}

func parseProject(value string) (project, error) {
	var p project
	if err := json.Unmarshal([]byte(value), &p); err != nil {
		return project{}, fmt.Errorf("read project: %w", err)
	}
	err := p.signingKey.parse()
	for i := range p.Retired {
		err = errors.Join(err, p.Retired[i].parse())
	}
	if err == nil && len(p.TokenKey) == 0 {
		err = errors.New("the project's keys in table stytch_project are damaged")
	}
	return p, err
}

// createProject stores a new project. It returns the stored one, which another instance
// may have created first.
func (s *Server) createProject(ctx context.Context) (string, error) {
	created, err := newProject()
	if err != nil {
		return "", err
	}
	err = s.opts.InTx(ctx, func(tx *sql.Tx) error {
		return s.read.WithTx(tx).InsertProject(ctx, created)
	})
	if s.opts.IsDuplicate(err) {
		return s.read.GetProject(ctx)
	}
	return created, err
}

func newProject() (string, error) {
	key, err := newSigningKey()
	if err != nil {
		return "", err
	}
	value, err := json.Marshal(project{
		Credentials: Credentials{
			ProjectID:   "project-test-" + uuid.NewString(),
			Secret:      "secret-test-" + base64.URLEncoding.EncodeToString(randomBytes(33)),
			PublicToken: "public-token-test-" + uuid.NewString(),
		},
		signingKey: key,
		TokenKey:   randomBytes(32),
	})
	return string(value), err
}
