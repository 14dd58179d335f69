package openid

import (
	"context"
	"errors"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// UserInfo returns the claims about the user of an access token. Errors: *Error,
// directory.ErrUnavailable, session.ErrUnavailable.
func (p *Provider) UserInfo(ctx context.Context, accessToken string, b session.Browser) (Profile, error) {
	state, current, err := p.useAccessToken(ctx, accessToken, b)
	if err != nil {
		return Profile{}, err
	}
	return p.profile(state, current.User), nil
}

// useAccessToken returns the grant of a live access token and its session. Errors: errInvalidToken,
// directory.ErrUnavailable, session.ErrUnavailable.
func (p *Provider) useAccessToken(ctx context.Context, accessToken string, b session.Browser) (GrantState, session.Session, error) {
	state, err := p.store.CheckGrantToken(ctx, hash(accessToken))
	if errors.Is(err, directory.ErrNotFound) {
		return GrantState{}, session.Session{}, errInvalidToken
	}
	if err != nil {
		return GrantState{}, session.Session{}, err
	}
	if state.Token.Kind != AccessToken || !p.now().Before(state.Token.ExpiresAt) {
		return GrantState{}, session.Session{}, errInvalidToken
	}
	current, err := p.check(ctx, state, b)
	if grantRefusal(err) != nil {
		return GrantState{}, session.Session{}, errInvalidToken
	}
	return state, current, err
}
