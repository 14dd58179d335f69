package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// held is a Stytch that answers about a link when the test says so.
type held struct {
	*provider
	asked   chan time.Duration // how much time each call has
	release chan struct{}
}

func (h *held) AuthenticateMagicLink(ctx context.Context, token, verifier string, b session.Browser) (session.Authentication, error) {
	deadline, _ := ctx.Deadline()
	h.asked <- time.Until(deadline)
	<-h.release
	return h.provider.AuthenticateMagicLink(ctx, token, verifier, b)
}

// heldManager is a manager with limits and a Stytch that is held.
func heldManager(t *testing.T) (*session.Service, *held) {
	f := onSQLite(t)
	for i := range 4 {
		f.put(fmt.Sprintf("p%d@example.com", i), directory.Member, directory.Active)
	}
	h := &held{provider: &provider{}, asked: make(chan time.Duration, 1000), release: make(chan struct{})}
	f.opts.Limits = true
	return f.withProvider(h), h
}

func redeem(t *testing.T, m *session.Service, link string, b session.Browser) error {
	_, _, err := m.SignIn(t.Context(), session.Credentials{Token: "link:" + link}, b)
	return err
}

func TestSignIn_QueuePerNetwork(t *testing.T) {
	t.Parallel()
	m, stytch := heldManager(t)
	unknownBrowser := session.Browser{Address: "203.0.113.9"}
	var all sync.WaitGroup
	errs := make(chan error, 200)
	for i := range 150 {
		all.Go(func() { errs <- redeem(t, m, fmt.Sprintf("nobody%d@example.com", i), unknownBrowser) })
	}
	for range 150 - 100 { // 16 are asked about, 84 wait
		if err := <-errs; !errors.Is(err, session.ErrTooMany) {
			t.Errorf("refused with %v", err)
		}
	}
	for range 16 {
		<-stytch.asked
	}
	if n := len(stytch.asked); n != 0 {
		t.Errorf("%d more calls at once", n)
	}
	for i, b := range []session.Browser{{Address: "192.0.2.1"}, {Address: "2001:db8::1"}, {Address: unknownBrowser.Address, KnownID: "browser"}} {
		all.Go(func() { errs <- redeem(t, m, fmt.Sprintf("p%d@example.com", i), b) })
		<-stytch.asked
	}
	close(stytch.release)
	all.Wait()
	close(errs)
	in := 0
	for err := range errs {
		if err == nil {
			in++
		}
	}
	if in != 3 {
		t.Errorf("%d of the 3 others came in", in)
	}
}

func TestSignIn_CallTimeoutAfterQueue(t *testing.T) {
	t.Parallel()
	m, stytch := heldManager(t)
	b := session.Browser{Address: "203.0.113.9"}
	var all sync.WaitGroup
	for i := range 17 {
		all.Go(func() { redeem(t, m, fmt.Sprintf("nobody%d@example.com", i), b) })
	}
	for range 16 {
		<-stytch.asked
	}
	time.Sleep(600 * time.Millisecond) // the last one waits
	stytch.release <- struct{}{}
	if left := <-stytch.asked; left < 4700*time.Millisecond {
		t.Errorf("the call after the queue has %v", left)
	}
	close(stytch.release)
	all.Wait()
}

func TestSignIn_CancelledInQueue(t *testing.T) {
	t.Parallel()
	m, stytch := heldManager(t)
	b := session.Browser{Address: "203.0.113.9"}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() { redeem(t, m, fmt.Sprintf("nobody%d@example.com", i), b) })
		<-stytch.asked
	}
	ctx, cancel := context.WithCancel(t.Context())
	all.Go(func() {
		_, _, err := m.SignIn(ctx, session.Credentials{Token: "link:p0@example.com"}, b)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	cancel()
	close(stytch.release)
	all.Wait()
	if n := len(stytch.asked); n != 0 {
		t.Errorf("Stytch was asked about it")
	}
}
