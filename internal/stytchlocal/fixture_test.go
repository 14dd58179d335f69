package stytchlocal_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/testdb"
)

const callback = "https://guestlist.example/api/authenticate_magic_link?from=mail"

// fakeClock stands still until it is advanced.
type fakeClock struct{ micros atomic.Int64 }

func newClock(t time.Time) *fakeClock {
	c := &fakeClock{}
	c.micros.Store(t.UnixMicro())
	return c
}

func (c *fakeClock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *fakeClock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// fixture is a server with its own database, reached over a socket and by an SDK.
type fixture struct {
	t      *testing.T
	clock  *fakeClock
	store  *store.Store
	server *stytchlocal.Server
	url    string
	sdk    *stytchapi.API
}

// each runs fn with a new fixture on each database engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture), changes ...func(*stytchlocal.Options)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		fn(t, newFixture(t, databaseURL, newClock(time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)), changes...))
	})
}

// onSQLite returns a fixture for tests that do not depend on the engine.
func onSQLite(t *testing.T, changes ...func(*stytchlocal.Options)) *fixture {
	t.Helper()
	return newFixture(t, testdb.SQLite(t), newClock(time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)), changes...)
}

func newFixture(t *testing.T, databaseURL string, clock *fakeClock, changes ...func(*stytchlocal.Options)) *fixture {
	t.Helper()
	db, err := store.Open(databaseURL, clock.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), discard); err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, clock: clock, store: db}
	f.server = f.newServer(changes...)
	httpServer := httptest.NewServer(stytchlocal.LoopbackOnly(f.handler()))
	t.Cleanup(httpServer.Close)
	f.url = httpServer.URL
	f.sdk = f.newSDK(stytchapi.WithBaseURI(f.url))
	return f
}

