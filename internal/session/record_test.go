package session_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// recorded is how many events of a kind there are.
func (f *fixture) recorded(kind event.Kind) int {
	f.t.Helper()
	n, before := 0, ""
	for {
		page, next, err := f.db.ListEvents(f.t.Context(), event.Query{Kind: kind, Before: before, Limit: event.MaxLimit})
		if err != nil {
			f.t.Fatal(err)
		}
		n += len(page)
		if next == "" {
			return n
		}
		before = next
	}
}

// opens has a link opened from an address, and reports whether it is on record.
func (f *fixture) opens(b session.Browser) bool {
	f.t.Helper()
	before := f.recorded(event.LinkOpened)
	f.RecordLinkOpened(f.t.Context(), session.ByBrowser, b)
	return f.recorded(event.LinkOpened) > before
}

func TestRecord_LimitsAnonymousEvents(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *session.Options) { o.Limits = true })
		for i := range 330 {
			f.RecordLinkOpened(t.Context(), session.ByScanner, session.Browser{Address: fmt.Sprintf("2001:db8:%x::1", i)})
		}
		if n := f.recorded(event.LinkOpened); n != 300 {
			t.Errorf("%d events of 330, want 300", n)
		}
		if f.opens(session.Browser{Address: "192.0.2.7"}) {
			t.Error("one more is on record")
		}
		if !f.opens(session.Browser{Address: "192.0.2.7", KnownID: "a browser"}) {
			t.Error("what a known browser did is left out because of strangers")
		}
		f.clock.advance(30 * time.Second)
		if !f.opens(session.Browser{Address: "192.0.2.7"}) || f.opens(session.Browser{Address: "192.0.2.8"}) {
			t.Error("half a minute later there is not one more, and no second")
		}
		f.clock.advance(-24 * time.Hour)
		if !f.opens(session.Browser{Address: "192.0.2.9"}) {
			t.Error("after the clock was set back nothing is recorded")
		}
	})
}

func TestRecord_ReservesForQuietNetworks(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.reconfigure(func(o *session.Options) { o.Limits = true })
	for round := range 12 { // of five minutes, from a whole /48
		for i := range 60 {
			f.RecordLinkOpened(t.Context(), session.ByScanner, session.Browser{Address: fmt.Sprintf("2001:db8:0:%x::1", round*60+i)})
		}
		f.clock.advance(5 * time.Minute)
	}
	if n := f.recorded(event.LinkOpened); n > 120+240 {
		t.Errorf("a /48 caused %d events in an hour, want 360 at most", n)
	}
	for i := range 100 {
		if !f.opens(session.Browser{Address: fmt.Sprintf("192.%d.2.7", i)}) {
			t.Fatalf("event %d from a network that caused none is left out", i)
		}
	}
}

func TestSignIn_InvalidLinksFromNewNetworks(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *session.Options) { o.Limits = true })
		f.stytch.magicLink = func(string, string) (session.Authentication, error) {
			return session.Authentication{}, session.ErrLinkUnknown
		}
		for i := range 330 {
			_, _, err := f.SignIn(t.Context(), session.Credentials{Token: "made-up"}, session.Browser{Address: fmt.Sprintf("2001:db8:%x::1", i)})
			if err != session.ErrLinkUnknown {
				t.Fatalf("try %d: %v", i, err)
			}
		}
		if n := f.recorded(event.SignInRefused); n != 300 {
			t.Errorf("%d events of 330, want 300", n)
		}
		known := session.Browser{Address: "192.0.2.7", KnownID: "a browser"}
		if _, _, err := f.SignIn(t.Context(), session.Credentials{Token: "made-up"}, known); err != session.ErrLinkUnknown {
			t.Fatal(err)
		}
		if n := f.recorded(event.SignInRefused); n != 301 {
			t.Errorf("%d events: a wrong link in a known browser is left out because of strangers", n)
		}
	})
}
