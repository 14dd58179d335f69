package providertest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/guestlist/guestlist/internal/session"
)

// sendCode emails a code to an address and returns it and the method id.
func (s Service) sendCode(t *testing.T, c session.Code) (code, methodID string) {
	t.Helper()
	c.Browser = chrome
	before := len(s.Codes(t, c.Email))
	methodID, err := s.SendCode(t.Context(), c)
	if err != nil || methodID == "" {
		t.Fatalf("send to %s: %q, %v", c.Email, methodID, err)
	}
	codes := s.Codes(t, c.Email)
	if len(codes) != before+1 {
		t.Fatalf("%d codes were mailed to %s, want 1", len(codes)-before, c.Email)
	}
	return codes[before], methodID
}

// refusedCode checks that a code proves nothing.
func (s Service) refusedCode(t *testing.T, methodID, code string, want error) {
	t.Helper()
	p, err := s.AuthenticateCode(t.Context(), methodID, code, "", chrome)
	if !errors.Is(err, want) || p != (session.Authentication{}) {
		t.Errorf("got %+v and %v, want %v", p, err, want)
	}
}

// wrong returns another code.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func (s Service) testCodes(t *testing.T) {
	t.Run("prove the address they were mailed to", func(t *testing.T) {
		s.Join(t, "code@example.com")
		code, methodID := s.sendCode(t, session.Code{Email: "code@example.com"})
		got, err := s.AuthenticateCode(t.Context(), methodID, code, "", chrome)
		if err != nil {
			t.Fatal(err)
		}
		want := session.Authentication{Email: "code@example.com", ExpiresAt: s.Now().Add(s.SessionDuration)}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(session.Authentication{}, "StytchUserID", "SessionID", "SessionToken", "MadeAt")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got.StytchUserID == "" || got.SessionID == "" || len(got.SessionToken) < 32 {
			t.Errorf("got %+v", got)
		}
		if _, err := s.AuthenticateSession(t.Context(), got.SessionToken); err != nil {
			t.Errorf("its session: %v", err)
		}
	})
	t.Run("need an account unless one is to be created", func(t *testing.T) {
		if _, err := s.SendCode(t.Context(), session.Code{Email: "codeless@example.com", Browser: chrome}); !errors.Is(err, session.ErrNoAccount) {
			t.Fatalf("got %v", err)
		}
		code, methodID := s.sendCode(t, session.Code{Email: "codeless@example.com", CreateAccount: true})
		if p, err := s.AuthenticateCode(t.Context(), methodID, code, "", chrome); err != nil || p.Email != "codeless@example.com" {
			t.Errorf("got %+v, %v", p, err)
		}
	})
	t.Run("add themselves to a session", func(t *testing.T) {
		in := s.signIn(t, "codestep@example.com")
		code, methodID := s.sendCode(t, session.Code{Email: "codestep@example.com"})
		p, err := s.AuthenticateCode(t.Context(), methodID, code, in.SessionToken, chrome)
		if err != nil || p.SessionID != in.SessionID || p.StytchUserID != in.StytchUserID {
			t.Errorf("got %+v, %v, want the session %s", p, err, in.SessionID)
		}
	})
	t.Run("work once, also for many at the same moment", func(t *testing.T) {
		s.Join(t, "coderace@example.com")
		code, methodID := s.sendCode(t, session.Code{Email: "coderace@example.com"})
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { _, errs[i] = s.AuthenticateCode(t.Context(), methodID, code, "", chrome) })
		}
		all.Wait()
		good := 0
		for _, err := range errs {
			if err == nil {
				good++
			} else if !errors.Is(err, session.ErrCodeSpent) {
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("worked %d times", good)
		}
		s.refusedCode(t, methodID, code, session.ErrCodeSpent)
	})
	t.Run("that are wrong are refused, five times", func(t *testing.T) {
		s.Join(t, "codewrong@example.com")
		code, methodID := s.sendCode(t, session.Code{Email: "codewrong@example.com"})
		for range 5 {
			s.refusedCode(t, methodID, wrong(code), session.ErrCodeWrong)
		}
		s.refusedCode(t, methodID, code, session.ErrCodeSpent)
	})
	t.Run("of unknown addresses are wrong", func(t *testing.T) {
		s.refusedCode(t, "email-test-00000000-0000-4000-8000-000000000000", "123456", session.ErrCodeWrong)
	})
	t.Run("are replaced by newer ones", func(t *testing.T) {
		s.Join(t, "codenew@example.com")
		old, _ := s.sendCode(t, session.Code{Email: "codenew@example.com"})
		code, methodID := s.sendCode(t, session.Code{Email: "codenew@example.com"})
		if old != code {
			s.refusedCode(t, methodID, old, session.ErrCodeWrong)
		}
		if _, err := s.AuthenticateCode(t.Context(), methodID, code, "", chrome); err != nil {
			t.Error(err)
		}
	})
	t.Run("expire on the instant", func(t *testing.T) {
		s.Join(t, "codelate@example.com")
		code, methodID := s.sendCode(t, session.Code{Email: "codelate@example.com"})
		s.Advance(session.CodeDuration)
		s.refusedCode(t, methodID, code, session.ErrCodeSpent)
		code, methodID = s.sendCode(t, session.Code{Email: "codelate@example.com"})
		s.Advance(session.CodeDuration - time.Microsecond)
		if _, err := s.AuthenticateCode(t.Context(), methodID, code, "", chrome); err != nil {
			t.Errorf("just before: %v", err)
		}
	})
	t.Run("don't spend links, nor links them", func(t *testing.T) {
		s.Join(t, "codelink@example.com")
		token := s.send(t, session.Link{Email: "codelink@example.com"})
		code, methodID := s.sendCode(t, session.Code{Email: "codelink@example.com"})
		s.proof(t, token)
		if _, err := s.AuthenticateCode(t.Context(), methodID, code, "", chrome); err != nil {
			t.Error(err)
		}
	})
	t.Run("of deleted accounts are wrong", func(t *testing.T) {
		s.Join(t, "codegone@example.com")
		code, methodID := s.sendCode(t, session.Code{Email: "codegone@example.com"})
		s.Forget(t, "codegone@example.com")
		s.refusedCode(t, methodID, code, session.ErrCodeWrong)
	})
}
