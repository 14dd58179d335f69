package openid

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

var requestTime = time.Date(2026, 3, 1, 12, 0, 0, 500_000_000, time.UTC)

const (
	wikiCallback = "https://wiki.example.com/callback"
	// verifier and challenge are the example of https://www.rfc-editor.org/rfc/rfc7636#appendix-B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func requestProvider(now time.Time) *Provider {
	return New(Options{Issuer: "https://guestlist.example.com", Now: func() time.Time { return now }, Signer: noSigner{}, Log: slog.New(slog.DiscardHandler)})
}

// requestParams returns valid parameters with changes; an empty value removes one.
func requestParams(changes ...string) url.Values {
	q := url.Values{
		"client_id": {"wiki"}, "redirect_uri": {wikiCallback}, "response_type": {"code"}, "scope": {"openid email"}, "state": {"s"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if q.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			q.Del(changes[i])
		}
	}
	return q
}

func TestParseRequest_Refuses(t *testing.T) {
	t.Parallel()
	random := make([]byte, maxState)
	rand.Read(random)
	confidential, public := Client{ID: "wiki", RedirectURIs: []string{wikiCallback}}, Client{ID: "wiki", Public: true, RedirectURIs: []string{wikiCallback}}
	for name, row := range map[string]struct {
		client Client
		params url.Values
		code   string // empty if the browser must not be sent to the client
	}{
		"no redirect URI":               {confidential, requestParams("redirect_uri", ""), ""},
		"another redirect URI":          {confidential, requestParams("redirect_uri", wikiCallback+"/"), ""},
		"two redirect URIs":             {confidential, with(requestParams(), "redirect_uri", wikiCallback), ""},
		"two clients":                   {confidential, with(requestParams(), "client_id", "wiki"), ""},
		"two states":                    {confidential, with(requestParams(), "state", "t"), "invalid_request"},
		"two response types":            {confidential, with(requestParams(), "response_type", "code"), "invalid_request"},
		"two challenges":                {confidential, with(requestParams(), "code_challenge", challenge), "invalid_request"},
		"two hints":                     {confidential, with(requestParams("id_token_hint", "x"), "id_token_hint", "y"), "invalid_request"},
		"a long state":                  {confidential, requestParams("state", strings.Repeat("s", maxState+1)), "invalid_request"},
		"a state that can't be kept":    {confidential, requestParams("state", string(random), "nonce", strings.Repeat("n", maxNonce)), "invalid_request"},
		"a long nonce":                  {confidential, requestParams("nonce", strings.Repeat("n", maxNonce+1)), "invalid_request"},
		"a nonce that isn't UTF-8":      {confidential, requestParams("nonce", "\xff"), "invalid_request"},
		"a request object":              {confidential, requestParams("request", "x"), "request_not_supported"},
		"the address of a request":      {confidential, requestParams("request_uri", "https://wiki.example.com/request"), "request_uri_not_supported"},
		"a registration":                {confidential, requestParams("registration", "{}"), "registration_not_supported"},
		"no response type":              {confidential, requestParams("response_type", ""), "invalid_request"},
		"an empty response type":        {confidential, with(requestParams("response_type", ""), "response_type", ""), "invalid_request"},
		"token":                         {confidential, requestParams("response_type", "token"), "unsupported_response_type"},
		"id_token":                      {confidential, requestParams("response_type", "id_token"), "unsupported_response_type"},
		"a hybrid":                      {confidential, requestParams("response_type", "code id_token"), "unsupported_response_type"},
		"code twice":                    {confidential, requestParams("response_type", "code code"), "unsupported_response_type"},
		"a fragment":                    {confidential, requestParams("response_mode", "fragment"), "invalid_request"},
		"a posted form":                 {confidential, requestParams("response_mode", "form_post"), "invalid_request"},
		"a method without a challenge":  {confidential, requestParams("code_challenge", ""), "invalid_request"},
		"a challenge without a method":  {confidential, requestParams("code_challenge_method", ""), "invalid_request"},
		"plain":                         {confidential, requestParams("code_challenge_method", "plain"), "invalid_request"},
		"a short challenge":             {confidential, requestParams("code_challenge", challenge[1:]), "invalid_request"},
		"a challenge with padding":      {confidential, requestParams("code_challenge", challenge+"="), "invalid_request"},
		"a line break in the challenge": {confidential, requestParams("code_challenge", challenge+"\n"), "invalid_request"},
		"a public client without PKCE":  {public, requestParams("code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"an unknown prompt":             {confidential, requestParams("prompt", "create"), "invalid_request"},
		"none and another":              {confidential, requestParams("prompt", "login none"), "invalid_request"},
		"max_age below 0":               {confidential, requestParams("max_age", "-1"), "invalid_request"},
		"max_age that isn't a number":   {confidential, requestParams("max_age", "1h"), "invalid_request"},
		"max_age that is too large":     {confidential, requestParams("max_age", "2147483648"), "invalid_request"},
		"no scope":                      {confidential, requestParams("scope", ""), "invalid_scope"},
		"unknown scopes":                {confidential, requestParams("scope", "admin OPENID"), "invalid_scope"},
		"a hint from elsewhere":         {confidential, requestParams("id_token_hint", "x.y.z"), "invalid_request"},
	} {
		_, err := requestProvider(requestTime).parseRequest(row.params, row.client)
		var shown *Error
		var sent *redirectError
		switch {
		case row.code == "" && !errors.As(err, &shown):
			t.Errorf("%s: %v", name, err)
		case row.code != "" && (!errors.As(err, &sent) || sent.cause.Code != row.code || sent.uri != wikiCallback):
			t.Errorf("%s: %v", name, err)
		case row.code != "" && name != "a long state" && sent.state != row.params.Get("state"):
			t.Errorf("%s: state %q", name, sent.state)
		}
	}
}

// An empty parameter is as good as none (https://www.rfc-editor.org/rfc/rfc6749#section-3.1).
func TestParseRequest_EmptyParameters(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"request", "request_uri", "registration", "response_mode", "prompt", "max_age", "login_hint", "id_token_hint", "nonce"} {
		client := Client{ID: "wiki", RedirectURIs: []string{wikiCallback}}
		if _, err := requestProvider(requestTime).parseRequest(with(requestParams(), name, ""), client); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// with adds a value to those that a parameter has.
func with(params url.Values, name, value string) url.Values {
	params.Add(name, value)
	return params
}

// noSigner has signed nothing.
type noSigner struct{ Signer }

func (noSigner) Verify(string) ([]byte, error) { return nil, errors.New("signed elsewhere") }

func TestParseRequest_Accepts(t *testing.T) {
	t.Parallel()
	confidential := Client{ID: "wiki", RedirectURIs: []string{wikiCallback}}
	least := Request{ClientID: "wiki", RedirectURI: wikiCallback, Scope: "openid email", State: "s", CodeChallenge: challenge, MaxAge: -1, StartedAt: requestTime}
	for name, row := range map[string]struct {
		params url.Values
		change func(*Request)
	}{
		"the least":             {requestParams(), func(*Request) {}},
		"without PKCE":          {requestParams("code_challenge", "", "code_challenge_method", ""), func(r *Request) { r.CodeChallenge = "" }},
		"unknown parameters":    {requestParams("claims", "{}", "acr_values", "x", "ui_locales", "de", "display", "popup", "resource", "x"), func(*Request) {}},
		"scopes in any order":   {requestParams("scope", " groups  admin email openid email "), func(r *Request) { r.Scope = "openid email groups" }},
		"query":                 {requestParams("response_mode", "query"), func(*Request) {}},
		"prompts":               {requestParams("prompt", "consent login select_account"), func(r *Request) { r.SignInAgain, r.ChooseAccount = true, true }},
		"none":                  {requestParams("prompt", "none"), func(r *Request) { r.NoPages = true }},
		"max_age 0":             {requestParams("max_age", "0"), func(r *Request) { r.MaxAge = 0 }},
		"the longest max_age":   {requestParams("max_age", "2147483647"), func(r *Request) { r.MaxAge = 2147483647 }},
		"the longest hint":      {requestParams("login_hint", strings.Repeat("a", maxHint)), func(r *Request) { r.LoginHint = strings.Repeat("a", maxHint) }},
		"a hint that is longer": {requestParams("login_hint", strings.Repeat("a", maxHint+1)), func(*Request) {}},
	} {
		got, err := requestProvider(requestTime).parseRequest(row.params, confidential)
		want := least
		row.change(&want)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestRequest_EncodedAndDecoded(t *testing.T) {
	t.Parallel()
	p := requestProvider(requestTime)
	full := Request{
		ClientID: "wiki", RedirectURI: wikiCallback + "?x=1&y=%20", Scope: "openid", State: "3:a\x00\xff\n👩", Nonce: "0:", CodeChallenge: challenge, SignInAgain: true,
		ChooseAccount: true, MaxAge: 60, Subject: "ada", LoginHint: "ada@example.com", StartedAt: requestTime,
	}
	long := full
	long.State = strings.Repeat("👩", maxState/4)
	for _, r := range []Request{full, long, {MaxAge: -1, StartedAt: requestTime}} {
		text := r.Encode()
		got, err := p.DecodeRequest(text)
		if diff := cmp.Diff(r, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		for _, other := range []string{"", "p", "c", "x" + text[1:], text[1:], text + "x", text[:len(text)-1], "p" + text, "c" + text, "p-1:" + text, "p99999999999:x", "c" + compress(strings.Repeat("x", 1<<20))} {
			if _, err := p.DecodeRequest(other); !errors.Is(err, ErrRequestExpired) {
				t.Errorf("%.20q is decoded: %v", other, err)
			}
		}
		if len(text) > maxRequest {
			t.Errorf("%d bytes", len(text))
		}
		if _, err := requestProvider(requestTime.Add(resumeFor)).DecodeRequest(text); err != nil {
			t.Error(err)
		}
		if _, err := requestProvider(requestTime.Add(resumeFor + time.Microsecond)).DecodeRequest(text); !errors.Is(err, ErrRequestExpired) {
			t.Errorf("an old request: %v", err)
		}
	}
}

func TestStepBefore(t *testing.T) {
	t.Parallel()
	at := func(age time.Duration) *session.Session {
		proofs := factor.Proofs("").With(factor.EmailLink, requestTime.Add(-age-time.Hour)).With(factor.EmailCode, requestTime.Add(-age))
		return &session.Session{UserID: "ada", CreatedAt: requestTime.Add(-100 * time.Hour), Proofs: proofs, User: directory.User{ID: "ada"}}
	}
	for name, row := range map[string]struct {
		request Request
		current *session.Session
		later   time.Duration // until the request is resumed
		want    Step
	}{
		"no one is signed in":                     {Request{MaxAge: -1}, nil, 0, SignIn},
		"no one, with a subject":                  {Request{MaxAge: -1, Subject: "ada"}, nil, 0, SignIn},
		"signed in":                               {Request{MaxAge: -1}, at(time.Hour), 0, ""},
		"the subject":                             {Request{MaxAge: -1, Subject: "ada"}, at(time.Hour), 0, ""},
		"another subject":                         {Request{MaxAge: -1, Subject: "bob"}, at(time.Hour), 0, SwitchAccount},
		"another subject before a proof":          {Request{MaxAge: 0, Subject: "bob", SignInAgain: true}, at(time.Hour), 0, SwitchAccount},
		"prompt=login":                            {Request{MaxAge: -1, SignInAgain: true}, at(time.Second), 0, Confirm},
		"prompt=login, proven afterwards":         {Request{MaxAge: -1, SignInAgain: true}, at(-time.Second), time.Minute, ""},
		"prompt=login, an old session":            {Request{MaxAge: -1, SignInAgain: true}, &session.Session{UserID: "ada", CreatedAt: requestTime.Add(-time.Hour)}, 0, Confirm},
		"prompt=select_account":                   {Request{MaxAge: -1, ChooseAccount: true}, at(time.Hour), 0, ChooseAccount},
		"prompt=select_account, signed in for it": {Request{MaxAge: -1, ChooseAccount: true}, at(-time.Second), time.Minute, ""},
		"a proof before a choice":                 {Request{MaxAge: 0, ChooseAccount: true}, at(time.Hour), 0, Confirm},
		"max_age 0":                               {Request{MaxAge: 0}, at(2 * time.Second), 0, Confirm},
		"max_age 0, proven afterwards":            {Request{MaxAge: 0}, at(-time.Second), time.Hour, ""},
		"younger than max_age":                    {Request{MaxAge: 61}, at(time.Minute), 0, ""},
		"older than max_age":                      {Request{MaxAge: 59}, at(time.Minute), 0, Confirm},
		"older than max_age when it is resumed":   {Request{MaxAge: 120}, at(time.Minute), 61 * time.Second, Confirm},
		"max_age of an old session":               {Request{MaxAge: 3599}, &session.Session{UserID: "ada", CreatedAt: requestTime.Add(-time.Hour)}, 0, Confirm},
	} {
		row.request.StartedAt = requestTime
		if got := requestProvider(requestTime.Add(row.later)).stepBefore(row.request, row.current); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

func TestCheckVerifier(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		verifier, challenge string
		want                bool
	}{
		"the example":                 {verifier, challenge, true},
		"neither":                     {"", "", true},
		"a verifier alone":            {verifier, "", false},
		"a challenge alone":           {"", challenge, false},
		"another verifier":            {strings.Repeat("x", 43), challenge, false},
		"the challenge":               {challenge, challenge, false},
		"a longer verifier":           {verifier + "x", challenge, false},
		"a short verifier":            {verifier[1:], challenge, false},
		"a verifier of 129":           {strings.Repeat("x", 129), challenge, false},
		"a character that isn't sent": {verifier[:42] + "+", challenge, false},
		"a line break":                {verifier + "\n", challenge, false},
	} {
		if e := checkVerifier(row.verifier, row.challenge); (e == nil) != row.want || e != nil && e.Code != "invalid_grant" {
			t.Errorf("%s: %v", name, e)
		}
	}
	if e := checkVerifier(strings.Repeat("-._~", 32), "x"); e == nil || strings.Contains(e.Description, "43 to 128") {
		t.Errorf("all characters: %v", e)
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Scope{
		"": "", " ": "", "openid": "openid", "OPENID": "", "openid\temail": "openid email", "offline_access openid openid": "openid offline_access", "address phone": "", "openidx": "",
	} {
		if got := parseScope(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for _, row := range []struct {
		scope, other Scope
		want         bool
	}{
		{"openid email", "openid", true}, {"openid email", "email openid", true}, {"openid email", "", true}, {"openid", "openid email", false}, {"", "openid", false}, {"openid", "open", false},
	} {
		if row.scope.covers(row.other) != row.want {
			t.Errorf("%q covers %q: want %v", row.scope, row.other, row.want)
		}
	}
}
