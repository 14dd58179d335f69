package openid

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/session"
)

// Profile are the claims about a user, in ID tokens and from the userinfo endpoint
// (https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims).
type Profile struct {
	Subject           string   `json:"sub"`                          // the user's id
	Email             string   `json:"email,omitempty"`              // with the scope email
	EmailVerified     bool     `json:"email_verified,omitzero"`      // always true, with the scope email: users sign in by email first
	Name              string   `json:"name,omitempty"`               // with the scope profile
	PreferredUsername string   `json:"preferred_username,omitempty"` // with the scope profile; see identity.Handle
	Groups            []string `json:"groups,omitzero"`              // names, sorted, with the scope profile or groups
}

// idToken are the claims of an ID token (https://openid.net/specs/openid-connect-core-1_0.html#IDToken).
type idToken struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"` // the client
	IssuedAt int64  `json:"iat"` // seconds since 1970, as all times
	Expires  int64  `json:"exp"`
	Profile
	AuthTime  int64    `json:"auth_time"`
	Nonce     string   `json:"nonce,omitempty"`
	SessionID string   `json:"sid"`
	ACR       string   `json:"acr"`
	AMR       []string `json:"amr,omitempty"`
	AtHash    string   `json:"at_hash"` // of the access token issued with it
}

// profile returns the claims of a grant's user in its scope.
func (p *Provider) profile(s GrantState, u directory.User) Profile {
	claims := Profile{Subject: u.ID}
	scope := s.Grant.Scope
	if scope.Has(scopeEmail) {
		claims.Email, claims.EmailVerified = u.Email.Normalized, true
	}
	if scope.Has(scopeProfile) {
		claims.Name, claims.PreferredUsername = u.DisplayName(), identity.Handle(u.Email)
	}
	if scope.HasGroups() {
		claims.Groups = append([]string{}, directory.ActiveGroupNames(s.Memberships, p.now())...)
	}
	return claims
}

// signIDToken returns the ID token that is issued with an access token.
func (p *Provider) signIDToken(ctx context.Context, s GrantState, current session.Session, accessToken string) (string, error) {
	now := p.now()
	amr, acr := methods(current)
	return p.signer.Sign(ctx, s.Client.Algorithm, "JWT", idToken{
		Issuer: p.issuer, Audience: s.Client.ID, IssuedAt: now.Unix(), Expires: now.Add(idTokenLifetime).Unix(),
		Profile: p.profile(s, current.User), AuthTime: s.Grant.AuthTime.Unix(), Nonce: s.Grant.Nonce, SessionID: current.StytchSessionID,
		ACR: acr, AMR: amr, AtHash: halfHash(accessToken),
	})
}

// halfHash returns the left half of a token's SHA-256 digest in base64url, the hash that goes with
// RS256 and ES256 (https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken).
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2])
}

// errIDToken reports a text that isn't an ID token from here.
var errIDToken = errors.New("openid: not an ID token issued here")

// parseIDToken returns the claims of an ID token that was issued here, to any client, and may have
// expired. The JWTs in the headers for apps aren't ID tokens: they lack auth_time.
func (p *Provider) parseIDToken(token string) (idToken, error) {
	body, err := p.signer.Verify(token)
	if err != nil {
		return idToken{}, errIDToken
	}
	var claims idToken
	if err := json.Unmarshal(body, &claims); err != nil || claims.Issuer != p.issuer || claims.Subject == "" || claims.AuthTime == 0 {
		return idToken{}, errIDToken
	}
	return claims, nil
}
