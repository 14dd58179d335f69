package main

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
)

// Not parallel: it counts the goroutines of the process.
func TestAStytchThatHangsTiesNobodyUpWhoDoesNotNeedIt(t *testing.T) {
	s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-local-stytch-limits=off")
	ada := s.person("ada@example.com")
	ada.signsIn()
	goroutines := func() int {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine()
	}
	base := goroutines()
	s.faults(`{"rules":[{"route":"*","kind":"hang"}]}`)
	s.clock.advance(time.Minute) // so that Stytch's last good answer no longer counts

	const crowd = 200
	var waiting atomic.Int64
	var all sync.WaitGroup
	for i := range crowd {
		r := newcomer(s).form("/signin", fmt.Sprintf("email=p%d@example.com", i))
		if i%2 == 1 {
			r = newcomer(s).form(app.CallbackPath, "token=made-up")
		}
		waiting.Add(1)
		all.Go(func() {
			defer waiting.Add(-1)
			begin := time.Now()
			got := newcomer(s).tries(r)
			if took := time.Since(begin); got.status != http.StatusServiceUnavailable || took > 9*time.Second {
				t.Errorf("%v after %v", got, took)
			}
		})
	}
	beside, most := 0, 0
	var slowest time.Duration
	for waiting.Load() > 0 {
		begin := time.Now()
		if got := ada.tries(ada.request("GET", s.url+"/profile", nil)); got.status != http.StatusOK {
			t.Fatalf("beside them: %v", got)
		}
		beside, slowest, most = beside+1, max(slowest, time.Since(begin)), max(most, runtime.NumGoroutine())
		time.Sleep(20 * time.Millisecond) // a person is not quicker
	}
	all.Wait()
	if beside < 3 || slowest > 4*time.Second {
		t.Errorf("beside them %d pages were looked at, the slowest took %v", beside, slowest)
	}
	// For each: two in the browser, one that answers, one that calls, one that waits with a deadline.
	if most > base+10*crowd {
		t.Errorf("%d goroutines at most, %d before", most, base)
	}

	// By now nobody is made to wait for it.
	begin := time.Now()
	v := newcomer(s).posts("/signin", "email", "ada@example.com")
	wants(t, v, 503, "Sign-in is unavailable right now")
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("after %d have waited in vain, one more waits %v", crowd, took)
	}
	eventually(t, "as few goroutines as before", func() bool { return goroutines() <= base+10 })

	s.faults(`{"rules":[]}`)
	s.clock.advance(10 * time.Second)
	if v := ada.elsewhere().asks(); !strings.Contains(v.Text(), "Check your email") {
		t.Errorf("when it is back: %d %s", v.status, v.Text())
	}
}
