package openid

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/session"
)

// logoutTokenLifetime is short, because a logout token is made for one request
// (https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken).
const logoutTokenLifetime = 2 * time.Minute

// logoutEvent is the member of events that makes a JWT a logout token.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutToken are the claims of a logout token. It never has a nonce, so that it can't pass for an ID
// token.
type logoutToken struct {
	Issuer    string              `json:"iss"`
	Audience  string              `json:"aud"` // the client
	Subject   string              `json:"sub"` // the user's id
	SessionID string              `json:"sid"`
	IssuedAt  int64               `json:"iat"` // seconds since 1970, as all times
	Expires   int64               `json:"exp"`
	ID        string              `json:"jti"`
	Events    map[string]struct{} `json:"events"`
}

// LogoutToken returns the message that tells a client that a session of a user has ended, and the URL to
// post it to. Errors: directory.ErrNotFound if the client is gone or has no such URL;
// directory.ErrUnavailable.
func (p *Provider) LogoutToken(ctx context.Context, clientID, userID, sessionID string) (token, url string, err error) {
	state, err := p.store.CheckClient(ctx, clientID, session.Session{}, p.now())
	if err != nil {
		return "", "", err
	}
	if state.Client.BackchannelLogout == "" {
		return "", "", directory.ErrNotFound
	}
	now := p.now()
	token, err = p.signer.Sign(ctx, state.Client.Algorithm, "logout+jwt", logoutToken{
		Issuer: p.issuer, Audience: clientID, Subject: userID, SessionID: sessionID, IssuedAt: now.Unix(), Expires: now.Add(logoutTokenLifetime).Unix(),
		ID: ids.New(), Events: map[string]struct{}{logoutEvent: {}},
	})
	return token, state.Client.BackchannelLogout, err
}
