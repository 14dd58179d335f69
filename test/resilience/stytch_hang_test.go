package resilience

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// Not parallel: it counts the goroutines of the process.
func TestStytchHang_OtherRequestsAreServed(t *testing.T) {
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	goroutines := func() int {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine()
	}
	base := goroutines()
	s.SetFaults(`{"rules":[{"route":"*","kind":"hang"}]}`)
	s.Clock.Advance(time.Minute) // so that the last successful call is too old

	const crowd = 200
	var waiting atomic.Int64
	var all sync.WaitGroup
	for i := range crowd {
		r := harness.NewVisitor(s).FormRequest("/signin", fmt.Sprintf("email=p%d@example.com", i))
		if i%2 == 1 {
			r = harness.NewVisitor(s).FormRequest(app.CallbackPath, "token=made-up")
		}
		waiting.Add(1)
		all.Go(func() {
			defer waiting.Add(-1)
			begin := time.Now()
			got := harness.NewVisitor(s).TryOutcome(r)
			if took := time.Since(begin); got.Status != http.StatusServiceUnavailable || took > 9*time.Second {
				t.Errorf("%v after %v", got, took)
			}
		})
	}
	beside, most := 0, 0
	var slowest time.Duration
	for waiting.Load() > 0 {
		begin := time.Now()
		if got := ada.TryOutcome(ada.NewRequest("GET", s.URL+"/profile", nil)); got.Status != http.StatusOK {
			t.Fatalf("beside them: %v", got)
		}
		beside, slowest, most = beside+1, max(slowest, time.Since(begin)), max(most, runtime.NumGoroutine())
		time.Sleep(20 * time.Millisecond) // as fast as a person
	}
	all.Wait()
	if beside < 3 || slowest > 4*time.Second {
		t.Errorf("beside them %d pages were looked at, the slowest took %v", beside, slowest)
	}
	// For each request: two goroutines in the client, one in the handler, two for the call.
	if most > base+10*crowd {
		t.Errorf("%d goroutines at most, %d before", most, base)
	}

	// From now on, no request waits for Stytch.
	begin := time.Now()
	v := harness.NewVisitor(s).Post("/signin", "email", "ada@example.com")
	harness.WantPage(t, v, 503, "Sign-in is unavailable right now")
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("after %d have waited in vain, one more waits %v", crowd, took)
	}
	harness.Eventually(t, "as few goroutines as before", func() bool { return goroutines() <= base+10 })

	s.SetFaults(`{"rules":[]}`)
	s.Clock.Advance(10 * time.Second)
	if v := ada.InNewBrowser().RequestLink(); !strings.Contains(v.Text(), "Check your email") {
		t.Errorf("when it is back: %d %s", v.Status, v.Text())
	}
}
