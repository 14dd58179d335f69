package openid

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strings"
)

// tokens is a successful answer of the token endpoint.
type tokens struct {
	answer
	object
	id idToken // with zero claims if there is none
}

// access returns the access token.
func (t tokens) access() string { return t.text("access_token") }

// refresh returns the refresh token, or "".
func (t tokens) refresh() string { return t.text("refresh_token") }

// callToken sends a form to the token endpoint, with the client's credentials.
func (r *run) callToken(c Client, authMethod string, form url.Values) answer {
	switch authMethod {
	case "client_secret_post":
		form.Set("client_id", c.ID)
		form.Set("client_secret", c.Secret)
	case "none":
		form.Set("client_id", c.ID)
	}
	request, err := http.NewRequestWithContext(r.ctx, http.MethodPost, r.endpoint("token_endpoint"), strings.NewReader(form.Encode()))
	r.must(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if authMethod == "client_secret_basic" {
		request.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	}
	return r.do(request)
}

// callTokenWithCode sends a code to the token endpoint.
func (r *run) callTokenWithCode(q *request, code string) answer {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {q.params.Get("redirect_uri")}}
	if q.verifier != "" {
		form.Set("code_verifier", q.verifier)
	}
	return r.callToken(q.client, q.authMethod, form)
}

// redeem exchanges a code for tokens, and checks them as every module does.
func (r *run) redeem(q *request, code string) tokens {
	t := r.readTokens(r.callTokenWithCode(q, code))
	if t.text("id_token") == "" {
		r.stop("the token response has no id_token: %s", t.answer)
	}
	t.id = r.readIDToken(t.text("id_token"))
	r.checkIDToken(q, t.id)
	return t
}

// readTokens reads a successful answer of the token endpoint.
func (r *run) readTokens(a answer) tokens {
	read, err := parseObject(a.body)
	if a.status != http.StatusOK || err != nil || read.has("error") {
		r.stop("the token endpoint: %s", a)
	}
	t := tokens{answer: a, object: read}
	if t.access() == "" {
		r.stop("the token response has no access_token: %s", a)
	}
	r.checkExpiresIn(t)
	return t
}

// checkExpiresIn checks the lifetime of the access token, if the answer has it.
func (r *run) checkExpiresIn(t tokens) {
	if !t.has("expires_in") {
		return
	}
	seconds, ok := t.integer("expires_in")
	if !ok || seconds <= 0 || seconds > 365*24*60*60 {
		r.fail("expires_in: %v, want 1 to 31536000", t.object["expires_in"])
	}
}

// checkTokenError checks that the token endpoint has answered with the error invalid_grant.
func (r *run) checkTokenError(a answer) {
	if a.status != http.StatusBadRequest {
		r.fail("the token endpoint: %s, want status 400", a)
	}
	r.checkJSON("the token endpoint", a)
	read, err := parseObject(a.body)
	if err != nil {
		r.stop("the token endpoint: %v; %s", err, a)
	}
	if read.text("error") != "invalid_grant" {
		r.fail("the token endpoint: %s, want the error invalid_grant", a)
	}
	r.checkErrorTexts(read.text("error_description"), read.text("error_uri"))
}

// minEntropy is the entropy in bits that secrets have to have. They should have 128, but that can only
// be estimated.
const minEntropy = 96

// checkSecret checks that a secret has 128 bits, and that they look random.
func (r *run) checkSecret(what, secret string) {
	if len(secret)*8 < 128 {
		r.fail("%s has %d characters, want 16 or more", what, len(secret))
	}
	if e := entropy(secret); e < minEntropy {
		r.fail("%s has an entropy of %.0f bits, want %d", what, e, minEntropy)
	}
}

// entropy estimates the entropy of a text in bits, from how often its characters are in it.
func entropy(text string) float64 {
	counts := map[rune]int{}
	for _, c := range text {
		counts[c]++
	}
	bits := 0.0
	for _, n := range counts {
		share := float64(n) / float64(len(text))
		bits -= share * math.Log2(share)
	}
	return bits * float64(len(text))
}

// isPrintable reports whether a text is of printable ASCII characters and spaces alone.
func isPrintable(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' })
}

// unsignedJWT returns a JWT with the algorithm none.
func unsignedJWT(claims any) string {
	payload, _ := json.Marshal(claims) // maps of strings
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(payload) + "."
}
