package stytchlocal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"

	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestSDK_Sessions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		in := f.signIn("ada@example.com")
		token, userID := in["session_token"].(string), in["user_id"].(string)
		started := f.clock.now()

		f.clock.advance(10 * time.Minute)
		got, err := f.sdk.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token})
		if err != nil {
			t.Fatal(err)
		}
		if got.SessionToken != token || got.SessionJWT == in["session_jwt"] || got.User.UserID != userID || got.Session.UserID != userID {
			t.Errorf("authenticate answers %+v", got)
		}
		if !got.Session.StartedAt.Equal(started) || !got.Session.LastAccessedAt.Equal(f.clock.now()) || !got.Session.ExpiresAt.Equal(started.Add(time.Hour)) {
			t.Errorf("times are %v, %v, %v", got.Session.StartedAt, got.Session.LastAccessedAt, got.Session.ExpiresAt)
		}

		// An expired JWT still identifies the session.
		got, err = f.sdk.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionJWT: in["session_jwt"].(string), SessionDurationMinutes: 5})
		if err != nil || got.SessionToken != token || !got.Session.ExpiresAt.Equal(f.clock.now().Add(5*time.Minute)) {
			t.Errorf("authenticate by JWT: %+v, %v", got, err)
		}
		if list, err := f.sdk.Sessions.Get(t.Context(), &sessions.GetParams{UserID: userID}); err != nil || len(list.Sessions) != 1 {
			t.Errorf("sessions: %+v, %v", list, err)
		}
		f.clock.advance(5 * time.Minute)
		_, err = f.sdk.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: token})
		if got := errorType(err); got != "session_not_found" {
			t.Errorf("an expired session: %s", got)
		}
		_, err = f.sdk.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionJWT: in["session_jwt"].(string)})
		if got := errorType(err); got != "session_not_found" {
			t.Errorf("the JWT of an expired session: %s", got)
		}
		list := f.ok("GET", "/v1/sessions?user_id="+userID, nil)
		if n := len(list["sessions"].([]any)); n != 0 {
			t.Errorf("%d sessions are listed after the end", n)
		}
	})
}

func TestRevokeSession(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		by := map[string]func(in object) *sessions.RevokeParams{
			"id": func(in object) *sessions.RevokeParams {
				return &sessions.RevokeParams{SessionID: dig(in, "session", "session_id").(string)}
			},
			"token": func(in object) *sessions.RevokeParams {
				return &sessions.RevokeParams{SessionToken: in["session_token"].(string)}
			},
			"jwt": func(in object) *sessions.RevokeParams {
				return &sessions.RevokeParams{SessionJWT: in["session_jwt"].(string)}
			},
		}
		for name, params := range by {
			t.Run("by "+name, func(t *testing.T) {
				other, in := f.signIn(name+"@example.com"), f.signIn(name+"@example.com")
				if _, err := f.sdk.Sessions.Revoke(t.Context(), params(in)); err != nil {
					t.Fatal(err)
				}
				_, err := f.sdk.Sessions.Revoke(t.Context(), params(in))
				if got := errorType(err); got != "session_not_found" {
					t.Errorf("revoked again: %s", got)
				}
				f.refused("POST", "/v1/sessions/authenticate", object{"session_token": in["session_token"]}, 404, "session_not_found")
				f.refused("POST", "/v1/sessions/authenticate", object{"session_jwt": in["session_jwt"]}, 404, "session_not_found")
				f.ok("POST", "/v1/sessions/authenticate", object{"session_token": other["session_token"]})
			})
		}
	})
}

func TestSessions_Expired(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		token, _ := f.link("ada@example.com", nil)
		in := f.ok("POST", "/v1/magic_links/authenticate", object{"token": token, "session_duration_minutes": 5})
		f.clock.advance(5 * time.Minute)
		for _, named := range []object{{"session_token": in["session_token"]}, {"session_jwt": in["session_jwt"]}} {
			f.refused("POST", "/v1/sessions/authenticate", named, 404, "session_not_found")
			f.refused("POST", "/v1/sessions/revoke", named, 404, "session_not_found")
			named["email"] = "ada2@example.com"
			f.refused("POST", "/v1/magic_links/email/send", named, 404, "session_not_found")
			named["token"], _ = f.link("ada@example.com", nil)
			f.refused("POST", "/v1/magic_links/authenticate", named, 404, "session_not_found")
		}
		f.refused("POST", "/v1/sessions/revoke", object{"session_id": dig(in, "session", "session_id")}, 404, "session_not_found")
	})
}

