package providertest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/session"
)

func (s Service) testSessions(t *testing.T) {
	t.Run("stand until they expire, however often one asks", func(t *testing.T) {
		p := s.signIn(t, "stands@example.com")
		want := session.ProviderSession{StytchUserID: p.StytchUserID, SessionID: p.SessionID, ExpiresAt: p.ExpiresAt}
		for _, wait := range []time.Duration{0, s.SessionDuration / 2, s.SessionDuration/2 - time.Microsecond} {
			s.Advance(wait)
			got, err := s.AuthenticateSession(t.Context(), p.SessionToken)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			got, err = s.GetSession(t.Context(), p.StytchUserID, p.SessionID)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("by its id: %v (-want +got):\n%s", err, diff)
			}
		}
		s.Advance(time.Microsecond)
		s.ended(t, p.SessionToken)
		s.gone(t, p.StytchUserID, p.SessionID)
	})
	t.Run("end when revoked, one at a time", func(t *testing.T) {
		one := s.signIn(t, "revoked@example.com")
		two := s.proof(t, s.send(t, session.Link{Email: "revoked@example.com"}))
		s.Revoke(t, one.SessionID)
		s.ended(t, one.SessionToken)
		s.gone(t, one.StytchUserID, one.SessionID)
		if _, err := s.AuthenticateSession(t.Context(), two.SessionToken); err != nil {
			t.Errorf("the other session: %v", err)
		}
		if _, err := s.GetSession(t.Context(), two.StytchUserID, two.SessionID); err != nil {
			t.Errorf("the other session, by its id: %v", err)
		}
	})
	t.Run("end with the account", func(t *testing.T) {
		p := s.signIn(t, "gone@example.com")
		s.Forget(t, "gone@example.com")
		s.ended(t, p.SessionToken)
		s.gone(t, p.StytchUserID, p.SessionID)
	})
	t.Run("of another user are none", func(t *testing.T) {
		one, two := s.signIn(t, "one@example.com"), s.signIn(t, "another@example.com")
		s.gone(t, one.StytchUserID, two.SessionID)
	})
	t.Run("of tokens cut or made up are none", func(t *testing.T) {
		p := s.signIn(t, "token@example.com")
		token := p.SessionToken
		other := "A"
		if strings.HasPrefix(token, other) {
			other = "B"
		}
		for _, bad := range []string{token[:len(token)-1], token + "A", other + token[1:], "x", p.SessionID, strings.Repeat("x", 5000)} {
			s.ended(t, bad)
		}
	})
}

// ended checks that a token stands for no session.
func (s Service) ended(t *testing.T, token string) {
	t.Helper()
	got, err := s.AuthenticateSession(t.Context(), token)
	if !errors.Is(err, session.ErrEnded) || got != (session.ProviderSession{}) {
		t.Errorf("got %+v and %v, want ErrEnded", got, err)
	}
}

// gone checks that a user has no session with an id.
func (s Service) gone(t *testing.T, stytchUserID, sessionID string) {
	t.Helper()
	got, err := s.GetSession(t.Context(), stytchUserID, sessionID)
	if !errors.Is(err, session.ErrEnded) || got != (session.ProviderSession{}) {
		t.Errorf("by its id: got %+v and %v, want ErrEnded", got, err)
	}
}
