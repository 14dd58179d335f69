package openid

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// request is an authorization request with what goes with it.
type request struct {
	client     Client
	authMethod string // at the token endpoint
	params     url.Values
	state      string
	nonce      string
	verifier   string // of PKCE; empty for none

	post     bool // send the request as a form
	reversed bool // order the parameters by name, the last first
}

// interaction says whether a request may show a page to the user.
type interaction int

const (
	mayShowPage interaction = iota
	mustShowPage
	mustNotShowPage
)

// newRequest returns a request of the first client with a new state and nonce. more has pairs of name
// and value.
func (r *run) newRequest(scope string, more ...string) *request {
	return r.newRequestOf(r.p.Basic, "client_secret_basic", scope, more...)
}

// newRequestOf is newRequest for a client.
func (r *run) newRequestOf(c Client, authMethod, scope string, more ...string) *request {
	q := &request{client: c, authMethod: authMethod, state: randomText(10), nonce: randomText(10)}
	q.params = url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {c.RedirectURI},
		"scope": {scope}, "state": {q.state}, "nonce": {q.nonce},
	}
	for i := 0; i < len(more); i += 2 {
		q.params.Set(more[i], more[i+1])
	}
	return q
}

// withState replaces the state.
func (q *request) withState(state string) *request {
	q.state = state
	q.params.Set("state", state)
	return q
}

// withNonce replaces the nonce.
func (q *request) withNonce(nonce string) *request {
	q.nonce = nonce
	q.params.Set("nonce", nonce)
	return q
}

// withPKCE adds a code challenge.
func (q *request) withPKCE() *request {
	q.verifier = randomText(60) + "-._~"
	challenge := sha256.Sum256([]byte(q.verifier))
	q.params.Set("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))
	q.params.Set("code_challenge_method", "S256")
	return q
}

// query returns the parameters as a query.
func (q *request) query() string {
	if !q.reversed {
		return q.params.Encode()
	}
	var pairs []string
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(q.params))) {
		pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(q.params.Get(name)))
	}
	return strings.Join(pairs, "&")
}

// open sends the authorization request and returns the first page.
func (r *run) open(b *Browser, q *request) *Page {
	endpoint := r.endpoint("authorization_endpoint")
	if q.post {
		page, err := b.Post(endpoint, q.params)
		r.must(err)
		return page
	}
	separator := "?"
	if strings.Contains(endpoint, "?") {
		separator = "&"
	}
	page, err := b.Open(endpoint + separator + q.query())
	r.must(err)
	return page
}

// authorize sends the authorization request, signs in if the provider shows a page, and returns the
// parameters of the authorization response.
func (r *run) authorize(b *Browser, q *request, pages interaction) url.Values {
	page := r.open(b, q)
	shown := page.Left == nil
	if shown && r.p.showsError(page) {
		r.stop("the authorization endpoint: status %d, %.300s", page.Status, page.Text())
	}
	if shown && pages == mustNotShowPage {
		r.stop("the authorization endpoint has shown a page to the user: %s, %.300s", page.URL, page.Text())
	}
	if !shown && pages == mustShowPage {
		r.fail("the authorization endpoint has not shown a page to the user, who had to sign in again")
	}
	if shown {
		var err error
		page, err = r.p.SignIn(b, page)
		r.must(err)
	}
	return r.callback(q, page)
}

// callback returns the parameters with which a page has returned to the client.
func (r *run) callback(q *request, page *Page) url.Values {
	if page.Left == nil {
		r.stop("the browser is at %s, status %d: %.300s", page.URL, page.Status, page.Text())
	}
	address := *page.Left
	address.RawQuery = ""
	address.ForceQuery = false
	if want, _, _ := strings.Cut(q.client.RedirectURI, "?"); address.String() != want {
		r.stop("the browser was sent to %s, not to the redirect URI %s", page.Left, q.client.RedirectURI)
	}
	params, err := url.ParseQuery(page.Left.RawQuery)
	r.must(err)
	r.checkReturnedQuery(q.client.RedirectURI, params)
	return params
}

// checkResponse checks a successful authorization response and returns the code.
func (r *run) checkResponse(q *request, response url.Values) string {
	r.checkResponseIssuer(response)
	if response.Get("error") != "" {
		r.stop("the authorization response: %s, %s", response.Get("error"), response.Get("error_description"))
	}
	r.checkState(q, response)
	if response.Get("code") == "" {
		r.stop("the authorization response has no code: %v", response)
	}
	return response.Get("code")
}

// checkResponseIssuer checks the issuer of RFC 9207, if there is one.
func (r *run) checkResponseIssuer(response url.Values) {
	if response.Has("iss") && response.Get("iss") != r.metadata.text("issuer") {
		r.fail("the authorization response has the iss %q, want %q", response.Get("iss"), r.metadata.text("issuer"))
	}
}

// checkState checks that the state has come back as it was sent.
func (r *run) checkState(q *request, response url.Values) {
	if response.Get("state") != q.state {
		r.fail("the authorization response has the state %q, want %q", response.Get("state"), q.state)
	}
}

// errorParameters are the parameters of an error response.
var errorParameters = []string{"error", "error_description", "error_uri", "state", "session_state", "iss"}

// userErrors are the errors that say that the user is needed.
var userErrors = []string{"interaction_required", "login_required", "account_selection_required", "consent_required"}

// checkErrorResponse checks an authorization response that has to be one of these errors.
func (r *run) checkErrorResponse(q *request, response url.Values, want ...string) {
	r.checkState(q, response)
	r.checkResponseIssuer(response)
	if response.Has("code") {
		r.fail("the authorization response has a code, and should be an error")
	}
	for name := range response {
		if !slices.Contains(errorParameters, name) {
			r.warn("the error response has the unexpected parameter %s", name)
		}
	}
	r.checkErrorTexts(response.Get("error_description"), response.Get("error_uri"))
	if !slices.Contains(want, response.Get("error")) {
		r.fail("the authorization response has the error %q, want one of %q", response.Get("error"), want)
	}
}

// checkErrorTexts checks the description and the URI of an error.
func (r *run) checkErrorTexts(description, uri string) {
	if strings.ContainsAny(description, "\t\r\n") {
		r.warn("the error_description has more than one line")
	}
	if strings.ContainsFunc(description, func(c rune) bool { return !isErrorChar(c) && !strings.ContainsRune(" \t\r\n", c) }) {
		r.fail("the error_description has characters it must not have: %q", description)
	}
	if _, err := url.Parse(uri); err != nil || strings.ContainsFunc(uri, func(c rune) bool { return !isErrorChar(c) }) {
		r.fail("the error_uri is no URI: %q", uri)
	}
}

// isErrorChar reports whether a character other than a space may be in the texts of an error.
func isErrorChar(c rune) bool { return c > ' ' && c <= '~' && c != '"' && c != '\\' }

// wantErrorPage checks that the provider has shown an error to the user, and sent the browser nowhere.
func (r *run) wantErrorPage(page *Page) {
	if page.Left != nil {
		r.fail("the browser was sent to %s, and an error should have been shown", page.Left)
		return
	}
	if !r.p.showsError(page) {
		r.fail("%s: status %d, want an error page: %.300s", page.URL, page.Status, page.Text())
	}
}

// randomText returns n letters and digits.
func randomText(n int) string {
	var text strings.Builder
	for text.Len() < n {
		text.WriteString(strings.ToLower(rand.Text()))
	}
	return text.String()[:n]
}

// longRandomText returns n characters that need no encoding in a URL, of every kind.
func longRandomText(n int) string { return randomText(n-4) + "-._~" }