func TestSessions_Invalid(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	in := f.signIn("ada@example.com")
	other := onSQLite(t).signIn("ada@example.com")
	unsigned := in["session_jwt"].(string)
	unsigned = unsigned[:strings.LastIndex(unsigned, ".")+1]
	none := "eyJhbGciOiJub25lIn0" + unsigned[strings.Index(unsigned, "."):]
	unknown := strings.Repeat("a", 44)
	tests := []struct {
		name, path string
		body       object
		status     int
		errorType  string
	}{
		{"wants a session", "authenticate", object{}, 400, "no_session_arguments"},
		{"refuses empty ones", "authenticate", object{"session_token": "", "session_jwt": ""}, 400, "no_session_arguments"},
		{"refuses both", "authenticate", object{"session_token": in["session_token"], "session_jwt": in["session_jwt"]}, 400, "too_many_session_arguments"},
		{"refuses a token of no form", "authenticate", object{"session_token": "x"}, 400, "invalid_session_token"},
		{"does not know another token", "authenticate", object{"session_token": unknown}, 404, "session_not_found"},
		{"refuses a JWT that is none", "authenticate", object{"session_jwt": "a.b.c"}, 400, "unable_to_parse_session_jwt"},
		{"refuses a JWT without signature", "authenticate", object{"session_jwt": unsigned}, 400, "unable_to_parse_session_jwt"},
		{"refuses a JWT that says it needs none", "authenticate", object{"session_jwt": none}, 400, "unable_to_parse_session_jwt"},
		{"refuses another project's JWT", "authenticate", object{"session_jwt": other["session_jwt"]}, 400, "unable_to_parse_session_jwt"},
		{"refuses a duration of no time", "authenticate", object{"session_token": in["session_token"], "session_duration_minutes": 0}, 400, "invalid_session_duration_minutes"},
		{"refuses reserved claims", "authenticate", object{"session_token": in["session_token"], "session_custom_claims": object{"exp": 1}}, 400, "reserved_claims_in_custom_claims"},
		{"refuses to judge", "authenticate", object{"session_token": in["session_token"], "authorization_check": object{"resource_id": "r", "action": "a"}}, 403, "consumer_session_authorization_error"},
		{"wants something to revoke", "revoke", object{}, 400, "no_session_revoke_arguments"},
		{"refuses two to revoke", "revoke", object{"session_id": "x", "session_token": "y"}, 400, "too_many_session_revoke_arguments"},
		{"refuses an id of no form", "revoke", object{"session_id": "x"}, 400, "invalid_session_id"},
		{"does not know another id", "revoke", object{"session_id": "session-test-00000000-0000-0000-0000-000000000000"}, 404, "session_not_found"},
		{"refuses to revoke a token of no form", "revoke", object{"session_token": "x"}, 400, "invalid_session_token"},
		{"does not know another token to revoke", "revoke", object{"session_token": unknown}, 404, "session_not_found"},
		{"refuses to revoke a JWT that is none", "revoke", object{"session_jwt": "x"}, 400, "unable_to_parse_session_jwt"},
		{"has no exchange", "exchange_access_token", object{}, 404, "route_not_found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f.refused("POST", "/v1/sessions/"+test.path, test.body, test.status, test.errorType)
		})
	}
	f.refused("GET", "/v1/sessions", nil, 400, "invalid_user_id")
	f.refused("GET", "/v1/sessions?user_id=nobody", nil, 404, "user_not_found")
	f.ok("POST", "/v1/sessions/authenticate", object{"session_token": in["session_token"]})
}

func TestSessions_CustomClaims(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		token, _ := f.link("ada@example.com", nil)
		in := f.ok("POST", "/v1/magic_links/authenticate", object{
			"token": token, "session_duration_minutes": 60,
			"session_custom_claims": object{"plan": "gold", "n": 0, "gone": nil, "team": object{"id": 1, "name": "a"}},
		})
		if diff := cmp.Diff(object{"plan": "gold", "n": 0.0, "team": object{"id": 1.0, "name": "a"}}, dig(in, "session", "custom_claims")); diff != "" {
			t.Errorf("claims at first (-want +got):\n%s", diff)
		}
		got := f.ok("POST", "/v1/sessions/authenticate", object{
			"session_token": in["session_token"], "session_custom_claims": object{"n": nil, "team": object{"name": nil, "x": true}},
		})
		want := object{"plan": "gold", "team": object{"id": 1.0, "x": true}}
		if diff := cmp.Diff(want, dig(got, "session", "custom_claims")); diff != "" {
			t.Errorf("claims after a change (-want +got):\n%s", diff)
		}
		var inside jwt.MapClaims
		if _, _, err := jwt.NewParser().ParseUnverified(got["session_jwt"].(string), &inside); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want["team"], inside["team"]); diff != "" || inside["plan"] != "gold" {
			t.Errorf("claims in the JWT: %v", inside)
		}
		got = f.ok("POST", "/v1/sessions/authenticate", object{"session_token": in["session_token"], "session_custom_claims": object{"plan": nil, "team": nil}})
		if dig(got, "session", "custom_claims") != nil {
			t.Errorf("no claims are shown as %v", dig(got, "session", "custom_claims"))
		}
	})
}

