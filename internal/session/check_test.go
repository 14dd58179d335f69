package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// signedIn returns a fixture where Ada is in, and her token.
func signedIn(t *testing.T, changes ...func(*session.Options)) (*fixture, string) {
	t.Helper()
	t.Parallel()
	f := onSQLite(t, changes...)
	f.put("ada@example.com", directory.Member, directory.Active)
	_, token := f.signIn("ada@example.com")
	return f, token
}

func TestCheck_VerifiesAgainAfterRecheck(t *testing.T) {
	f, token := signedIn(t)
	const tick = time.Microsecond
	for _, step := range []struct {
		at, word time.Duration // since noon: now, and when Stytch last stood by it
		asked    int
	}{
		{0, 0, 0},
		{5*time.Minute - tick, 0, 0},
		{5 * time.Minute, 5 * time.Minute, 1},
		{10*time.Minute - tick, 5 * time.Minute, 1},
		{10 * time.Minute, 10 * time.Minute, 2},
	} {
		f.clock.set(noon.Add(step.at))
		s, err := f.Check(t.Context(), token, session.Browser{})
		if err != nil || len(f.stytch.checked) != step.asked {
			t.Errorf("after %v: %v, asked %d times, want %d", step.at, err, len(f.stytch.checked), step.asked)
		}
		if word := noon.Add(step.word); s.VerifiedAt != word || s.User.LastSeenAt != word {
			t.Errorf("after %v: verified at %v and seen at %v, want %v", step.at, s.VerifiedAt, s.User.LastSeenAt, word)
		}
	}
}

func TestCheck_Refused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(f *fixture, token string) (presented string)
		want  error
	}{
		{"of no token", func(*fixture, string) string { return "" }, session.ErrEnded},
		{"of a made-up token", func(*fixture, string) string { return "token-2" }, session.ErrEnded},
		{"of a cut token", func(_ *fixture, token string) string { return token[:len(token)-1] }, session.ErrEnded},
		{"of a longer token", func(_ *fixture, token string) string { return token + "x" }, session.ErrEnded},
		{"of the token's hash", func(_ *fixture, token string) string { return session.Hash(token) }, session.ErrEnded},
		{"after signing out", func(f *fixture, token string) string {
			f.SignOut(context.Background(), token, session.Browser{})
			return token
		}, session.ErrEnded},
		{"after a suspension that left the row", func(f *fixture, token string) string {
			f.change(func(u *directory.User) { u.Status = directory.Suspended })
			return token
		}, session.ErrEnded},
		{"after a removal", func(f *fixture, token string) string {
			f.db.ChangeUser(context.Background(), "id-of-ada@example.com", func(s directory.RuleState) (directory.Change, error) {
				return directory.Change{User: s.User, Remove: true}, nil
			})
			return token
		}, session.ErrEnded},
		{"while the database is out of reach", func(f *fixture, token string) string {
			f.db.fail = map[string]error{"get session": directory.ErrUnavailable}
			return token
		}, directory.ErrUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, token := signedIn(t)
			s, err := f.Check(t.Context(), test.spoil(f, token), session.Browser{})
			if !errors.Is(err, test.want) || s != (session.Session{}) {
				t.Errorf("got %+v and %v, want %v", s, err, test.want)
			}
			if len(f.stytch.checked) != 0 {
				t.Error("Stytch was asked")
			}
		})
	}
}

