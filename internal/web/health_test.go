package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestReadyz_AFloodIsOneCheck(t *testing.T) {
	t.Parallel()
	var looks atomic.Int32
	begun, let := make(chan struct{}), make(chan struct{})
	f := newFixture(t, func(o *Options) {
		o.Ping = func(context.Context) error {
			if looks.Add(1) == 1 {
				close(begun)
				<-let
			}
			return nil
		}
	})
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if got := f.visitor().get("/readyz"); got.status != http.StatusOK {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	<-begun
	close(let)
	all.Wait()
	if n := looks.Load(); n != 1 {
		t.Errorf("200 requests were %d looks", n)
	}
}

func TestReadyz_IsCachedForASecond(t *testing.T) {
	t.Parallel()
	var looks atomic.Int32
	var broken atomic.Bool
	f := newFixture(t, func(o *Options) {
		o.Ping = func(context.Context) error {
			looks.Add(1)
			if broken.Load() {
				return errors.New("gone")
			}
			return nil
		}
	})
	for _, step := range []struct {
		name    string
		advance time.Duration
		broken  bool
		status  int
		looks   int32
	}{
		{"at first", 0, false, 200, 1},
		{"just before a second is over", readyLife - time.Microsecond, true, 200, 1},
		{"after a second", time.Microsecond, true, 503, 2},
		{"mended, before a second is over", 0, false, 503, 2},
		{"mended", readyLife, false, 200, 3},
		{"with a clock that was set back", -time.Hour, true, 503, 4},
	} {
		f.clock.advance(step.advance)
		broken.Store(step.broken)
		if got := f.visitor().get("/readyz"); got.status != step.status || looks.Load() != step.looks {
			t.Errorf("%s: %d after %d looks, want %d after %d", step.name, got.status, looks.Load(), step.status, step.looks)
		}
	}
	before := looks.Load()
	f.clock.advance(time.Hour)
	for _, path := range []string{"/healthz", "/signin/sent", "/api/openapi.yaml", "/nothing"} {
		f.visitor().get(path)
	}
	if looks.Load() != before {
		t.Error("another route looks at the database")
	}
}

// The check goes on for others when the client that started it leaves.
func TestReadyz_OutlivesTheClientThatStartedIt(t *testing.T) {
	t.Parallel()
	begun := make(chan context.Context, 1)
	let := make(chan struct{})
	f := newFixture(t, func(o *Options) {
		o.Ping = func(ctx context.Context) error {
			begun <- ctx
			<-let
			return ctx.Err()
		}
	})
	r := f.visitor().request("GET", "/readyz", "")
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		f.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
	}()
	<-begun
	leave()
	<-gone
	answer := make(chan int)
	go func() { answer <- f.visitor().get("/readyz").status }()
	close(let)
	if got := <-answer; got != http.StatusOK {
		t.Errorf("who came after: %d", got)
	}
}
