package stytchlocal

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// jwtLifetime is how long a session JWT is good without asking the server again.
const jwtLifetime = 5 * time.Minute

// sessionClaim is where a session JWT holds the session.
const sessionClaim = "https://stytch.com/session"

// jwtSession is the session inside a JWT. Its id has another name there.
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

// signJWT returns a JWT that says what the session says now.
func (s *Server) signJWT(keys keyRing, session *session) (string, error) {
	now := s.clock.Now().Truncate(time.Second)
	expires := now.Add(jwtLifetime)
	if end := toTime(session.ExpiresAt).Truncate(time.Second); end.Before(expires) {
		expires = end
	}
	all := jwt.MapClaims{}
	for key, value := range session.Claims {
		all[key] = value
	}
	all["iss"] = s.issuer()
	all["aud"] = []string{s.project.ProjectID}
	all["sub"] = session.UserID
	all["iat"], all["nbf"], all["exp"] = now.Unix(), now.Unix(), expires.Unix()
	o := session.object()
	all[sessionClaim] = jwtSession{
		ID: o.SessionID, StartedAt: o.StartedAt, LastAccessedAt: o.LastAccessedAt, ExpiresAt: o.ExpiresAt,
		Attributes: o.Attributes, Factors: o.Factors, Roles: o.Roles,
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, all)
	signer := keys[keys.signer(s.now())]
	token.Header["kid"] = signer.KeyID
	signed, err := token.SignedString(signer.key)
	if err != nil {
		return "", fmt.Errorf("sign session jwt: %w", err)
	}
	return signed, nil
}

// parseJWT returns the session id in a JWT of this project, by one of the keys. Its
// times are not looked at: the session's are what counts.
func (s *Server) parseJWT(keys keyRing, text string) (sessionID string, err error) {
	var found struct {
		jwt.RegisteredClaims
		Session jwtSession `json:"https://stytch.com/session"`
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	_, err = parser.ParseWithClaims(text, &found, func(token *jwt.Token) (any, error) {
		for _, k := range keys {
			if k.KeyID == token.Header["kid"] {
				return k.public, nil
			}
		}
		return nil, jwt.ErrTokenUnverifiable
	})
	if err != nil || found.Issuer != s.issuer() || !slices.Contains(found.Audience, s.project.ProjectID) {
		return "", errUnparsableJWT
	}
	return found.Session.ID, nil
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

type keysAnswer struct {
	meta
	Keys []jwk `json:"keys"`
}

// listKeys shows the keys that session JWTs are checked with, to anybody.
func (s *Server) listKeys(c *call) (response, error) {
	if c.id != s.project.ProjectID {
		return nil, errProjectNotFound
	}
	var out keysAnswer
	for _, k := range s.keys(c.ctx) {
		out.Keys = append(out.Keys, jwk{
			KeyType: "RSA", Use: "sig", KeyOps: []string{"verify"}, Algorithm: "RS256", KeyID: k.KeyID,
			N: base64.RawURLEncoding.EncodeToString(k.public.N.Bytes()),
			E: base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.public.E)).Bytes()),
		})
	}
	return &out, nil
}
