package openid

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"
)

// start prepares a module that signs in with the first client, and returns a new browser.
func (r *run) start() *Browser {
	r.configure(r.p.Basic, "client_secret_basic")
	return r.newBrowser()
}

// signIn goes through a whole sign-in, with the checks that every module makes.
func (r *run) signIn(b *Browser, q *request, pages interaction) tokens {
	code := r.checkResponse(q, r.authorize(b, q, pages))
	t := r.redeem(q, code)
	r.useAccessToken(t.access())
	return t
}

// happyFlow is oidcc-server.
func happyFlow(r *run) {
	b := r.start()
	q := r.newRequest("openid")
	code := r.checkResponse(q, r.authorize(b, q, mayShowPage))
	r.checkSecret("the code", code)
	t := r.redeem(q, code)
	if !t.has("expires_in") {
		r.warn("the token response has no expires_in")
	}
	r.checkHash(t.id, "at_hash", t.access())
	r.checkHash(t.id, "c_hash", code)
	r.checkNoName(t.id)
	r.useAccessToken(t.access())
	r.checkNotRequested(t.id, "openid")
}

// publicFlow is oidcc-server for a client without a secret. It uses PKCE, which the original leaves out,
// because a provider should require it from such clients.
func publicFlow(r *run) {
	if r.p.Public.ID == "" {
		r.skip("the test has no public client")
	}
	r.configure(r.p.Public, "none")
	q := r.newRequestOf(r.p.Public, "none", "openid").withPKCE()
	t := r.signIn(r.newBrowser(), q, mayShowPage)
	r.checkHash(t.id, "at_hash", t.access())
}

// missResponseType is oidcc-response-type-missing.
func missResponseType(r *run) {
	b := r.start()
	q := r.newRequest("openid")
	q.params.Del("response_type")
	page := r.open(b, q)
	if page.Left == nil {
		r.wantErrorPage(page)
		return
	}
	r.checkErrorResponse(q, r.callback(q, page), "unsupported_response_type", "invalid_request")
}

// checkDefaultSignature is oidcc-idtoken-signature.
func checkDefaultSignature(r *run) {
	t := r.signIn(r.start(), r.newRequest("openid"), mayShowPage)
	if t.id.header.text("kid") == "" {
		r.fail("the ID token has no kid")
	}
	if t.id.header.text("alg") != "RS256" {
		r.fail("the ID token is signed with %q, want RS256", t.id.header.text("alg"))
	}
}

// requestUnsigned is oidcc-idtoken-unsigned.
func requestUnsigned(r *run) {
	r.fetchMetadata()
	algorithms, _ := r.metadata.list("id_token_signing_alg_values_supported")
	if !slices.Contains(algorithms, "none") {
		r.skip("id_token_signing_alg_values_supported does not have none")
	}
	if r.p.Unsigned.ID == "" {
		r.skip("the test has no client whose ID tokens are unsigned")
	}
	r.configure(r.p.Unsigned, "client_secret_basic")
	q := r.newRequestOf(r.p.Unsigned, "client_secret_basic", "openid")
	code := r.checkResponse(q, r.authorize(r.newBrowser(), q, mayShowPage))
	t := r.readTokens(r.callTokenWithCode(q, code))
	if id := r.readIDToken(t.text("id_token")); id.header.text("alg") != "none" {
		r.fail("the ID token is signed with %q, want none", id.header.text("alg"))
	}
}

// getUserInfo is oidcc-userinfo-get.
func getUserInfo(r *run) {
	t := r.signIn(r.start(), r.newRequest("openid"), mayShowPage)
	a := r.callUserInfo(http.MethodGet, t.access())
	r.checkJSON("the UserInfo endpoint", a)
	r.readUserInfo(a, t.id)
}

// postUserInfo is oidcc-userinfo-post-header.
func postUserInfo(r *run) {
	t := r.signIn(r.start(), r.newRequest("openid"), mayShowPage)
	a := r.callUserInfo(http.MethodPost, t.access())
	r.checkJSON("the UserInfo endpoint", a)
	r.readUserInfo(a, t.id)
}

// postUserInfoToken is oidcc-userinfo-post-body.
func postUserInfoToken(r *run) {
	t := r.signIn(r.start(), r.newRequest("openid"), mayShowPage)
	a := r.postAccessToken(t.access())
	if a.status < 200 || a.status > 299 {
		r.warn("the UserInfo endpoint refuses access tokens in a form: %s", a)
		return
	}
	r.checkJSON("the UserInfo endpoint", a)
	r.readUserInfo(a, t.id)
}

