package openid

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/guestlist/guestlist/internal/testdb"
)

// elsewhere is an address that no client has registered.
const elsewhere = "https://elsewhere.example.com/callback"

// mutations has a row for each fault, and at least one for each module.
var mutations = []mutation{
	{"oidcc-server", "the nonce is missing", changeIDToken(1, set("nonce", nil)), "has the nonce", ""},
	{"oidcc-server", "the nonce is another", changeIDToken(1, set("nonce", "other")), "has the nonce", ""},
	{"oidcc-server", "the ID token is of another issuer", changeIDToken(1, set("iss", "https://elsewhere.example.com")), "has the iss", ""},
	{"oidcc-server", "the ID token is for another client", changeIDToken(1, set("aud", "other")), "has the aud", ""},
	{"oidcc-server", "the ID token has no sub", changeIDToken(1, set("sub", nil)), "has the sub", ""},
	{"oidcc-server", "the sub is too long", changeIDToken(1, set("sub", strings.Repeat("a", 256))), "has the sub", ""},
	{"oidcc-server", "the sub is not ASCII", changeIDToken(1, set("sub", "\u00e4")), "has the sub", ""},
	{"oidcc-server", "the ID token has expired", atTime("exp", -time.Hour), "has the exp", ""},
	{"oidcc-server", "the expiry is in milliseconds", changeIDToken(1, set("exp", 1790000000000)), "has the exp", ""},
	{"oidcc-server", "the ID token was issued in the past", atTime("iat", -time.Hour), "has the iat", ""},
	{"oidcc-server", "the ID token was issued in the future", atTime("iat", time.Hour), "has the iat", ""},
	{"oidcc-server", "the sign-in was in the future", atTime("auth_time", time.Hour), "has the auth_time", ""},
	{"oidcc-server", "the acr is empty", changeIDToken(1, set("acr", "")), "has the acr", ""},
	{"oidcc-server", "the at_hash is another", changeIDToken(1, set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")), "has the at_hash", ""},
	{"oidcc-server", "the ID token is unsigned", replaceIDToken(func(value string) string { return unsignedJWT(claimsOf(value)) }), `signed with "none"`, ""},
	{"oidcc-server", "the signature is another", replaceIDToken(func(value string) string { return value[:strings.LastIndex(value, ".")+1] + encode(make([]byte, 256)) }), "the signature", ""},
	{"oidcc-server", "the signature is of an unknown key", replaceIDToken(func(value string) string { return sign(claimsOf(value), jose.RS256) }), "the signature", ""},
	{"oidcc-server", "the name is in the ID token", changeIDToken(1, set("name", "Ada")), "the claim name", Warned},
	{"oidcc-server", "another claim is in the ID token", changeIDToken(1, set("phone_number", "1")), "the claim phone_number", Warned},
	{"oidcc-server", "an email address is verified in words", changeIDToken(1, set("email_verified", "true")), "the invalid email_verified", ""},
	{"oidcc-server", "the state is another", changeResponse(func(v url.Values) { v.Set("state", "other") }), "has the state", ""},
	{"oidcc-server", "the state is missing", changeResponse(func(v url.Values) { v.Del("state") }), "has the state", ""},
	{"oidcc-server", "the response is of another issuer", changeResponse(func(v url.Values) { v.Set("iss", "https://elsewhere.example.com") }), "has the iss", ""},
	{"oidcc-server", "the code is missing", changeResponse(func(v url.Values) { v.Del("code") }), "no code", ""},
	{"oidcc-server", "the code is short", shortCode, "the code has", ""},
	{"oidcc-server", "the lifetime is missing", changeTokens("expires_in", nil), "no expires_in", Warned},
	{"oidcc-server", "the lifetime is in milliseconds", changeTokens("expires_in", 3_600_000_000), "expires_in", ""},
	{"oidcc-server", "the access token is missing", changeTokens("access_token", nil), "no access_token", ""},
	{"oidcc-server", "the ID token is missing", changeTokens("id_token", nil), "no id_token", ""},
	{"oidcc-server", "the access token is not valid", answerWith(userInfoEndpoint, nil, refuse(http.StatusUnauthorized, "invalid_token")), "the UserInfo endpoint", ""},
	{"oidcc-server", "a key has no ID", changeKey("kid", nil), "has no kid", ""},
	{"oidcc-server", "a key is private", changeKey("d", "AAAA"), "private member", ""},
	{"oidcc-server", "a key is not base64url", changeKey("n", "A+/="), "unpadded base64url", ""},
	{"oidcc-server", "two keys have the same ID", changeObject(keysEndpoint, func(o object) { keys, _ := o["keys"].([]any); o["keys"] = append(keys, keys[0]) }), "two keys", ""},
	{"oidcc-server", "client_secret_basic is not announced", changeMetadata("token_endpoint_auth_methods_supported", []string{"none"}), "client_secret_basic", ""},
	{"oidcc-response-type-missing", "a missing response type is code", changeRequest(authorizeEndpoint, func(form url.Values) { form.Set("response_type", "code") }), "want an error page", ""},
	{"oidcc-response-type-missing", "the error is another", answerWith(authorizeEndpoint, nil, redirectTo("redirect_uri", "error", "server_error")), `the error "server_error"`, ""},
	{"oidcc-idtoken-signature", "the signature is ES256", resign(1, jose.ES256, func(object) {}), "want RS256", ""},
	{"oidcc-idtoken-unsigned", "the ID token is signed", announceUnsigned, "want none", ""},
	{"oidcc-userinfo-get", "the user is another", changeUserInfo("sub", "other"), "has the sub", ""},
	{"oidcc-userinfo-get", "the answer is not JSON by its type", changeType(userInfoEndpoint), "Content-Type", ""},
	{"oidcc-userinfo-get", "a claim is null", changeUserInfo("email", "null"), "the invalid email", ""},
	{"oidcc-userinfo-get", "the user was changed in the future", changeUserInfo("updated_at", 4_000_000_000), "the updated_at", ""},
	{"oidcc-userinfo-get", "a source of claims is unnamed", changeUserInfo("_claim_sources", map[string]any{"a": map[string]any{}}), "_claim_names", ""},
	{"oidcc-userinfo-post-header", "POST is not allowed", answerWith(userInfoEndpoint, hasMethod(http.MethodPost), refuse(http.StatusMethodNotAllowed, "invalid_request")), "the UserInfo endpoint", ""},
	{"oidcc-userinfo-post-body", "POST is not allowed", answerWith(userInfoEndpoint, hasMethod(http.MethodPost), refuse(http.StatusMethodNotAllowed, "invalid_request")), "in a form", Warned},
	{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", "the nonce is required", answerWith(authorizeEndpoint, func(_ *http.Request, form url.Values) bool { return !form.Has("nonce") }, redirectTo("redirect_uri", "error", "invalid_request")), "invalid_request", ""},
	{"oidcc-scope-profile", "the name is missing", changeUserInfo("name", nil), "the claim name", Warned},
	{"oidcc-scope-profile", "the date of birth is an American one", changeUserInfo("birthdate", "12/31/1990"), "the invalid birthdate", ""},
	{"oidcc-scope-email", "the email address is missing", changeUserInfo("email", nil), "the claim email", Warned},
	{"oidcc-scope-address", "the address is a string", announceScopes(changeUserInfo("address", "London")), "the invalid address", ""},
	{"oidcc-scope-address", "the address is missing", announceScopes(changeUserInfo("address", nil)), "the claim address", Warned},
	{"oidcc-scope-phone", "the phone number is missing", announceScopes(changeUserInfo("phone_number", nil)), "the claim phone_number", Warned},
	{"oidcc-scope-all", "the phone number is a number", announceScopes(changeUserInfo("phone_number", 1)), "the invalid phone_number", ""},
	{"oidcc-alternate-happy-flow", "the scope has to begin with openid", answerWith(authorizeEndpoint, func(_ *http.Request, form url.Values) bool { return strings.HasSuffix(form.Get("scope"), " openid") }, redirectTo("redirect_uri", "error", "invalid_scope")), "invalid_scope", ""},
	{"oidcc-display-page", "display is refused", refuseParameter("display"), "invalid_request", ""},
	{"oidcc-display-popup", "display is refused", refuseParameter("display"), "invalid_request", ""},
	{"oidcc-prompt-login", "prompt is ignored", ignore("prompt"), "had to sign in again", ""},
	{"oidcc-prompt-login", "the second sign-in is as old as the first", keepClaim("auth_time"), "auth_time is", ""},
	{"oidcc-prompt-none-not-logged-in", "a code is issued", answerWith(authorizeEndpoint, nil, redirectTo("redirect_uri", "code", "a")), "has a code", ""},
	{"oidcc-prompt-none-not-logged-in", "the error is another", changeResponse(func(v url.Values) { v.Set("error", "access_denied") }), "access_denied", ""},
	{"oidcc-prompt-none-not-logged-in", "the state is decoded twice", changeResponse(func(v url.Values) { v.Set("state", strings.TrimSuffix(v.Get("state"), "~")) }), "has the state", ""},
	{"oidcc-prompt-none-not-logged-in", "the description has a quotation mark", changeResponse(func(v url.Values) { v.Set("error_description", `"no"`) }), "error_description", ""},
	{"oidcc-prompt-none-not-logged-in", "the description has two lines", changeResponse(func(v url.Values) { v.Set("error_description", "a\nb") }), "error_description", Warned},
	{"oidcc-prompt-none-not-logged-in", "there is an unknown parameter", changeResponse(func(v url.Values) { v.Set("other", "1") }), "unexpected parameter other", Warned},
	{"oidcc-prompt-none-logged-in", "the session is not found", changeCookies, "", ""},
	{"oidcc-prompt-none-logged-in", "the second user is another", changeIDToken(2, set("sub", "other")), "sub is", ""},
	{"oidcc-prompt-none-logged-in", "the second sign-in is another", atTimeOf(2, "auth_time", 10*time.Second), "auth_time is", ""},
	{"oidcc-max-age-1", "max_age is ignored", ignore("max_age"), "had to sign in again", ""},
	{"oidcc-max-age-1", "the time of the sign-in is missing", changeIDToken(2, set("auth_time", nil)), "no auth_time", ""},
	{"oidcc-max-age-10000", "the time of the sign-in is missing", changeIDToken(1, set("auth_time", nil)), "no auth_time", ""},
	{"oidcc-max-age-10000", "the second sign-in is another", atTimeOf(2, "auth_time", 10*time.Second), "auth_time is", ""},
	{"oidcc-ensure-request-with-unknown-parameter-succeeds", "unknown parameters are refused", refuseParameter("extra"), "invalid_request", ""},
	{"oidcc-id-token-hint", "the hint is refused", refuseParameter("id_token_hint"), "invalid_request", ""},
	{"oidcc-login-hint", "the hint is refused", refuseParameter("login_hint"), "invalid_request", ""},
	{"oidcc-ui-locales", "locales are refused", refuseParameter("ui_locales"), "invalid_request", ""},
	{"oidcc-claims-locales", "locales are refused", refuseParameter("claims_locales"), "invalid_request", ""},
	{"oidcc-ensure-request-with-acr-values-succeeds", "the acr is missing", changeIDToken(1, set("acr", nil)), "has the acr", Warned},
	{"oidcc-codereuse", "a code works twice", repeat(tokenEndpoint, codeOf), "used twice", Warned},
	{"oidcc-codereuse", "the error is another", changeTokenError("invalid_request"), "want the error invalid_grant", ""},
	{"oidcc-codereuse-30seconds", "a code works twice", repeat(tokenEndpoint, codeOf), "want status 400", ""},
	{"oidcc-codereuse-30seconds", "the access token remains valid", repeat(userInfoEndpoint, func(url.Values) string { return "" }), "still valid", Warned},
	{"oidcc-ensure-registered-redirect-uri", "every redirect URI is registered", answerWith(authorizeEndpoint, nil, redirectTo("redirect_uri", "code", "a")), "was sent to", ""},
	{"oidcc-ensure-post-request-succeeds", "POST is not allowed", answerWith(authorizeEndpoint, hasMethod(http.MethodPost), refuse(http.StatusMethodNotAllowed, "invalid_request")), "status 405", Warned},
	{"oidcc-server-client-secret-post", "the secret has to be in a header", answerWith(tokenEndpoint, func(r *http.Request, _ url.Values) bool { return r.Header.Get("Authorization") == "" }, refuse(http.StatusUnauthorized, "invalid_client")), "invalid_client", ""},
	{"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", "the request object is ignored", ignore("request_uri"), "has the state", ""},
	{"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", "the request object is ignored", ignore("request"), "has the state", ""},
	{"oidcc-claims-essential", "claims is refused", refuseParameter("claims"), "invalid_request", ""},
	{"oidcc-claims-essential", "the claim is missing", changeUserInfo("name", nil), "essential claim", Warned},
	{"oidcc-ensure-request-object-with-redirect-uri", "the other redirect URI is used", answerWith(authorizeEndpoint, nil, redirectTo("redirect_uri", "code", "a")), "was sent to", ""},
	{"oidcc-refresh-token", "the answer may be cached", changeHeader(tokenEndpoint, "Cache-Control", "max-age=60"), "want no-store", ""},
	{"oidcc-refresh-token", "the type of token is another", changeTokens("token_type", "mac"), "token_type", ""},
	{"oidcc-refresh-token", "the access token is short", changeRefreshed("access_token", "aaaa"), "entropy", ""},
	{"oidcc-refresh-token", "the refresh token is short", changeRefreshed("refresh_token", "aaaa"), "the refresh token has", ""},
	{"oidcc-refresh-token", "the user is another", changeIDToken(2, set("sub", "other")), "sub is", ""},
	{"oidcc-refresh-token", "the ID token is as old as the first", keepClaim("iat"), "iat is", ""},
	{"oidcc-refresh-token", "the sign-in is another", atTimeOf(2, "auth_time", 10*time.Second), "auth_time is", ""},
	{"oidcc-refresh-token", "any client may refresh", repeat(tokenEndpoint, func(form url.Values) string { return form.Get("grant_type") + form.Get("code") }), "want status 400", ""},
	{"oidcc-refresh-token", "no refresh token is issued", changeTokens("refresh_token", nil), "no refresh token", Skipped},
	{"oidcc-ensure-request-with-valid-pkce-succeeds", "PKCE is refused", refuseParameter("code_challenge"), "invalid_request", ""},

	{"oidcc-discovery-endpoint-verification", "the issuer is another", changeMetadata("issuer", "https://elsewhere.example.com"), "issuer", ""},
	{"oidcc-discovery-endpoint-verification", "the issuer has a query", changeMetadata("issuer", "https://elsewhere.example.com?a"), "query", ""},
	{"oidcc-discovery-endpoint-verification", "the response type is missing", changeMetadata("response_types_supported", []string{"token"}), "response_types_supported", ""},
	{"oidcc-discovery-endpoint-verification", "the subject types are missing", changeMetadata("subject_types_supported", nil), "subject_types_supported", ""},
	{"oidcc-discovery-endpoint-verification", "RS256 is missing", changeMetadata("id_token_signing_alg_values_supported", []string{"ES256"}), "RS256", ""},
	{"oidcc-discovery-endpoint-verification", "an endpoint is relative", changeMetadata("token_endpoint", "/token"), "token_endpoint", ""},
	{"oidcc-discovery-endpoint-verification", "an endpoint uses another scheme", changeMetadata("revocation_endpoint", "ftp://example.com"), "must use https", ""},
	{"oidcc-discovery-endpoint-verification", "a list is a string", changeMetadata("scopes_supported", "openid"), "scopes_supported", ""},
	{"oidcc-discovery-endpoint-verification", "openid is missing", changeMetadata("scopes_supported", []string{"email"}), "scopes_supported", ""},
	{"oidcc-discovery-endpoint-verification", "a scope has a space", changeMetadata("scopes_supported", []string{"openid", "a b"}), "can't be a scope", ""},
	{"oidcc-discovery-endpoint-verification", "a boolean is a string", changeMetadata("claims_parameter_supported", "false"), "a boolean", ""},
	{"oidcc-discovery-endpoint-verification", "a locale is none", changeMetadata("ui_locales_supported", []string{"english language"}), "language tag", ""},
	{"oidcc-discovery-endpoint-verification", "a locale is written otherwise", changeMetadata("ui_locales_supported", []string{"EN-us"}), "usually written", Warned},
	{"oidcc-discovery-endpoint-verification", "a member is unknown", changeMetadata("other", "1"), "unknown member", Warned},
	{"oidcc-discovery-endpoint-verification", "the claims are missing", changeMetadata("claims_supported", nil), "claims_supported", Warned},
	{"oidcc-discovery-endpoint-verification", "the answer is not JSON by its type", changeType(metadataEndpoint), "Content-Type", ""},

	{"oidcc-ensure-redirect-uri-in-authorization-request", "the first redirect URI is used", func(f *forger) {
		changeRequest(authorizeEndpoint, func(form url.Values) { form.Set("redirect_uri", f.provider.Query.RedirectURI) })(f)
	}, "want an error page", ""},
	{"oidcc-redirect-uri-query-OK", "the query is lost", func(f *forger) {
		path, _, _ := strings.Cut(f.provider.Query.RedirectURI, "?")
		f.after = func(_ string, _ url.Values, a *reply) {
			changeLocation(a, path, func(v url.Values) { v.Del("dummy1") })
		}
	}, "the dummy1", ""},
	{"oidcc-redirect-uri-query-mismatch", "the query does not matter", answerWith(authorizeEndpoint, nil, redirectTo("redirect_uri", "code", "a")), "was sent to", ""},
	{"oidcc-redirect-uri-query-added", "the query does not matter", answerWith(authorizeEndpoint, nil, redirectTo("redirect_uri", "code", "a")), "was sent to", ""},
	{"oidcc-server-rotate-keys", "the keys remain", func(f *forger) { f.provider.RotateKeys = func() error { return nil } }, "no new key", ""},
	{"oidcc-server-rotate-keys", "the old keys are missing", loseKeys, "is missing", Warned},

	{"oidcc-server[client_auth_type=none]", "a secret is required", answerWith(tokenEndpoint, nil, refuse(http.StatusUnauthorized, "invalid_client")), "invalid_client", ""},
	{"oidcc-server[client_auth_type=none]", "none is not announced", changeMetadata("token_endpoint_auth_methods_supported", []string{"client_secret_basic"}), "without none", ""},

	{"oidcc-rp-initiated-logout-discovery-endpoint-verification", "the endpoint is missing", changeMetadata("end_session_endpoint", nil), "end_session_endpoint", ""},
	{"oidcc-rp-initiated-logout", "the browser stays signed in", answerWith(signOutEndpoint, nil, redirectTo("post_logout_redirect_uri")), "", ""},
	{"oidcc-rp-initiated-logout", "the state is another", changeReturn(func(v url.Values) { v.Set("state", "other") }), "with the state", ""},
	{"oidcc-rp-initiated-logout", "there is another parameter", changeReturn(func(v url.Values) { v.Set("other", "1") }), "unexpected parameter", Warned},
	{"oidcc-rp-initiated-logout", "the browser is sent elsewhere", answerWith(signOutEndpoint, nil, func(url.Values) *reply {
		return redirectTo("to")(url.Values{"to": {elsewhere}})
	}), "not to", ""},
	{"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", "every address is registered", answerWith(signOutEndpoint, nil, redirectTo("post_logout_redirect_uri")), "was sent to", ""},
	{"oidcc-rp-initiated-logout-modified-id-token-hint", "the hint is not verified", answerWith(signOutEndpoint, nil, redirectTo("post_logout_redirect_uri")), "was sent to", ""},
	{"oidcc-rp-initiated-logout-no-id-token-hint", "the hint is not needed", answerWith(signOutEndpoint, nil, redirectTo("post_logout_redirect_uri")), "was sent to", ""},
	{"oidcc-rp-initiated-logout-no-params", "the browser stays signed in", answerWith(signOutEndpoint, nil, signedOutPage), "", ""},
	{"oidcc-rp-initiated-logout-no-post-logout-redirect-uri", "the browser stays signed in", answerWith(signOutEndpoint, nil, signedOutPage), "", ""},
	{"oidcc-rp-initiated-logout-no-post-logout-redirect-uri", "the browser is sent elsewhere", answerWith(signOutEndpoint, nil, func(url.Values) *reply {
		return redirectTo("to")(url.Values{"to": {elsewhere}})
	}), "was sent to", ""},
	{"oidcc-rp-initiated-logout-no-state", "there is a state", changeReturn(func(v url.Values) { v.Set("state", "other") }), "with the state", ""},
	{"oidcc-rp-initiated-logout-only-state", "the browser stays signed in", answerWith(signOutEndpoint, nil, signedOutPage), "", ""},
	{"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", "the query does not matter", answerWith(signOutEndpoint, nil, redirectTo("post_logout_redirect_uri")), "was sent to", ""},
	{"oidcc-rp-initiated-logout-bad-id-token-hint", "the hint is not verified", answerWith(signOutEndpoint, nil, redirectTo("post_logout_redirect_uri")), "was sent to", ""},

	{"oidcc-backchannel-logout-discovery-endpoint-verification", "sessions are not announced", changeMetadata("backchannel_logout_session_supported", false), "backchannel_logout_session_supported", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token has a nonce", changeLogoutToken(set("nonce", "a")), "has a nonce", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token has no event", changeLogoutToken(set("events", nil)), "has the events", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the event is another", changeLogoutToken(set("events", map[string]any{"other": map[string]any{}})), "has the events", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token has no ID", changeLogoutToken(set("jti", nil)), "no jti", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token is for another client", changeLogoutToken(set("aud", "other")), "has the aud", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token is of another issuer", changeLogoutToken(set("iss", "https://elsewhere.example.com")), "has the iss", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token is of another user", changeLogoutToken(set("sub", "other")), "has the sub", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token is of another session", changeLogoutToken(set("sid", "other")), "has the sid", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token names no one", changeLogoutToken(func(o object) { delete(o, "sub"); delete(o, "sid") }), "neither sub nor sid", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token was issued in the future", changeLogoutToken(set("iat", 4_000_000_000)), "has the iat", ""},
	{"oidcc-backchannel-rp-initiated-logout", "the logout token is unsigned", replaceLogoutToken(func(value string) string { return unsignedJWT(claimsOf(value)) }), `signed with "none"`, ""},
}

// loseKeys replaces the provider's keys when it rotates them.
func loseKeys(f *forger) {
	rotated := false
	f.provider.RotateKeys = func() error {
		rotated = true
		return nil
	}
	f.after = func(at string, _ url.Values, a *reply) {
		if at == keysEndpoint && rotated {
			a.setObject(object{"keys": []any{}})
			publishForgedKey(a, jose.RS256)
		}
	}
}

// shortCode shortens codes, and accepts them.
func shortCode(f *forger) {
	codes := map[string]string{}
	f.before = func(at string, _ *http.Request, form url.Values) *reply {
		if whole := codes[form.Get("code")]; at == tokenEndpoint && whole != "" {
			form.Set("code", whole)
		}
		return nil
	}
	changeResponse(func(v url.Values) {
		short := v.Get("code")[:8]
		codes[short] = v.Get("code")
		v.Set("code", short)
	})(f)
}

// announceUnsigned announces ID tokens that are unsigned, for a client whose ID tokens are signed.
func announceUnsigned(f *forger) {
	f.provider.Unsigned = f.provider.Basic
	changeMetadata("id_token_signing_alg_values_supported", []string{"RS256", "none"})(f)
}

// announceScopes announces the scopes of all claims, and has another forgery.
func announceScopes(more func(*forger)) func(*forger) {
	return func(f *forger) {
		more(f)
		after := f.after
		announce := &forger{}
		changeMetadata("scopes_supported", []string{"openid", "profile", "email", "address", "phone"})(announce)
		f.after = func(at string, form url.Values, a *reply) {
			after(at, form, a)
			announce.after(at, form, a)
		}
	}
}

// changeType makes the answers of an endpoint plain text.
func changeType(endpoint string) func(*forger) {
	return changeHeader(endpoint, "Content-Type", "text/plain")
}

// changeHeader changes a header of the answers of an endpoint.
func changeHeader(endpoint, name, value string) func(*forger) {
	return func(f *forger) {
		f.after = func(at string, _ url.Values, a *reply) {
			if at == endpoint {
				a.header.Set(name, value)
			}
		}
	}
}

// hasMethod reports whether a request has a method.
func hasMethod(method string) func(*http.Request, url.Values) bool {
	return func(r *http.Request, _ url.Values) bool { return r.Method == method }
}

// codeOf returns the code of a token request.
func codeOf(form url.Values) string { return form.Get("code") }

// keepClaim gives all ID tokens a claim of the first.
func keepClaim(name string) func(*forger) {
	return func(f *forger) {
		var first any
		changeIDToken(1, func(o object) {
			if first == nil {
				first = o[name]
			}
			o[name] = first
		})(f)
	}
}

// atTimeOf sets a claim of the ID tokens from the nth on to a time from now.
func atTimeOf(n int, claim string, d time.Duration) func(*forger) {
	return func(f *forger) {
		changeIDToken(n, func(o object) { o[claim] = f.seconds(d) })(f)
	}
}

// changeCookies removes the cookies of requests to the authorization endpoint.
func changeCookies(f *forger) {
	f.before = func(at string, r *http.Request, _ url.Values) *reply {
		if at == authorizeEndpoint {
			r.Header.Del("Cookie")
		}
		return nil
	}
}

// changeTokenError changes the error of the token endpoint.
func changeTokenError(code string) func(*forger) {
	return func(f *forger) {
		f.after = func(at string, _ url.Values, a *reply) {
			if at == tokenEndpoint && a.status != http.StatusOK {
				a.setObject(object{"error": code})
			}
		}
	}
}

// changeRefreshed sets a member of the answer to a refresh token.
func changeRefreshed(name string, value any) func(*forger) {
	return func(f *forger) {
		f.after = func(at string, form url.Values, a *reply) {
			if at != tokenEndpoint || form.Get("grant_type") != "refresh_token" {
				return
			}
			if o, ok := a.object(); ok {
				o[name] = value
				a.setObject(o)
			}
		}
	}
}

// changeReturn changes the query with which the browser returns to the client after a sign-out.
func changeReturn(change func(url.Values)) func(*forger) {
	return func(f *forger) {
		f.after = func(_ string, _ url.Values, a *reply) {
			changeLocation(a, f.provider.Basic.PostLogoutRedirectURI, change)
		}
	}
}

// signedOutPage is a page that says that the browser is signed out.
func signedOutPage(url.Values) *reply {
	return newReply(http.StatusOK, "text/html", "<h1>You're signed out</h1>")
}

// changeLogoutToken changes the claims of the logout tokens, and signs them with a key that is among the
// provider's.
func changeLogoutToken(change func(object)) func(*forger) {
	return func(f *forger) {
		f.after = func(at string, _ url.Values, a *reply) {
			if at == keysEndpoint {
				publishForgedKey(a, jose.RS256)
			}
		}
		replaceLogoutToken(func(value string) string {
			claims := claimsOf(value)
			change(claims)
			return sign(claims, jose.RS256)
		})(f)
	}
}

// replaceLogoutToken replaces the logout tokens that the client receives.
func replaceLogoutToken(replace func(string) string) func(*forger) {
	return func(f *forger) {
		if f.provider.Logout == nil {
			return
		}
		forged := *f.provider.Logout
		forged.forge = replace
		f.provider.Logout = &forged
	}
}

func TestMutations_Guestlist(t *testing.T) {
	t.Parallel()
	p := StartGuestlist(t, testdb.SQLite(t), "", "RS256")
	for _, m := range mutations {
		t.Run(m.module+" "+m.fault, func(t *testing.T) {
			forged := *p
			f := &forger{provider: &forged, next: p.Transport, paths: endpointPaths(t, p)}
			forged.Transport = f
			m.forge(f)
			result := forged.Run(t.Context(), moduleNamed(t, m.module))
			want := m.want
			if want == "" {
				want = Failed
			}
			if result.Outcome != want || !strings.Contains(strings.Join(result.Reports, "\n"), m.report) {
				t.Errorf("%s: %q; want %s, reporting %q", result.Outcome, result.Reports, want, m.report)
			}
		})
	}
}

// moduleNamed returns the module with a name.
func moduleNamed(t *testing.T, name string) Module {
	t.Helper()
	for _, m := range Modules {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no module %q", name)
	return Module{}
}

// endpointPaths returns the names of a provider's endpoints by path.
func endpointPaths(t *testing.T, p *Provider) map[string]string {
	t.Helper()
	paths := map[string]string{discoveryPath: metadataEndpoint}
	read := &run{ctx: t.Context(), p: p, http: &http.Client{Transport: p.Transport}}
	read.fetchMetadata()
	for _, name := range []string{keysEndpoint, authorizeEndpoint, tokenEndpoint, userInfoEndpoint, signOutEndpoint} {
		endpoint, err := url.Parse(read.metadata.text(name))
		if err != nil {
			t.Fatal(err)
		}
		paths[endpoint.Path] = name
	}
	return paths
}

// TestMutations_EveryModule checks that every module has a fault to find.
func TestMutations_EveryModule(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, m := range mutations {
		found[m.module] = true
	}
	for _, m := range Modules {
		if !found[m.Name] {
			t.Errorf("%s has no fault to find", m.Name)
		}
	}
}
