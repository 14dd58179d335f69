package openid

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// refresh uses a refresh token as a client. scope may be empty.
func (r *run) refresh(c Client, token, scope string) answer {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	if scope != "" {
		form.Set("scope", scope)
	}
	return r.callToken(c, "client_secret_basic", form)
}

// refreshOnce signs in and refreshes the tokens, with the scope or without it. It returns the last
// refresh token.
func (r *run) refreshOnce(q *request, withScope bool) string {
	first := r.redeem(q, r.checkResponse(q, r.authorize(r.newBrowser(), q, mayShowPage)))
	r.checkRefreshSupport(first)
	scope := ""
	if withScope {
		scope = q.params.Get("scope")
	}
	r.p.wait(time.Second) // so that iat differs
	second := r.readTokens(r.refresh(q.client, first.refresh(), scope))
	r.checkRefreshed(first, &second)
	r.useAccessToken(second.access())
	if second.refresh() == "" {
		return first.refresh()
	}
	return second.refresh()
}

// checkRefreshSupport ends the module if there is no refresh token, and compares that with the metadata.
func (r *run) checkRefreshSupport(t tokens) {
	grants, hasGrants := r.metadata.list("grant_types_supported")
	supported := slices.Contains(grants, "refresh_token")
	if t.refresh() == "" {
		if supported {
			r.warn("grant_types_supported has refresh_token, but no refresh token was issued")
		}
		r.skip("no refresh token was issued")
	}
	if hasGrants && !supported || !hasGrants {
		r.warn("grant_types_supported: %v, without refresh_token", r.metadata["grant_types_supported"])
	}
	if !isPrintable(t.refresh()) {
		r.fail("the refresh token has characters it must not have")
	}
}

// checkRefreshed checks the answer to a refresh token.
func (r *run) checkRefreshed(first tokens, second *tokens) {
	r.checkJSON("the token endpoint", second.answer)
	if !slices.ContainsFunc(second.header.Values("Cache-Control"), hasNoStore) {
		r.fail("the token endpoint: Cache-Control %q, want no-store", second.header.Values("Cache-Control"))
	}
	if !strings.EqualFold(second.text("token_type"), "Bearer") {
		r.fail("the token response has the token_type %v, want Bearer", second.object["token_type"])
	}
	if !isPrintable(second.access()) {
		r.fail("the access token has characters it must not have")
	}
	if e := entropy(second.access()); e < minEntropy {
		r.fail("the access token has an entropy of %.0f bits, want %d", e, minEntropy)
	}
	if !second.has("expires_in") {
		r.warn("the token response has no expires_in")
	}
	if second.refresh() != "" {
		r.checkSecret("the refresh token", second.refresh())
	}
	if second.text("id_token") == "" {
		return
	}
	second.id = r.readIDToken(second.text("id_token"))
	r.compareIDTokens(first.id, second.id)
}

// hasNoStore reports whether a Cache-Control header has no-store.
func hasNoStore(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(part) == "no-store" {
			return true
		}
	}
	return false
}

// compareIDTokens compares the ID token of a refresh with that of the sign-in.
func (r *run) compareIDTokens(first, second idToken) {
	for _, name := range []string{"iss", "sub", "aud"} {
		if !first.claims.has(name) || !reflect.DeepEqual(first.claims[name], second.claims[name]) {
			r.fail("after the refresh, %s is %v instead of %v", name, second.claims[name], first.claims[name])
		}
	}
	if !reflect.DeepEqual(first.claims["azp"], second.claims["azp"]) {
		r.fail("after the refresh, azp is %v instead of %v", second.claims["azp"], first.claims["azp"])
	}
	if second.claims.has("auth_time") && !reflect.DeepEqual(first.claims["auth_time"], second.claims["auth_time"]) {
		r.fail("after the refresh, auth_time is %v instead of %v", second.claims["auth_time"], first.claims["auth_time"])
	}
	if !second.claims.has("iat") || reflect.DeepEqual(first.claims["iat"], second.claims["iat"]) {
		r.fail("after the refresh, iat is %v after %v, and has to be the time of the refresh", second.claims["iat"], first.claims["iat"])
	}
}
