package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// One client keeps 150 connections open with invalid links, which Stytch answers slowly.
// People at other addresses can still sign in.
func TestSignIn_DuringAFloodOfInvalidLinks(t *testing.T) {
	c := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, c)
	s := harness.Start(t, testdb.SQLite(t), c, stytch.Flags("--guestlist-trusted-proxies=127.0.0.1")...)
	ada := stytch.NewPerson(s, "ada@example.com")
	ada.SignIn()
	guests := make([]*harness.Person, 12)
	links := make([]string, len(guests))
	for i := range guests {
		guests[i] = stytch.NewPerson(s, fmt.Sprintf("guest%d@example.com", i))
		ada.Invite(guests[i].Email)
		links[i] = guests[i].NextLink()
	}
	stytch.SetFault(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "made-up") {
			select {
			case <-time.After(1200 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		pass.ServeHTTP(w, r)
	})

	var over atomic.Bool
	var attackers sync.WaitGroup
	var refused atomic.Int64
	for i := range 150 {
		attackers.Go(func() {
			for n := 0; !over.Load(); n++ {
				r := harness.NewVisitor(s).FormRequest(app.CallbackPath, fmt.Sprintf("token=made-up-%d-%d", i, n))
				r.Header.Set("X-Forwarded-For", "203.0.113.9")
				switch got := harness.NewVisitor(s).TryOutcome(r); got.Status {
				case http.StatusTooManyRequests:
					refused.Add(1)
					time.Sleep(50 * time.Millisecond) // otherwise the test measures this machine
				case http.StatusNotFound, http.StatusServiceUnavailable: // if this machine is overloaded
				default:
					t.Errorf("the stranger: %v", got)
				}
			}
		})
	}
	time.Sleep(5 * time.Second) // the timeout of a call: by now, the queue is at its longest
	for i, guest := range guests {
		time.Sleep(300 * time.Millisecond)
		r := guest.FormRequest(app.CallbackPath, "token="+harness.LinkToken(t, links[i]))
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i+1))
		if got := guest.TryOutcome(r); got.Status != http.StatusSeeOther {
			t.Errorf("guest %d: %v", i, got)
		}
	}
	over.Store(true)
	attackers.Wait()
	if refused.Load() < 150 {
		t.Errorf("the stranger was refused %d times", refused.Load())
	}
}