// newServer returns another server on the fixture's database.
func (f *fixture) newServer(changes ...func(*stytchlocal.Options)) *stytchlocal.Server {
	f.t.Helper()
	opts := stytchlocal.Options{
		Read: f.store.Reader(), InTx: f.store.Transact, IsDuplicate: store.IsDuplicate, Now: f.clock.now,
		Log:     slog.New(slog.NewTextHandler(testLog{f.t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
		BaseURL: "https://guestlist.example/people", RedirectURLs: []string{callback}, Product: "Guestlist",
		Limits: true, Inbox: true, Stylesheet: "/static/app.css",
	}
	for _, change := range changes {
		change(&opts)
	}
	server, err := stytchlocal.New(f.t.Context(), opts)
	if err != nil {
		f.t.Fatal(err)
	}
	return server
}

// discard is the log of tests that provoke errors.
var discard = slog.New(slog.DiscardHandler)

// testLog writes a server's warnings to the test's output.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func (f *fixture) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/dev/", f.server.DevPages())
	api := f.server.API()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/dev/") {
			mux.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

func (f *fixture) newSDK(options ...stytchapi.Option) *stytchapi.API {
	f.t.Helper()
	c := f.server.Credentials()
	sdk, err := stytchapi.NewClient(c.ProjectID, c.Secret, append(options, stytchapi.WithInitializationContext(f.t.Context()))...)
	if err != nil {
		f.t.Fatal(err)
	}
	return sdk
}

// object is a JSON body.
type object = map[string]any

// call sends a request with credentials and returns status and body.
func (f *fixture) call(method, path string, body any) (int, object) {
	f.t.Helper()
	return f.do(f.request(method, path, body))
}

func (f *fixture) request(method, path string, body any) *http.Request {
	f.t.Helper()
	var text string
	switch body := body.(type) {
	case nil:
	case string:
		text = body
	default:
		b, err := json.Marshal(body)
		if err != nil {
			f.t.Fatal(err)
		}
		text = string(b)
	}
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(text))
	if err != nil {
		f.t.Fatal(err)
	}
	c := f.server.Credentials()
	r.SetBasicAuth(c.ProjectID, c.Secret)
	return r
}

func (f *fixture) do(r *http.Request) (int, object) {
	f.t.Helper()
	status, _, text := f.raw(r)
	var body object
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		f.t.Fatalf("%s %s: the body is no JSON object: %q", r.Method, r.URL, text)
	}
	if got := body["status_code"]; got != float64(status) {
		f.t.Errorf("%s %s: status_code is %v in the body and %d in the answer", r.Method, r.URL, got, status)
	}
	if id, _ := body["request_id"].(string); !strings.HasPrefix(id, "request-id-test-") {
		f.t.Errorf("%s %s: request_id is %q", r.Method, r.URL, id)
	}
	return status, body
}

// exec changes the database.
func (f *fixture) exec(statement string) {
	f.t.Helper()
	err := f.store.Transact(f.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(f.t.Context(), statement)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// withKey adds the key of the developer pages to a request.
func (f *fixture) withKey(r *http.Request) *http.Request {
	r.Header.Set("Authorization", "Bearer "+f.server.DevKey())
	return r
}

func (f *fixture) raw(r *http.Request) (int, http.Header, string) {
	f.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// ok is call for requests that must succeed.
func (f *fixture) ok(method, path string, body any) object {
	f.t.Helper()
	status, answer := f.call(method, path, body)
	if status != http.StatusOK {
		f.t.Fatalf("%s %s: %d %v", method, path, status, answer)
	}
	return answer
}

// refused checks that a call fails with this status and error type.
func (f *fixture) refused(method, path string, body any, status int, errorType string) object {
	f.t.Helper()
	got, answer := f.call(method, path, body)
	if got != status || answer["error_type"] != errorType {
		f.t.Errorf("%s %s %v: got %d %v, want %d %s", method, path, body, got, answer, status, errorType)
	}
	for _, field := range []string{"error_message", "error_url"} {
		if text, _ := answer[field].(string); text == "" {
			f.t.Errorf("%s %s: no %s", method, path, field)
		}
	}
	return answer
}

// mails returns the inbox, newest first.
func (f *fixture) mails() []inboxMail {
	f.t.Helper()
	r, _ := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.url+"/dev/inbox.json", nil)
	_, _, text := f.raw(f.withKey(r))
	var inbox struct{ Messages []inboxMail }
	if err := json.Unmarshal([]byte(text), &inbox); err != nil {
		f.t.Fatalf("inbox: %q", text)
	}
	return inbox.Messages
}

// inboxMail is an email as the inbox returns it.
type inboxMail struct {
	ID, To, Subject, Text, HTML string
	SentAt                      time.Time `json:"sent_at"`
	Links                       []string
	Code                        string
}

// token returns the token in the newest mail to an address.
func (f *fixture) token(email string) string {
	f.t.Helper()
	for _, m := range f.mails() {
		if m.To == email && len(m.Links) == 1 {
			u, err := url.Parse(m.Links[0])
			if err != nil {
				f.t.Fatal(err)
			}
			return u.Query().Get("token")
		}
	}
	f.t.Fatalf("no mail to %s", email)
	return ""
}

// link emails a link to an address and returns its token and the response.
func (f *fixture) link(email string, more object) (string, object) {
	f.t.Helper()
	body := object{"email": email}
	for key, value := range more {
		body[key] = value
	}
	answer := f.ok("POST", "/v1/magic_links/email/login_or_create", body)
	return f.token(email), answer
}

// code emails a passcode to an address and returns it and the method id.
func (f *fixture) code(email string, more object) (code, methodID string) {
	f.t.Helper()
	body := object{"email": email}
	for key, value := range more {
		body[key] = value
	}
	answer := f.ok("POST", "/v1/otps/email/login_or_create", body)
	return f.mailedCode(email), answer["email_id"].(string)
}

// mailedCode returns the passcode in the newest email to an address.
func (f *fixture) mailedCode(email string) string {
	f.t.Helper()
	for _, m := range f.mails() {
		if m.To == email {
			return m.Code
		}
	}
	f.t.Fatalf("no mail to %s", email)
	return ""
}

// wrong returns another passcode than the given one.
func wrong(code string) string {
	n, _ := strconv.Atoi(code)
	return fmt.Sprintf("%06d", (n+1)%1_000_000)
}

// signIn authenticates a new link with a session of an hour and returns the response.
func (f *fixture) signIn(email string) object {
	f.t.Helper()
	token, _ := f.link(email, nil)
	return f.ok("POST", "/v1/magic_links/authenticate", object{"token": token, "session_duration_minutes": 60})
}

// dig follows keys and indexes into a body.
func dig(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(object)
			v = m[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// errorType returns the type of an SDK error.
func errorType(err error) string {
	var e stytcherror.Error
	if errors.As(err, &e) {
		return string(e.ErrorType)
	}
	if err != nil {
		return "not of the API: " + err.Error()
	}
	return ""
}
