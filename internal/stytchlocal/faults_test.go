package stytchlocal_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/debug"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/clock"
	"github.com/guestlist/guestlist/internal/stytchlocal"
)

// put sets faults as JSON and returns status and body.
func (f *fixture) put(body string) (int, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodPut, f.url+"/dev/faults.json", strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	status, _, text := f.raw(f.withKey(r))
	return status, strings.TrimSpace(text)
}

// faults sets faults as JSON.
func (f *fixture) faults(body string) {
	f.t.Helper()
	if status, text := f.put(body); status != http.StatusOK {
		f.t.Fatalf("%s: %d %s", body, status, text)
	}
}

// inside returns an SDK that calls the server within the process.
func (f *fixture) inside() *stytchapi.API {
	f.t.Helper()
	return f.newSDK(stytchapi.WithHTTPClient(&http.Client{Transport: f.server.Transport()}))
}

func TestFaults_EveryKindThroughTheSDK(t *testing.T) {
	t.Parallel()
	named := func(want string) func(error, bool) bool {
		return func(err error, _ bool) bool { return errorType(err) == want }
	}
	// unreadable stands for a response that is not the API's.
	unreadable := func(err error, _ bool) bool {
		return strings.Contains(errorType(err), "not of the API") && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.Canceled)
	}
	cut := func(err error, _ bool) bool { return errors.Is(err, io.ErrUnexpectedEOF) }
	hung := func(err error, _ bool) bool { return errors.Is(err, context.Canceled) }
	for _, row := range []struct {
		name, rule string
		want       func(err error, inside bool) bool
		made       int // users, although the answer was spoilt
	}{
		{"an error of Stytch's", `{"kind":"status","status":500}`, named("internal_server_error"), 0},
		{"an error after the call took effect", `{"kind":"status","status":503,"after":true}`, named("internal_server_error"), 1},
		{"too many requests", `{"kind":"status","status":429}`, named("too_many_requests"), 0},
		{"credentials that are refused", `{"kind":"status","status":401}`, named("unauthorized_credentials"), 0},
		{"another refusal", `{"kind":"status","status":400}`, named("bad_request"), 0},
		{"HTML", `{"kind":"garbage"}`, unreadable, 0},
		{"HTML after the call took effect", `{"kind":"garbage","after":true}`, unreadable, 1},
		{"no body", `{"kind":"empty"}`, unreadable, 0},
		{"half an answer", `{"kind":"cut"}`, cut, 1},
		{"no answer", `{"kind":"hang"}`, hung, 0},
		{"no answer after the call took effect", `{"kind":"hang","after":true}`, hung, 1},
		{"no connection", `{"kind":"down"}`, func(err error, inside bool) bool {
			return inside && errors.Is(err, syscall.ECONNREFUSED) || !inside && errors.Is(err, io.EOF)
		}, 0},
		{"a late answer", `{"kind":"slow","delay_ms":1}`, named(""), 1},
		{"a late error", `{"kind":"status","status":500,"delay_ms":1}`, named("internal_server_error"), 0},
		{"a share of nothing", `{"kind":"down","share":0}`, named(""), 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t)
			inside := f.inside()
			f.faults(`{"rules":[` + row.rule + `]}`)
			made := 0
			for name, sdk := range map[string]*stytchapi.API{"inside": inside, "by socket": f.sdk} {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if strings.Contains(row.rule, "hang") {
					go f.cancelWhen(ctx, cancel, made+row.made)
				}
				_, err := sdk.Users.Create(ctx, &users.CreateParams{Email: strings.ReplaceAll(name, " ", "") + "@example.com"})
				cancel()
				if !row.want(err, name == "inside") {
					t.Errorf("%s: %v", name, err)
				}
				made += row.made
				if n := f.count("stytch_users"); n != made {
					t.Errorf("%s: %d users were made, want %d", name, n, made)
				}
			}
		})
	}
}

