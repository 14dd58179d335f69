package session_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/testdb"
)

// Nothing that depends on the address is done before the answer, or at a time that
// the answer tells.
func TestRequestLink_WritesAndSendsAfterARandomPause(t *testing.T) {
	t.Parallel()
	path := testdb.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		began := map[string]time.Time{}
		waited := map[string][]time.Duration{}
		happens := func(address string) {
			mu.Lock()
			defer mu.Unlock()
			waited[address] = append(waited[address], time.Since(began[address]))
		}
		f := open(t, path, nil, time.Now, func(o *session.Options) {
			o.SendPause = time.Second
			o.Decoy = func(_ context.Context, address string) error { happens(address); return nil }
		})
		f.put("active@example.com", directory.Admin, directory.Active)
		f.put("suspended@example.com", directory.Member, directory.Suspended)
		f.stytch.send = func(_ context.Context, l session.Link, _ int) error { happens(l.Email); return nil }
		addresses := []string{"active@example.com", "suspended@example.com", "unknown@example.com"}
		for range 40 {
			for _, address := range addresses {
				began[address] = time.Now()
				if _, err := f.RequestLink(t.Context(), mustParse(t, address), session.SignInFlow{}, session.Browser{}); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began[address]); took != 0 {
					t.Errorf("%s: answered after %v", address, took)
				}
				time.Sleep(time.Second)
				synctest.Wait()
			}
		}
		for _, address := range addresses {
			pauses := waited[address]
			if len(pauses) != 40 {
				t.Fatalf("%s: %d of 40 done within a second", address, len(pauses))
			}
			slices.Sort(pauses)
			if pauses[0] > 300*time.Millisecond || pauses[39] < 700*time.Millisecond || pauses[20] == pauses[19] {
				t.Errorf("%s: the pauses are not spread over a second: %v", address, pauses)
			}
		}
		if n := len(f.stytch.links()); n != 40 {
			t.Errorf("%d links were sent, want 40", n)
		}
		f.Close()
	})
}

// A code that was not sent is tried at the provider like any other.
func TestRequestCode_DecoyTakesThePlaceOfACode(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.put("suspended@example.com", directory.Member, directory.Suspended)
		f.reconfigure(func(o *session.Options) {
			o.Decoy = func(context.Context, string) error { t.Error("the decoy of a link"); return nil }
			o.DecoyCode = func(_ context.Context, address string) (string, error) { return "decoy-of-" + address, nil }
		})
		for _, address := range []string{"suspended@example.com", "unknown@example.com"} {
			flow, err := f.RequestCode(t.Context(), mustParse(t, address), session.SignInFlow{}, session.Browser{})
			if err != nil {
				t.Fatal(err)
			}
			f.Close() // waits for the decoy
			f.reconfigure(func(*session.Options) {})
			_, _, err = f.SignInWithCode(t.Context(), session.CodeCredentials{Code: "123456", Flow: flow}, session.Browser{})
			if tried := f.stytch.tried; !errors.Is(err, session.ErrCodeWrong) || len(tried) == 0 || tried[len(tried)-1] != "email decoy-of-"+address+" 123456" {
				t.Errorf("%s: %v, tried %q", address, err, tried)
			}
		}
	})
}

// Stopping the program sends the links that are still waiting.
func TestClose_SendsPausedLinks(t *testing.T) {
	t.Parallel()
	path := testdb.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		f := open(t, path, nil, time.Now, func(o *session.Options) { o.SendPause = time.Hour })
		f.put("active@example.com", directory.Admin, directory.Active)
		began := time.Now()
		if _, err := f.RequestLink(t.Context(), mustParse(t, "active@example.com"), session.SignInFlow{}, session.Browser{}); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if n, took := len(f.stytch.links()), time.Since(began); n != 1 || took != 0 {
			t.Errorf("%d links sent after %v, want 1 at once", n, took)
		}
	})
}

// Links that wait for their pause hold a slot and take none from others.
func TestRequestLink_ConcurrentRequestsGetSlots(t *testing.T) {
	t.Parallel()
	path := testdb.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		f := open(t, path, nil, time.Now, func(o *session.Options) { o.SendPause = time.Second })
		f.put("active@example.com", directory.Admin, directory.Active)
		for i := range 300 {
			if _, err := f.RequestLink(t.Context(), mustParse(t, "active@example.com"), session.SignInFlow{}, session.Browser{}); err != nil {
				t.Fatalf("link %d: %v", i+1, err)
			}
		}
		f.Close()
		if n := len(f.stytch.links()); n != 300 {
			t.Errorf("%d links sent", n)
		}
	})
}