// omitNonce is oidcc-ensure-request-without-nonce-succeeds-for-code-flow.
func omitNonce(r *run) {
	b := r.start()
	q := r.newRequest("openid")
	q.nonce = ""
	q.params.Del("nonce")
	r.checkResponse(q, r.authorize(b, q, mayShowPage))
}

// requestScope returns the module oidcc-scope-... that requests a scope.
func requestScope(scope string) func(*run) {
	return func(r *run) {
		b := r.start()
		r.skipWithoutScope(scope)
		r.checkScopeRequest(b, r.newRequest(scope), scope)
	}
}

// skipWithoutScope ends the module unless the provider supports a scope.
func (r *run) skipWithoutScope(scope string) {
	supported, _ := r.metadata.list("scopes_supported")
	for name := range strings.FieldsSeq(scope) {
		if !slices.Contains(supported, name) {
			r.skip("scopes_supported does not have " + name)
		}
	}
}

// checkScopeRequest signs in and checks that UserInfo has the claims of the scope.
func (r *run) checkScopeRequest(b *Browser, q *request, scope string) (tokens, object) {
	t := r.signIn(b, q, mayShowPage)
	info := r.readUserInfo(r.callUserInfo(http.MethodGet, t.access()), t.id)
	r.checkScopeClaims(info, scope)
	return t, info
}

// reverseOrder is oidcc-alternate-happy-flow.
func reverseOrder(r *run) {
	b := r.start()
	r.skipWithoutScope("openid email")
	q := r.newRequest("email openid")
	q.reversed = true
	r.checkScopeRequest(b, q, "openid email")
}

// addParameter returns a module that signs in with one more parameter, which must do no harm.
func addParameter(name, value string) func(*run) {
	return func(r *run) {
		r.signIn(r.start(), r.newRequest("openid", name, value), mayShowPage)
	}
}

// hintLogin is oidcc-login-hint.
func hintLogin(r *run) {
	b := r.start()
	issuer, err := url.Parse(r.metadata.text("issuer"))
	r.must(err)
	r.signIn(b, r.newRequest("openid", "login_hint", "buffy@"+issuer.Hostname()), mayShowPage)
}

// requestACR is oidcc-ensure-request-with-acr-values-succeeds.
func requestACR(r *run) {
	b := r.start()
	values, ok := r.metadata.list("acr_values_supported")
	if !ok {
		values = []string{"1", "2"}
	}
	t := r.signIn(b, r.newRequest("openid", "acr_values", strings.Join(values, " ")), mayShowPage)
	if !slices.Contains(values, t.id.claims.text("acr")) {
		r.warn("the ID token has the acr %v, want one of %q", t.id.claims["acr"], values)
	}
}

// changeRedirectURI is oidcc-ensure-registered-redirect-uri.
func changeRedirectURI(r *run) {
	b := r.start()
	q := r.newRequest("openid")
	q.params.Set("redirect_uri", q.client.RedirectURI+"/"+randomText(10))
	r.wantErrorPage(r.open(b, q))
}

// postRequest is oidcc-ensure-post-request-succeeds. It only warns if the browser does not come back.
func postRequest(r *run) {
	b := r.start()
	q := r.newRequest("openid")
	q.post = true
	page := r.open(b, q)
	if page.Left == nil && !r.p.showsError(page) {
		var err error
		page, err = r.p.SignIn(b, page)
		r.must(err)
	}
	if page.Left == nil {
		r.warn("the browser is at %s, status %d: %.300s", page.URL, page.Status, page.Text())
		return
	}
	t := r.redeem(q, r.checkResponse(q, r.callback(q, page)))
	r.useAccessToken(t.access())
}

// postSecret is oidcc-server-client-secret-post.
func postSecret(r *run) {
	r.configure(r.p.Post, "client_secret_post")
	r.signIn(r.newBrowser(), r.newRequestOf(r.p.Post, "client_secret_post", "openid"), mayShowPage)
}

// sendChallenge is oidcc-ensure-request-with-valid-pkce-succeeds.
func sendChallenge(r *run) {
	r.signIn(r.start(), r.newRequest("openid").withPKCE(), mayShowPage)
}

// requestEssentialClaim is oidcc-claims-essential.
func requestEssentialClaim(r *run) {
	b := r.start()
	q := r.newRequest("openid", "claims", `{"userinfo":{"name":{"essential":true}}}`)
	t, info := r.checkScopeRequest(b, q, "openid")
	if info.text("name") == "" {
		r.warn("UserInfo does not have the essential claim name")
	}
	r.checkNoName(t.id)
}

