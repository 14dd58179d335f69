package loadshed

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"
)

// stalled is a body whose end doesn't arrive until it is released.
type stalled struct {
	sent io.Reader
	came *sync.WaitGroup // done when all of sent was read
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
	s.once.Do(s.came.Done) // refused before the end
	return nil
}

// stalledCrowd sends n requests whose bodies stall at their end, and returns when all of them were
// read or refused. end ends the bodies and returns how often each status was answered.
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

// newRoomyShedder returns a shedder that refuses none of a crowd, however slow the machine is.
// newRoomyShedder never lacks a slot.
func newRoomyShedder() *shedder {
	l := newLimiter(Limits{5000, 0, QueueTimeout}, func(int) {})
	l.queueTimeout = time.Minute
	return newShedder(testOptions(), l)
}

// held returns how many bytes of a budget are in use.
func held(budget *semaphore.Weighted, size int64) int64 {
	free := int64(0)
	for step := size; step > 0; step /= 2 {
		for budget.TryAcquire(step) {
			free += step
		}
	}
	budget.Release(free)
	return size - free
}

func TestBodies_HeldTogetherAreBounded(t *testing.T) {
	t.Parallel()
	s := newRoomyShedder()
	h := s.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	// 4,000 clients that send 63 KB each would need 246 MB.
	end := stalledCrowd(h, 4000, "/api/users", 63<<10)
	small, large := held(s.bodies.small, maxSmallBytes), held(s.bodies.large, maxLargeBytes)
	if small+large < maxLargeBytes/2 {
		t.Errorf("only %d and %d bytes are held", small, large)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/small", strings.NewReader("email=ada@example.com")))
	if w.Code != http.StatusOK {
		t.Errorf("a small form beside them: %d", w.Code)
	}
	counts := end()
	if counts[http.StatusOK] == 0 || counts[http.StatusServiceUnavailable] == 0 || counts[http.StatusOK]+counts[http.StatusServiceUnavailable] != 4000 {
		t.Errorf("the answers are %v", counts)
	}
	wantNothingHeld(t, s)
}

func wantNothingHeld(t *testing.T, s *shedder) {
	t.Helper()
	if small, large := held(s.bodies.small, maxSmallBytes), held(s.bodies.large, maxLargeBytes); small != 0 || large != 0 {
		t.Errorf("afterwards, %d and %d bytes are held", small, large)
	}
}

func TestBodies_OfSmallFormsNeedNoneOfTheLargeBudget(t *testing.T) {
	t.Parallel()
	s := newRoomyShedder()
	var failed error
	h := s.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, failed = io.ReadAll(r.Body) }))
	s.bodies.large.TryAcquire(maxLargeBytes)
	for size, want := range map[int]bool{SmallBody: false, SmallBody + 1: true, maxBody: true} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/small", strings.NewReader(strings.Repeat("a", size))))
		if got := isTooLarge(failed); got != want || failed != nil && !want {
			t.Errorf("%d bytes: %v", size, failed)
		}
	}
	h = s.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	end := stalledCrowd(h, 4000, "/small", SmallBody)
	if got := held(s.bodies.small, maxSmallBytes); got > 4000*SmallBody {
		t.Errorf("%d bytes are held", got)
	}
	if counts := end(); counts[http.StatusOK] != 4000 {
		t.Errorf("the answers are %v", counts)
	}
}

// What a client announces takes no memory; what arrives does.
func TestBodies_TakeMemoryAsTheyArrive(t *testing.T) {
	t.Parallel()
	s := newRoomyShedder()
	h := s.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	end := stalledCrowd(h, 1000, "/api/users", 1)
	if got := held(s.bodies.small, maxSmallBytes) + held(s.bodies.large, maxLargeBytes); got > 1000*minBuffer {
		t.Errorf("%d bytes are held for 1000 that arrived", got)
	}
	end()
	panics := s.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	func() {
		defer func() { _ = recover() }()
		panics.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/api/users", strings.NewReader("{}")))
	}()
	wantNothingHeld(t, s)
}

func TestBodies_ThatAreStreamedAreLimitedButNotRead(t *testing.T) {
	t.Parallel()
	s := newRoomyShedder()
	s.bodies.small.TryAcquire(maxSmallBytes)
	var failed error
	h := s.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, failed = io.ReadAll(r.Body) }))
	for size, want := range map[int]bool{maxBody: false, maxBody + 1: true} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/upload", strings.NewReader(strings.Repeat("a", size))))
		if w.Code != http.StatusOK || isTooLarge(failed) != want {
			t.Errorf("%d bytes: %d, %v", size, w.Code, failed)
		}
	}
}
