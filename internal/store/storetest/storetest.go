// Package storetest is a conformance test for implementations of directory.Store,
// session.Store, outbox.Store, event.Reader, limit.Store, reconcile.Store, userio.Store,
// token.Store, idempotency.Store, directory.GroupStore, apps.Store and identity.Store.
//
// Each test has its own database. Tests of several instances open it several times. The
// tests only use the interfaces, and don't depend on tables.
package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/userio"
)

// Store is the interface that Run tests.
type Store interface {
	directory.Store
	session.Store
	outbox.Store
	event.Reader
	reconcile.Store
	userio.Store
	token.Store
	directory.GroupStore
	apps.Store
	DeleteExpiredAccess(ctx context.Context, now, tokensBefore time.Time) (int, error)
	apps.RequestStore
	WarnOfEnds(ctx context.Context, now time.Time) (int, error)
	WriteDigests(ctx context.Context, now time.Time) (bool, error)
	DeleteExpiredTokens(ctx context.Context, before time.Time) (int, error)
	idempotency.Store
	DeleteKeys(ctx context.Context, now time.Time) (int, error)
	DeleteImports(ctx context.Context, before time.Time) (int, error)
	DeleteWebhooks(ctx context.Context, before time.Time) (int, error)
	DeleteEvents(ctx context.Context, before time.Time) (int, error)
	DeleteLimits(ctx context.Context, before, now time.Time) (int, error)
	CookieKey(ctx context.Context, created event.Event) (string, error)
	RecordSettings(ctx context.Context, plain, secret map[string]string, e event.Event) error
	RemoveSecretHashes(ctx context.Context) (int, error)
	DeleteExpiredSessions(ctx context.Context, now time.Time) (int, error)
	WriteNotices()
	factor.Store
	identity.Store
	openid.Store
	openid.ClientStore
	openid.DeviceStore
	DeleteExpiredDeviceCodes(ctx context.Context, now time.Time) (int, error)
}

// Now is the clock to open the stores with. It always returns the same time.
func Now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC) }

// ending ends the sessions for which match returns true.
func ending(reason string, match func(session.Session) bool) func(directory.User, session.Session) (directory.SessionEnd, bool) {
	return func(u directory.User, v session.Session) (directory.SessionEnd, bool) {
		return u.EndSession(event.Origin{}, v.StytchSessionID, reason, Now()), match(v)
	}
}

// endAll returns a Change.EndSession that ends all sessions of a user.
func endAll(u directory.User, reason string) func(tokenHash, stytchSessionID string) (directory.SessionEnd, bool) {
	return func(_, stytchSessionID string) (directory.SessionEnd, bool) {
		return u.EndSession(event.Origin{}, stytchSessionID, reason, Now()), true
	}
}

// revoking revokes the tokens for which match returns true.
func revoking(reason string, match func(token.Token) bool) func(directory.User, token.Token) (event.Event, bool) {
	return func(owner directory.User, t token.Token) (event.Event, bool) {
		return owner.RevokeToken(event.Origin{}, t.Name, reason, Now()), match(t)
	}
}

// replace makes the sign-in end another session.
func replace(a *session.SignInRequest, tokenHash string) {
	a.Replaces = tokenHash
	a.EndReplaced = func(v session.Session) directory.SessionEnd {
		return v.User.EndSession(event.Origin{}, v.StytchSessionID, "signed in anew", Now())
	}
}

func jobDropped(j outbox.Job) event.Event {
	return event.New(event.JobDropped, Now(), j.UserID, j.About(), string(j.Kind))
}

func keyCreated() event.Event {
	return event.New(event.SettingChanged, Now(), "", "", "a key for cookies was made")
}

func settingsChanged() event.Event { return event.New(event.SettingChanged, Now(), "", "", "") }

// Run runs the tests. newDatabase creates an empty database for the duration of the test,
// and returns a function that opens it as another instance would.
func Run(t *testing.T, newDatabase func(t *testing.T) (open func() Store)) {
	for _, group := range [][]row{userRows, changeRows, listRows, sessionRows, signInRows, tokenRows, outboxRows, workerRows, eventRows, limitRows, reconcileRows, importRows, importUsersRows, noticeRows, factorRows, removedRows, idempotencyRows, groupRows, appRows, requestRows, endingRows, signingKeyRows, logoutRows, clientRows, deviceRows, raceRows} {
		for _, r := range group {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				r.test(t, newDatabase(t))
			})
		}
	}
}

// row is one test.
type row struct {
	name string
	test func(t *testing.T, open func() Store)
}

// single adapts a test that needs a single instance.
func single(test func(t *testing.T, s Store)) func(t *testing.T, open func() Store) {
	return func(t *testing.T, open func() Store) { test(t, open()) }
}

// ago returns the time d before Now.
func ago(d time.Duration) time.Time { return Now().Add(-d) }

// member returns a new active member.
func member(name, address string) directory.User {
	return directory.User{
		ID: newID(), Name: name, Email: mustParse(address), Role: directory.Member, Status: directory.Active,
		StytchUserID: "user-test-" + newID(), CreatedAt: ago(time.Hour), UpdatedAt: ago(time.Hour), LastSeenAt: ago(time.Minute),
	}
}

func admin(name, address string) directory.User {
	u := member(name, address)
	u.Role = directory.Admin
	return u
}

func newID() string { return ids.New() }

func mustParse(address string) directory.Email {
	email, err := directory.ParseEmail(address)
	if err != nil {
		panic(address + ": " + err.Error())
	}
	return email
}

func create(t *testing.T, s Store, people ...directory.User) {
	t.Helper()
	for _, u := range people {
		if err := s.CreateUser(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, "")}); err != nil {
			t.Fatal(err)
		}
	}
}

func get(t *testing.T, s Store, id string) directory.User {
	t.Helper()
	u, err := s.GetUser(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// jobs returns the pending jobs about a user.
func jobs(t *testing.T, s Store, u directory.User) []outbox.Job {
	t.Helper()
	list, err := s.ListJobs(t.Context(), u.Email)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// concurrently makes n concurrent calls and returns their errors.
func concurrently(n int, call func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = call(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// signInRequest returns the request for a sign-in of u. token identifies the session.
func signInRequest(u directory.User, token string) session.SignInRequest {
	return session.SignInRequest{Email: u.Email, Session: session.Session{
		TokenHash: session.Hash(token), StytchSessionID: "session-test-" + token, UserAgent: "Browser/1.0", Address: "192.0.2.7",
		CreatedAt: Now(), VerifiedAt: Now(), ExpiresAt: Now().Add(7 * 24 * time.Hour),
	}}
}

// signIn signs a user in with an open admission policy.
func signIn(ctx context.Context, s Store, a session.SignInRequest) (session.Session, error) {
	return s.CreateSession(ctx, a, func(from directory.Applicant) (directory.User, []event.Event, error) {
		u, err := directory.AdmissionPolicy{Open: true}.Admit(from, "user-test-"+a.Email.Normalized, Now())
		return u, []event.Event{event.New(event.SignedIn, Now(), u.ID, u.Email.Normalized, "")}, err
	})
}

func mustSignIn(t *testing.T, s Store, a session.SignInRequest) session.Session {
	t.Helper()
	made, err := signIn(t.Context(), s, a)
	if err != nil {
		t.Fatal(err)
	}
	return made
}
