package guard

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/session"
)

// hangingApps is a database that doesn't answer until it is released.
type hangingApps struct {
	Apps
	asked   atomic.Int64
	release chan bool
}

func (h *hangingApps) Check(context.Context, string, string, session.Browser) (apps.Access, error) {
	h.asked.Add(1)
	<-h.release
	app := apps.App{Enabled: true, ID: "1", Name: "Wiki", Scheme: "https", Host: "wiki.example.com", PublicPaths: []string{"/public"}}
	return apps.Access{App: app, Decision: apps.NotSignedIn}, nil
}

func TestCheck_ExcessIsRefusedAndNeverLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := &hangingApps{release: make(chan bool)}
		g := New(Options{
			Apps: hanging, BaseURL: &url.URL{Scheme: "https", Host: "people.example.com"}, Now: time.Now,
			Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		public := Request{Scheme: "https", Host: "wiki.example.com", Method: "GET", Target: "/public"}
		answers := make(chan Answer, maxChecks+maxBlockedChecks)
		for range cap(answers) {
			go func() { answers <- g.Check(t.Context(), public) }()
		}
		time.Sleep(time.Second) // all of them hang
		synctest.Wait()
		if got := hanging.asked.Load(); got != int64(cap(answers)) {
			t.Errorf("%d checks run, want %d", got, cap(answers))
		}
		for _, row := range []struct {
			name   string
			change func(*Request)
			says   string
		}{
			{"a page", func(r *Request) { r.Header = http.Header{"Accept": {"text/html"}} }, "We can’t check your access right now"},
			{"a script", func(r *Request) { r.Target = "/api" }, `{"error":"too busy"}`},
			{"a public path", func(*Request) {}, `{"error":"too busy"}`},
			{"an address of the guard", func(r *Request) { r.Target = "/.guestlist/me" }, `{"error":"too busy"}`},
			{"an unknown host", func(r *Request) { r.Host = "other.example" }, `{"error":"too busy"}`},
		} {
			r := public
			row.change(&r)
			begin := time.Now()
			a := g.Check(t.Context(), r)
			w := httptest.NewRecorder()
			a.Write(w)
			seconds, err := strconv.Atoi(w.Header().Get("Retry-After"))
			if a.Allowed() || a.UnknownHost() || w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), row.says) {
				t.Errorf("%s: %d %s", row.name, w.Code, w.Body)
			}
			if err != nil || seconds < 1 || seconds > 3 || time.Since(begin) != checkQueueTimeout {
				t.Errorf("%s: to be repeated after %q, refused after %v", row.name, w.Header().Get("Retry-After"), time.Since(begin))
			}
			if a.forNginx(nil).status != http.StatusServiceUnavailable {
				t.Errorf("%s: nginx gets %d", row.name, a.forNginx(nil).status)
			}
		}
		if got := hanging.asked.Load(); got != int64(cap(answers)) {
			t.Errorf("checks that were refused ran: %d", got)
		}
		close(hanging.release)
		for range cap(answers) {
			if a := <-answers; !a.Allowed() {
				t.Errorf("a check that hung is answered %d", a.Status())
			}
		}
		if a := g.Check(t.Context(), public); !a.Allowed() {
			t.Errorf("afterwards: %d", a.Status())
		}
		time.Sleep(2 * time.Second) // the refusals are logged
	})
}
