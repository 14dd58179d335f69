// Command luikyv-op serves the example OpenID provider of github.com/luikyv/go-oidc, with its sign-in,
// consent and sign-out pages, keys and claims, for the clients in a file. Its issuer is
// https://auth.localhost on whatever address it serves. Any user name signs in, with the password pass.
//
//	luikyv-op -addr 127.0.0.1:9443 -clients clients.json
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/luikyv/go-oidc/examples/authutil"
	"github.com/luikyv/go-oidc/pkg/goidc"
	"github.com/luikyv/go-oidc/pkg/provider"
)

// registration is a client in the file of clients.
type registration struct {
	ID                     string   `json:"id"`
	Secret                 string   `json:"secret"`
	AuthMethod             string   `json:"auth_method"` // as in RFC 7591
	RedirectURIs           []string `json:"redirect_uris"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris"`
	IDTokenAlg             string   `json:"id_token_alg"` // empty for the provider's default
}

// client returns the client of a registration.
func (r registration) client() *goidc.Client {
	scopes := make([]string, len(authutil.Scopes))
	for i, scope := range authutil.Scopes {
		scopes[i] = scope.ID
	}
	return &goidc.Client{ID: r.ID, Secret: r.Secret, ClientMeta: goidc.ClientMeta{
		RedirectURIs:           r.RedirectURIs,
		PostLogoutRedirectURIs: r.PostLogoutRedirectURIs,
		GrantTypes:             []goidc.GrantType{goidc.GrantAuthorizationCode, goidc.GrantRefreshToken},
		ResponseTypes:          []goidc.ResponseType{goidc.ResponseTypeCode},
		ScopeIDs:               strings.Join(scopes, " "),
		TokenAuthnMethod:       goidc.AuthnMethod(r.AuthMethod),
		IDTokenSigAlg:          goidc.SignatureAlgorithm(r.IDTokenAlg),
	}}
}

func main() {
	addr := flag.String("addr", "127.0.0.1:9443", "the `address` to serve on")
	path := flag.String("clients", "", "the JSON `file` with the clients")
	flag.Parse()
	text, err := os.ReadFile(*path)
	if err != nil {
		log.Fatal(err)
	}
	var registrations []registration
	if err := json.Unmarshal(text, &registrations); err != nil {
		log.Fatal(err)
	}
	options := []provider.Option{
		provider.WithScopes(authutil.Scopes...),
		provider.WithIDTokenSignatureAlgs(goidc.RS256, goidc.None),
		provider.WithJAR(goidc.RS256, goidc.None),
		provider.WithJARByReference(),
		provider.WithJARByReferenceUnregisteredURIs(),
		provider.WithSecretBasicAuthn(),
		provider.WithSecretPostAuthn(),
		provider.WithNoneAuthn(),
		provider.WithIssuerResponseParameter(),
		provider.WithClaimsParameter(),
		provider.WithPKCE(goidc.CodeChallengeMethodSHA256),
		provider.WithAuthCodeGrant(nil, goidc.ResponseTypeCode),
		provider.WithRefreshTokenGrant(nil),
		provider.WithClaims(authutil.Claims[0], authutil.Claims...),
		provider.WithACRs(authutil.ACRs[0], authutil.ACRs...),
		provider.WithTokenOptions(authutil.TokenOptionsFunc(goidc.RS256)),
		provider.WithIDTokenClaims(authutil.IDTokenClaimsFunc()),
		provider.WithUserInfoClaims(authutil.UserInfoClaimsFunc()),
		provider.WithHTTPClientFunc(authutil.HTTPClient),
		provider.WithPolicies(authutil.Policy()),
		provider.WithErrorRenderer(authutil.RenderError()),
		provider.WithDisplayValues(authutil.DisplayValues[0], authutil.DisplayValues...),
		provider.WithLogout(nil, authutil.HandleLogout()),
		provider.WithLogoutPolicies(authutil.LogoutPolicy()),
	}
	clients := make([]*goidc.Client, len(registrations))
	for i, r := range registrations {
		clients[i] = r.client()
	}
	if len(clients) > 0 {
		options = append(options, provider.WithStaticClients(clients[0], clients[1:]...))
	}
	op, err := provider.New(authutil.Issuer, nil, authutil.PrivateJWKSFunc(), options...)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Addr:              *addr,
		Handler:           op.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{authutil.ServerCert()}, MinVersion: tls.VersionTLS12},
	}
	log.Fatal(server.ListenAndServeTLS("", ""))
}
