package session_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada := f.put("ada@example.com", directory.Member, directory.Invited)
		f.clock.advance(time.Minute)
		got, token := f.signIn("ada@example.com")

		ada.Status, ada.StytchUserID = directory.Active, "stytch-of-ada@example.com"
		ada.UpdatedAt, ada.LastSeenAt, ada.LinksAfter = f.clock.now(), f.clock.now(), f.clock.now()
		want := session.Session{
			TokenHash: session.Hash("token-1"), UserID: ada.ID, StytchSessionID: "session-1", UserAgent: "Browser/1", Address: "203.0.113.7",
			CreatedAt: f.clock.now(), VerifiedAt: f.clock.now(), ExpiresAt: noon.Add(7 * 24 * time.Hour), User: ada,
			Proofs: factor.Proofs("").With(factor.EmailLink, f.clock.now()),
		}
		if diff := cmp.Diff(want, got); diff != "" || token != "token-1" {
			t.Errorf("token %q; returned (-want +got):\n%s", token, diff)
		}
		stored, err := f.Check(t.Context(), token, session.Browser{})
		want.UserAgent, want.Address, want.User.UpdatedAt, want.User.LinksAfter = "", "", time.Time{}, time.Time{} // no request needs them
		if diff := cmp.Diff(want, stored); diff != "" || err != nil {
			t.Errorf("%v; stored (-want +got):\n%s", err, diff)
		}
		if jobs := f.jobs("ada@example.com"); len(jobs) != 0 || len(f.stytch.checked) != 0 {
			t.Errorf("jobs %v, asked about %v", jobs, f.stytch.checked)
		}
	})
}

func TestSignIn_SessionDuration(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ ours, theirs, want time.Duration }{
		"ours":   {time.Hour, 2 * time.Hour, time.Hour},
		"theirs": {2 * time.Hour, time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t, func(o *session.Options) { o.Duration = test.ours })
			f.put("ada@example.com", directory.Member, directory.Active)
			f.stytch.magicLink = func(token, _ string) (session.Authentication, error) {
				p, err := proofOf(token, "1")
				p.ExpiresAt = noon.Add(test.theirs)
				return p, err
			}
			if s, _ := f.signIn("ada@example.com"); s.ExpiresAt != noon.Add(test.want) {
				t.Errorf("expires after %v, want %v", s.ExpiresAt.Sub(noon), test.want)
			}
		})
	}
}

func TestSignIn_Refused(t *testing.T) {
	tests := []struct {
		name, link string
		stytch     error // what it says of the link
		want       error
		revoked    bool // the unused session at Stytch
	}{
		{"of somebody not listed", "link:eve@example.com", nil, directory.ErrNotListed, true},
		{"of somebody suspended", "link:suspended@example.com", nil, directory.ErrSuspended, true},
		{"of an address that nobody can have", "link:eve@localhost", nil, directory.ErrNotListed, true},
		{"of two addresses", "link:active@example.com,eve@example.com", nil, directory.ErrNotListed, true},
		{"of no address", "link:", nil, directory.ErrNotListed, true},
		{"of a spent link", "link:spent@example.com", session.ErrLinkSpent, session.ErrLinkSpent, false},
		{"of an unknown link", "link:unknown@example.com", session.ErrLinkUnknown, session.ErrLinkUnknown, false},
		{"of another browser's link", "link:elsewhere@example.com", session.ErrOtherBrowser, session.ErrOtherBrowser, false},
		{"of too many", "link:hasty@example.com", session.ErrTooMany, session.ErrTooMany, false},
		{"while Stytch is out of reach", "link:patient@example.com", session.ErrUnavailable, session.ErrUnavailable, false},
	}
	each(t, func(t *testing.T, f *fixture) {
		f.put("active@example.com", directory.Member, directory.Active)
		f.put("suspended@example.com", directory.Member, directory.Suspended)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				f.stytch.magicLink = func(token, _ string) (session.Authentication, error) {
					if test.stytch != nil {
						return session.Authentication{}, test.stytch
					}
					return proofOf(token, "1")
				}
				_, held := f.signInAs(t, "active@example.com")
				s, token, err := f.SignIn(t.Context(), session.Credentials{Token: test.link, ReplacedToken: held}, session.Browser{})
				if !errors.Is(err, test.want) || token != "" || s != (session.Session{}) {
					t.Errorf("got %v, %q and %v, want %v alone", s, token, err, test.want)
				}
				if _, err := f.db.GetSession(t.Context(), session.Hash("token-1")); !errors.Is(err, directory.ErrNotFound) {
					t.Errorf("there is a session: %v", err)
				}
				if _, err := f.Check(t.Context(), held, session.Browser{}); err != nil {
					t.Errorf("the session before was ended by a sign-in that failed: %v", err)
				}
				address := strings.TrimPrefix(test.link, "link:")
				var want []string
				if test.revoked {
					want = []string{"revoke_session session-1"}
				}
				if diff := cmp.Diff(want, f.jobs(address)); diff != "" {
					t.Errorf("jobs (-want +got):\n%s", diff)
				}
			})
		}
	})
}

// signInAs signs in with an address, whatever the fake Stytch's script.
func (f *fixture) signInAs(t *testing.T, address string) (session.Session, string) {
	t.Helper()
	script := f.stytch.magicLink
	defer func() { f.stytch.magicLink = script }()
	f.stytch.magicLink = func(token, _ string) (session.Authentication, error) { return proofOf(token, "of-"+t.Name()) }
	return f.signIn(address)
}

