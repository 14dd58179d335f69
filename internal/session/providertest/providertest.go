// Package providertest is the conformance suite of session.Provider. The suite must read mails,
// move the clock and make changes at the login service; the caller of [Run] provides all this
// as a [Service].
package providertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/session"
)

// Service is a login service under test. It must not limit the number of mails per address.
// Only the Provider is used concurrently.
type Service struct {
	session.Provider

	LinkDuration    time.Duration // of mailed links
	SessionDuration time.Duration
	Now             func() time.Time
	Advance         func(time.Duration) // moves the clock of the service

	// Join creates an account for an address, and Forget deletes it.
	Join, Forget func(t *testing.T, address string)
	// Invite mails a link without a challenge that outlasts the suite.
	Invite func(t *testing.T, address string)
	// Revoke ends a session.
	Revoke func(t *testing.T, sessionID string)
	// Links returns the tokens of the links mailed to an address, oldest first.
	Links func(t *testing.T, address string) []string
	// Codes returns the codes mailed to an address, oldest first.
	Codes func(t *testing.T, address string) []string
}

// Run tests a service. The cases run in sequence, each with its own address.
func Run(t *testing.T, s Service) {
	t.Run("is ready", func(t *testing.T) {
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("links", s.testLinks)
	t.Run("challenges", s.testChallenges)
	t.Run("codes", s.testCodes)
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

// signIn signs in a user with an account.
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

// A cancelled call returns an error and doesn't affect other calls.
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