// The SDK verifies JWTs with the system's clock, so these tests start at its time.
func TestJWT_SDKVerifies(t *testing.T) {
	t.Parallel()
	clock := newClock(time.Now())
	f := newFixture(t, testdb.SQLite(t), clock)
	f.ok("POST", "/v1/users", object{"email": "ada@example.com", "roles": []string{"admin"}})
	token, _ := f.link("ada@example.com", object{})
	in := f.ok("POST", "/v1/magic_links/authenticate", object{
		"token": token, "session_duration_minutes": 60, "session_custom_claims": object{"plan": "gold"}, "attributes": object{"ip_address": "203.0.113.7"},
	})
	remote, err := f.sdk.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionToken: in["session_token"].(string)})
	if err != nil {
		t.Fatal(err)
	}
	clients := map[string]*stytchapi.API{
		"over a socket":      f.sdk,
		"with a slash":       f.newSDK(stytchapi.WithBaseURI(f.url + "/")),
		"inside the process": f.newSDK(stytchapi.WithHTTPClient(&http.Client{Transport: f.server.Transport()})),
	}
	for name, sdk := range clients {
		local, err := sdk.Sessions.AuthenticateJWTLocal(in["session_jwt"].(string), time.Minute)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(&remote.Session, local); diff != "" {
			t.Errorf("%s: local check (-remote +local):\n%s", name, diff)
		}
	}

	// A server opened again on the same database is the same Stytch.
	again := f.newServer()
	if diff := cmp.Diff(f.server.Credentials(), again.Credentials()); diff != "" {
		t.Errorf("credentials after a restart (-before +after):\n%s", diff)
	}
	f.server = again
	restarted := f.newSDK(stytchapi.WithHTTPClient(&http.Client{Transport: again.Transport()}))
	if _, err := restarted.Sessions.AuthenticateJWTLocal(in["session_jwt"].(string), time.Minute); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if got, err := restarted.Sessions.Authenticate(t.Context(), &sessions.AuthenticateParams{SessionJWT: in["session_jwt"].(string)}); err != nil || got.SessionToken != in["session_token"] {
		t.Errorf("after a restart: %+v, %v", got, err)
	}

	otherProject := onSQLite(t)
	if _, err := otherProject.sdk.Sessions.AuthenticateJWTLocal(in["session_jwt"].(string), time.Minute); err == nil {
		t.Error("another project's SDK accepts the JWT")
	}
	clock.advance(-10 * time.Minute)
	old := f.signIn("bob@example.com")
	if _, err := f.sdk.Sessions.AuthenticateJWTLocal(old["session_jwt"].(string), time.Hour); err == nil {
		t.Error("the SDK accepts a JWT of ten minutes ago")
	}
}

func TestJWT_Claims(t *testing.T) {
	t.Parallel()
	f := onSQLite(t, func(o *stytchlocal.Options) { o.Limits = false })
	token, _ := f.link("ada@example.com", nil)
	in := f.ok("POST", "/v1/magic_links/authenticate", object{"token": token, "session_duration_minutes": 6})
	var claims jwt.MapClaims
	parsed, _, err := jwt.NewParser().ParseUnverified(in["session_jwt"].(string), &claims)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Header["alg"] != "RS256" || parsed.Header["typ"] != "JWT" || !strings.HasPrefix(parsed.Header["kid"].(string), "jwk-test-") {
		t.Errorf("header is %v", parsed.Header)
	}
	id := f.server.Credentials().ProjectID
	now := float64(f.clock.now().Unix())
	session := object{
		"id": dig(in, "session", "session_id"), "started_at": dig(in, "session", "started_at"), "last_accessed_at": dig(in, "session", "last_accessed_at"),
		"expires_at": dig(in, "session", "expires_at"), "attributes": nil, "roles": []any{}, "authentication_factors": dig(in, "session", "authentication_factors"),
	}
	want := jwt.MapClaims{
		"iss": "stytch.com/" + id, "aud": []any{id}, "sub": in["user_id"], "iat": now, "nbf": now, "exp": now + 300, "https://stytch.com/session": session,
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}

	f.clock.advance(2 * time.Minute)
	late := f.ok("POST", "/v1/sessions/authenticate", object{"session_token": in["session_token"]})
	jwt.NewParser().ParseUnverified(late["session_jwt"].(string), &claims)
	if claims["exp"] != now+360 {
		t.Errorf("exp is %v, after the session's end at %v", claims["exp"], now+360)
	}
}
