package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// serve returns the address of a Stytch that is implemented by handle.
func serve(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server.URL
}

func TestCalls_GarbageIsUnavailable(t *testing.T) {
	t.Parallel()
	write := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	var strayed atomic.Bool
	elsewhere := serve(t, func(w http.ResponseWriter, _ *http.Request) { strayed.Store(true) })
	tests := []struct {
		name   string
		handle http.HandlerFunc
	}{
		{"a web page", write(200, "text/html", "<!doctype html><title>Sign in to the Wi-Fi</title>")},
		{"a web page that says error", write(502, "text/html", "<html><h1>502 Bad Gateway</h1></html>")},
		{"a web page that says forbidden", write(403, "text/html", "<html>blocked</html>")},
		{"nothing", write(200, "application/json", "")},
		{"nothing, as it should be", write(204, "application/json", "")},
		{"an error without a word", write(500, "application/json", "")},
		{"half of it", write(200, "application/json", `{"status_code":200,"project_id":"project-test-1","user_id":"user-te`)},
		{"half of an error", write(404, "application/json", `{"status_code":404,"error_type":"session_not_fou`)},
		{"a list", write(200, "application/json", `[{"user_id":"user-test-1"}]`)},
		{"a list of errors", write(404, "application/json", `["session_not_found"]`)},
		{"a number for a name", write(404, "application/json", `{"error_type":404}`)},
		{"other types", write(200, "application/json", `{"project_id":1,"user_id":2,"session_token":true,"session":[],"results":"x","request_id":{}}`)},
		{"two megabytes", write(200, "application/json", `{"project_id":"p","user_id":"u","request_id":"`+strings.Repeat("x", 2<<20)+`"}`)},
		{"two megabytes of error", write(404, "application/json", `{"error_message":"`+strings.Repeat("x", 2<<20)+`","error_type":"session_not_found"}`)},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
		}},
		{"a redirect that looks like success", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", elsewhere)
			w.WriteHeader(302)
			fmt.Fprint(w, `{"status_code":200,"user_id":"user-test-1"}`)
		}},
		{"a cut connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{"less than was promised", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"project_id":"p","user_id":"u","request_id":"r"}`)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := options(newClock())
			o.BaseURL = serve(t, test.handle)
			for name, call := range calls {
				_, err := call(t, newClient(t, o)) // a client each: a few failures stop one
				if !errors.Is(err, session.ErrUnavailable) || errors.Is(err, outbox.ErrRefused) {
					t.Errorf("%s: got %v, want ErrUnavailable", name, err)
				}
				wantNoSecrets(t, err)
			}
		})
	}
	t.Cleanup(func() {
		if strayed.Load() {
			t.Error("a redirect was followed, credentials and all")
		}
	})
}

func TestCalls_ConnectionRefused(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	o := options(newClock())
	o.BaseURL = "http://" + address
	for name, call := range calls {
		_, err := call(t, newClient(t, o))
		if !errors.Is(err, session.ErrUnavailable) || reason(err) != "The login service could not be reached." {
			t.Errorf("%s: got %v, %q", name, err, reason(err))
		}
		wantNoSecrets(t, err)
	}
}

func TestCalls_DeadlineExceeded(t *testing.T) {
	t.Parallel()
	hang := func(r *http.Request) {
		io.Copy(io.Discard, r.Body) // else the server does not notice that the client has gone
		<-r.Context().Done()
	}
	for name, handle := range map[string]http.HandlerFunc{
		"before the answer": func(_ http.ResponseWriter, r *http.Request) { hang(r) },
		"in the answer": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"user_id":`)
			w.(http.Flusher).Flush()
			hang(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(newClock())
			o.BaseURL = serve(t, handle)
			client := newClient(t, o)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := client.Invite(ctx, "ada@example.com", "", "")
			if !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || reason(err) != "The login service did not answer in time." {
				t.Errorf("got %v, %q", err, reason(err))
			}
		})
	}
}

func TestNew_MakesNoCall(t *testing.T) {
	t.Parallel()
	o := options(newClock())
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		t.Errorf("called %s", r.URL)
		return nil, errors.New("unreachable")
	})
	newClient(t, o)
}

func TestNew_DefaultBaseURL(t *testing.T) {
	t.Parallel()
	for projectID, want := range map[string]string{
		"project-test-1": "https://test.stytch.com/v1/debug/whoami",
		"project-live-1": "https://api.stytch.com/v1/debug/whoami",
	} {
		o := options(newClock())
		o.ProjectID = projectID
		o.Transport = transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.String() != want {
				t.Errorf("called %s, want %s", r.URL, want)
			}
			return respond(r, 200, `{"project_id":"`+projectID+`"}`), nil
		})
		if err := newClient(t, o).Ready(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
