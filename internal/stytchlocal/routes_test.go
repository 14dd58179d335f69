package stytchlocal_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/debug"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"

	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

func TestAPI_PathsAndMethods(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	tests := []struct {
		name, method, path string
		status             int
		errorType, allow   string
	}{
		{"serves no passcodes by SMS", "POST", "/v1/otps/sms/login_or_create", 404, "route_not_found", ""},
		{"serves no passcodes by WhatsApp", "POST", "/v1/otps/whatsapp/send", 404, "route_not_found", ""},
		{"serves no passwords", "POST", "/v1/passwords/authenticate", 404, "route_not_found", ""},
		{"serves no wallets", "POST", "/v1/crypto_wallets/authenticate", 404, "route_not_found", ""},
		{"knows no other path", "GET", "/v1/nothing", 404, "route_not_found", ""},
		{"knows no other version", "GET", "/v2/users/search", 404, "route_not_found", ""},
		{"has no slash at the end", "POST", "/v1/users/", 404, "route_not_found", ""},
		{"answers an empty id", "GET", "/v1/users/", 404, "route_not_found", ""},
		{"answers an empty id in the middle", "PUT", "/v1/users//exchange_primary_factor", 404, "route_not_found", ""},
		{"does not climb", "GET", "/v1/sessions/../users/x", 404, "route_not_found", ""},
		{"does not guess at escapes", "POST", "/v1/us%65rs", 404, "route_not_found", ""},
		{"refuses a wrong method", "GET", "/v1/magic_links/authenticate", 405, "method_not_allowed", "POST"},
		{"lists all methods of a path", "POST", "/v1/users/x", 405, "method_not_allowed", "GET, PUT, DELETE"},
		{"does not take search for an id", "GET", "/v1/users/search", 405, "method_not_allowed", "POST"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, _ := http.NewRequestWithContext(t.Context(), test.method, f.url, nil)
			r.URL.Opaque = "//" + r.URL.Host + test.path
			status, header, body := f.raw(r)
			if status != test.status || !strings.Contains(body, `"error_type":"`+test.errorType+`"`) || header.Get("Allow") != test.allow {
				t.Errorf("got %d, Allow %q, %s", status, header.Get("Allow"), body)
			}
			if got := header.Get("Content-Type"); got != "application/json; charset=utf-8" {
				t.Errorf("Content-Type is %q", got)
			}
		})
	}
}

func TestAPI_Credentials(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	good := f.server.Credentials()
	tests := []struct {
		name, id, secret, errorType string
	}{
		{"wants credentials", "", "", "unauthorized_credentials"},
		{"refuses another project", "project-test-00000000-0000-0000-0000-000000000000", good.Secret, "unauthorized_credentials"},
		{"refuses another secret", good.ProjectID, "secret-test-x", "unauthorized_credentials"},
		{"refuses a secret cut short", good.ProjectID, good.Secret[:len(good.Secret)-1], "unauthorized_credentials"},
		{"refuses no secret", good.ProjectID, "", "unauthorized_credentials"},
		{"refuses a live project", "project-live-00000000-0000-0000-0000-000000000000", good.Secret, "invalid_project_id_authentication"},
		{"refuses a live secret", good.ProjectID, "secret-live-x", "invalid_secret_authentication"},
		{"refuses the public token", good.ProjectID, good.PublicToken, "invalid_secret_authentication"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, _ := http.NewRequestWithContext(t.Context(), "POST", f.url+"/v1/users/search", nil)
			if test.id != "" {
				r.SetBasicAuth(test.id, test.secret)
			}
			status, header, body := f.raw(r)
			if status != 401 || !strings.Contains(body, `"error_type":"`+test.errorType+`"`) || header.Get("WWW-Authenticate") == "" {
				t.Errorf("got %d, %v, %s", status, header, body)
			}
		})
	}
	me, err := f.sdk.Debug.Whoami(t.Context(), &debug.WhoamiParams{})
	if err != nil || me.ProjectID != good.ProjectID || me.Name != "Guestlist" {
		t.Errorf("whoami: %+v, %v", me, err)
	}
}

