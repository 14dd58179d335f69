package stytchlocal_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks"
)

const verifier = "a-verifier-of-the-least-length-there-can-be-0"

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestAuthenticate_PKCE(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	tests := []struct {
		name                string
		challenge, verifier string
		status              int
		errorType           string
	}{
		{"accepts the right verifier", challenge(), verifier, 200, ""},
		{"refuses another verifier", challenge(), verifier + "x", 400, "pkce_mismatch"},
		{"refuses a missing verifier", challenge(), "", 400, "pkce_expected_code_verifier"},
		{"refuses a verifier nobody expects", "", verifier, 400, "pkce_did_not_expect_code_verifier"},
		{"refuses a verifier of no form", challenge(), "short", 400, "invalid_pkce_code_verifier"},
		{"accepts neither", "", "", 200, ""},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			address := string(rune('a'+i)) + "@example.com"
			token, _ := f.link(address, object{"code_challenge": test.challenge})
			_, err := f.sdk.MagicLinks.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: token, CodeVerifier: test.verifier})
			if got := errorType(err); got != test.errorType {
				t.Fatalf("got %q, want %q", got, test.errorType)
			}
			if err == nil {
				return
			}
			right := object{"token": token}
			if test.challenge != "" {
				right["code_verifier"] = verifier
			}
			f.ok("POST", "/v1/magic_links/authenticate", right) // the mistake did not cost the link
		})
	}
}

func TestAuthenticate_Attributes(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	asked := object{"ip_address": "203.0.113.7", "user_agent": "B" + strings.Repeat("é", 700)}
	tests := []struct {
		name      string
		asked     any
		came      any
		options   object
		errorType string
	}{
		{"does not look unless told", asked, object{"ip_address": "198.51.100.1"}, object{}, ""},
		{"accepts the same browser", asked, asked, object{"ip_match_required": true, "user_agent_match_required": true}, ""},
		{"refuses another address", asked, object{"ip_address": "198.51.100.1", "user_agent": asked["user_agent"]}, object{"ip_match_required": true}, "attribute_mismatch"},
		{"refuses another browser", asked, object{"ip_address": "203.0.113.7", "user_agent": "Other"}, object{"user_agent_match_required": true}, "attribute_mismatch"},
		{"refuses what was never told", nil, nil, object{"ip_match_required": true}, "attribute_mismatch"},
		{"refuses two empty ones", object{"ip_address": ""}, object{"ip_address": ""}, object{"ip_match_required": true}, "attribute_mismatch"},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token, _ := f.link(string(rune('a'+i))+"@example.com", object{"attributes": test.asked})
			body := object{"token": token, "attributes": test.came, "options": test.options}
			if test.errorType == "" {
				f.ok("POST", "/v1/magic_links/authenticate", body)
				return
			}
			f.refused("POST", "/v1/magic_links/authenticate", body, 401, test.errorType)
			f.ok("POST", "/v1/magic_links/authenticate", object{"token": token})
		})
	}
}

func TestAuthenticate_MistakesKeepTheLink(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	token, _ := f.link("ada@example.com", nil)
	bob := f.signIn("bob@example.com")
	tests := []struct {
		name      string
		more      object
		status    int
		errorType string
	}{
		{"refuses a session of no time", object{"session_duration_minutes": 0}, 400, "invalid_session_duration_minutes"},
		{"refuses a session of four minutes", object{"session_duration_minutes": 4}, 400, "invalid_session_duration_minutes"},
		{"refuses a session of more than 366 days", object{"session_duration_minutes": 527041}, 400, "invalid_session_duration_minutes"},
		{"refuses a token and a JWT", object{"session_token": bob["session_token"], "session_jwt": bob["session_jwt"]}, 400, "too_many_session_arguments"},
		{"refuses a session token of no form", object{"session_token": "x"}, 400, "invalid_session_token"},
		{"refuses a JWT that is none", object{"session_jwt": "x"}, 400, "unable_to_parse_session_jwt"},
		{"refuses an unknown session", object{"session_token": strings.Repeat("a", 44)}, 404, "session_not_found"},
		{"refuses a reserved claim", object{"session_custom_claims": object{"sub": "x"}}, 400, "reserved_claims_in_custom_claims"},
		{"refuses a claim of Stytch's", object{"session_custom_claims": object{"https://stytch.com/session": object{}}}, 400, "stytch_claims_in_custom_claims"},
		{"refuses claims that are too large", object{"session_duration_minutes": 5, "session_custom_claims": object{"x": strings.Repeat("x", 4096)}}, 400, "custom_claims_too_large"},
		{"refuses claims that are no object", object{"session_custom_claims": []any{}}, 400, "bad_request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.more["token"] = token
			f.refused("POST", "/v1/magic_links/authenticate", test.more, test.status, test.errorType)
		})
	}
	f.ok("POST", "/v1/magic_links/authenticate", object{"token": token, "session_duration_minutes": 527040})
}