// change writes Ada as edit leaves her, and nothing else.
func (f *fixture) change(edit func(*directory.User)) {
	f.t.Helper()
	_, err := f.db.ChangeUser(f.t.Context(), "id-of-ada@example.com", func(s directory.RuleState) (directory.Change, error) {
		edit(&s.User)
		return directory.Change{User: s.User}, nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func TestCheck_RoleChangeTakesEffectAtOnce(t *testing.T) {
	f, token := signedIn(t)
	f.change(func(u *directory.User) { u.Role = directory.Admin })
	if s, err := f.Check(t.Context(), token, session.Browser{}); err != nil || s.User.Role != directory.Admin {
		t.Errorf("the next check finds a %s, %v", s.User.Role, err)
	}
}

func TestCheck_Expired(t *testing.T) {
	f, token := signedIn(t, func(o *session.Options) { o.Recheck = 14 * 24 * time.Hour })
	end := noon.Add(7 * 24 * time.Hour)
	f.clock.set(end.Add(-time.Microsecond))
	if _, err := f.Check(t.Context(), token, session.Browser{}); err != nil {
		t.Errorf("a microsecond before: %v", err)
	}
	if list, err := f.List(t.Context(), "id-of-ada@example.com"); err != nil || len(list) != 1 {
		t.Errorf("a microsecond before: %d listed, %v", len(list), err)
	}
	f.clock.set(end)
	if _, err := f.Check(t.Context(), token, session.Browser{}); !errors.Is(err, session.ErrEnded) {
		t.Errorf("on the instant: %v, want ErrEnded", err)
	}
	if list, err := f.List(t.Context(), "id-of-ada@example.com"); err != nil || len(list) != 0 {
		t.Errorf("on the instant: %d listed, %v", len(list), err)
	}
	if len(f.stytch.checked) != 0 {
		t.Error("Stytch was asked about a session that was over")
	}
}

func TestCheck_ProviderShortensSession(t *testing.T) {
	f, token := signedIn(t)
	standing := session.ProviderSession{StytchUserID: "stytch-of-ada@example.com", SessionID: "session-1", ExpiresAt: noon.Add(time.Hour)}
	f.stytch.authenticate = func(context.Context, string) (session.ProviderSession, error) { return standing, nil }
	f.clock.advance(10 * time.Minute)
	if s, err := f.Check(t.Context(), token, session.Browser{}); err != nil || s.ExpiresAt != noon.Add(time.Hour) {
		t.Errorf("expires at %v, %v", s.ExpiresAt, err)
	}
	standing.ExpiresAt = noon.Add(1000 * time.Hour) // Stytch may shorten a session, not lengthen it
	f.clock.advance(10 * time.Minute)
	if s, err := f.Check(t.Context(), token, session.Browser{}); err != nil || s.ExpiresAt != noon.Add(time.Hour) {
		t.Errorf("expires at %v, %v", s.ExpiresAt, err)
	}
	f.clock.set(noon.Add(time.Hour))
	if _, err := f.Check(t.Context(), token, session.Browser{}); !errors.Is(err, session.ErrEnded) {
		t.Errorf("at the earlier end: %v, want ErrEnded", err)
	}
}

func TestSignOut(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada := f.put("ada@example.com", directory.Member, directory.Active)
		_, first := f.signIn("ada@example.com")
		_, second := f.signIn("ada@example.com")
		_, third := f.signIn("ada@example.com")
		f.outbox.woken.Store(0)
		for range 2 { // once more is fine
			if err := f.SignOut(t.Context(), first, session.Browser{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.SignOut(t.Context(), "made up", session.Browser{}); err != nil {
			t.Errorf("a token that has no session: %v", err)
		}
		if diff := cmp.Diff([]string{"revoke_session session-1"}, f.jobs("ada@example.com")); diff != "" || f.outbox.woken.Load() != 1 {
			t.Errorf("the outbox was woken %d times and has (-want +got):\n%s", f.outbox.woken.Load(), diff)
		}
		if _, err := f.Check(t.Context(), second, session.Browser{}); err != nil {
			t.Errorf("another session: %v", err)
		}
		n, err := f.Revoke(t.Context(), event.Origin{}, ada.ID, "signed out", func(s session.Session) bool { return s.TokenHash != session.Hash(third) })
		if n != 1 || err != nil {
			t.Errorf("signing out elsewhere ended %d, %v, want 1", n, err)
		}
		if _, err := f.Check(t.Context(), third, session.Browser{}); err != nil {
			t.Errorf("the session kept: %v", err)
		}
		if n, err := f.Revoke(t.Context(), event.Origin{}, "nobody", "signed out", func(session.Session) bool { return true }); n != 0 || !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("nobody's sessions: %d, %v", n, err)
		}
	})
}