func TestAPI_KeysArePublic(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	id := f.server.Credentials().ProjectID
	for _, path := range []string{"/v1/sessions/jwks/" + id, "//v1/sessions/jwks/" + id} {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", f.url+path, nil)
		status, body := f.do(r)
		key, _ := dig(body, "keys", 0).(object)
		if status != 200 || key["kty"] != "RSA" || key["alg"] != "RS256" || key["use"] != "sig" || key["e"] != "AQAB" || len(key["n"].(string)) != 512 {
			t.Errorf("%s: %d %v", path, status, body)
		}
		if key["d"] != nil || len(key) != 7 {
			t.Errorf("%s shows %v", path, key)
		}
	}
	f.refused("GET", "/v1/sessions/jwks/project-test-00000000-0000-0000-0000-000000000000", nil, 404, "project_not_found")
}

func TestAPI_BodyLimit(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	big := `{"email":"` + strings.Repeat("a", 1<<20) + `"}`
	f.refused("POST", "/v1/users", big, 400, "bad_request")
	sdk := &http.Client{Transport: f.server.Transport()}
	r, _ := http.NewRequestWithContext(t.Context(), "POST", "https://stytch.invalid/v1/users", strings.NewReader(big))
	r.SetBasicAuth(f.server.Credentials().ProjectID, f.server.Credentials().Secret)
	resp, err := sdk.Do(r)
	if err != nil || resp.StatusCode != 400 {
		t.Errorf("inside the process: %v, %v", resp, err)
	}
}

func TestTransport_ContextEnds(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	f := onSQLite(t, func(o *stytchlocal.Options) {
		o.Mailer = mailerFunc(func(context.Context, mail.Message) error { <-release; return nil })
	})
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(0, cancel)
	r, _ := http.NewRequestWithContext(ctx, "POST", "https://stytch.invalid/v1/magic_links/email/login_or_create", strings.NewReader(`{"email":"ada@example.com"}`))
	r.SetBasicAuth(f.server.Credentials().ProjectID, f.server.Credentials().Secret)
	if _, err := f.server.Transport().RoundTrip(r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled context", err)
	}
}

func TestAPI_DatabaseError(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.store.Close()
	answer := f.refused("POST", "/v1/users/search", object{}, 500, "internal_server_error")
	if text := answer["error_message"].(string); strings.Contains(text, "sql") {
		t.Errorf("the message tells of the database: %s", text)
	}
	f.refused("POST", "/v1/magic_links/email/login_or_create", object{"email": "ada@example.com"}, 500, "internal_server_error")
	if status, _, page := f.open(http.MethodGet, strings.Repeat("a", 44)); status != 503 || !strings.Contains(page, "Your link still works") {
		t.Errorf("a mailed link answers %d\n%s", status, page)
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", f.url+"/dev/inbox.json", nil)
	if status, _, body := f.raw(f.withKey(r)); status != 503 || !strings.Contains(body, "error") {
		t.Errorf("the inbox answers %d %s", status, body)
	}
}

func TestAPI_Panic(t *testing.T) {
	t.Parallel()
	f := onSQLite(t, func(o *stytchlocal.Options) {
		o.Log = discard
		o.Mailer = mailerFunc(func(context.Context, mail.Message) error { panic("trap") })
	})
	f.refused("POST", "/v1/magic_links/email/login_or_create", object{"email": "ada@example.com"}, 500, "internal_server_error")
	inside := f.newSDK(stytchapi.WithHTTPClient(&http.Client{Transport: f.server.Transport()}))
	_, err := inside.Debug.Whoami(t.Context(), nil)
	if err != nil {
		t.Errorf("the server does not go on: %v", err)
	}
}

func TestAPI_Headers(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	r, _ := http.NewRequestWithContext(t.Context(), "GET", f.url+"/v1/sessions/jwks/"+url.PathEscape(f.server.Credentials().ProjectID), nil)
	_, header, _ := f.raw(r)
	got := map[string]string{}
	for _, name := range []string{"Cache-Control", "X-Content-Type-Options", "Content-Security-Policy", "Access-Control-Allow-Origin"} {
		got[name] = header.Get(name)
	}
	want := map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// mailerFunc makes a function a mail.Sender.
type mailerFunc func(ctx context.Context, m mail.Message) error

func (f mailerFunc) Send(ctx context.Context, m mail.Message) error { return f(ctx, m) }
