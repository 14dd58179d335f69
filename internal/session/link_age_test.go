package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// TestSignIn_LinkFromBeforeAChange goes through what can be known of a link whose
// maker does not say when it was made.
func TestSignIn_LinkFromBeforeAChange(t *testing.T) {
	const address = "ada@example.com"
	ask := func(f *fixture) {
		if _, err := f.RequestLink(f.t.Context(), mustParse(f.t, address), session.SignInFlow{}, session.Browser{}); err != nil {
			f.t.Fatal(err)
		}
	}
	change := func(f *fixture) {
		if _, err := f.people().SignOut(f.t.Context(), directory.Actor{}, "id-of-"+address, directory.SignOut{Reason: "signed out"}); err != nil {
			f.t.Fatal(err)
		}
	}
	inviteSent := func(f *fixture) {
		job := outbox.New(outbox.Invite, address, "id-of-"+address, "", "", f.clock.now())
		if err := f.db.FinishInvite(f.t.Context(), job.Sent("stytch-of-"+address, f.clock.now())); err != nil {
			f.t.Fatal(err)
		}
	}
	wait := func(d time.Duration) func(*fixture) { return func(f *fixture) { f.clock.advance(d) } }
	minute, life, week := wait(time.Minute), wait(10*time.Minute), wait(7*24*time.Hour)
	for _, row := range []struct {
		name     string
		status   directory.Status
		steps    []func(*fixture)
		verifier time.Duration // when the browser's was made, after noon; 0: it has none
		madeAt   time.Duration // of the link, as far as the provider says; 0: it does not
		old      bool
		mustBind bool // a link asked for now must have a challenge
	}{
		{name: "nothing changed", steps: []func(*fixture){ask, minute}},
		{name: "asked shortly before", steps: []func(*fixture){ask, minute, change, minute}, old: true, mustBind: true},
		{name: "asked shortly before, and again after", steps: []func(*fixture){ask, minute, change, minute, ask, minute}, old: true, mustBind: true},
		{name: "too old by now", steps: []func(*fixture){ask, minute, change, life}},
		{name: "asked long before", steps: []func(*fixture){ask, life, change, minute}, old: true, mustBind: true},
		{name: "asked after it only", steps: []func(*fixture){minute, change, minute, ask, minute}, old: true, mustBind: true},
		{name: "a verifier from before", steps: []func(*fixture){ask, minute, change, minute}, verifier: 30 * time.Second, old: true, mustBind: true},
		{name: "a verifier from after it", steps: []func(*fixture){ask, minute, change, minute}, verifier: 90 * time.Second, mustBind: true},
		{name: "made before it, as the provider says", steps: []func(*fixture){minute, change, minute}, madeAt: 30 * time.Second, old: true, mustBind: true},
		{name: "made after it, as the provider says", steps: []func(*fixture){ask, minute, change, minute}, madeAt: 90 * time.Second, mustBind: true},
		{name: "made before it, whatever the verifier says", steps: []func(*fixture){minute, change, minute}, madeAt: 30 * time.Second, verifier: 90 * time.Second, old: true, mustBind: true},
		{name: "another link mailed by an administrator", steps: []func(*fixture){minute, inviteSent, minute, change, life}, old: true, mustBind: true},
		{name: "the same, a week later", steps: []func(*fixture){minute, inviteSent, minute, change, week}},
		{name: "an invitation that Stytch has not taken back yet", status: directory.Invited, steps: []func(*fixture){inviteSent, minute, change, life}, old: true, mustBind: true},
		{name: "an invitation that Stytch has taken back", status: directory.Invited, steps: []func(*fixture){inviteSent, minute, change, func(f *fixture) { f.drain(address) }, life, inviteSent, minute}},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, f *fixture) {
				f.reconfigure(func(o *session.Options) { o.LinkDuration, o.InviteDuration = 10*time.Minute, 7*24*time.Hour })
				if row.status == "" {
					row.status = directory.Active
				}
				f.put(address, directory.Member, row.status)
				for _, step := range row.steps {
					step(f)
				}
				flow, err := f.RequestLink(t.Context(), mustParse(t, address), session.SignInFlow{}, session.Browser{})
				if bound := flow.Verifier != ""; err != nil || bound != row.mustBind {
					t.Errorf("a link asked for now has a challenge: %t, %v; want %t", bound, err, row.mustBind)
				}
				f.stytch.magicLink = func(token, _ string) (session.Authentication, error) {
					p, err := proofOf(token, "1")
					p.ExpiresAt = f.clock.now().Add(time.Hour)
					if row.madeAt > 0 {
						p.MadeAt = noon.Add(row.madeAt)
					}
					return p, err
				}
				c := session.Credentials{Token: "link:" + address}
				if row.verifier > 0 {
					c.Flow.Verifier, c.Flow.MadeAt = "verifier", noon.Add(row.verifier)
				}
				_, _, err = f.SignIn(t.Context(), c, session.Browser{})
				if row.old != errors.Is(err, session.ErrLinkOld) || !row.old && err != nil {
					t.Errorf("got %v, want it refused: %t", err, row.old)
				}
				if list, err := f.List(t.Context(), "id-of-"+address); err != nil || len(list) == 0 != row.old {
					t.Errorf("%d sessions, %v", len(list), err)
				}
			})
		})
	}
}

// people is the directory on the fixture's database.
func (f *fixture) people() *directory.Directory {
	return directory.New(directory.Options{Store: f.db, Outbox: f.outbox, Now: f.clock.now})
}

// drain has all of a person's calls done.
func (f *fixture) drain(address string) {
	f.t.Helper()
	jobs, err := f.db.ListJobs(f.t.Context(), directory.Email{Normalized: address})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, job := range jobs {
		if err := f.db.FinishJob(f.t.Context(), job.ID); err != nil {
			f.t.Fatal(err)
		}
	}
}
