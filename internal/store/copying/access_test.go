package copying

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

const (
	appHost      = "wiki.example.com"
	appCookie    = "cookie"
	appToken     = "token"
	pendingCode  = "code"
	memberUserID = "user-1"
)

// grantAccess creates a user in a group that opens an app, signs them in to it, and creates a token, a code and a request.
func grantAccess(t *testing.T, databaseURL string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	email, err := directory.ParseEmail("ada@example.com")
	must(err)
	u := directory.User{ID: memberUserID, Name: "Ada", Email: email, Role: directory.Member, Status: directory.Active, CreatedAt: noon}
	g := directory.Group{ID: "group-1", Name: "Staff", CreatedAt: noon}
	a := apps.App{ID: "app-1", Name: "Wiki", Scheme: "https", Host: appHost, Audience: apps.Groups, Enabled: true, Groups: []directory.Group{g}, PublicPaths: []string{"/health"}, CreatedAt: noon, UpdatedAt: noon}
	withStore(t, databaseURL, func(st *store.Store) {
		ctx := t.Context()
		must(st.CreateGroup(ctx, g, event.New(event.GroupCreated, noon, "", "", ""), idempotency.Claim{}))
		must(st.CreateUser(ctx, directory.NewUser{User: u, Event: event.New(event.UserAdded, noon, u.ID, "", ""), Memberships: []directory.Membership{
			{GroupID: g.ID, UserID: u.ID, Until: noon.Add(time.Hour), AddedBy: "1", CreatedAt: noon},
		}}))
		must(st.CreateApp(ctx, a, event.New(event.AppCreated, noon, "", "", ""), idempotency.Claim{}))
		made, err := st.CreateSession(ctx, session.SignInRequest{Email: email, Session: session.Session{
			TokenHash: session.Hash("session"), StytchSessionID: "s", CreatedAt: noon, VerifiedAt: noon, ExpiresAt: noon.Add(time.Hour),
		}}, func(from directory.Applicant) (directory.User, []event.Event, error) { return *from.User, nil, nil })
		must(err)
		for _, name := range []string{"used", pendingCode} {
			must(st.CreateCode(ctx, apps.Code{Hash: apps.HashCredential(name), AppID: a.ID, SessionHash: made.TokenHash, Path: "/", CreatedAt: noon, ExpiresAt: noon.Add(time.Minute)}))
		}
		must(st.RedeemCode(ctx, apps.HashCredential("used"), noon, issue(appCookie)))
		must(st.CreateAppToken(ctx, apps.Token{
			ID: "token-1", Hash: apps.HashToken(appToken), AppID: a.ID, UserID: u.ID, Name: "Backup", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour),
		}, event.New(event.AppTokenCreated, noon, u.ID, "", ""), func([]apps.Token) error { return nil }))
		must(st.SaveRequest(ctx, a.ID, u.ID, func(apps.RequestFacts) (apps.Request, event.Event, error) {
			r := apps.Request{ID: "request-1", AppID: a.ID, UserID: u.ID, Note: "Please, 李", State: apps.RequestPending, CreatedAt: noon}
			return r, event.New(event.AccessRequested, noon, u.ID, "", ""), nil
		}))
	})
}

// issue returns a rule that issues a credential for a cookie.
func issue(cookie string) func(apps.Code, session.Session, int) (apps.Credential, error) {
	return func(c apps.Code, v session.Session, _ int) (apps.Credential, error) {
		return apps.Credential{CookieHash: apps.HashCredential(cookie), AppID: c.AppID, SessionHash: c.SessionHash, CreatedAt: noon, ExpiresAt: v.ExpiresAt}, nil
	}
}

// access is what grantAccess made, as the store returns it.
type access struct {
	Session, Token apps.CheckState
	Memberships    []directory.Membership
	Tokens         []apps.Token
	App            apps.App
	Request        apps.Request
}

func readAccess(t *testing.T, databaseURL string) access {
	t.Helper()
	var got access
	withStore(t, databaseURL, func(st *store.Store) {
		var errs [6]error
		got.Session, errs[0] = st.CheckSession(t.Context(), appHost, apps.HashCredential(appCookie))
		got.Token, errs[1] = st.CheckToken(t.Context(), appHost, apps.HashToken(appToken))
		got.Memberships, errs[2] = st.ListMemberships(t.Context(), memberUserID)
		got.Tokens, errs[3] = st.ListAppTokens(t.Context(), "app-1")
		got.App, errs[4] = st.GetAppByHost(t.Context(), appHost)
		got.Request, errs[5] = st.GetRequest(t.Context(), "request-1")
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	return got
}

// wantAccess checks that a copy opens the app as the original does.
func wantAccess(t *testing.T, original, copied string) {
	t.Helper()
	want := readAccess(t, original)
	if d := apps.Decide(want.Session.App, want.Session.Session.User, want.Session.Memberships, noon); d != apps.Allowed || want.Token.Token.ID == "" || len(want.Memberships) != 1 {
		t.Fatalf("the original doesn't open the app: %s, %+v", d, want)
	}
	if diff := cmp.Diff(want, readAccess(t, copied)); diff != "" {
		t.Errorf("-original +copy\n%s", diff)
	}
	withStore(t, copied, func(st *store.Store) {
		if err := st.RedeemCode(t.Context(), apps.HashCredential(pendingCode), noon, issue("other")); err != nil {
			t.Errorf("a code: %v", err)
		}
	})
}

func TestCopy_KeepsAccessToApps(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, from, to string) {
		grantAccess(t, from)
		if _, err := Copy(t.Context(), from, to, now, quiet, noProgress); err != nil {
			t.Fatal(err)
		}
		wantAccess(t, from, to)
	})
}

func TestBackup_KeepsAccessToApps(t *testing.T) {
	t.Parallel()
	from, file := testdb.SQLite(t), filepath.Join(t.TempDir(), "backup.db")
	grantAccess(t, from)
	if err := store.Backup(t.Context(), from, file); err != nil {
		t.Fatal(err)
	}
	wantAccess(t, from, "sqlite:"+file)
}
