package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// stalled is a client that has sent a body but for its end, and waits.
type stalled struct {
	sent io.Reader
	came *sync.WaitGroup // done when all that was sent is read
	let  chan struct{}   // closed to end the body
	once sync.Once
}

func (s *stalled) Read(p []byte) (int, error) {
	n, err := s.sent.Read(p)
	if err == nil {
		return n, nil
	}
	s.once.Do(s.came.Done)
	<-s.let
	return 0, io.EOF
}

func (s *stalled) Close() error {
	s.once.Do(s.came.Done) // it was refused before the end
	return nil
}

// stalledCrowd sends the same body to path from n clients, which wait at its end, and
// returns when all of it was read or refused.
func stalledCrowd(h http.Handler, n int, path string, size int) (end func() map[int]int) {
	var came, done sync.WaitGroup
	let := make(chan struct{})
	answers := make(chan int, n)
	came.Add(n)
	for range n {
		done.Go(func() {
			body := &stalled{sent: strings.NewReader(strings.Repeat("a", size)), came: &came, let: let}
			r := httptest.NewRequest("POST", path, body)
			r.ContentLength = int64(size)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			body.Close()
			answers <- w.Code
		})
	}
	came.Wait()
	return func() map[int]int {
		close(let)
		done.Wait()
		close(answers)
		counts := map[int]int{}
		for code := range answers {
			counts[code]++
		}
		return counts
	}
}

// roomyPlaces refuse none of a crowd, however slow the machine is.
func roomyPlaces() *limiter {
	ps := newPlaces(func(int) {})
	ps.atWork, ps.patience = 5000, time.Minute
	return ps
}

func TestBodies_HeldTogetherAreBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	bodies := newBodyBudget()
	h := f.server.limitConcurrency(roomyPlaces(), bodies, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
	}))
	// 4,000 clients who send 63 KB each would have 246 MB held.
	end := stalledCrowd(h, 4000, "/api/users", 63<<10)
	if held := bodies.small.held + bodies.large.held; bodies.large.held > maxLargeHeld || bodies.small.held > maxSmallHeld || held < maxLargeHeld/2 {
		t.Errorf("%d bytes are held, %d of them beyond the first", held, bodies.large.held)
	}
	// Who sends little is served all the while.
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/signin", strings.NewReader("email=ada@example.com")))
	if w.Code != http.StatusOK {
		t.Errorf("a small form beside them: %d", w.Code)
	}
	counts := end()
	if counts[http.StatusOK] == 0 || counts[http.StatusServiceUnavailable] == 0 || counts[http.StatusOK]+counts[http.StatusServiceUnavailable] != 4000 {
		t.Errorf("the answers are %v", counts)
	}
	if bodies.small.held != 0 || bodies.large.held != 0 {
		t.Errorf("afterwards, %d and %d bytes are held", bodies.small.held, bodies.large.held)
	}
	if bodies.small.peak > maxSmallHeld || bodies.large.peak > maxLargeHeld {
		t.Errorf("up to %d and %d bytes were held", bodies.small.peak, bodies.large.peak)
	}
}

func TestBodies_OfSignInFormsAreSmall(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	bodies := newBodyBudget()
	var failed error
	h := f.server.limitConcurrency(roomyPlaces(), bodies, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, failed = io.ReadAll(r.Body)
	}))
	for _, path := range []string{"/signin", "/api/authenticate_magic_link", "/signout", "/api/logout"} {
		for size, tooLarge := range map[int]bool{maxForm: false, maxForm + 1: true, maxBody: true} {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", path, strings.NewReader(strings.Repeat("a", size))))
			if got := bodyError(failed, nil) == errTooLarge; got != tooLarge || failed != nil && !tooLarge {
				t.Errorf("%s with %d bytes: %v", path, size, failed)
			}
		}
	}
	if bodies.large.peak != 0 {
		t.Errorf("%d bytes beyond the first were held", bodies.large.peak)
	}
	end := stalledCrowd(h, 4000, "/signin", maxForm)
	if held := bodies.small.held; held > 4000*maxForm {
		t.Errorf("%d bytes are held", held)
	}
	if counts := end(); counts[http.StatusOK] != 4000 {
		t.Errorf("the answers are %v", counts)
	}
}

// What a client announces takes no memory; what arrives does.
func TestBodies_AreHeldAsTheyArrive(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	bodies := newBodyBudget()
	h := f.server.limitConcurrency(roomyPlaces(), bodies, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	end := stalledCrowd(h, 1000, "/api/users", 1)
	if held := bodies.small.held + bodies.large.held; held > 1000*smallest {
		t.Errorf("%d bytes are held for 1000 that came", held)
	}
	end()
	panics := f.server.limitConcurrency(roomyPlaces(), bodies, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	func() {
		defer func() { _ = recover() }()
		panics.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/api/users", strings.NewReader("{}")))
	}()
	if bodies.small.held != 0 || bodies.large.held != 0 {
		t.Errorf("afterwards, %d and %d bytes are held", bodies.small.held, bodies.large.held)
	}
}
