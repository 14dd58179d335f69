package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// oauthFlow returns the flow of a browser that has begun to sign in with another account.
func oauthFlow() session.SignInFlow {
	flow := session.SignInFlow{}
	flow.StartOAuth(noon)
	return flow
}

// google makes the login service confirm an account with an address, which is empty if Google
// has not verified it.
func (f *fixture) google(address string) {
	f.reconfigure(func(o *session.Options) { o.OAuth = []factor.Kind{factor.Google} })
	f.stytch.oauth = func(token, verifier string) (session.Authentication, error) {
		if verifier == "" {
			return session.Authentication{}, session.ErrOAuthBrowser
		}
		return session.Authentication{
			Email: address, Provider: factor.Google, StytchUserID: "stytch-of-" + address, SessionID: "session-" + token, SessionToken: "token-" + token,
			ExpiresAt: noon.Add(24 * time.Hour),
		}, nil
	}
}

func (f *fixture) oauth(flow session.SignInFlow) (session.Session, error) {
	s, _, err := f.SignIn(f.t.Context(), session.Credentials{Kind: factor.OAuth, Token: "g", Flow: flow}, session.Browser{Address: "203.0.113.7"})
	return s, err
}

func TestSignIn_OAuth(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.put("ada@example.com", directory.Member, directory.Active)
		f.google("ada@example.com")
		flow := oauthFlow()
		s, err := f.oauth(flow)
		if want := factor.Proofs("").With(factor.Google, noon); err != nil || s.Proofs != want {
			t.Errorf("signed in by %q, %v, want %q", s.Proofs, err, want)
		}
		if again, err := f.oauth(flow); err != nil || again.TokenHash != s.TokenHash {
			t.Errorf("a repeated sign-in: %v, %v", again.TokenHash, err)
		}
		f.clock.advance(2 * time.Minute)
		if _, err := f.oauth(flow); !errors.Is(err, session.ErrOAuth) {
			t.Errorf("two minutes later: %v", err)
		}
	})
}

func TestSignIn_OAuthRefusals(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		address string
		flow    session.SignInFlow
		status  directory.Status // of ada@example.com
		want    error
		revoked string // what is left in the outbox, by the address
	}{
		"an address that isn't listed": {"eve@example.com", oauthFlow(), directory.Active, directory.ErrNotListed, "revoke_session session-g"},
		"an address that isn't one":    {"eve", oauthFlow(), directory.Active, directory.ErrNotListed, "revoke_session session-g"},
		"an address not verified":      {"", oauthFlow(), directory.Active, session.ErrOAuthEmail, "revoke_session session-g"},
		"a suspended user":             {"ada@example.com", oauthFlow(), directory.Suspended, directory.ErrSuspended, "revoke_session session-g"},
		"a browser that didn't begin":  {"ada@example.com", session.SignInFlow{}, directory.Active, session.ErrOAuthBrowser, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t)
			f.put("ada@example.com", directory.Member, row.status)
			asked := 0
			f.google(row.address)
			confirm := f.stytch.oauth
			f.stytch.oauth = func(token, verifier string) (session.Authentication, error) {
				asked++
				return confirm(token, verifier)
			}
			if _, err := f.oauth(row.flow); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			jobs := f.jobs(row.address)
			if row.revoked == "" && (len(jobs) != 0 || asked != 0) {
				t.Errorf("the login service was asked %d times; jobs %q", asked, jobs)
			}
			if row.revoked != "" && (len(jobs) != 1 || jobs[0] != row.revoked) {
				t.Errorf("jobs %q, want %q", jobs, row.revoked)
			}
			events, _, err := f.db.ListEvents(t.Context(), event.Query{Kind: event.SignInRefused, Limit: 10})
			if err != nil || len(events) != 1 {
				t.Errorf("recorded %v, %v, want one refusal", events, err)
			}
		})
	}
}

// A link that waits for the user's confirmation can't be finished as a token of another
// provider, which needs none.
func TestSignIn_LinkAsOAuth(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.put("ada@example.com", directory.Member, directory.Active)
	flow := oauthFlow()
	flow.Ask("grace@example.com")
	link := session.Credentials{Token: "link:ada@example.com", Flow: flow}
	if _, _, err := f.SignIn(t.Context(), link, session.Browser{}); !errors.As(err, new(*session.OtherAddress)) {
		t.Fatalf("the link for another address: %v", err)
	}
	link.Kind = factor.OAuth
	if _, _, err := f.SignIn(t.Context(), link, session.Browser{}); !errors.Is(err, session.ErrOAuth) {
		t.Errorf("as a token of another provider: %v", err)
	}
	link.Kind, link.Pressed = "", true
	if _, _, err := f.SignIn(t.Context(), link, session.Browser{}); err != nil {
		t.Errorf("confirmed: %v", err)
	}
}

func TestSignIn_OAuthOfAProviderThatIsNotOffered(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.put("ada@example.com", directory.Member, directory.Active)
	f.google("ada@example.com")
	f.reconfigure(func(o *session.Options) { o.OAuth = []factor.Kind{factor.GitHub} })
	if _, err := f.oauth(oauthFlow()); !errors.Is(err, session.ErrOAuthProvider) {
		t.Errorf("got %v", err)
	}
	if jobs := f.jobs("ada@example.com"); len(jobs) != 1 || jobs[0] != "revoke_session session-g" {
		t.Errorf("jobs %q", jobs)
	}
}
