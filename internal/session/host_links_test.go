package session_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

var operator = event.Origin{Actor: event.Operator("root")}

// acceptHostLinks makes the fake Stytch accept links that it didn't email, "host:<user id>",
// each once.
func (f *fixture) acceptHostLinks() {
	var mu sync.Mutex
	spent := map[string]bool{}
	f.stytch.magicLink = func(token, verifier string) (session.Authentication, error) {
		id, ok := strings.CutPrefix(token, "host:")
		if !ok {
			return proofOf(token, "1")
		}
		if verifier != "" {
			return session.Authentication{}, session.ErrNoChallenge
		}
		mu.Lock()
		defer mu.Unlock()
		if spent[token] {
			return session.Authentication{}, session.ErrLinkSpent
		}
		spent[token] = true
		id, _, _ = strings.Cut(id, "#")
		return session.Authentication{
			StytchUserID: id, SessionID: "session-" + token, SessionToken: "token-" + token, ExpiresAt: noon.Add(7 * 24 * time.Hour), NotEmailed: true,
		}, nil
	}
}

// hostLink makes a link for a user.
func (f *fixture) hostLink(u directory.User) string {
	f.t.Helper()
	token, expires, err := f.CreateHostLink(f.t.Context(), operator, u)
	if err != nil || !expires.Equal(f.clock.now().Add(session.HostLinkDuration)) {
		f.t.Fatal(expires, err)
	}
	return token
}

func TestHostLink_SignsIn(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.acceptHostLinks()
		f.reconfigure(func(o *session.Options) { o.Factors = factor.Policy{SecondFactor: factor.Everyone} })
		ada := f.put("ada@example.com", directory.Admin, directory.Active)
		flow := session.SignInFlow{ID: "flow", Verifier: "v"}
		c := session.Credentials{Token: f.hostLink(ada), Flow: flow, Pressed: true}
		sess, token, err := f.SignIn(t.Context(), c, session.Browser{})
		if err != nil || sess.UserID != ada.ID {
			t.Fatal(sess, err)
		}
		if got := f.Standing(sess); got.NeedsSecondFactor || !got.Fresh || !sess.Proofs.Has(factor.HostLink) || sess.Proofs.Has(factor.EmailLink) {
			t.Errorf("%+v of %q", got, sess.Proofs)
		}
		if _, again, err := f.SignIn(t.Context(), c, session.Browser{}); err != nil || again != token {
			t.Errorf("pressed twice: %q, %v", again, err)
		}
		c.Flow = session.SignInFlow{ID: "another"}
		if _, _, err := f.SignIn(t.Context(), c, session.Browser{}); !errors.Is(err, session.ErrLinkSpent) {
			t.Errorf("in another browser: %v", err)
		}
		var trail []string
		events, _, _ := f.db.ListEvents(t.Context(), event.Query{Person: ada.ID, Limit: 10})
		for _, e := range events {
			trail = append(trail, string(e.Kind)+" "+e.Actor+" "+e.Reason)
		}
		if diff := cmp.Diff([]string{"signed_in ada@example.com by link from the server", "host_link_made root on the command line ", "user_added  "}, trail); diff != "" {
			t.Errorf("audit log (-want +got):\n%s", diff)
		}
	})
}

func TestHostLink_WorksOnceForManyAtTheSameTime(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada := f.put("ada@example.com", directory.Member, directory.Active)
		token := f.hostLink(ada)
		f.stytch.magicLink = func(token, _ string) (session.Authentication, error) { // a Stytch that doesn't spend it
			return session.Authentication{
				StytchUserID: ada.StytchUserID, SessionID: "session-" + token, SessionToken: "token-" + token, ExpiresAt: noon.Add(time.Hour), NotEmailed: true,
			}, nil
		}
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				_, _, errs[i] = f.SignIn(t.Context(), session.Credentials{Token: token, Pressed: true}, session.Browser{})
			})
		}
		all.Wait()
		in := 0
		for _, err := range errs {
			if err == nil {
				in++
			} else if !errors.Is(err, session.ErrLinkSpent) && !errors.Is(err, session.ErrLinkUnknown) {
				t.Error(err)
			}
		}
		if in != 1 {
			t.Errorf("%d signed in", in)
		}
	})
}

