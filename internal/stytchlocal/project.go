package stytchlocal

import (
	"context"
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
	signingKey         // the newest
	Retired    keyRing `json:",omitempty"` // those before it
	TokenKey   []byte  // session tokens are made from session ids with it
}

func (p project) keyRing() keyRing { return append(keyRing{p.signingKey}, p.Retired...) }

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
	p, err := parseProject(value)
	if err != nil {
		return project{}, fmt.Errorf("local stytch: %w", err)
	}
	s.ring.Store(&storedRing{value, p.keyRing()})
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
