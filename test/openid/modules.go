package openid

// Module is a module of the conformance suite.
type Module struct {
	Plan string // the certification profile
	Name string
	run  func(*run)
}

// The plans.
const (
	basicPlan       = "Basic OP"
	configPlan      = "Config OP"
	signOutPlan     = "RP-Initiated OP"
	backChannelPlan = "Back-Channel OP"
	dynamicPlan     = "Dynamic OP"
	publicPlan      = "client_auth_type=none"
)

// Modules are all modules, in the order of the plans.
var Modules = []Module{
	{basicPlan, "oidcc-server", happyFlow},
	{basicPlan, "oidcc-response-type-missing", missResponseType},
	{basicPlan, "oidcc-idtoken-signature", checkDefaultSignature},
	{basicPlan, "oidcc-idtoken-unsigned", requestUnsigned},
	{basicPlan, "oidcc-userinfo-get", getUserInfo},
	{basicPlan, "oidcc-userinfo-post-header", postUserInfo},
	{basicPlan, "oidcc-userinfo-post-body", postUserInfoToken},
	{basicPlan, "oidcc-ensure-request-without-nonce-succeeds-for-code-flow", omitNonce},
	{basicPlan, "oidcc-scope-profile", requestScope("openid profile")},
	{basicPlan, "oidcc-scope-email", requestScope("openid email")},
	{basicPlan, "oidcc-scope-address", requestScope("openid address")},
	{basicPlan, "oidcc-scope-phone", requestScope("openid phone")},
	{basicPlan, "oidcc-scope-all", requestScope("openid email phone address profile")},
	{basicPlan, "oidcc-alternate-happy-flow", reverseOrder},
	{basicPlan, "oidcc-display-page", addParameter("display", "page")},
	{basicPlan, "oidcc-display-popup", addParameter("display", "popup")},
	{basicPlan, "oidcc-prompt-login", promptLogin},
	{basicPlan, "oidcc-prompt-none-not-logged-in", promptNoneSignedOut},
	{basicPlan, "oidcc-prompt-none-logged-in", promptNoneSignedIn},
	{basicPlan, "oidcc-max-age-1", shortMaxAge},
	{basicPlan, "oidcc-max-age-10000", longMaxAge},
	{basicPlan, "oidcc-ensure-request-with-unknown-parameter-succeeds", addParameter("extra", "foobar")},
	{basicPlan, "oidcc-id-token-hint", hintIDToken},
	{basicPlan, "oidcc-login-hint", hintLogin},
	{basicPlan, "oidcc-ui-locales", addParameter("ui_locales", "se")},
	{basicPlan, "oidcc-claims-locales", addParameter("claims_locales", "se")},
	{basicPlan, "oidcc-ensure-request-with-acr-values-succeeds", requestACR},
	{basicPlan, "oidcc-codereuse", reuseCode},
	{basicPlan, "oidcc-codereuse-30seconds", reuseCodeLater},
	{basicPlan, "oidcc-ensure-registered-redirect-uri", changeRedirectURI},
	{basicPlan, "oidcc-ensure-post-request-succeeds", postRequest},
	{basicPlan, "oidcc-server-client-secret-post", postSecret},
	{basicPlan, "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", referToRequest},
	{basicPlan, "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", sendRequestObject},
	{basicPlan, "oidcc-claims-essential", requestEssentialClaim},
	{basicPlan, "oidcc-ensure-request-object-with-redirect-uri", sendTwoRedirectURIs},
	{basicPlan, "oidcc-refresh-token", refreshTokens},
	{basicPlan, "oidcc-ensure-request-with-valid-pkce-succeeds", sendChallenge},

	{configPlan, "oidcc-discovery-endpoint-verification", verifyDiscovery},

	{dynamicPlan, "oidcc-ensure-redirect-uri-in-authorization-request", omitRedirectURI},
	{dynamicPlan, "oidcc-redirect-uri-query-OK", keepQuery},
	{dynamicPlan, "oidcc-redirect-uri-query-mismatch", changeQuery},
	{dynamicPlan, "oidcc-redirect-uri-query-added", addQuery},
	{dynamicPlan, "oidcc-server-rotate-keys", rotateKeys},

	{publicPlan, "oidcc-server[client_auth_type=none]", publicFlow},

	{signOutPlan, "oidcc-rp-initiated-logout-discovery-endpoint-verification", verifySignOutDiscovery},
	{signOutPlan, "oidcc-rp-initiated-logout", signOut},
	{signOutPlan, "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", signOutTo("/bad_post_logout_redirect_uri")},
	{signOutPlan, "oidcc-rp-initiated-logout-modified-id-token-hint", signOutWithUnsignedHint},
	{signOutPlan, "oidcc-rp-initiated-logout-no-id-token-hint", signOutWithoutHint},
	{signOutPlan, "oidcc-rp-initiated-logout-no-params", signOutWith()},
	{signOutPlan, "oidcc-rp-initiated-logout-no-post-logout-redirect-uri", signOutWith("id_token_hint", "state")},
	{signOutPlan, "oidcc-rp-initiated-logout-no-state", signOutWithoutState},
	{signOutPlan, "oidcc-rp-initiated-logout-only-state", signOutWith("state")},
	{signOutPlan, "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", signOutTo("?foo=bar")},
	{signOutPlan, "oidcc-rp-initiated-logout-bad-id-token-hint", signOutWithForgedHint},

	{backChannelPlan, "oidcc-backchannel-logout-discovery-endpoint-verification", verifyBackChannelDiscovery},
	{backChannelPlan, "oidcc-backchannel-rp-initiated-logout", receiveLogoutToken},
}
