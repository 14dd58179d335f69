package openid

import (
	"slices"
	"time"
)

// promptNoneSignedOut is oidcc-prompt-none-not-logged-in.
func promptNoneSignedOut(r *run) {
	b := r.start()
	r.wantSignedOut(b)
}

// wantSignedOut checks that the provider refuses prompt=none, because the browser is not signed in.
func (r *run) wantSignedOut(b *Browser) {
	q := r.newRequest("openid", "prompt", "none").withState(longRandomText(128))
	page := r.open(b, q)
	r.checkErrorResponse(q, r.callback(q, page), userErrors...)
}

// promptLogin is oidcc-prompt-login.
func promptLogin(r *run) {
	b := r.start()
	first := r.signIn(b, r.newRequest("openid"), mayShowPage)
	r.p.wait(time.Second) // so that auth_time differs
	second := r.signIn(b, r.newRequest("openid", "prompt", "login"), mustShowPage)
	r.checkSignedInAgain(first.id, second.id)
}

// shortMaxAge is oidcc-max-age-1.
func shortMaxAge(r *run) {
	b := r.start()
	first := r.signIn(b, r.newRequest("openid"), mayShowPage)
	r.p.wait(2 * time.Second)
	second := r.signIn(b, r.newRequest("openid", "max_age", "1"), mustShowPage)
	r.wantAuthTime(second.id)
	r.checkSignedInAgain(first.id, second.id)
	if seconds, ok := second.id.claims.integer("auth_time"); ok && time.Unix(seconds, 0).Before(r.p.now().Add(-clockSkew-time.Second)) {
		r.fail("the second ID token has the auth_time %s", time.Unix(seconds, 0).UTC())
	}
}

// promptNoneSignedIn is oidcc-prompt-none-logged-in.
func promptNoneSignedIn(r *run) {
	b := r.start()
	first := r.signIn(b, r.newRequest("openid"), mayShowPage)
	second := r.signIn(b, r.newRequest("openid", "prompt", "none"), mustNotShowPage)
	r.checkSameSignIn(first.id, second.id)
}

// longMaxAge is oidcc-max-age-10000.
func longMaxAge(r *run) {
	b := r.start()
	first := r.signIn(b, r.newRequest("openid", "max_age", "15000"), mayShowPage)
	r.wantAuthTime(first.id)
	pages := mustNotShowPage
	if r.p.AsksConsent {
		pages = mayShowPage
	}
	second := r.signIn(b, r.newRequest("openid", "max_age", "10000"), pages)
	r.wantAuthTime(second.id)
	r.checkSameSignIn(first.id, second.id)
}

// hintIDToken is oidcc-id-token-hint.
func hintIDToken(r *run) {
	b := r.start()
	first := r.signIn(b, r.newRequest("openid"), mayShowPage)
	second := r.signIn(b, r.newRequest("openid", "prompt", "none", "id_token_hint", first.id.value), mustNotShowPage)
	r.checkSameSignIn(first.id, second.id)
}

// wantAuthTime checks that an ID token has auth_time, as after a request with max_age.
func (r *run) wantAuthTime(t idToken) {
	if !t.claims.has("auth_time") {
		r.fail("the ID token has no auth_time, and the request has max_age")
	}
}

// checkSignedInAgain checks that the second sign-in was later than the first.
func (r *run) checkSignedInAgain(first, second idToken) {
	before, ok1 := first.claims.integer("auth_time")
	after, ok2 := second.claims.integer("auth_time")
	if ok1 && ok2 && after <= before {
		r.fail("the user had to sign in again, and auth_time is %d after %d", after, before)
	}
}

// checkSameSignIn checks that two ID tokens are of the same sign-in of the same user.
func (r *run) checkSameSignIn(first, second idToken) {
	before, ok1 := first.claims.integer("auth_time")
	after, ok2 := second.claims.integer("auth_time")
	if ok1 && ok2 && before != after {
		r.fail("the user has not signed in again, and auth_time is %d after %d", after, before)
	}
	if first.claims.text("sub") != second.claims.text("sub") {
		r.fail("sub is %q after %q", second.claims.text("sub"), first.claims.text("sub"))
	}
}

// refreshTokens is oidcc-refresh-token.
func refreshTokens(r *run) {
	r.configure(r.p.Basic, "client_secret_basic")
	if r.p.Second.ID == "" {
		r.stop("the test has no second client")
	}
	q := r.newOfflineRequest(r.p.Basic)
	r.refreshOnce(q, true)
	q = r.newOfflineRequest(r.p.Second).withNonce(longRandomText(43))
	last := r.refreshOnce(q, false)
	r.checkTokenError(r.refresh(r.p.Basic, last, q.params.Get("scope")))
}

// newOfflineRequest returns a request of a client with the scope offline_access, if the provider has it.
func (r *run) newOfflineRequest(c Client) *request {
	supported, _ := r.metadata.list("scopes_supported")
	if !slices.Contains(supported, "offline_access") {
		return r.newRequestOf(c, "client_secret_basic", "openid")
	}
	return r.newRequestOf(c, "client_secret_basic", "openid offline_access", "prompt", "consent")
}
