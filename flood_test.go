package main

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
)

// One stranger holds 150 connections open with made-up links, and Stytch takes its
// time over each. Others, from elsewhere, go on signing in.
func TestFloodOfMadeUpLinks_LeavesOthersSigningIn(t *testing.T) {
	c := newClock(noon)
	stytch := newRemote(t, c)
	s := start(t, testdb.SQLite(t), c, stytch.flags("--guestlist-trusted-proxies=127.0.0.1")...)
	ada := stytch.person(s, "ada@example.com")
	ada.signsIn()
	guests := make([]*person, 12)
	links := make([]string, len(guests))
	for i := range guests {
		guests[i] = stytch.person(s, fmt.Sprintf("guest%d@example.com", i))
		ada.invites(guests[i].email)
		links[i] = guests[i].newMail()
	}
	stytch.fails(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
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
	var strangers sync.WaitGroup
	var refused atomic.Int64
	for i := range 150 {
		strangers.Go(func() {
			for n := 0; !over.Load(); n++ {
				r := newcomer(s).form(app.CallbackPath, fmt.Sprintf("token=made-up-%d-%d", i, n))
				r.Header.Set("X-Forwarded-For", "203.0.113.9")
				switch got := newcomer(s).tries(r); got.status {
				case http.StatusTooManyRequests:
					refused.Add(1)
					time.Sleep(50 * time.Millisecond) // or they would measure this machine
				case http.StatusNotFound, http.StatusServiceUnavailable: // where this machine has too little time for all of it
				default:
					t.Errorf("the stranger: %v", got)
				}
			}
		})
	}
	time.Sleep(5 * time.Second) // as long as a call may take: by now, those who wait are at their longest
	for i, guest := range guests {
		time.Sleep(300 * time.Millisecond)
		r := guest.form(app.CallbackPath, "token="+tokenOf(t, links[i]))
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i+1))
		if got := guest.tries(r); got.status != http.StatusSeeOther {
			t.Errorf("guest %d: %v", i, got)
		}
	}
	over.Store(true)
	strangers.Wait()
	if refused.Load() < 150 {
		t.Errorf("the stranger was refused %d times", refused.Load())
	}
}