func TestHostLink_Refused(t *testing.T) {
	tests := []struct {
		name string
		link func(f *fixture, ada directory.User) string
		want error
	}{
		{"made by another program", func(*fixture, directory.User) string { return "host:stytch-of-ada@example.com" }, session.ErrLinkUnknown},
		{"of an account that isn't the user's", func(f *fixture, ada directory.User) string {
			token := f.hostLink(ada)
			f.stytch.magicLink = func(string, string) (session.Authentication, error) {
				return session.Authentication{StytchUserID: "stytch-of-eve", SessionID: "s", SessionToken: "x", ExpiresAt: noon.Add(time.Hour), NotEmailed: true}, nil
			}
			return token
		}, session.ErrLinkUnknown},
		{"expired here and not at Stytch", func(f *fixture, ada directory.User) string {
			token := f.hostLink(ada)
			f.clock.advance(session.HostLinkDuration)
			return token
		}, session.ErrLinkSpent},
		{"replaced by another", func(f *fixture, ada directory.User) string {
			f.stytch.createLink = func(id string) (string, error) { return "host:" + id + "#1", nil }
			token := f.hostLink(ada)
			f.stytch.createLink = nil
			f.hostLink(ada)
			return token
		}, session.ErrLinkUnknown},
		{"of a user suspended since", func(f *fixture, ada directory.User) string {
			token := f.hostLink(ada)
			f.setStatus(ada, "suspended")
			return token
		}, directory.ErrSuspended},
		{"from before a suspension that has ended", func(f *fixture, ada directory.User) string {
			token := f.hostLink(ada)
			f.clock.advance(time.Second)
			f.setStatus(ada, "suspended")
			f.setStatus(ada, "active")
			return token
		}, session.ErrLinkOld},
		{"of a user removed since", func(f *fixture, ada directory.User) string {
			token := f.hostLink(ada)
			f.remove(ada)
			return token
		}, session.ErrLinkUnknown},
	}
	each(t, func(t *testing.T, f *fixture) {
		f.put("boss@example.com", directory.Admin, directory.Active)
		for i, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				f.acceptHostLinks()
				f.stytch.createLink = nil
				ada := f.put("ada@example.com", directory.Member, directory.Active)
				token := test.link(f, ada)
				for _, flow := range []session.SignInFlow{{ID: strings.Repeat("x", i+1)}, {}} {
					sess, got, err := f.SignIn(t.Context(), session.Credentials{Token: token, Flow: flow, Pressed: true}, session.Browser{})
					if got != "" || sess != (session.Session{}) || err == nil {
						t.Fatalf("it signed in: %+v, %v", sess, err)
					}
					if flow.ID != "" && !errors.Is(err, test.want) {
						t.Errorf("got %v, want %v", err, test.want)
					}
				}
				if u, err := f.db.GetUserByEmail(t.Context(), ada.Email); err == nil {
					f.remove(u)
				}
			})
		}
	})
}

// setStatus changes a user's status.
func (f *fixture) setStatus(u directory.User, status string) {
	f.t.Helper()
	d := directory.New(directory.Options{Store: f.db, Outbox: f.outbox, Now: f.clock.now})
	if _, err := d.Edit(f.t.Context(), directory.Actor{}, u.ID, directory.Edit{Status: &status}); err != nil {
		f.t.Fatal(err)
	}
}

func TestHostLink_KeptWhileTheDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.acceptHostLinks()
	ada := f.put("ada@example.com", directory.Member, directory.Active)
	c := session.Credentials{Token: f.hostLink(ada), Flow: session.SignInFlow{ID: "flow"}, Pressed: true}
	for _, call := range []string{"get host link", "sign in"} {
		f.db.fail = map[string]error{call: directory.ErrUnavailable}
		if _, token, err := f.SignIn(t.Context(), c, session.Browser{}); !errors.Is(err, directory.ErrUnavailable) || token != "" {
			t.Errorf("%s: %q, %v", call, token, err)
		}
	}
	f.db.fail = nil
	if _, _, err := f.SignIn(t.Context(), c, session.Browser{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestCreateHostLink_Refused(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	suspended := f.put("suspended@example.com", directory.Member, directory.Suspended)
	invited := f.put("invited@example.com", directory.Member, directory.Invited)
	ada := f.put("ada@example.com", directory.Member, directory.Active)
	for name, row := range map[string]struct {
		user   directory.User
		stytch error
		want   string
	}{
		"suspended":             {suspended, nil, "suspended: restore their access first"},
		"without an account":    {invited, nil, "invite them instead"},
		"account gone":          {ada, session.ErrNoAccount, "invite them instead"},
		"switched off":          {ada, session.ErrHostLinksOff, "login service refused to make a link"},
		"Stytch is unavailable": {ada, session.ErrUnavailable, "login service out of reach"},
	} {
		f.stytch.createLink = func(string) (string, error) { return "", row.stytch }
		if token, _, err := f.CreateHostLink(t.Context(), operator, row.user); token != "" || err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
	// Suspended since the operator's command has read the user.
	f.stytch.createLink = nil
	f.setStatus(ada, "suspended")
	if token, _, err := f.CreateHostLink(t.Context(), operator, ada); token != "" || !errors.Is(err, directory.ErrSuspended) {
		t.Errorf("%q, %v", token, err)
	}
	if events, _, err := f.db.ListEvents(t.Context(), event.Query{Kind: event.HostLinkMade, Limit: 1}); len(events) > 0 || err != nil {
		t.Error(events, err)
	}
}
