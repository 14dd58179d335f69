package providertest

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/guestlist/guestlist/internal/session"
)

func (s Service) testLinks(t *testing.T) {
	t.Run("prove the address they were mailed to", func(t *testing.T) {
		s.Join(t, "ada@example.com")
		token := s.send(t, session.Link{Email: "ada@example.com"})
		got := s.proof(t, token)
		want := session.Authentication{Email: "ada@example.com", ExpiresAt: s.Now().Add(s.SessionDuration)}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(session.Authentication{}, "StytchUserID", "SessionID", "SessionToken", "MadeAt")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !got.MadeAt.IsZero() && !got.MadeAt.Equal(s.Now()) { // a service may say nothing of it
			t.Errorf("made at %v, want %v", got.MadeAt, s.Now())
		}
		if got.StytchUserID == "" || got.SessionID == "" || len(got.SessionToken) < 32 || got.SessionToken == token {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("of one person make one session each", func(t *testing.T) {
		one := s.signIn(t, "two@example.com")
		two := s.proof(t, s.send(t, session.Link{Email: "two@example.com"}))
		if one.StytchUserID != two.StytchUserID || one.SessionID == two.SessionID || one.SessionToken == two.SessionToken {
			t.Errorf("got %+v and %+v", one, two)
		}
	})
	t.Run("work once", func(t *testing.T) {
		s.Join(t, "once@example.com")
		token := s.send(t, session.Link{Email: "once@example.com"})
		s.proof(t, token)
		s.refused(t, token, "", session.ErrLinkSpent)
	})
	t.Run("work once for many at the same moment", func(t *testing.T) {
		s.Join(t, "race@example.com")
		token := s.send(t, session.Link{Email: "race@example.com"})
		errs := make([]error, 8)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { _, errs[i] = s.AuthenticateMagicLink(t.Context(), token, "", chrome) })
		}
		all.Wait()
		good := 0
		for _, err := range errs {
			if err == nil {
				good++
			} else if !errors.Is(err, session.ErrLinkSpent) {
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("worked %d times", good)
		}
	})
	t.Run("expire on the instant", func(t *testing.T) {
		s.Join(t, "late@example.com")
		early, late := s.send(t, session.Link{Email: "late@example.com"}), s.send(t, session.Link{Email: "late@example.com"})
		s.Advance(s.LinkDuration - time.Microsecond)
		s.proof(t, early)
		s.Advance(time.Microsecond)
		s.refused(t, late, "", session.ErrLinkSpent)
	})
	t.Run("that were cut or made up are unknown", func(t *testing.T) {
		s.Join(t, "cut@example.com")
		token := s.send(t, session.Link{Email: "cut@example.com"})
		other := "A"
		if strings.HasPrefix(token, other) {
			other = "B"
		}
		for _, bad := range []string{
			token[:len(token)-1], token[1:], token + "A", other + token[1:], "x", "", "../../users", strings.Repeat("x", 5000), "ü\x00",
		} {
			s.refused(t, bad, "", session.ErrLinkUnknown)
		}
		s.proof(t, token) // and no try has spent it
	})
	t.Run("are not mailed to an address without an account", func(t *testing.T) {
		if err := s.SendMagicLink(t.Context(), session.Link{Email: "nobody@example.com"}); !errors.Is(err, session.ErrNoAccount) {
			t.Errorf("got %v, want ErrNoAccount", err)
		}
		if links := s.Links(t, "nobody@example.com"); len(links) != 0 {
			t.Errorf("%d were", len(links))
		}
	})
	t.Run("make strangers an account where they may have one", func(t *testing.T) {
		first := s.proof(t, s.send(t, session.Link{Email: "unknown@example.com", CreateAccount: true}))
		again := s.proof(t, s.send(t, session.Link{Email: "unknown@example.com"}))
		if first.Email != "unknown@example.com" || first.StytchUserID != again.StytchUserID {
			t.Errorf("got %+v and %+v", first, again)
		}
	})
	t.Run("of somebody forgotten are unknown", func(t *testing.T) {
		s.Join(t, "forgotten@example.com")
		token := s.send(t, session.Link{Email: "forgotten@example.com"})
		s.Forget(t, "forgotten@example.com")
		s.refused(t, token, "", session.ErrLinkUnknown)
	})
}

// testChallenges is about links that work only in the browser which asked.
func (s Service) testChallenges(t *testing.T) {
	verifier, another := strings.Repeat("v", 43), strings.Repeat("w", 128)
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])

	t.Run("let in the browser that asked", func(t *testing.T) {
		for address, unknownEmail := range map[string]bool{"pkce@example.com": false, "pkce-unknown@example.com": true} {
			if !unknownEmail {
				s.Join(t, address)
			}
			token := s.send(t, session.Link{Email: address, CreateAccount: unknownEmail, Challenge: challenge})
			if p, err := s.AuthenticateMagicLink(t.Context(), token, verifier, chrome); err != nil || p.Email != address {
				t.Errorf("%s: got %+v, %v", address, p, err)
			}
		}
	})
	t.Run("keep out other browsers", func(t *testing.T) {
		s.Join(t, "elsewhere@example.com")
		token := s.send(t, session.Link{Email: "elsewhere@example.com", Challenge: challenge})
		s.refused(t, token, "", session.ErrOtherBrowser)
		s.refused(t, s.send(t, session.Link{Email: "elsewhere@example.com", Challenge: challenge}), another, session.ErrOtherBrowser)
	})
	t.Run("that a link lacks are told, and the link is not spent by it", func(t *testing.T) {
		s.Invite(t, "invited@example.com")
		links := s.Links(t, "invited@example.com")
		token := links[len(links)-1]
		s.refused(t, token, verifier, session.ErrNoChallenge)
		s.proof(t, token)
	})
}