// cancelWhen cancels a hanging call once it has taken effect.
func (f *fixture) cancelWhen(ctx context.Context, cancel func(), made int) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
		var n int
		if err := f.store.Reader().QueryRowContext(ctx, "SELECT COUNT(*) FROM stytch_users").Scan(&n); err == nil && n >= made {
			cancel()
			return
		}
	}
}

func TestFaults_RetryAfter(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.faults(`{"rules":[{"kind":"status","status":429}]}`)
	r, _ := http.NewRequestWithContext(t.Context(), "GET", f.url+"/v1/debug/whoami", nil)
	if status, header, _ := f.raw(r); status != 429 || header.Get("Retry-After") != "60" {
		t.Errorf("%d, Retry-After %q", status, header.Get("Retry-After"))
	}
}

func TestFaults_RouteAndShare(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	for _, row := range []struct {
		route string
		hits  map[string]bool
	}{
		{"", map[string]bool{"/v1/debug/whoami": true, "/v1/nothing": true}},
		{"*", map[string]bool{"/v1/debug/whoami": true, "//v1/debug/whoami": true}},
		{"/v1/debug/*", map[string]bool{"/v1/debug/whoami": true, "/v1/users": false}},
		{"/v1/debug/whoami", map[string]bool{"/v1/debug/whoami": true, "/v1/debug/whoami2": false, "/v1/debug": false}},
		{"/v1/*", map[string]bool{"/v1/magic_links/redirect?token=x": false, "/dev/inbox": false, "/dev/faults": false}},
	} {
		f.faults(`{"rules":[{"route":"` + row.route + `","kind":"status","status":418}]}`)
		for path, want := range row.hits {
			r, _ := http.NewRequestWithContext(t.Context(), "GET", f.url, nil)
			r.URL.Opaque = "//" + r.URL.Host + path
			if status, _, _ := f.raw(r); status == 418 != want {
				t.Errorf("route %q, GET %s: %d", row.route, path, status)
			}
		}
	}

	f.faults(`{"rules":[{"route":"/v1/users","kind":"status","status":500},{"kind":"status","status":429},{"kind":"down"}]}`)
	f.refused("POST", "/v1/users", nil, 500, "internal_server_error")
	f.refused("POST", "/v1/users/search", nil, 429, "too_many_requests")

	f.faults(`{}`)
	sdk := f.inside()
	f.faults(`{"rules":[{"kind":"status","status":500,"share":0.5},{"kind":"status","status":429,"share":1}]}`)
	met := map[string]int{}
	for range 200 {
		_, err := sdk.Debug.Whoami(t.Context(), &debug.WhoamiParams{})
		met[errorType(err)]++
	}
	if n := met["internal_server_error"]; n < 50 || n > 150 || met["too_many_requests"] != 200-n {
		t.Errorf("of 200 calls, %v", met)
	}

	f.faults(`{}`)
	f.ok("GET", "/v1/debug/whoami", nil)
}

func TestFaults_Clock(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	token, _ := f.link("ada@example.com", nil)
	spend := object{"token": token, "session_duration_minutes": 60}
	f.faults(`{"clock_ms":604800000}`)
	f.refused("POST", "/v1/magic_links/authenticate", spend, 401, "unable_to_auth_magic_link")
	f.faults(`{"clock_ms":-60000}`)
	in := f.ok("POST", "/v1/magic_links/authenticate", spend)
	if got, want := dig(in, "session", "started_at"), f.clock.now().Add(-time.Minute).Format(time.RFC3339Nano); got != want {
		t.Errorf("the session started at %v, want %s", got, want)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(in["session_jwt"].(string), ".")[1])
	var claims object
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims["iat"] != float64(f.clock.now().Add(-time.Minute).Unix()) {
		t.Errorf("the JWT says %s, %v", payload, err)
	}
	session := object{"session_token": in["session_token"]}
	f.ok("POST", "/v1/sessions/authenticate", session)
	f.faults(`{"clock_ms":3600000}`)
	f.refused("POST", "/v1/sessions/authenticate", session, 404, "session_not_found")
}