func TestSignIn_DatabaseUnavailable(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.put("ada@example.com", directory.Member, directory.Active)
	f.db.fail = map[string]error{"sign in": directory.ErrUnavailable}
	_, token, err := f.SignIn(t.Context(), session.Credentials{Token: "link:ada@example.com"}, session.Browser{})
	if !errors.Is(err, directory.ErrUnavailable) || token != "" {
		t.Errorf("got %q and %v", token, err)
	}
	if diff := cmp.Diff([]string{"revoke_session session-1"}, f.jobs("ada@example.com")); diff != "" || f.outbox.woken.Load() != 1 {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}

func TestSignIn_ReplacesSession(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.put("ada@example.com", directory.Member, directory.Active)
		f.put("bob@example.com", directory.Member, directory.Active)
		_, first := f.signIn("ada@example.com")
		_, other := f.signIn("ada@example.com")
		// Bob comes in with Ada's browser.
		_, second, err := f.SignIn(t.Context(), session.Credentials{Token: "link:bob@example.com", ReplacedToken: first}, session.Browser{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Check(t.Context(), first, session.Browser{}); !errors.Is(err, session.ErrEnded) {
			t.Errorf("the session before: %v, want ErrEnded", err)
		}
		if s, err := f.Check(t.Context(), second, session.Browser{}); err != nil || s.User.Email.Normalized != "bob@example.com" {
			t.Errorf("the new session is %s's, %v", s.User.Email, err)
		}
		if _, err := f.Check(t.Context(), other, session.Browser{}); err != nil {
			t.Errorf("a session of another browser: %v", err)
		}
		if diff := cmp.Diff([]string{"revoke_session session-1"}, f.jobs("ada@example.com")); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
		if _, _, err := f.SignIn(t.Context(), session.Credentials{Token: "link:bob@example.com", ReplacedToken: "made up"}, session.Browser{}); err != nil {
			t.Errorf("a cookie that stands for nothing stops a sign-in: %v", err)
		}
	})
}

func TestSignIn_Verifier(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, verifier string
		needed         string // the link's verifier
		want           error
		spent          []string
	}{
		{"is left out at the second try", "v", "", nil, []string{"link:ada@example.com v", "link:ada@example.com"}},
		{"is used where it belongs", "v", "v", nil, []string{"link:ada@example.com v"}},
		{"is not left out for another browser's link", "v", "w", session.ErrOtherBrowser, []string{"link:ada@example.com v"}},
		{"that the browser lacks is not made up", "", "w", session.ErrOtherBrowser, []string{"link:ada@example.com"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t)
			f.put("ada@example.com", directory.Member, directory.Active)
			f.stytch.magicLink = func(token, verifier string) (session.Authentication, error) {
				switch {
				case test.needed == "" && verifier != "":
					return session.Authentication{}, session.ErrNoChallenge
				case test.needed != verifier:
					return session.Authentication{}, session.ErrOtherBrowser
				}
				return proofOf(token, "1")
			}
			_, _, err := f.SignIn(t.Context(), session.Credentials{Token: "link:ada@example.com", Flow: session.SignInFlow{Verifier: test.verifier}}, session.Browser{})
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if diff := cmp.Diff(test.spent, f.stytch.spent); diff != "" {
				t.Errorf("asked Stytch about (-want +got):\n%s", diff)
			}
		})
	}
}

// Of several who come first at the same moment, one is the administrator.
func TestSignIn_OneFirstAdministrator(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *session.Options) { o.Admission = directory.AdmissionPolicy{FirstAdmin: true} })
		addresses := []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com"}
		errs := make([]error, len(addresses))
		var all sync.WaitGroup
		for i, address := range addresses {
			all.Go(func() {
				_, _, errs[i] = f.SignIn(t.Context(), session.Credentials{Token: "link:" + address}, session.Browser{})
			})
		}
		all.Wait()
		in := 0
		for i, err := range errs {
			switch {
			case err == nil:
				in++
			case !errors.Is(err, directory.ErrNotListed):
				t.Errorf("%s: %v", addresses[i], err)
			}
		}
		if n, err := f.db.CountAdmins(t.Context()); in != 1 || n != 1 || err != nil {
			t.Errorf("%d came in and %d are administrators, %v; want 1 and 1", in, n, err)
		}
	})
}

// One stranger with two links, opened at the same moment, is one person.
func TestSignIn_ConcurrentJoin(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *session.Options) { o.Admission = directory.AdmissionPolicy{Open: true} })
		sessions := make([]session.Session, 4)
		var all sync.WaitGroup
		for i := range sessions {
			all.Go(func() {
				var err error
				sessions[i], _, err = f.SignIn(t.Context(), session.Credentials{Token: "link:ada@example.com"}, session.Browser{})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, s := range sessions {
			if s.UserID != sessions[0].UserID || s.UserID == "" {
				t.Errorf("sessions of different people: %q and %q", s.UserID, sessions[0].UserID)
			}
		}
		if list, err := f.List(t.Context(), sessions[0].UserID); err != nil || len(list) != 4 {
			t.Errorf("%d sessions, %v, want 4", len(list), err)
		}
	})
}
