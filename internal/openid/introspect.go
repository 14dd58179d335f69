package openid

import (
	"context"
	"errors"
	"net/url"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// Introspection describes a token (https://www.rfc-editor.org/rfc/rfc7662#section-2.2). Times are
// seconds since 1970.
type Introspection struct {
	Active    bool   `json:"active"` // if false, there is nothing else
	Scope     Scope  `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"` // the user's address
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitzero"`
	IssuedAt  int64  `json:"iat,omitzero"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
}

// Introspect describes a token of a confidential client to that client. Everything else isn't active.
// Errors: those of Exchange.
func (p *Provider) Introspect(ctx context.Context, form url.Values, c ClientCredentials, b session.Browser) (Introspection, error) {
	client, err := p.authenticate(ctx, c)
	if err != nil {
		return Introspection{}, err
	}
	if client.Public { // anyone could ask
		return Introspection{}, errInvalidClient
	}
	state, err := p.tokenOf(ctx, form, client)
	if err != nil || state.Grant.ID == "" {
		return Introspection{}, err
	}
	if !p.now().Before(state.Token.ExpiresAt) || !state.Token.ReplacedAt.IsZero() {
		return Introspection{}, nil
	}
	current, err := p.check(ctx, state, b)
	if grantRefusal(err) != nil {
		return Introspection{}, nil
	}
	if err != nil {
		return Introspection{}, err
	}
	answer := Introspection{
		Active: true, Scope: state.Grant.Scope, ClientID: client.ID, Username: current.User.Email.Normalized,
		Expires: state.Token.ExpiresAt.Unix(), IssuedAt: state.Token.CreatedAt.Unix(), Subject: current.UserID, Audience: client.ID, Issuer: p.issuer,
	}
	if state.Token.Kind == AccessToken {
		answer.TokenType = "Bearer"
	}
	return answer, nil
}

// tokenOf returns the grant of the token in a form, zero if it is unknown or another client's.
func (p *Provider) tokenOf(ctx context.Context, form url.Values, client Client) (GrantState, error) {
	token := form.Get("token")
	if token == "" {
		return GrantState{}, invalidRequest("The parameter token is missing.")
	}
	state, err := p.store.CheckGrantToken(ctx, hash(token))
	if errors.Is(err, directory.ErrNotFound) || err == nil && state.Grant.AppID != client.ID {
		return GrantState{}, nil
	}
	return state, err
}

// Revoke ends a token of a client: an access token alone, a refresh token with its grant. It
// succeeds for a token that is unknown or another client's (https://www.rfc-editor.org/rfc/rfc7009#section-2.2).
// Errors: those of Exchange.
func (p *Provider) Revoke(ctx context.Context, form url.Values, c ClientCredentials, b session.Browser) error {
	client, err := p.authenticate(ctx, c)
	if err != nil {
		return err
	}
	state, err := p.tokenOf(ctx, form, client)
	if err != nil || state.Grant.ID == "" {
		return err
	}
	if state.Token.Kind == AccessToken {
		return p.store.DeleteGrantToken(ctx, state.Token.Hash)
	}
	return p.store.EndGrant(ctx, state.Grant.ID, p.newEvent(b, event.GrantEnded, state, state.App.Name+": the app has signed out"))
}
