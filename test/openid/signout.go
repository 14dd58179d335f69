package openid

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// signOutRequest is a request to the end session endpoint.
type signOutRequest struct{ params url.Values }

// newSignOut returns a request with an ID token, the registered address to return to, and a state of all
// kinds of characters.
func (r *run) newSignOut(hint string) signOutRequest {
	return signOutRequest{url.Values{
		"id_token_hint":            {hint},
		"post_logout_redirect_uri": {r.p.Basic.PostLogoutRedirectURI},
		"state":                    {randomText(40) + `!"#$%&'()*,-./:<=>?@[\]^_{|}~`},
	}}
}

// sendSignOut sends a request to the end session endpoint.
func (r *run) sendSignOut(b *Browser, q signOutRequest) *Page {
	page, err := b.Open(r.endpoint("end_session_endpoint") + "?" + q.params.Encode())
	r.must(err)
	return page
}

// confirm confirms the sign-out, if the provider asks for it.
func (r *run) confirm(b *Browser, page *Page) *Page {
	if page.Left != nil || r.p.ConfirmSignOut == nil {
		return page
	}
	page, err := r.p.ConfirmSignOut(b, page)
	r.must(err)
	return page
}

// startSignOut signs in, and returns the browser and the ID token.
func (r *run) startSignOut() (*Browser, idToken) {
	b := r.start()
	t := r.signIn(b, r.newRequest("openid").withState(longRandomText(128)), mayShowPage)
	return b, t.id
}

// signOut is oidcc-rp-initiated-logout.
func signOut(r *run) {
	b, id := r.startSignOut()
	q := r.newSignOut(id.value)
	r.checkReturn(q, r.confirm(b, r.sendSignOut(b, q)))
	r.wantSignedOut(b)
}

// signOutWithoutState is oidcc-rp-initiated-logout-no-state.
func signOutWithoutState(r *run) {
	b, id := r.startSignOut()
	q := r.newSignOut(id.value)
	q.params.Del("state")
	r.checkReturn(q, r.confirm(b, r.sendSignOut(b, q)))
	r.wantSignedOut(b)
}

// checkReturn checks that the browser was sent back to the client after a sign-out, with the state.
func (r *run) checkReturn(q signOutRequest, page *Page) {
	if page.Left == nil {
		r.stop("the browser is at %s, status %d: %.300s", page.URL, page.Status, page.Text())
	}
	address := *page.Left
	address.RawQuery = ""
	address.ForceQuery = false
	if address.String() != r.p.Basic.PostLogoutRedirectURI {
		r.stop("the browser was sent to %s, not to %s", page.Left, r.p.Basic.PostLogoutRedirectURI)
	}
	params, err := url.ParseQuery(page.Left.RawQuery)
	r.must(err)
	if !slices.Equal(params["state"], q.params["state"]) {
		r.fail("the browser has come back with the state %q, want %q", params["state"], q.params["state"])
	}
	for name := range params {
		if name != "state" {
			r.warn("the browser has come back with the unexpected parameter %s", name)
		}
	}
}

// signOutWith returns a module that signs out with these parameters, which have no address to return to.
func signOutWith(names ...string) func(*run) {
	return func(r *run) {
		b, id := r.startSignOut()
		q := r.newSignOut(id.value)
		for name := range q.params {
			if !slices.Contains(names, name) {
				q.params.Del(name)
			}
		}
		page := r.confirm(b, r.sendSignOut(b, q))
		if page.Left != nil {
			r.stop("the browser was sent to %s", page.Left)
		}
		if page.Status >= http.StatusBadRequest {
			r.fail("%s: status %d, %.300s", page.URL, page.Status, page.Text())
		}
		r.wantSignedOut(b)
	}
}

// signOutTo returns a module that signs out with an address to return to that is not registered. It is
// the registered one with a query, or with another path.
func signOutTo(change string) func(*run) {
	return func(r *run) {
		b, id := r.startSignOut()
		q := r.newSignOut(id.value)
		address, err := url.Parse(r.p.Basic.PostLogoutRedirectURI)
		r.must(err)
		if strings.HasPrefix(change, "/") {
			address.Path = ""
		}
		q.params.Set("post_logout_redirect_uri", address.String()+change)
		r.wantStayed(r.sendSignOut(b, q))
	}
}

// wantStayed checks that the browser was sent nowhere: the provider shows an error, or asks the user.
func (r *run) wantStayed(page *Page) {
	if page.Left != nil {
		r.fail("the browser was sent to %s", page.Left)
	}
	if page.Status >= http.StatusInternalServerError {
		r.fail("%s: status %d, %.300s", page.URL, page.Status, page.Text())
	}
}

// signOutWithoutHint is oidcc-rp-initiated-logout-no-id-token-hint.
func signOutWithoutHint(r *run) {
	b, id := r.startSignOut()
	q := r.newSignOut(id.value)
	q.params.Del("id_token_hint")
	r.wantStayed(r.sendSignOut(b, q))
}

// signOutWithUnsignedHint is oidcc-rp-initiated-logout-modified-id-token-hint.
func signOutWithUnsignedHint(r *run) {
	b, id := r.startSignOut()
	payload := strings.Split(id.value, ".")[1]
	q := r.newSignOut(encode([]byte(`{"alg": "none"}`)) + "." + payload + ".")
	r.wantStayed(r.sendSignOut(b, q))
}

// signOutWithForgedHint is oidcc-rp-initiated-logout-bad-id-token-hint. The forged ID token is signed with
// the client's secret, by the client for the provider.
func signOutWithForgedHint(r *run) {
	b, _ := r.startSignOut()
	secret := []byte(r.p.Basic.Secret)
	for len(secret) < 32 { // as HS256 requires
		secret = append(secret, secret...)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: secret}, nil)
	r.must(err)
	now := r.p.now().Unix()
	forged, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": r.p.Basic.ID, "sub": "SubjectID", "aud": r.metadata.text("issuer"), "nonce": "flibble", "iat": now, "exp": now + 300,
	}).Serialize()
	r.must(err)
	r.wantStayed(r.sendSignOut(b, r.newSignOut(forged)))
}
