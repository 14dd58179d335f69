package openid

import (
	"context"
	"errors"

	"github.com/guestlist/guestlist/internal/directory"
)

// ClientCredentials are how a client authenticates itself
// (https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication).
type ClientCredentials struct {
	ID     string
	Secret string // empty for a public client
}

// authenticate returns the client. A confidential client needs one of its secrets, and a public one
// must not send any. Errors: errInvalidClient, directory.ErrUnavailable.
func (p *Provider) authenticate(ctx context.Context, c ClientCredentials) (Client, error) {
	if c.ID == "" {
		return Client{}, errInvalidClient
	}
	client, secret, err := p.store.GetClientWithSecret(ctx, c.ID, hash(c.Secret))
	if errors.Is(err, directory.ErrNotFound) {
		return Client{}, errInvalidClient
	}
	if err != nil {
		return Client{}, err
	}
	if client.Public {
		if c.Secret != "" {
			return Client{}, errInvalidClient
		}
		return client, nil
	}
	if c.Secret == "" || secret.ID == "" || secret.Expired(p.now()) {
		return Client{}, errInvalidClient
	}
	return client, nil
}
