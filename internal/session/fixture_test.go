package session_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// clock stands at noon until it is moved.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.set(noon)
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) set(t time.Time)         { c.micros.Store(t.UnixMicro()) }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// fixture is a manager on a database of its own, with a Stytch that does as
// the test scripts.
type fixture struct {
	*session.Service
	opts   session.Options
	t      *testing.T
	clock  *clock
	db     *counted
	stytch *provider
	outbox *waker
}

// each runs fn on either engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		c := newClock()
		fn(t, open(t, databaseURL, c, c.now))
	})
}

// onSQLite returns a fixture where the engine makes no difference.
func onSQLite(t *testing.T, changes ...func(*session.Options)) *fixture {
	t.Helper()
	c := newClock()
	return open(t, testdb.SQLite(t), c, c.now, changes...)
}

func open(t *testing.T, databaseURL string, c *clock, now func() time.Time, changes ...func(*session.Options)) *fixture {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(databaseURL, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	o := session.Options{Duration: 7 * 24 * time.Hour, Recheck: 5 * time.Minute, Now: now, Log: log}
	for _, change := range changes {
		change(&o)
	}
	f := &fixture{t: t, clock: c, db: &counted{Store: db}, stytch: &provider{}, outbox: &waker{}}
	f.opts = o
	f.reconfigure(func(o *session.Options) { o.Store, o.Provider, o.Outbox = f.db, f.stytch, f.outbox })
	return f
}

// reconfigure replaces the service by one with changed options.
func (f *fixture) reconfigure(change func(*session.Options)) {
	change(&f.opts)
	f.Service = session.New(f.opts)
}

// withProvider returns another service on the same database, with another provider.
func (f *fixture) withProvider(p session.Provider) *session.Service {
	o := f.opts
	o.Provider = p
	return session.New(o)
}

// put creates a user.
func (f *fixture) put(address string, role directory.Role, status directory.Status) directory.User {
	f.t.Helper()
	u := directory.User{
		ID: "id-of-" + address, Name: "Ada", Email: mustParse(f.t, address), Role: role, Status: status,
		CreatedAt: noon, UpdatedAt: noon,
	}
	if status == directory.Active {
		u.StytchUserID, u.LastSeenAt = "stytch-of-"+address, noon
	}
	if err := f.db.CreateUser(f.t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, "")}); err != nil {
		f.t.Fatal(err)
	}
	return u
}

// remove removes a user.
func (f *fixture) remove(u directory.User) {
	f.t.Helper()
	if _, err := directory.New(directory.Options{Store: f.db, Outbox: f.outbox, Now: f.clock.now}).Remove(f.t.Context(), directory.Actor{}, u.ID); err != nil {
		f.t.Fatal(err)
	}
}

// signIn signs a user in with a link for the address.
func (f *fixture) signIn(address string) (session.Session, string) {
	f.t.Helper()
	s, token, err := f.SignIn(f.t.Context(), session.Credentials{Token: "link:" + address}, session.Browser{Address: "203.0.113.7", UserAgent: "Browser/1"})
	if err != nil {
		f.t.Fatal(err)
	}
	return s, token
}

// jobs returns what waits for an address, oldest first, as "kind stytch-id".
func (f *fixture) jobs(address string) []string {
	f.t.Helper()
	all, err := f.db.ListJobs(f.t.Context(), directory.Email{Normalized: address})
	if err != nil {
		f.t.Fatal(err)
	}
	var out []string
	for _, j := range all {
		out = append(out, string(j.Kind)+" "+j.StytchID)
	}
	return out
}

func mustParse(t testing.TB, address string) directory.Email {
	t.Helper()
	email, err := directory.ParseEmail(address)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return email
}

// counted is a store that records calls and can fail.
type counted struct {
	*store.Store
	mu    sync.Mutex
	calls []string
	fail  map[string]error
}

func (c *counted) count(what string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, what)
	return c.fail[what]
}

func (c *counted) GetUserByEmail(ctx context.Context, email directory.Email) (directory.User, error) {
	if err := c.count("get user by email"); err != nil {
		return directory.User{}, err
	}
	return c.Store.GetUserByEmail(ctx, email)
}

func (c *counted) Applicant(ctx context.Context, email directory.Email) (directory.Applicant, error) {
	if err := c.count("applicant"); err != nil {
		return directory.Applicant{}, err
	}
	return c.Store.Applicant(ctx, email)
}

func (c *counted) GetSession(ctx context.Context, hash string) (session.Session, error) {
	if err := c.count("get session"); err != nil {
		return session.Session{}, err
	}
	return c.Store.GetSession(ctx, hash)
}

func (p *provider) LockedUntil(context.Context, string) (time.Time, error) {
	return p.lockedUntil, p.accountErr
}

func (c *counted) SaveVerification(ctx context.Context, s session.Session) error {
	if err := c.count("set verified"); err != nil {
		return err
	}
	return c.Store.SaveVerification(ctx, s)
}

func (c *counted) CreateSession(
	ctx context.Context, a session.SignInRequest, welcome func(directory.Applicant) (directory.User, []event.Event, error),
) (session.Session, error) {
	if err := c.count("sign in"); err != nil {
		return session.Session{}, err
	}
	return c.Store.CreateSession(ctx, a, welcome)
}

func (c *counted) TryCode(ctx context.Context, hash string, maxTries int, now time.Time) (session.CodeRequest, error) {
	if err := c.count("try code"); err != nil {
		return session.CodeRequest{}, err
	}
	return c.Store.TryCode(ctx, hash, maxTries, now)
}

func (c *counted) CreateCodeRequest(ctx context.Context, r session.CodeRequest) error {
	if err := c.count("create code request"); err != nil {
		return err
	}
	return c.Store.CreateCodeRequest(ctx, r)
}

func (c *counted) GetHostLink(ctx context.Context, hash string) (session.HostLink, directory.User, error) {
	if err := c.count("get host link"); err != nil {
		return session.HostLink{}, directory.User{}, err
	}
	return c.Store.GetHostLink(ctx, hash)
}

func (c *counted) AddJob(ctx context.Context, job outbox.Job) error {
	if err := c.count("add job"); err != nil {
		return err
	}
	return c.Store.AddJob(ctx, job)
}

// waker is an outbox that counts how often it is woken.
type waker struct{ woken atomic.Int32 }

func (w *waker) Wake()                           { w.woken.Add(1) }
func (w *waker) Deliver(context.Context, string) {}
