package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

func TestCheck_ProviderUnavailable(t *testing.T) {
	for name, fault := range map[string]error{
		"down": session.ErrUnavailable, "wants a pause": session.ErrTooMany, "of another mind": errors.New("unheard of"),
	} {
		t.Run(name, func(t *testing.T) {
			f, token := signedIn(t)
			f.stytch.authenticate = func(context.Context, string) (session.ProviderSession, error) {
				return session.ProviderSession{}, fault
			}
			f.clock.set(noon.Add(time.Hour - time.Microsecond))
			s, err := f.Check(t.Context(), token, session.Browser{})
			if err != nil || s.VerifiedAt != noon || s.User.Email.Normalized != "ada@example.com" {
				t.Errorf("within the hour: %v, verified at %v; want it to go on as it was", err, s.VerifiedAt)
			}
			f.clock.set(noon.Add(time.Hour))
			if s, err := f.Check(t.Context(), token, session.Browser{}); !errors.Is(err, session.ErrUnavailable) || errors.Is(err, session.ErrTooMany) || s != (session.Session{}) {
				t.Errorf("after an hour: %+v and %v, want ErrUnavailable alone", s, err)
			}
			f.stytch.authenticate = nil
			if _, err := f.Check(t.Context(), token, session.Browser{}); err != nil {
				t.Errorf("when Stytch is back: %v", err)
			}
		})
	}
}

func TestCheck_RevokedAtProvider(t *testing.T) {
	f, token := signedIn(t)
	f.stytch.authenticate = func(context.Context, string) (session.ProviderSession, error) {
		return session.ProviderSession{}, session.ErrEnded
	}
	f.clock.advance(5 * time.Minute)
	for range 2 {
		if _, err := f.Check(t.Context(), token, session.Browser{}); !errors.Is(err, session.ErrEnded) {
			t.Errorf("got %v, want ErrEnded", err)
		}
	}
	if len(f.stytch.checked) != 1 {
		t.Errorf("asked %d times, want once: the row is gone", len(f.stytch.checked))
	}
}

func TestCheck_AnswerAboutAnotherSession(t *testing.T) {
	t.Parallel()
	good := session.ProviderSession{StytchUserID: "stytch-of-ada@example.com", SessionID: "session-1", ExpiresAt: noon.Add(time.Hour)}
	for name, spoil := range map[string]func(*session.ProviderSession){
		"person":  func(s *session.ProviderSession) { s.StytchUserID = "stytch-of-eve@example.com" },
		"session": func(s *session.ProviderSession) { s.SessionID = "session-2" },
		"nobody":  func(s *session.ProviderSession) { s.StytchUserID = "" },
	} {
		t.Run(name, func(t *testing.T) {
			f, token := signedIn(t)
			standing := good
			spoil(&standing)
			f.stytch.authenticate = func(context.Context, string) (session.ProviderSession, error) { return standing, nil }
			f.clock.advance(5 * time.Minute) // well within the grace
			if s, err := f.Check(t.Context(), token, session.Browser{}); !errors.Is(err, session.ErrUnavailable) || s != (session.Session{}) {
				t.Errorf("got %+v and %v, want ErrUnavailable", s, err)
			}
			if s, err := f.db.GetSession(t.Context(), session.Hash(token)); err != nil || s.VerifiedAt != noon {
				t.Errorf("the row: verified at %v, %v; want it as it was", s.VerifiedAt, err)
			}
			trail, _, err := f.db.ListEvents(t.Context(), event.Query{Kind: event.StytchMismatch, Limit: 10})
			if err != nil || len(trail) != 1 || trail[0].Subject != "ada@example.com" {
				t.Errorf("on record: %+v, %v", trail, err)
			}
		})
	}
}

func TestCheck_CoalescesConcurrentCalls(t *testing.T) {
	for name, test := range map[string]struct {
		answer error
		want   error
		wrote  []string
	}{
		"of a session that stands": {nil, nil, []string{"set verified"}},
		"of a session that ended":  {session.ErrEnded, session.ErrEnded, nil},
		"while Stytch is away":     {session.ErrUnavailable, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.put("ada@example.com", directory.Member, directory.Active)
				_, token := f.signIn("ada@example.com")
				time.Sleep(5 * time.Minute)
				f.db.calls = nil
				f.stytch.authenticate = func(context.Context, string) (session.ProviderSession, error) {
					time.Sleep(time.Second) // until all wait
					return session.ProviderSession{StytchUserID: "stytch-of-ada@example.com", SessionID: "session-1", ExpiresAt: noon}, test.answer
				}
				var all sync.WaitGroup
				for range 100 {
					all.Go(func() {
						if _, err := f.Check(t.Context(), token, session.Browser{}); !errors.Is(err, test.want) {
							t.Errorf("got %v, want %v", err, test.want)
						}
					})
				}
				all.Wait()
				if n := len(f.stytch.checked); n != 1 {
					t.Errorf("asked %d times", n)
				}
				var wrote []string
				for _, call := range f.db.calls {
					if call != "get session" {
						wrote = append(wrote, call)
					}
				}
				if diff := cmp.Diff(test.wrote, wrote); diff != "" {
					t.Errorf("wrote (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// The one who asks goes away; the others still get the answer.
func TestCheck_CallerCancelled(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.put("ada@example.com", directory.Member, directory.Active)
		_, token := f.signIn("ada@example.com")
		time.Sleep(5 * time.Minute)
		f.stytch.authenticate = func(ctx context.Context, _ string) (session.ProviderSession, error) {
			time.Sleep(2 * time.Second)
			return session.ProviderSession{StytchUserID: "stytch-of-ada@example.com", SessionID: "session-1", ExpiresAt: noon}, ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go f.Check(ctx, token, session.Browser{})
		time.Sleep(500 * time.Millisecond)
		s, err := f.Check(t.Context(), token, session.Browser{})
		if err != nil || !s.VerifiedAt.Equal(time.Now()) || len(f.stytch.checked) != 1 {
			t.Errorf("verified at %v, %v, asked %d times", s.VerifiedAt, err, len(f.stytch.checked))
		}
		time.Sleep(time.Second)
		if stored, err := f.db.GetSession(t.Context(), session.Hash(token)); err != nil || !stored.VerifiedAt.Equal(s.VerifiedAt) {
			t.Errorf("the answer was not noted: %v, %v", stored.VerifiedAt, err)
		}
	})
}

func TestRecordRefused_RateLimited(t *testing.T) {
	t.Parallel()
	f := onSQLite(t, func(o *session.Options) { o.Limits = true })
	ada := f.put("ada@example.com", directory.Member, directory.Active)
	for range 100 {
		f.RecordRefused(t.Context(), event.Origin{}, ada, "GET /users: for administrators")
		f.RecordLinkOpened(t.Context(), session.ByScanner, session.Browser{Address: "192.0.2.1"})
	}
	for _, kind := range []event.Kind{event.ActionRefused, event.LinkOpened} {
		trail, _, err := f.db.ListEvents(t.Context(), event.Query{Kind: kind, Limit: 200})
		if err != nil || len(trail) != 30 {
			t.Errorf("%s is on record %d times, %v; want 30", kind, len(trail), err)
		}
	}
}
