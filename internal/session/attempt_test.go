package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// worksOnce is a Stytch whose links work once.
func worksOnce() func(token, verifier string) (session.Authentication, error) {
	var mu sync.Mutex
	spent := map[string]bool{}
	return func(token, _ string) (session.Authentication, error) {
		mu.Lock()
		defer mu.Unlock()
		if spent[token] {
			return session.Authentication{}, session.ErrLinkSpent
		}
		spent[token] = true
		return proofOf(token, "of-"+token)
	}
}

func (f *fixture) edit(id, status string) {
	f.t.Helper()
	if _, err := f.people().Edit(f.t.Context(), directory.Actor{}, id, directory.Edit{Status: &status}); err != nil {
		f.t.Fatal(err)
	}
}

// inFlow is what a browser brings that has a flow.
func inFlow(flowID string) session.Credentials {
	return session.Credentials{Token: "link:ada@example.com", Flow: session.SignInFlow{ID: flowID}}
}

func TestSignIn_SpentLink(t *testing.T) {
	rows := []struct {
		name    string
		between func(t *testing.T, f *fixture, made session.Session, token string)
		again   session.Credentials
		want    error
	}{
		{"at once", nil, inFlow("flow"), nil},
		{"a minute later", func(_ *testing.T, f *fixture, _ session.Session, _ string) { f.clock.advance(time.Minute) }, inFlow("flow"), nil},
		{"more than a minute later", func(_ *testing.T, f *fixture, _ session.Session, _ string) {
			f.clock.advance(time.Minute + time.Microsecond)
		}, inFlow("flow"), session.ErrLinkSpent},
		{"with the cookie of the first answer", nil, session.Credentials{Token: "link:ada@example.com", Flow: session.SignInFlow{ID: "flow"}, ReplacedToken: "its token"}, nil},
		{"in another browser", nil, inFlow("other"), session.ErrLinkSpent},
		{"in a browser without a flow", nil, inFlow(""), session.ErrLinkSpent},
		{"after signing out", func(t *testing.T, f *fixture, _ session.Session, token string) {
			if err := f.SignOut(t.Context(), token, session.Browser{}); err != nil {
				t.Fatal(err)
			}
		}, inFlow("flow"), session.ErrLinkSpent},
		{"after an administrator has ended the session", func(t *testing.T, f *fixture, made session.Session, _ string) {
			if _, err := f.Revoke(t.Context(), event.Origin{}, made.UserID, "ended", func(session.Session) bool { return true }); err != nil {
				t.Fatal(err)
			}
		}, inFlow("flow"), session.ErrLinkSpent},
		{"after a suspension that was taken back", func(_ *testing.T, f *fixture, made session.Session, _ string) {
			f.edit(made.UserID, "suspended")
			f.edit(made.UserID, "active")
		}, inFlow("flow"), session.ErrLinkSpent},
		{"after a suspension", func(_ *testing.T, f *fixture, made session.Session, _ string) {
			f.edit(made.UserID, "suspended")
		}, inFlow("flow"), session.ErrLinkSpent},
	}
	each(t, func(t *testing.T, f *fixture) {
		f.stytch.magicLink = worksOnce()
		for i, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				u := f.put(fmt.Sprintf("ada%d@example.com", i), directory.Member, directory.Active)
				first := inFlow("flow")
				first.Token = "link:" + u.Email.Normalized
				row.again.Token = first.Token
				made, token, err := f.SignIn(t.Context(), first, session.Browser{})
				if err != nil {
					t.Fatal(err)
				}
				if row.between != nil {
					row.between(t, f, made, token)
				}
				if row.again.ReplacedToken != "" {
					row.again.ReplacedToken = token
				}
				again, secondToken, err := f.SignIn(t.Context(), row.again, session.Browser{})
				if !errors.Is(err, row.want) {
					t.Fatalf("got %v, want %v", err, row.want)
				}
				if row.want == nil && (secondToken != token || again.TokenHash != made.TokenHash || again.User.ID != u.ID) {
					t.Errorf("another session: %v and %v", made, again)
				}
				if row.want != nil && (secondToken != "" || again != (session.Session{})) {
					t.Errorf("refused with a session: %v, %q", again, secondToken)
				}
			})
		}
	})
}