func TestFaults_ProgramClock(t *testing.T) {
	t.Parallel()
	var program *clock.Clock
	f := onSQLite(t, func(o *stytchlocal.Options) {
		program = clock.New(o.Now)
		o.ProgramClock, o.Now = program, program.Now
	})
	f.faults(`{"clock_ms":60000,"guestlist_clock_ms":3600000}`)
	if got, want := program.Now(), f.clock.now().Add(time.Hour); !got.Equal(want) {
		t.Errorf("the program has %v, want %v", got, want)
	}
	made := f.ok("POST", "/v1/users", object{"email": "ada@example.com"})
	if got, want := dig(made, "user", "created_at"), f.clock.now().Add(time.Hour+time.Minute).Format(time.RFC3339Nano); got != want {
		t.Errorf("the local Stytch has %v, want %v", got, want)
	}
	f.faults(`{}`)
	if program.Offset() != 0 {
		t.Errorf("the program's clock stays %v ahead", program.Offset())
	}
}

func TestFaults_Summary(t *testing.T) {
	t.Parallel()
	f := onSQLite(t, func(o *stytchlocal.Options) { o.ProgramClock = clock.New(o.Now) })
	for _, row := range []struct{ faults, want string }{
		{`{}`, ""},
		{`{"rules":[{"route":"/v1/users*","kind":"status","status":500,"share":0.5,"after":true}]}`,
			"Simulated fault: the local Stytch responds with 500 at /v1/users* for 50% of the calls, but the call takes effect."},
		{`{"rules":[{"kind":"slow","delay_ms":2000}],"clock_ms":-60000}`,
			"Simulated fault: the local Stytch responds after 2s; the local Stytch's clock is 1m0s behind."},
		{`{"rules":[{"kind":"down"},{"kind":"hang"},{"kind":"cut"}],"guestlist_clock_ms":3600000}`,
			"Simulated fault: the local Stytch can't be reached; the local Stytch never responds; 2 more."},
	} {
		f.faults(row.faults)
		if diff := cmp.Diff(row.want, f.server.Faults()); diff != "" {
			t.Errorf("%s: %s", row.faults, diff)
		}
	}
}

// The calls of passcodes and authenticator apps fail like the others, and keep what they
// did before they failed.
func TestFaults_CodesAndTOTPs(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	code, methodID := f.code("ada@example.com", nil)
	app := f.newApp("bob@example.com")
	redeem := object{"method_id": methodID, "code": code}

	f.faults(`{"rules":[{"route":"/v1/otps/authenticate","kind":"status","status":500},{"route":"/v1/totps*","kind":"status","status":429}]}`)
	f.refused("POST", "/v1/otps/authenticate", redeem, 500, "internal_server_error")
	f.refused("POST", "/v1/totps/authenticate", app.with(app.code(0)), 429, "too_many_requests")
	f.refused("POST", "/v1/totps", object{"user_id": app.userID}, 429, "too_many_requests")

	f.faults(`{"rules":[{"route":"/v1/otps/authenticate","kind":"status","status":500,"after":true},{"route":"/v1/totps*","kind":"status","status":500,"after":true}]}`)
	f.refused("POST", "/v1/otps/authenticate", redeem, 500, "internal_server_error")
	f.refused("POST", "/v1/totps/authenticate", app.with(app.code(0)), 500, "internal_server_error")
	f.faults(`{}`)
	f.refused("POST", "/v1/otps/authenticate", redeem, 401, "unable_to_auth_otp_code")
	f.refused("POST", "/v1/totps/authenticate", app.with(app.code(0)), 401, "totp_code_already_authenticated")

	late, methodID := f.code("carol@example.com", nil)
	f.faults(`{"clock_ms":120000}`)
	f.refused("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": late}, 401, "unable_to_auth_otp_code")
	f.refused("POST", "/v1/totps/authenticate", app.with(app.code(30*time.Second)), 401, "unable_to_authenticate_totp")
	f.ok("POST", "/v1/totps/authenticate", app.with(app.code(2*time.Minute)))
}
