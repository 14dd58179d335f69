package stytch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/stytch"
)

// The ids and tokens of testdata.
const (
	userID    = "user-test-22222222-2222-4222-8222-222222222222"
	sessionID = "session-test-33333333-3333-4333-8333-333333333333"
	linkToken = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	token     = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
)

var (
	browser = session.Browser{Address: "203.0.113.7", UserAgent: "Browser/1"}
	expires = time.Date(2026, 3, 8, 12, 0, 0, 123456000, time.UTC)
	proof   = session.Authentication{Email: "ada@example.com", StytchUserID: userID, SessionID: sessionID, SessionToken: token, ExpiresAt: expires}
	stands  = session.ProviderSession{StytchUserID: userID, SessionID: sessionID, ExpiresAt: expires}
)

// exchange is a call from testdata: a request and its possible responses.
type exchange struct {
	Request struct {
		Method, Path string
		Body         any
	}
	Answers map[string]map[string]any
}

func load(t *testing.T, file string) exchange {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var e exchange
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return e
}

// replay returns a client of a Stytch that gives these responses in turn, and checks the
// requests. A response is "file/name", as in testdata. In "file/name at path=value" it has
// another value at the path, and in "file/name at path" none.
func replay(t *testing.T, answers ...string) *stytch.Client {
	t.Helper()
	var mu sync.Mutex
	o := options(newClock())
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(answers) == 0 {
			t.Errorf("one call too many: %s %s", r.Method, r.URL.Path)
			return nil, io.ErrUnexpectedEOF
		}
		file, name, _ := strings.Cut(answers[0], "/")
		answers = answers[1:]
		e := load(t, file)
		if e.Request.Path != "" {
			checkRequest(t, r, e)
		}
		name, edit, edited := strings.Cut(name, " at ")
		answer, ok := e.Answers[name]
		if !ok {
			t.Fatalf("no answer %q in %s", name, file)
		}
		if edited {
			change(t, answer, edit)
		}
		body, _ := json.Marshal(answer)
		return respond(r, int(answer["status_code"].(float64)), string(body)), nil
	})
	t.Cleanup(func() {
		if len(answers) != 0 {
			t.Errorf("never asked for %q", answers)
		}
	})
	return newClient(t, o)
}

// checkRequest compares a request with the one in testdata.
func checkRequest(t *testing.T, r *http.Request, e exchange) {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	var body any
	if len(b) > 0 {
		if err := json.Unmarshal(b, &body); err != nil {
			t.Fatalf("the request's body is %q", b)
		}
	}
	got := []any{r.Method, r.URL.String(), body}
	want := []any{e.Request.Method, "https://test.stytch.com" + e.Request.Path, e.Request.Body}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	o := options(newClock())
	if id, secret, _ := r.BasicAuth(); id != o.ProjectID || secret != o.Secret {
		t.Errorf("credentials are %q and %q", id, secret)
	}
}

// change sets or deletes the value at a path of keys, separated by dots.
func change(t *testing.T, answer map[string]any, edit string) {
	t.Helper()
	path, value, set := strings.Cut(edit, "=")
	keys := strings.Split(path, ".")
	at := answer
	for _, key := range keys[:len(keys)-1] {
		switch next := at[key].(type) {
		case map[string]any:
			at = next
		case []any:
			at = next[0].(map[string]any)
		default:
			t.Fatalf("nothing at %s", path)
		}
	}
	last := keys[len(keys)-1]
	if !set {
		delete(at, last)
		return
	}
	var v any
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		t.Fatalf("%s: %v", edit, err)
	}
	at[last] = v
}

// transport makes a function an http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (fn transport) RoundTrip(r *http.Request) (*http.Response, error) { return fn(r) }

func respond(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)), Request: r,
	}
}

// calls makes each call of the client with the values of testdata. It returns the call's
// result and error.
var calls = map[string]func(t *testing.T, c *stytch.Client) (any, error){
	"ready": func(t *testing.T, c *stytch.Client) (any, error) { return nil, c.Ready(t.Context()) },
	"send": func(t *testing.T, c *stytch.Client) (any, error) {
		return nil, c.SendMagicLink(t.Context(), session.Link{Email: "ada@example.com", Challenge: "challenge", Browser: browser})
	},
	"send to stranger": func(t *testing.T, c *stytch.Client) (any, error) {
		return nil, c.SendMagicLink(t.Context(), session.Link{Email: "ada@example.com", CreateAccount: true, Challenge: "challenge", Browser: browser})
	},
	"authenticate link": func(t *testing.T, c *stytch.Client) (any, error) {
		p, err := c.AuthenticateMagicLink(t.Context(), linkToken, "verifier", browser)
		return p, err
	},
	"authenticate session": func(t *testing.T, c *stytch.Client) (any, error) {
		s, err := c.AuthenticateSession(t.Context(), token)
		return s, err
	},
	"invite": func(t *testing.T, c *stytch.Client) (any, error) {
		id, err := c.Invite(t.Context(), "ada@example.com", "Ada", "Grace Hopper")
		return id, err
	},
	"revoke invite": func(t *testing.T, c *stytch.Client) (any, error) {
		return nil, c.RevokeInvite(t.Context(), "ada@example.com")
	},
	"delete user": func(t *testing.T, c *stytch.Client) (any, error) {
		return nil, c.DeleteUser(t.Context(), userID, "ada@example.com")
	},
	"delete user by address": func(t *testing.T, c *stytch.Client) (any, error) {
		return nil, c.DeleteUser(t.Context(), "", "ada@example.com")
	},
	"revoke session": func(t *testing.T, c *stytch.Client) (any, error) {
		return nil, c.RevokeSession(t.Context(), sessionID)
	},
}

// reason returns the reason that administrators see, or "" without an error.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return outbox.Reason(err)
}

// wantNoSecrets checks that an error's text has no secret and no address.
func wantNoSecrets(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, text := range []string{err.Error(), outbox.Reason(err)} {
		for _, secret := range []string{"ada@", linkToken, token, "hush", "verifier="} {
			if strings.Contains(text, secret) {
				t.Errorf("the error tells %q: %s", secret, text)
			}
		}
	}
	if errors.Is(err, session.ErrUnavailable) && errors.Is(err, session.ErrEnded) {
		t.Errorf("the error means two things: %v", err)
	}
}