func TestSignIn_ConcurrentRequestsGetOneSession(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		u := f.put("ada@example.com", directory.Member, directory.Active)
		h := &held{provider: &provider{magicLink: worksOnce()}, asked: make(chan time.Duration, 10), release: make(chan struct{})}
		here, there := f.withProvider(h), f.withProvider(h)
		type answer struct {
			token string
			err   error
		}
		answers := make(chan answer, 3)
		press := func(m *session.Service) {
			_, token, err := m.SignIn(t.Context(), inFlow("flow"), session.Browser{})
			answers <- answer{token, err}
		}
		go press(here)
		<-h.asked // the first is under way
		go press(there)
		go press(here)
		time.Sleep(250 * time.Millisecond) // and the others have come
		close(h.release)
		for range 3 {
			if a := <-answers; a.err != nil || a.token != "token-of-link:ada@example.com" {
				t.Errorf("got %q, %v", a.token, a.err)
			}
		}
		if list, err := f.List(t.Context(), u.ID); len(list) != 1 || err != nil {
			t.Errorf("%d sessions, %v", len(list), err)
		}
		if n := len(h.asked); n != 0 {
			t.Errorf("Stytch was asked %d more times", n)
		}
	})
}

func TestSignIn_BrowserDisconnects(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		u := f.put("ada@example.com", directory.Member, directory.Active)
		h := &held{provider: &provider{magicLink: worksOnce()}, asked: make(chan time.Duration, 10), release: make(chan struct{})}
		m := f.withProvider(h)
		for _, flow := range []string{"", "flow"} {
			h.provider.magicLink = func(token, _ string) (session.Authentication, error) { return proofOf(token, "in-"+flow) }
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			c := session.Credentials{Token: "link:ada@example.com", Flow: session.SignInFlow{ID: flow}}
			go func() {
				_, _, err := m.SignIn(ctx, c, session.Browser{})
				done <- err
			}()
			<-h.asked
			cancel()
			h.release <- struct{}{}
			if err := <-done; err != nil {
				t.Fatalf("with flow %q: %v", flow, err)
			}
		}
		h.provider.magicLink = func(string, string) (session.Authentication, error) {
			return session.Authentication{}, session.ErrLinkSpent
		}
		if list, err := m.List(t.Context(), u.ID); len(list) != 2 || err != nil {
			t.Errorf("%d sessions, %v", len(list), err)
		}
		if _, token, err := m.SignIn(t.Context(), inFlow("flow"), session.Browser{}); err != nil || token == "" {
			t.Errorf("coming again: %v", err)
		}
	})
}

