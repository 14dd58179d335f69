package session_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/session"
)

func TestRecheck_AsksForTheSessionByItsID(t *testing.T) {
	t.Parallel()
	live := session.ProviderSession{StytchUserID: "stytch-of-ada@example.com", SessionID: "session-1", ExpiresAt: noon.Add(24 * time.Hour)}
	other := live
	other.SessionID = "session-2"
	for name, row := range map[string]struct {
		after  time.Duration
		answer session.ProviderSession
		err    error
		asked  bool
		want   error
		ended  bool
	}{
		"verified lately":                    {after: 5*time.Minute - time.Microsecond},
		"it lives":                           {after: 5 * time.Minute, answer: live, asked: true},
		"it has ended":                       {after: 5 * time.Minute, err: session.ErrEnded, asked: true, want: session.ErrEnded, ended: true},
		"the answer is about another":        {after: 5 * time.Minute, answer: other, asked: true, want: session.ErrUnavailable},
		"the login service is down, lately":  {after: time.Hour - time.Microsecond, err: session.ErrUnavailable, asked: true},
		"the login service is down too long": {after: time.Hour, err: session.ErrUnavailable, asked: true, want: session.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			f, token := signedIn(t)
			f.stytch.get = func(string, string) (session.ProviderSession, error) { return row.answer, row.err }
			sess, err := f.Check(t.Context(), token, session.Browser{})
			if err != nil {
				t.Fatal(err)
			}
			f.clock.set(noon.Add(row.after))
			got, err := f.Recheck(t.Context(), sess, session.Browser{})
			if !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			if row.answer == live && !got.ExpiresAt.Equal(live.ExpiresAt) {
				t.Errorf("it expires at %v, want %v", got.ExpiresAt, live.ExpiresAt)
			}
			var want []string
			if row.asked {
				want = []string{"stytch-of-ada@example.com session-1"}
			}
			if !slices.Equal(f.stytch.checked, want) {
				t.Errorf("asked about %q, want %q", f.stytch.checked, want)
			}
			list, err := f.List(t.Context(), sess.UserID)
			if ended := len(list) == 0; ended != row.ended || err != nil {
				t.Errorf("the session's row is gone: %v, want %v; %v", ended, row.ended, err)
			}
		})
	}
}
