package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/userio"
)

// Transaction is an atomic change. Prepare sets up an empty database for it and returns
// a function that makes it.
type Transaction struct {
	Name    string
	Prepare func(t *testing.T, s Store) (change func(ctx context.Context) error)
}

// Transactions are all changes of more than one row.
var Transactions = []Transaction{
	{"adding a user", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada Lovelace", "ada@example.com")
		return func(ctx context.Context) error {
			return s.CreateUser(ctx, directory.NewUser{User: u, Event: event.New(event.UserAdded, Now(), u.ID, u.Email.Normalized, ""), Jobs: []outbox.Job{outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, Now())}})
		}
	}},
	{"renaming a user", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		return func(ctx context.Context) error {
			_, err := s.ChangeUser(ctx, u.ID, set(func(u *directory.User) { u.Name = "Ada King" }))
			return err
		}
	}},
	{"removing a user", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		mustSignIn(t, s, signInRequest(u, "one"))
		add(t, s, outbox.Invite, u.Email.Normalized, Now())
		return func(ctx context.Context) error {
			_, err := s.ChangeUser(ctx, u.ID, func(v directory.RuleState) (directory.Change, error) {
				deleteAccount := outbox.New(outbox.DeleteUser, u.Email.Normalized, u.ID, u.StytchUserID, "", Now())
				gone := event.New(event.UserRemoved, Now(), u.ID, u.Email.Normalized, "")
				return directory.Change{User: v.User, Remove: true, EndSession: endAll(v.User, "removed"), CancelInvites: true, Jobs: []outbox.Job{deleteAccount}, Events: []event.Event{gone}}, nil
			})
			return err
		}
	}},
	{"signing in again", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		a := signInRequest(u, "two")
		replace(&a, mustSignIn(t, s, signInRequest(u, "one")).TokenHash)
		return func(ctx context.Context) error { return trySignIn(ctx, s, a) }
	}},
	{"signing in for the first time", func(t *testing.T, s Store) func(context.Context) error {
		a := signInRequest(member("", "ada@example.com"), "one")
		return func(ctx context.Context) error { return trySignIn(ctx, s, a) }
	}},
	{"recording a verification of a session", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		v := mustSignIn(t, s, signInRequest(u, "one"))
		v.VerifiedAt = Now().Add(time.Minute)
		return func(ctx context.Context) error { return s.SaveVerification(ctx, v) }
	}},
	{"ending sessions", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		mustSignIn(t, s, signInRequest(u, "one"))
		mustSignIn(t, s, signInRequest(u, "two"))
		return func(ctx context.Context) error {
			_, err := s.EndSessions(ctx, u.ID, ending("signed out", func(session.Session) bool { return true }))
			return err
		}
	}},
	{"recording a sent invitation", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		job := outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, Now())
		if err := s.AddJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context) error { return s.FinishInvite(ctx, job.Sent("user-test-2", Now())) }
	}},
	{"parking a job", func(t *testing.T, s Store) func(context.Context) error {
		job := add(t, s, outbox.Invite, "ada@example.com", Now())
		return func(ctx context.Context) error { return s.ParkJob(ctx, job.Park(Now(), "refused")) }
	}},
	{"cancelling a job", func(t *testing.T, s Store) func(context.Context) error {
		job := add(t, s, outbox.Invite, "ada@example.com", Now())
		return func(ctx context.Context) error {
			_, err := s.DropJob(ctx, job.ID, jobDropped)
			return err
		}
	}},
	{"deleting an unlisted account", func(t *testing.T, s Store) func(context.Context) error {
		create(t, s, member("Ada", "ada@example.com"))
		job := outbox.New(outbox.DeleteUser, "bob@example.com", "", "user-test-3", "", Now())
		return func(ctx context.Context) error {
			_, err := s.AddJobsUnlessListed(ctx, []string{"bob@example.com"}, event.New(event.StytchMismatch, Now(), "", "bob@example.com", ""), []outbox.Job{job})
			return err
		}
	}},
	{"starting an import", func(t *testing.T, s Store) func(context.Context) error {
		i := readyImport(t, s, 1)
		return func(ctx context.Context) error {
			return s.StartImport(ctx, i, event.New(event.ImportStarted, Now(), "", "", ""))
		}
	}},
	{"the last part of an import", func(t *testing.T, s Store) func(context.Context) error {
		i := runningImport(t, s, 1, event.Origin{})
		people := []directory.NewUser{invitedUser(t, "Ada", "ada@example.com"), invitedUser(t, "Bob", "bob@example.com")}
		return func(ctx context.Context) error {
			_, err := s.ImportUsers(ctx, i, people, Now(), Now().Add(time.Minute), userio.Import.DoneEvent)
			return err
		}
	}},
	{"counting a use", func(t *testing.T, s Store) func(context.Context) error {
		ada, all := limit.NewBucket("links", "ada", rate), limit.NewBucket("links", "", rate)
		take(t, s, Now(), ada, all)
		return func(ctx context.Context) error {
			levels, err := s.ReadLimits(ctx, ada, all)
			if err == nil {
				_, err = s.TakeLimits(ctx, Now(), levels, ada, all)
			}
			return err
		}
	}},
	{"creating the cookie key", func(t *testing.T, s Store) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := s.CookieKey(ctx, keyCreated())
			return err
		}
	}},
	{"recording changed settings", func(t *testing.T, s Store) func(context.Context) error {
		if err := s.RecordSettings(t.Context(), map[string]string{"PORT": "1"}, nil, settingsChanged()); err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context) error {
			return s.RecordSettings(ctx, map[string]string{"PORT": "2"}, nil, settingsChanged())
		}
	}},
	{"deleting expired sessions", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		mustSignIn(t, s, signInRequest(u, "one"))
		mustSignIn(t, s, signInRequest(u, "two"))
		return func(ctx context.Context) error {
			_, err := s.DeleteExpiredSessions(ctx, Now().Add(365*24*time.Hour))
			return err
		}
	}},
	{"adding a user to groups", func(t *testing.T, s Store) func(context.Context) error {
		n := inGroups(t, "ada@example.com", "", createGroups(t, s, "Staff", "Board")...)
		return func(ctx context.Context) error { return s.CreateUser(ctx, n) }
	}},
	{"removing a user with access to apps", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		join(t, s, membership(createGroups(t, s, "Staff")[0], u, time.Time{}))
		wiki := appFor("Wiki")
		createApps(t, s, wiki)
		createAppTokens(t, s, appToken(wiki, u, "one"))
		return func(ctx context.Context) error { return tryRemoveUser(ctx, s, u) }
	}},
	{"removing a group", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		g := createGroups(t, s, "Staff")[0]
		join(t, s, membership(g, u, time.Time{}))
		createApps(t, s, appFor("Wiki", g))
		return func(ctx context.Context) error {
			return s.RemoveGroup(ctx, g.ID, func(g directory.Group) event.Event { return groupEvent(event.GroupRemoved, g) })
		}
	}},
	{"joining a group", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		m := membership(createGroups(t, s, "Staff")[0], u, time.Time{})
		return func(ctx context.Context) error {
			return s.ChangeMembership(ctx, m.GroupID, m.UserID, setMembership(&m, event.GroupJoined))
		}
	}},
	{"creating an app", func(t *testing.T, s Store) func(context.Context) error {
		a := appFor("Wiki", createGroups(t, s, "Staff", "Board")...)
		return func(ctx context.Context) error {
			return s.CreateApp(ctx, unnamed(a), appEvent(event.AppCreated, a), idempotency.Claim{})
		}
	}},
	{"changing an app", func(t *testing.T, s Store) func(context.Context) error {
		groups := createGroups(t, s, "Staff", "Board")
		a := appFor("Wiki", groups[0])
		createApps(t, s, a)
		a.Name, a.Groups = "Docs", groups[1:]
		return func(ctx context.Context) error {
			_, err := s.ChangeApp(ctx, a.ID, setApp(a))
			return err
		}
	}},
	{"removing an app", func(t *testing.T, s Store) func(context.Context) error {
		a := appFor("Wiki", createGroups(t, s, "Staff")...)
		createApps(t, s, a)
		createAppTokens(t, s, appToken(a, directory.User{}, "one"))
		return func(ctx context.Context) error {
			return s.RemoveApp(ctx, a.ID, func(a apps.App) event.Event { return appEvent(event.AppRemoved, a) })
		}
	}},
	{"redeeming a code of an app", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		a := appFor("Wiki")
		createApps(t, s, a)
		c := codeFor(a, mustSignIn(t, s, signInRequest(u, "one")), "one")
		must(t, s.CreateCode(t.Context(), c))
		return func(ctx context.Context) error { return s.RedeemCode(ctx, c.Hash, Now(), credential("new")) }
	}},
	{"creating an app token", func(t *testing.T, s Store) func(context.Context) error {
		u := member("Ada", "ada@example.com")
		create(t, s, u)
		a := appFor("Wiki")
		createApps(t, s, a)
		v := appToken(a, u, "one")
		return func(ctx context.Context) error {
			return s.CreateAppToken(ctx, v, event.New(event.AppTokenCreated, Now(), u.ID, "", ""), allowTokens)
		}
	}},
	{"revoking an app token", func(t *testing.T, s Store) func(context.Context) error {
		a := appFor("Wiki")
		createApps(t, s, a)
		v := appToken(a, directory.User{}, "one")
		createAppTokens(t, s, v)
		return func(ctx context.Context) error {
			return s.RevokeAppToken(ctx, a.ID, v.ID, func(v apps.Token) event.Event { return event.New(event.AppTokenRevoked, Now(), "", "", v.Name) })
		}
	}},
}

func trySignIn(ctx context.Context, s Store, a session.SignInRequest) error {
	_, err := signIn(ctx, s, a)
	return err
}
