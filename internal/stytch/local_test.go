package stytch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/session/providertest"
)

func TestProvider(t *testing.T) {
	eachWay(t, func(t *testing.T, l *local) {
		must := func(t *testing.T, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		invite := func(t *testing.T, address string) {
			_, err := l.Invite(t.Context(), address, "", "")
			must(t, err)
		}
		providertest.Run(t, providertest.Service{
			Provider: l.Client, LinkDuration: l.opts.LinkDuration, SessionDuration: l.opts.SessionDuration,
			Now: l.clock.now, Advance: l.clock.advance,
			Join: invite, Invite: invite, Links: l.links, Codes: l.codes,
			Forget: func(t *testing.T, address string) { must(t, l.DeleteUser(t.Context(), "", address)) },
			Revoke: func(t *testing.T, sessionID string) { must(t, l.RevokeSession(t.Context(), sessionID)) },
		})
	})
}

// newest returns the newest link emailed to an address.
func (l *local) newest(t *testing.T, address string) string {
	t.Helper()
	links := l.links(t, address)
	if len(links) == 0 {
		t.Fatalf("no link was mailed to %s", address)
	}
	return links[len(links)-1]
}

func (l *local) redeem(t *testing.T, link string) (session.Authentication, error) {
	return l.AuthenticateMagicLink(t.Context(), link, "", session.Browser{})
}

func TestInvite(t *testing.T) {
	eachWay(t, func(t *testing.T, l *local) {
		id, err := l.Invite(t.Context(), "ada@example.com", "Ada King", "")
		if err != nil {
			t.Fatal(err)
		}
		mails := l.mails(t, "ada@example.com")
		if len(mails) != 1 || !strings.Contains(mails[0].Text, "Ada King") || !strings.Contains(mails[0].Subject, "invited") {
			t.Errorf("mailed %+v, want an invitation to Ada King", mails)
		}
		if again, err := l.Invite(t.Context(), "ada@example.com", "", ""); err != nil || again != id {
			t.Errorf("again: %q, %v, want the same account", again, err)
		}
		link := l.newest(t, "ada@example.com")
		l.clock.advance(l.opts.InviteDuration - time.Microsecond)
		p, err := l.redeem(t, link)
		if err != nil || p.StytchUserID != id || p.Email != "ada@example.com" {
			t.Errorf("just before it expires: %+v, %v", p, err)
		}

		// Ada is no longer pending, and Stytch invites only pending users.
		if again, err := l.Invite(t.Context(), "ada@example.com", "Ada", ""); err != nil || again != id {
			t.Errorf("somebody active: %q, %v, want the same account", again, err)
		}
		link = l.newest(t, "ada@example.com")
		l.clock.advance(l.opts.InviteDuration - time.Microsecond)
		if p, err := l.redeem(t, link); err != nil || p.StytchUserID != id {
			t.Errorf("just before that one expires: %+v, %v", p, err)
		}
	})
}

func TestRevokeInvite(t *testing.T) {
	eachWay(t, func(t *testing.T, l *local) {
		if _, err := l.Invite(t.Context(), "ada@example.com", "", ""); err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{"ada@example.com", "ada@example.com", "nobody@example.com"} {
			if err := l.RevokeInvite(t.Context(), address); err != nil {
				t.Errorf("%s: %v", address, err)
			}
		}
		if p, err := l.redeem(t, l.newest(t, "ada@example.com")); !errors.Is(err, session.ErrLinkSpent) {
			t.Errorf("the invitation still works: %+v, %v", p, err)
		}
	})
}

func TestDeleteUser(t *testing.T) {
	eachWay(t, func(t *testing.T, l *local) {
		id, err := l.Invite(t.Context(), "ada@example.com", "", "")
		if err != nil {
			t.Fatal(err)
		}
		p, err := l.redeem(t, l.newest(t, "ada@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Invite(t.Context(), "bob@example.com", "", ""); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second finds no account, which is not an error
			if err := l.DeleteUser(t.Context(), id, "ada@example.com"); err != nil {
				t.Errorf("by id: %v", err)
			}
		}
		if _, err := l.AuthenticateSession(t.Context(), p.SessionToken); !errors.Is(err, session.ErrEnded) {
			t.Errorf("the session: %v, want ErrEnded", err)
		}
		for range 2 {
			if err := l.DeleteUser(t.Context(), "", "bob@example.com"); err != nil {
				t.Errorf("by address: %v", err)
			}
		}
		for _, address := range []string{"ada@example.com", "bob@example.com"} {
			if err := l.SendMagicLink(t.Context(), session.Link{Email: address}); !errors.Is(err, session.ErrNoAccount) {
				t.Errorf("%s is still there: %v", address, err)
			}
		}
	})
}

func TestRevokeSession(t *testing.T) {
	eachWay(t, func(t *testing.T, l *local) {
		if _, err := l.Invite(t.Context(), "ada@example.com", "", ""); err != nil {
			t.Fatal(err)
		}
		p, err := l.redeem(t, l.newest(t, "ada@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second finds none, which is fine
			if err := l.RevokeSession(t.Context(), p.SessionID); err != nil {
				t.Error(err)
			}
		}
		if _, err := l.AuthenticateSession(t.Context(), p.SessionToken); !errors.Is(err, session.ErrEnded) {
			t.Errorf("got %v, want ErrEnded", err)
		}
	})
}

// Administrators see why Stytch refused a call.
func TestReason_RefusedJobs(t *testing.T) {
	eachWay(t, func(t *testing.T, l *local) {
		_, inviteErr := l.Invite(t.Context(), "no address", "", "")
		for name, err := range map[string]error{
			"invite": inviteErr, "revoke invite": l.RevokeInvite(t.Context(), "no address"),
		} {
			if !errors.Is(err, outbox.ErrRefused) || outbox.Reason(err) != "The login service answered 400 invalid_email." {
				t.Errorf("%s: %v, %q", name, err, outbox.Reason(err))
			}
		}
	})
}

func TestWrongCredentials(t *testing.T) {
	t.Parallel()
	l := newLocal(t, inProcess)
	o := l.opts
	o.Secret += "x"
	client := newClient(t, o)
	if err := client.Ready(t.Context()); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("ready: %v, want ErrUnavailable", err)
	}
	_, err := client.Invite(t.Context(), "ada@example.com", "", "")
	if errors.Is(err, outbox.ErrRefused) || outbox.Reason(err) != "The login service answered 401 unauthorized_credentials." {
		t.Errorf("invite: %v, %q; want it to be tried again", err, outbox.Reason(err))
	}
}
