// Package providertest is the suite that every session.Provider must pass: what
// package session relies on when it signs people in and checks their sessions.
//
// A provider alone can't be tested. The suite must read the mail, move the
// clock, and do what happens at the service without the product; the caller of
// [Run] hands it all that as a [Service].
package providertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/session"
)

// Service is a login service and what a test needs to handle it. It must not
// limit how many mails an address gets. All of it is used by one goroutine,
// but for the provider.
type Service struct {
	session.Provider

	LinkDuration    time.Duration // of the links it mails
	SessionDuration time.Duration // of the sessions it makes
	Now             func() time.Time
	Advance         func(time.Duration) // moves the clock of the service

	// Join makes an account for an address that has none, and Forget deletes it.
	Join, Forget func(t *testing.T, address string)
	// Invite mails a link that has no challenge and lasts for longer than the
	// suite takes.
	Invite func(t *testing.T, address string)
	// Revoke ends a session.
	Revoke func(t *testing.T, sessionID string)
	// Links returns the tokens of the links mailed to an address, oldest first.
	Links func(t *testing.T, address string) []string
}

// Run tests a service. Everything happens at one service in turn, to an address
// for each case.
func Run(t *testing.T, s Service) {
	t.Run("is ready", func(t *testing.T) {
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("links", s.testLinks)
	t.Run("challenges", s.testChallenges)
	t.Run("sessions", s.testSessions)
	t.Run("cancelled calls", s.testCancelled)
}

var chrome = session.Browser{Address: "203.0.113.7", UserAgent: "Chrome"}

// send mails a link to an address and returns its token.
func (s Service) send(t *testing.T, link session.Link) string {
	t.Helper()
	link.Browser = chrome
	before := len(s.Links(t, link.Email))
	if err := s.SendMagicLink(t.Context(), link); err != nil {
		t.Fatalf("send to %s: %v", link.Email, err)
	}
	links := s.Links(t, link.Email)
	if len(links) != before+1 {
		t.Fatalf("%d links were mailed to %s, want 1", len(links)-before, link.Email)
	}
	return links[before]
}

// proof spends a link that must be good.
func (s Service) proof(t *testing.T, token string) session.Authentication {
	t.Helper()
	p, err := s.AuthenticateMagicLink(t.Context(), token, "", chrome)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// signIn brings somebody in who has an account.
func (s Service) signIn(t *testing.T, address string) session.Authentication {
	t.Helper()
	s.Join(t, address)
	return s.proof(t, s.send(t, session.Link{Email: address}))
}

// refused checks that a link proves nothing.
func (s Service) refused(t *testing.T, token, verifier string, want error) {
	t.Helper()
	p, err := s.AuthenticateMagicLink(t.Context(), token, verifier, chrome)
	if !errors.Is(err, want) || p != (session.Authentication{}) {
		t.Errorf("got %+v and %v, want %v", p, err, want)
	}
}

// Whoever asked goes away: they hear nothing, and nobody else is worse off.
func (s Service) testCancelled(t *testing.T) {
	s.Join(t, "cancelled@example.com")
	token := s.send(t, session.Link{Email: "cancelled@example.com"})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		for name, call := range map[string]func() error{
			"send": func() error { return s.SendMagicLink(gone, session.Link{Email: "cancelled@example.com"}) },
			"authenticate link": func() error {
				_, err := s.AuthenticateMagicLink(gone, token, "", chrome)
				return err
			},
			"authenticate session": func() error {
				_, err := s.AuthenticateSession(gone, token)
				return err
			},
		} {
			if err := call(); !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want ErrUnavailable by cancellation", name, err)
			}
		}
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("ready for others: %v", err)
	}
	s.send(t, session.Link{Email: "cancelled@example.com"})
}
