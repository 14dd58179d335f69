package openid

// Metadata describes the provider to clients
// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata, https://www.rfc-editor.org/rfc/rfc8414).
type Metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	UserInfoEndpoint      string `json:"userinfo_endpoint"`
	JWKSURI               string `json:"jwks_uri"`
	RevocationEndpoint    string `json:"revocation_endpoint"`
	IntrospectionEndpoint string `json:"introspection_endpoint"`
	EndSessionEndpoint    string `json:"end_session_endpoint"`
	DeviceEndpoint        string `json:"device_authorization_endpoint"` // https://www.rfc-editor.org/rfc/rfc8628#section-4

	ScopesSupported        []string `json:"scopes_supported"`
	ResponseTypesSupported []string `json:"response_types_supported"`
	ResponseModesSupported []string `json:"response_modes_supported"`
	GrantTypesSupported    []string `json:"grant_types_supported"`
	SubjectTypesSupported  []string `json:"subject_types_supported"`
	IDTokenAlgorithms      []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods       []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuthMethods  []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionMethods   []string `json:"introspection_endpoint_auth_methods_supported"`
	ChallengeMethods       []string `json:"code_challenge_methods_supported"`
	PromptValues           []string `json:"prompt_values_supported"` // https://openid.net/specs/openid-connect-prompt-create-1_0.html
	ClaimsSupported        []string `json:"claims_supported"`
	ClaimTypesSupported    []string `json:"claim_types_supported"`
	ACRValuesSupported     []string `json:"acr_values_supported"`
	DisplayValuesSupported []string `json:"display_values_supported"`

	IssuerInResponses        bool `json:"authorization_response_iss_parameter_supported"` // https://www.rfc-editor.org/rfc/rfc9207
	ClaimsParameterSupported bool `json:"claims_parameter_supported"`
	RequestSupported         bool `json:"request_parameter_supported"`
	RequestURISupported      bool `json:"request_uri_parameter_supported"`

	BackchannelLogout        bool `json:"backchannel_logout_supported"` // https://openid.net/specs/openid-connect-backchannel-1_0.html#BCSupport
	BackchannelLogoutSession bool `json:"backchannel_logout_session_supported"`
}

// The paths of the endpoints, below the base URL.
const (
	AuthorizePath  = "/oauth/authorize"
	TokenPath      = "/oauth/token"
	UserInfoPath   = "/oauth/userinfo"
	RevokePath     = "/oauth/revoke"
	IntrospectPath = "/oauth/introspect"
	EndSessionPath = "/oauth/end-session"
	DevicePath     = "/oauth/device"
	JWKSPath       = "/.well-known/jwks.json"
	DiscoveryPath  = "/.well-known/openid-configuration"

	// VerificationPath is the page where users enter the codes that devices show.
	VerificationPath = "/device"
)

// Metadata returns the description of the provider.
func (p *Provider) Metadata() Metadata {
	withSecret := []string{"client_secret_basic", "client_secret_post"}
	all := append(withSecret[:2:2], "none")
	return Metadata{
		Issuer:                p.issuer,
		AuthorizationEndpoint: p.issuer + AuthorizePath,
		TokenEndpoint:         p.issuer + TokenPath,
		UserInfoEndpoint:      p.issuer + UserInfoPath,
		JWKSURI:               p.issuer + JWKSPath,
		RevocationEndpoint:    p.issuer + RevokePath,
		IntrospectionEndpoint: p.issuer + IntrospectPath,
		EndSessionEndpoint:    p.issuer + EndSessionPath,
		DeviceEndpoint:        p.issuer + DevicePath,

		ScopesSupported:        Scopes,
		ResponseTypesSupported: []string{"code"},
		ResponseModesSupported: []string{"query"},
		GrantTypesSupported:    GrantTypes,
		SubjectTypesSupported:  []string{"public"},
		IDTokenAlgorithms:      []string{"RS256", "ES256"},
		TokenAuthMethods:       all,
		RevocationAuthMethods:  all,
		IntrospectionMethods:   withSecret,
		ChallengeMethods:       []string{"S256"},
		PromptValues:           []string{"none", "login", "select_account", "consent"},
		ClaimsSupported: []string{
			"iss", "aud", "iat", "exp", "sub", "email", "email_verified", "name", "preferred_username", "groups", "auth_time", "nonce", "sid", "acr", "amr", "at_hash",
		},
		ClaimTypesSupported:    []string{"normal"},
		ACRValuesSupported:     []string{"aal1", "aal2"},
		DisplayValuesSupported: []string{"page"},

		IssuerInResponses: true,

		BackchannelLogout:        true,
		BackchannelLogoutSession: true,
	}
}
