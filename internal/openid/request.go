package openid

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Request is a valid authorization request of a client
// (https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
type Request struct {
	ClientID      string
	RedirectURI   string
	Scope         Scope
	State         string // returned as it is; may be empty
	Nonce         string // returned as it is in the ID token; may be empty
	CodeChallenge string // PKCE with S256; empty for none
	NoPages       bool   // prompt=none: answer without showing a page
	SignInAgain   bool   // prompt=login: the user must prove a factor, also if signed in
	ChooseAccount bool   // prompt=select_account: the user must confirm who is signed in, or switch
	MaxAge        int    // seconds since the user has proven a factor; -1 for any
	Subject       string // the id of the user who must be signed in; empty for any
	LoginHint     string // address to fill in; may be empty
	StartedAt     time.Time
}

const (
	maxState = 2000 // bytes; some libraries put a page's whole address into it
	maxNonce = 512
	maxHint  = 320 // the longest address; a longer hint is ignored

	// maxRequest is the length of an encoded request. Sealed in a cookie, it leaves room for the other
	// headers of an answer: by default, nginx refuses one with more than 4,096 bytes of them.
	maxRequest = 2100
)

// single are the parameters that an authorization request may have once
// (https://www.rfc-editor.org/rfc/rfc6749#section-3.1).
var single = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age", "login_hint", "id_token_hint",
	"code_challenge", "code_challenge_method", "request", "request_uri", "registration",
}

// challengePattern is a PKCE code challenge with S256: 256 bits in base64url.
var challengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// redirectError is an error that is sent to the client's redirect URI.
type redirectError struct {
	cause *Error
	uri   string
	state string
}

func (e *redirectError) Error() string { return e.cause.Error() }

// parseRequest validates the parameters of an authorization request for a client. Until the
// redirect URI is known to be the client's, errors are *Error and must be shown to the user;
// afterwards they are *redirectError.
func (p *Provider) parseRequest(params url.Values, c Client) (Request, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(params[name]) > 1 {
			return Request{}, invalidRequest("The parameter " + name + " occurs more than once.")
		}
	}
	uri := params.Get("redirect_uri")
	if uri == "" {
		return Request{}, invalidRequest("The parameter redirect_uri is missing.")
	}
	if !c.allowsRedirect(uri) {
		return Request{}, invalidRequest("The redirect_uri is not one of the client's.")
	}
	r := Request{ClientID: c.ID, RedirectURI: uri, State: params.Get("state"), StartedAt: p.now()}
	fail := func(e *Error) (Request, error) { return Request{}, &redirectError{e, uri, r.State} }
	for _, name := range single {
		if len(params[name]) > 1 {
			return fail(invalidRequest("The parameter " + name + " occurs more than once."))
		}
	}
	switch {
	case len(r.State) > maxState:
		r.State = ""
		return fail(invalidRequest("The parameter state is longer than 2000 bytes."))
	case params.Get("request") != "":
		return fail(newError("request_not_supported", "Request objects are not supported."))
	case params.Get("request_uri") != "":
		return fail(newError("request_uri_not_supported", "Request objects are not supported."))
	case params.Get("registration") != "":
		return fail(newError("registration_not_supported", "Clients are added by an administrator."))
	case params.Get("response_type") == "":
		return fail(invalidRequest("The parameter response_type is missing."))
	case params.Get("response_type") != "code":
		return fail(newError("unsupported_response_type", "The only response_type is code."))
	case params.Get("response_mode") != "" && params.Get("response_mode") != "query":
		return fail(invalidRequest("The only response_mode is query."))
	}
	if e := r.parseChallenge(params, c); e != nil {
		return fail(e)
	}
	if e := r.parsePrompt(params); e != nil {
		return fail(e)
	}
	if r.Nonce = params.Get("nonce"); len(r.Nonce) > maxNonce {
		return fail(invalidRequest("The parameter nonce is longer than 512 bytes."))
	}
	if !utf8.ValidString(r.Nonce) { // an ID token could not return it
		return fail(invalidRequest("The parameter nonce is not UTF-8."))
	}
	if r.Scope = parseScope(params.Get("scope")); r.Scope == "" {
		return fail(newError("invalid_scope", "The scope has none of: "+strings.Join(Scopes, " ")+"."))
	}
	if r.LoginHint = params.Get("login_hint"); len(r.LoginHint) > maxHint {
		r.LoginHint = ""
	}
	if hint := params.Get("id_token_hint"); hint != "" {
		claims, err := p.parseIDToken(hint)
		if err != nil {
			return fail(invalidRequest("The id_token_hint was not issued here."))
		}
		r.Subject = claims.Subject
	}
	if len(r.Encode()) > maxRequest {
		return fail(invalidRequest("The parameters state, nonce and redirect_uri are too long together."))
	}
	return r, nil
}

func (r *Request) parseChallenge(params url.Values, c Client) *Error {
	r.CodeChallenge = params.Get("code_challenge")
	method := params.Get("code_challenge_method")
	switch {
	case r.CodeChallenge == "" && method != "":
		return invalidRequest("The parameter code_challenge is missing.")
	case r.CodeChallenge == "" && c.Public:
		return invalidRequest("Public clients must use PKCE: the parameter code_challenge is missing.")
	case r.CodeChallenge == "":
		return nil
	case method != "S256":
		return invalidRequest("The only code_challenge_method is S256.")
	case !challengePattern.MatchString(r.CodeChallenge):
		return invalidRequest("The code_challenge must be a SHA-256 digest in base64url, of 43 characters.")
	}
	return nil
}

func (r *Request) parsePrompt(params url.Values) *Error {
	prompts := strings.Fields(params.Get("prompt"))
	for _, prompt := range prompts {
		switch prompt {
		case "none":
			r.NoPages = true
		case "login":
			r.SignInAgain = true
		case "select_account":
			r.ChooseAccount = true
		case "consent": // administrators have consented for everyone
		default:
			return invalidRequest("The parameter prompt has an unknown value.")
		}
	}
	if r.NoPages && len(slices.Compact(slices.Sorted(slices.Values(prompts)))) > 1 {
		return invalidRequest("The value none of prompt can not be combined with others.")
	}
	r.MaxAge = -1
	if text := params.Get("max_age"); text != "" {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return invalidRequest("The parameter max_age must be a number of seconds.")
		}
		r.MaxAge = int(n)
	}
	return nil
}
