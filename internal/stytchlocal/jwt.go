package stytchlocal

import (
	"encoding/base64"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const jwtLifetime = 5 * time.Minute

const sessionClaim = "https://stytch.com/session"

// jwtSession is the session in a JWT. Its id has another name than in the API.
type jwtSession struct {
	ID             string      `json:"id"`
	StartedAt      time.Time   `json:"started_at"`
	LastAccessedAt time.Time   `json:"last_accessed_at"`
	ExpiresAt      time.Time   `json:"expires_at"`
	Attributes     *attributes `json:"attributes"`
	Factors        []factor    `json:"authentication_factors"`
	Roles          []string    `json:"roles"`
}

func (s *Server) issuer() string { return "stytch.com/" + s.project.ProjectID }

func (s *Server) signJWT(keys keyRing, session *session) (string, error) {
	now := s.clock.Now().Truncate(time.Second)
	expires := now.Add(jwtLifetime)
	if end := toTime(session.ExpiresAt).Truncate(time.Second); end.Before(expires) {
		expires = end
	}
	claims := jwt.MapClaims{}
	maps.Copy(claims, session.Claims)
	claims["iss"] = s.issuer()
	claims["aud"] = []string{s.project.ProjectID}
	claims["sub"] = session.UserID
	claims["iat"] = now.Unix()
	claims["nbf"] = now.Unix()
	claims["exp"] = expires.Unix()
	o := session.object()
	claims[sessionClaim] = jwtSession{
		ID: o.SessionID, StartedAt: o.StartedAt, LastAccessedAt: o.LastAccessedAt, ExpiresAt: o.ExpiresAt,
		Attributes: o.Attributes, Factors: o.Factors, Roles: o.Roles,
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	signer := keys[keys.signerAt(s.now())]
	token.Header["kid"] = signer.KeyID
	signed, err := token.SignedString(signer.key)
	return signed, wrap("sign session jwt", err)
}

// parseJWT verifies a JWT of this project and returns its session id. It ignores the JWT's
// times: those of the session apply.
func (s *Server) parseJWT(keys keyRing, text string) (sessionID string, err error) {
	var claims struct {
		jwt.RegisteredClaims
		Session jwtSession `json:"https://stytch.com/session"`
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	_, err = parser.ParseWithClaims(text, &claims, func(token *jwt.Token) (any, error) {
		for _, k := range keys {
			if k.KeyID == token.Header["kid"] {
				return k.public, nil
			}
		}
		return nil, jwt.ErrTokenUnverifiable
	})
	if err != nil || claims.Issuer != s.issuer() || !slices.Contains(claims.Audience, s.project.ProjectID) {
		return "", errUnparsableJWT
	}
	return claims.Session.ID, nil
}

// jwk is a public key as JSON: https://www.rfc-editor.org/rfc/rfc7517
type jwk struct {
	KeyType   string   `json:"kty"`
	Use       string   `json:"use"`
	KeyOps    []string `json:"key_ops"`
	Algorithm string   `json:"alg"`
	KeyID     string   `json:"kid"`
	N         string   `json:"n"`
	E         string   `json:"e"`
}

type keysResponse struct {
	meta
	Keys []jwk `json:"keys"`
}

func (s *Server) listKeys(c *call) (response, error) {
	if c.id != s.project.ProjectID {
		return nil, errProjectNotFound
	}
	var out keysResponse
	for _, k := range s.keys(c.ctx) {
		out.Keys = append(out.Keys, jwk{
			KeyType: "RSA", Use: "sig", KeyOps: []string{"verify"}, Algorithm: "RS256", KeyID: k.KeyID,
			N: base64.RawURLEncoding.EncodeToString(k.public.N.Bytes()),
			E: base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.public.E)).Bytes()),
		})
	}
	return &out, nil
}
