package backchannel_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/openid/backchannel"
	"github.com/guestlist/guestlist/internal/outbox"
)

// tokens makes a token for every client.
type tokens struct {
	url string
	err error
}

func (f tokens) LogoutToken(_ context.Context, clientID, userID, sessionID string) (token, url string, err error) {
	return strings.Join([]string{clientID, userID, sessionID}, "."), f.url, f.err
}

func TestSendLogout(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	mux := http.NewServeMux()
	status := func(path string, code int) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			if r.PostFormValue("logout_token") != "app.user.session" {
				t.Errorf("%s got %v", path, r.PostForm)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		})
	}
	status("/ok", 200)
	status("/empty", 204)
	status("/bad", 400)
	status("/down", 503)
	status("/moved", 307)
	status("/forbidden", 403)
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 20 {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
		t.Error("a gigabyte was read")
	})
	mux.HandleFunc("/hangs", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-released:
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(released) })
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, test := range []struct {
		name    string
		tokens  tokens
		reason  string // empty for success
		refused bool
	}{
		{name: "200", tokens: tokens{url: server.URL + "/ok"}},
		{name: "204", tokens: tokens{url: server.URL + "/empty"}},
		{name: "a long answer", tokens: tokens{url: server.URL + "/endless"}},
		{name: "an app that is gone", tokens: tokens{err: directory.ErrNotFound}},
		{name: "400", tokens: tokens{url: server.URL + "/bad"}, reason: "The app answered 400.", refused: true},
		{name: "403", tokens: tokens{url: server.URL + "/forbidden"}, reason: "The app answered 403."},
		{name: "503", tokens: tokens{url: server.URL + "/down"}, reason: "The app answered 503."},
		{name: "a redirect", tokens: tokens{url: server.URL + "/moved"}, reason: "The app answered 307."},
		{name: "no answer", tokens: tokens{url: server.URL + "/hangs"}, reason: "The app didn’t answer in time."},
		{name: "no server", tokens: tokens{url: closed.URL + "/secret"}, reason: "The app couldn’t be reached."},
		{name: "an address that isn't one", tokens: tokens{url: "http://%zz/secret"}, reason: "The app’s address for sign-outs isn’t valid.", refused: true},
		{name: "a database that is down", tokens: tokens{err: directory.ErrUnavailable}, reason: "The message couldn’t be made; the log says why."},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if test.name == "no answer" {
				ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			}
			defer cancel()
			err := backchannel.New(test.tokens).SendLogout(ctx, "app", "user", "session")
			if (err == nil) != (test.reason == "") || err != nil && outbox.Reason(err) != test.reason {
				t.Errorf("got %v, want %q", err, test.reason)
			}
			if errors.Is(err, outbox.ErrRefused) != test.refused {
				t.Errorf("refused for good: %v", !test.refused)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the address is logged: %v", err)
			}
		})
	}
}