// reuseCode is oidcc-codereuse.
func reuseCode(r *run) {
	b := r.start()
	q := r.newRequest("openid")
	code := r.checkResponse(q, r.authorize(b, q, mayShowPage))
	t := r.redeem(q, code)
	r.useAccessToken(t.access())
	a := r.callTokenWithCode(q, code)
	if a.status == http.StatusOK {
		r.warn("the code could be used twice")
		return
	}
	r.checkTokenError(a)
}

// reuseCodeLater is oidcc-codereuse-30seconds.
func reuseCodeLater(r *run) {
	b := r.start()
	q := r.newRequest("openid")
	code := r.checkResponse(q, r.authorize(b, q, mayShowPage))
	t := r.redeem(q, code)
	r.useAccessToken(t.access())
	r.p.wait(30 * time.Second)
	r.checkTokenError(r.callTokenWithCode(q, code))
	if a := r.callUserInfo(http.MethodGet, t.access()); a.status < 400 || a.status > 499 {
		r.warn("the access token is still valid after its code was used again: %s", a)
	}
}

// requestObject moves the request's parameters into an unsigned request object, and leaves in the request
// those that it has to have all the same.
func (q *request) requestObject() string {
	claims := map[string]string{}
	for name := range q.params {
		claims[name] = q.params.Get(name)
	}
	maps.DeleteFunc(q.params, func(name string, _ []string) bool {
		return !slices.Contains([]string{"response_type", "client_id", "scope", "redirect_uri"}, name)
	})
	return unsignedJWT(claims)
}

// skipWithoutUnsigned ends the module if the provider does not support unsigned request objects.
func (r *run) skipWithoutUnsigned() {
	algorithms, ok := r.metadata.list("request_object_signing_alg_values_supported")
	if ok && !slices.Contains(algorithms, "none") {
		r.skip("request_object_signing_alg_values_supported does not have none")
	}
}

// referToRequest is oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported. A provider
// that supports it has to accept the certificate of the request object's server.
func referToRequest(r *run) {
	b := r.start()
	r.skipWithoutUnsigned()
	q := r.newRequest("openid")
	object := q.requestObject()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwt")
		w.Write([]byte(object))
	}))
	defer server.Close()
	q.params.Set("request_uri", server.URL+"/"+randomText(10))
	r.finishRequestObject(b, q, "request_uri_not_supported", "request_uri_parameter_supported", true)
}

// sendRequestObject is oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported.
func sendRequestObject(r *run) {
	b := r.start()
	r.skipWithoutUnsigned()
	q := r.newRequest("openid")
	q.params.Set("request", q.requestObject())
	r.finishRequestObject(b, q, "request_not_supported", "request_parameter_supported", false)
}

// finishRequestObject sends a request with a request object, and ends the module if the provider does not
// support it.
func (r *run) finishRequestObject(b *Browser, q *request, unsupported, supportedName string, otherwise bool) {
	response := r.authorize(b, q, mayShowPage)
	if response.Get("error") == unsupported {
		r.skip("the authorization response is the error " + unsupported)
	}
	if !r.metadata.boolean(supportedName, otherwise) {
		r.warn("%s: %v, but it is supported", supportedName, r.metadata[supportedName])
	}
	t := r.redeem(q, r.checkResponse(q, response))
	r.useAccessToken(t.access())
}

// sendTwoRedirectURIs is oidcc-ensure-request-object-with-redirect-uri.
func sendTwoRedirectURIs(r *run) {
	b := r.start()
	r.skipWithoutUnsigned()
	q := r.newRequest("openid")
	object := q.requestObject()
	q.params.Set("redirect_uri", q.client.RedirectURI+"_invalid")
	q.params.Set("request", object)
	page := r.open(b, q)
	if page.Left == nil && r.p.showsError(page) {
		return
	}
	if page.Left == nil {
		var err error
		page, err = r.p.SignIn(b, page)
		r.must(err)
	}
	response := r.callback(q, page)
	if response.Get("error") == "request_not_supported" {
		r.stop("the browser was sent to the registered redirect URI, and the request has another")
	}
	q.params.Set("redirect_uri", q.client.RedirectURI) // of the request object
	t := r.redeem(q, r.checkResponse(q, response))
	r.useAccessToken(t.access())
}
