package openid

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// TokenResponse is the answer to a token request
// (https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse).
type TokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"` // Bearer
	ExpiresIn    int    `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        Scope  `json:"scope"`
}

// GrantTypes lists the grant types of token requests.
var GrantTypes = []string{"authorization_code", "refresh_token", deviceGrantType}

// Exchange answers a token request with a form. Errors: *Error, directory.ErrUnavailable,
// session.ErrUnavailable, identity.ErrNoKey.
func (p *Provider) Exchange(ctx context.Context, form url.Values, c ClientCredentials, b session.Browser) (TokenResponse, error) {
	answer, err := p.exchange(ctx, form, c, b)
	if p.observeToken != nil {
		p.observeToken(grantLabel(form.Get("grant_type")), resultLabel(err))
	}
	return answer, err
}

func (p *Provider) exchange(ctx context.Context, form url.Values, c ClientCredentials, b session.Browser) (TokenResponse, error) {
	client, err := p.authenticate(ctx, c)
	if err != nil {
		return TokenResponse{}, err
	}
	switch form.Get("grant_type") {
	case "authorization_code":
		return p.exchangeCode(ctx, form, client, b)
	case "refresh_token":
		return p.exchangeRefreshToken(ctx, form, client, b)
	case deviceGrantType:
		return p.exchangeDeviceCode(ctx, form, client, b)
	case "":
		return TokenResponse{}, invalidRequest("The parameter grant_type is missing.")
	}
	return TokenResponse{}, newError("unsupported_grant_type", "The grant types are "+strings.Join(GrantTypes, ", ")+".")
}

func (p *Provider) exchangeCode(ctx context.Context, form url.Values, c Client, b session.Browser) (TokenResponse, error) {
	code := form.Get("code")
	if code == "" {
		return TokenResponse{}, invalidRequest("The parameter code is missing.")
	}
	state, err := p.store.CheckGrantCode(ctx, hash(code))
	if errors.Is(err, directory.ErrNotFound) || err == nil && (state.Grant.AppID != c.ID || state.Grant.isOfDevice()) {
		return TokenResponse{}, invalidGrant("The code is unknown, or belongs to another client.")
	}
	if err != nil {
		return TokenResponse{}, err
	}
	g := state.Grant
	switch {
	case !g.CodeUsedAt.IsZero():
		return TokenResponse{}, p.endReused(ctx, state, b, "a code was used twice")
	case !p.now().Before(g.CodeExpiresAt):
		return TokenResponse{}, invalidGrant("The code has expired.")
	case form.Get("redirect_uri") != g.RedirectURI:
		return TokenResponse{}, invalidGrant("The redirect_uri is not that of the authorization request.")
	}
	if e := checkVerifier(form.Get("code_verifier"), g.CodeChallenge); e != nil {
		return TokenResponse{}, e
	}
	answer, err := p.redeem(ctx, state, b, state.App.Name)
	if errors.Is(err, ErrUsed) { // at the same time
		return TokenResponse{}, p.endReused(ctx, state, b, "a code was used twice")
	}
	return answer, err
}

// verifierPattern is a PKCE code verifier (https://www.rfc-editor.org/rfc/rfc7636#section-4.1).
var verifierPattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// checkVerifier checks a PKCE code verifier. A verifier without a challenge is refused, too: an attacker
// may have removed the challenge from the request (https://www.rfc-editor.org/rfc/rfc9700#section-4.8).
func checkVerifier(verifier, challenge string) *Error {
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge == "":
		return invalidGrant("The authorization request had no code_challenge.")
	case verifier == "":
		return invalidGrant("The parameter code_verifier is missing.")
	case !verifierPattern.MatchString(verifier):
		return invalidGrant("The code_verifier must have 43 to 128 letters, digits and characters of -._~.")
	}
	sum := sha256.Sum256([]byte(verifier))
	if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 0 {
		return invalidGrant("The code_verifier does not belong to the code_challenge.")
	}
	return nil
}

// redeem checks access and issues the first tokens of a grant whose code is valid. reason is that of
// the event. Errors: those of Exchange, ErrUsed if the code is used at the same time.
func (p *Provider) redeem(ctx context.Context, state GrantState, b session.Browser, reason string) (TokenResponse, error) {
	current, err := p.check(ctx, state, b)
	if err != nil {
		return TokenResponse{}, orRefusal(err)
	}
	answer, issued, err := p.issue(ctx, state, current)
	if err != nil {
		return TokenResponse{}, err
	}
	redeemed := state.Grant
	redeemed.CodeUsedAt, redeemed.ExpiresAt = p.now(), current.ExpiresAt
	err = p.store.RedeemGrant(ctx, redeemed, issued, p.newEvent(b, event.AppSignedIn, state, reason))
	if err != nil {
		return TokenResponse{}, fmt.Errorf("openid: redeem code: %w", err)
	}
	return answer, nil
}

func (p *Provider) exchangeRefreshToken(ctx context.Context, form url.Values, c Client, b session.Browser) (TokenResponse, error) {
	token := form.Get("refresh_token")
	if token == "" {
		return TokenResponse{}, invalidRequest("The parameter refresh_token is missing.")
	}
	state, err := p.store.CheckGrantToken(ctx, hash(token))
	if errors.Is(err, directory.ErrNotFound) || err == nil && (state.Grant.AppID != c.ID || state.Token.Kind != RefreshToken) {
		return TokenResponse{}, invalidGrant("The refresh_token is unknown, was revoked, or belongs to another client.")
	}
	if err != nil {
		return TokenResponse{}, err
	}
	now := p.now()
	if replaced := state.Token.ReplacedAt; !replaced.IsZero() && now.Sub(replaced) >= refreshGrace {
		return TokenResponse{}, p.endReused(ctx, state, b, "a refresh token was used again")
	}
	if !now.Before(state.Token.ExpiresAt) {
		return TokenResponse{}, invalidGrant("The refresh_token has expired.")
	}
	if wanted := form.Get("scope"); wanted != "" && !state.Grant.Scope.covers(parseScope(wanted)) {
		return TokenResponse{}, newError("invalid_scope", "The scope has more than was granted.")
	}
	current, err := p.check(ctx, state, b)
	if err != nil {
		return TokenResponse{}, orRefusal(err)
	}
	answer, issued, err := p.issue(ctx, state, current)
	if err != nil {
		return TokenResponse{}, err
	}
	err = p.store.ReplaceToken(ctx, state.Token.Hash, now, issued)
	if errors.Is(err, directory.ErrNotFound) { // revoked at the same time
		return TokenResponse{}, invalidGrant("The refresh_token was revoked.")
	}
	if err != nil {
		return TokenResponse{}, fmt.Errorf("openid: replace refresh token: %w", err)
	}
	return answer, nil
}

// issue makes the tokens of a grant and the answer with them.
func (p *Provider) issue(ctx context.Context, state GrantState, current session.Session) (TokenResponse, NewTokens, error) {
	now := p.now()
	expires := now.Add(accessLifetime)
	if current.ExpiresAt.Before(expires) {
		expires = current.ExpiresAt
	}
	scope := state.Grant.Scope
	answer := TokenResponse{
		AccessToken: newSecret(accessPrefix), TokenType: "Bearer", ExpiresIn: int(expires.Sub(now) / time.Second), Scope: scope,
	}
	issued := NewTokens{Access: Token{Hash: hash(answer.AccessToken), GrantID: state.Grant.ID, Kind: AccessToken, CreatedAt: now, ExpiresAt: expires}}
	if scope.Has(scopeOffline) {
		answer.RefreshToken = newSecret(refreshPrefix)
		issued.Refresh = Token{
			Hash: hash(answer.RefreshToken), GrantID: state.Grant.ID, Kind: RefreshToken, CreatedAt: now, ExpiresAt: current.ExpiresAt,
		}
	}
	if !scope.Has(scopeOpenID) {
		return answer, issued, nil
	}
	var err error
	answer.IDToken, err = p.signIDToken(ctx, state, current, answer.AccessToken)
	return answer, issued, err
}

// endReused ends a grant whose code or refresh token was used again: one of the users of it has
// stolen it (https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2). It returns the answer.
func (p *Provider) endReused(ctx context.Context, state GrantState, b session.Browser, reason string) error {
	e := p.newEvent(b, event.GrantEnded, state, state.App.Name+": "+reason)
	if err := p.store.EndGrant(ctx, state.Grant.ID, e); err != nil {
		return fmt.Errorf("openid: end grant: %w", err)
	}
	p.log.Warn("grant ended: "+reason, "app", state.App.ID, "user", state.Grant.UserID)
	return invalidGrant("It was used before. The sign-in has ended.")
}

// newEvent returns an event about the user of a grant, caused by a client.
func (p *Provider) newEvent(b session.Browser, kind event.Kind, state GrantState, reason string) event.Event {
	return b.Origin().NewEvent(kind, p.now(), state.Grant.UserID, state.Session.User.Email.Normalized, reason)
}