func TestAuthenticate_InvalidTokens(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	real, _ := f.link("ada@example.com", nil)
	tests := []struct {
		name, token string
		status      int
		errorType   string
	}{
		{"refuses no token", "", 400, "invalid_token"},
		{"refuses a token of no form", "x", 400, "invalid_token"},
		{"refuses a token cut short", real[:43], 400, "invalid_token"},
		{"does not know another token", strings.Repeat("a", 44), 404, "magic_link_not_found"},
		{"knows the sandbox's used link", "3pzjQpgksDlGKWEwUq2Up--hCHC_0oamfLHyfspKDFU=", 401, "unable_to_auth_magic_link"},
		{"knows the sandbox's unknown link", "CprTtwhnRNiMBiUS2jSLcWYrfuO2POeBNdo5HhW6qTM=", 404, "magic_link_not_found"},
		{"does not honour the sandbox's good link", "DOYoip3rvIMMW5lgItikFK-Ak1CfMsgjuiCyI7uuU94=", 404, "magic_link_not_found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f.refused("POST", "/v1/magic_links/authenticate", object{"token": test.token}, test.status, test.errorType)
		})
	}
	f.refused("POST", "/v1/sessions/authenticate", object{"session_token": "WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5JhjlWUY7l3FtY"}, 404, "session_not_found")
}

func TestAuthenticate_AddsFactorToSession(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first := f.signIn("ada@example.com")
		began := dig(first, "session", "authentication_factors", 0, "created_at")

		f.clock.advance(time.Minute)
		token, _ := f.link("ada@example.com", nil)
		again := f.ok("POST", "/v1/magic_links/authenticate", object{"token": token, "session_token": first["session_token"]})
		if dig(again, "session", "session_id") != dig(first, "session", "session_id") || again["session_token"] != first["session_token"] {
			t.Errorf("it is another session: %v", again["session"])
		}
		if dig(again, "session", "expires_at") != dig(first, "session", "expires_at") {
			t.Errorf("the end moved to %v without being asked", dig(again, "session", "expires_at"))
		}
		factors := dig(again, "session", "authentication_factors").([]any)
		if len(factors) != 1 || dig(factors, 0, "created_at") != began || dig(factors, 0, "last_authenticated_at") == began {
			t.Errorf("the same factor again gives %v", factors)
		}

		embedded := f.ok("POST", "/v1/magic_links", object{"user_id": first["user_id"]})
		other := f.ok("POST", "/v1/magic_links/authenticate", object{
			"token": embedded["token"], "session_jwt": first["session_jwt"], "session_duration_minutes": 5,
		})
		if n := len(dig(other, "session", "authentication_factors").([]any)); n != 2 || other["session_token"] != first["session_token"] {
			t.Errorf("another factor gives %v", other["session"])
		}
		if got, want := dig(other, "session", "expires_at"), f.clock.now().Add(5*time.Minute).Format(time.RFC3339Nano); got != want {
			t.Errorf("the session ends %v, want %v", got, want)
		}

		bobs, _ := f.link("bob@example.com", nil)
		bob := f.ok("POST", "/v1/magic_links/authenticate", object{"token": bobs, "session_token": first["session_token"], "session_duration_minutes": 5})
		if dig(bob, "session", "user_id") != bob["user_id"] || dig(bob, "session", "session_id") == dig(first, "session", "session_id") {
			t.Errorf("somebody else's session was taken over: %v", bob["session"])
		}
	})
}