func TestSignIn_DatabaseUnavailableAfterRedemption(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.put("ada@example.com", directory.Member, directory.Active)
	f.stytch.magicLink = worksOnce()
	f.db.fail = map[string]error{"sign in": directory.ErrUnavailable}
	if _, _, err := f.SignIn(t.Context(), inFlow("flow"), session.Browser{}); !errors.Is(err, directory.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	f.db.fail = nil
	if _, _, err := f.SignIn(t.Context(), inFlow("other"), session.Browser{}); !errors.Is(err, session.ErrLinkSpent) {
		t.Errorf("another browser: %v", err)
	}
	if _, token, err := f.SignIn(t.Context(), inFlow("flow"), session.Browser{}); err != nil || token == "" {
		t.Errorf("the same browser: %v", err)
	}
	if jobs := f.jobs("ada@example.com"); len(jobs) != 0 {
		t.Errorf("jobs %v", jobs)
	}
}

func TestAttempt_DroppedAfterRefusal(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	u := f.put("ada@example.com", directory.Member, directory.Suspended)
	for _, refusal := range []error{session.ErrLinkUnknown, session.ErrUnavailable, session.ErrOtherBrowser, session.ErrTooMany} {
		f.stytch.magicLink = func(string, string) (session.Authentication, error) { return session.Authentication{}, refusal }
		if _, _, err := f.SignIn(t.Context(), inFlow("flow"), session.Browser{}); !errors.Is(err, refusal) {
			t.Fatalf("got %v, want %v", err, refusal)
		}
	}
	f.stytch.magicLink = worksOnce()
	if _, _, err := f.SignIn(t.Context(), inFlow("flow"), session.Browser{}); !errors.Is(err, directory.ErrSuspended) {
		t.Fatalf("got %v", err)
	}
	f.stytch.magicLink = worksOnce()
	f.edit(u.ID, "active")
	if _, _, err := f.SignIn(t.Context(), inFlow("flow"), session.Browser{}); err != nil {
		t.Errorf("at last: %v", err)
	}
}

func TestAttempt_TakenOverAfterLease(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.put("ada@example.com", directory.Member, directory.Active)
	f.stytch.magicLink = func(string, string) (session.Authentication, error) { panic("killed") }
	func() {
		defer func() { recover() }()
		f.SignIn(t.Context(), inFlow("flow"), session.Browser{})
	}()
	f.stytch.magicLink = worksOnce()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, _, err := f.SignIn(ctx, inFlow("flow"), session.Browser{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the lease lasts: %v", err)
	}
	f.clock.advance(10 * time.Second)
	if _, _, err := f.SignIn(t.Context(), inFlow("flow"), session.Browser{}); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestSignIn_OtherAddress(t *testing.T) {
	t.Parallel()
	var ada, both session.SignInFlow
	ada.Ask("ada@example.com")
	both.Ask("ada@example.com")
	both.Ask("eve@example.com")
	rows := []struct {
		name    string
		c       session.Credentials
		refused bool
	}{
		{"by itself, for the address asked for", session.Credentials{Flow: session.SignInFlow{Asked: ada.Asked}}, false},
		{"by itself, for another", session.Credentials{Flow: session.SignInFlow{Asked: both.Asked[:16]}}, true},
		{"by itself, for one of two asked for", session.Credentials{Flow: session.SignInFlow{Asked: both.Asked}}, false},
		{"by a person, for another", session.Credentials{Flow: session.SignInFlow{Asked: both.Asked[:16]}, Pressed: true}, false},
		{"in a browser that asked for nothing", session.Credentials{}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t)
			f.put("ada@example.com", directory.Member, directory.Active)
			f.stytch.magicLink = worksOnce()
			row.c.Token, row.c.Flow.ID = "link:Ada@Example.com", "flow"
			_, token, err := f.SignIn(t.Context(), row.c, session.Browser{})
			var other *session.OtherAddress
			if errors.As(err, &other) != row.refused || !row.refused && err != nil || row.refused && token != "" {
				t.Fatalf("got %q, %v", token, err)
			}
			if !row.refused {
				return
			}
			if other.Email != "ada@example.com" {
				t.Errorf("the error names %q", other.Email)
			}
			if list, err := f.List(t.Context(), "id-of-ada@example.com"); len(list) != 0 || err != nil {
				t.Errorf("%d sessions, %v", len(list), err)
			}
			f.clock.advance(5 * time.Minute) // a person reads the page
			row.c.Pressed = true
			if _, token, err := f.SignIn(t.Context(), row.c, session.Browser{}); err != nil || token == "" {
				t.Errorf("after the press: %v", err)
			}
		})
	}
}

func TestAttempt_StoresNoSecrets(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.put("ada@example.com", directory.Member, directory.Active)
	c := inFlow("flow-of-this-browser")
	_, token, err := f.SignIn(t.Context(), c, session.Browser{})
	if err != nil {
		t.Fatal(err)
	}
	var id, proof string
	if err := f.db.Reader().QueryRowContext(t.Context(), "SELECT id, proof FROM sign_in_attempts").Scan(&id, &proof); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{token, c.Token, c.Flow.ID, "ada@example.com", session.Hash(c.Token), session.Hash(c.Flow.ID), session.Hash(token)} {
		if strings.Contains(id+" "+proof, secret) {
			t.Errorf("the row holds %q: %s %s", secret, id, proof)
		}
	}
	f.clock.advance(10 * time.Minute)
	if n, err := f.db.DeleteExpiredAttempts(t.Context(), f.clock.now()); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
}
