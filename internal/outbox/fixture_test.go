package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

var discard = slog.New(slog.DiscardHandler)

// inBubble runs fn in a synctest bubble with an SQLite database. Time advances to the
// next timer when all goroutines are blocked.
func inBubble(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Parallel()
	path := testdb.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if _, err := db.Migrate(t.Context(), discard); err != nil {
			t.Fatal(err)
		}
		fn(t, &fixture{t: t, db: db, stytch: &accounts{start: time.Now()}})
	})
}

// fixture is a database and a fake Stytch.
type fixture struct {
	t      *testing.T
	db     *store.Store
	stytch *accounts
}

func (f *fixture) worker() *outbox.Worker {
	return outbox.NewWorker(outbox.Options{Store: f.db, Accounts: f.stytch, Mailer: f.stytch, Now: time.Now, Log: discard})
}

// start runs a worker until the test stops it or ends.
func (f *fixture) start(w *outbox.Worker) (stop func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan struct{})
	go func() {
		w.Run(ctx)
		close(done)
	}()
	stop = func() {
		cancel()
		<-done
	}
	f.t.Cleanup(stop)
	return stop
}

// add writes a job that is due now.
func (f *fixture) add(kind outbox.Kind, name string) outbox.Job {
	f.t.Helper()
	job := outbox.New(kind, address(name), "id-of-"+name, "stytch-"+name, "", time.Now())
	if err := f.db.AddJob(f.t.Context(), job); err != nil {
		f.t.Fatal(err)
	}
	return job
}

// invite adds a user with an invite job.
func (f *fixture) invite(name string) directory.User {
	f.t.Helper()
	email, err := directory.ParseEmail(address(name))
	if err != nil {
		f.t.Fatal(err)
	}
	now := time.Now().UTC()
	u := directory.User{
		ID: "id-of-" + name, Name: name, Email: email, Role: directory.Member, Status: directory.Invited,
		CreatedAt: now, UpdatedAt: now,
	}
	job := outbox.New(outbox.Invite, email.Normalized, u.ID, "", u.Name, now)
	if err := f.db.CreateUser(f.t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, ""), Jobs: []outbox.Job{job}}); err != nil {
		f.t.Fatal(err)
	}
	return u
}

// pending returns the jobs about a user.
func (f *fixture) pending(name string) []outbox.Job {
	f.t.Helper()
	jobs, err := f.db.ListJobs(f.t.Context(), directory.Email{Normalized: address(name)})
	if err != nil {
		f.t.Fatal(err)
	}
	return jobs
}

func address(name string) string { return name + "@example.com" }

// errDown is the error of an unreachable Stytch.
var errDown = errors.New("connection refused")

// slow returns an accounts.answer that takes d.
func slow(d time.Duration) func(context.Context, string, int) error {
	return func(context.Context, string, int) error {
		time.Sleep(d)
		return nil
	}
}

// failing returns an accounts.answer that takes a millisecond and returns err.
func failing(err error) func(context.Context, string, int) error {
	return func(context.Context, string, int) error {
		time.Sleep(time.Millisecond)
		return err
	}
}

// call is a call to Stytch.
type call struct {
	What string        // for example "invite ada"
	At   time.Duration // since accounts.start
}

// accounts implements outbox.Accounts and outbox.Mailer, and records the calls.
type accounts struct {
	start time.Time
	// answer returns the result of a call. If it is nil, all calls succeed immediately.
	// n counts the calls of the same kind for the same user, from 1.
	answer func(ctx context.Context, what string, n int) error

	mu      sync.Mutex
	calls   []call
	notices []outbox.Notice
}

// record records a call and returns its result.
func (a *accounts) record(ctx context.Context, verb, email string) error {
	name, _, _ := strings.Cut(email, "@")
	what := verb + " " + name
	a.mu.Lock()
	a.calls = append(a.calls, call{what, time.Since(a.start)})
	n := 0
	for _, c := range a.calls {
		if c.What == what {
			n++
		}
	}
	a.mu.Unlock()
	if a.answer == nil {
		return nil
	}
	return a.answer(ctx, what, n)
}

// made returns the calls so far.
func (a *accounts) made() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, c := range a.calls {
		all = append(all, c.What)
	}
	return all
}

// times returns the times of a call since start.
func (a *accounts) times(what string) []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []time.Duration
	for _, c := range a.calls {
		if c.What == what {
			all = append(all, c.At)
		}
	}
	return all
}

func (a *accounts) Invite(ctx context.Context, email, name, by string) (string, error) {
	if err := a.record(ctx, "invite", email); err != nil {
		return "", err
	}
	return "stytch-" + name, nil
}

func (a *accounts) Notify(ctx context.Context, n outbox.Notice) error {
	a.mu.Lock()
	a.notices = append(a.notices, n)
	a.mu.Unlock()
	return a.record(ctx, "notify", n.Email)
}

func (a *accounts) RevokeInvite(ctx context.Context, email string) error {
	return a.record(ctx, "revoke_invite", email)
}

func (a *accounts) DeleteUser(ctx context.Context, _, email string) error {
	return a.record(ctx, "delete_user", email)
}

func (a *accounts) RevokeSession(ctx context.Context, id string) error {
	return a.record(ctx, "revoke_session", strings.TrimPrefix(id, "stytch-"))
}

func (a *accounts) DeletePasskey(ctx context.Context, id string) error {
	return a.record(ctx, "delete_passkey", strings.TrimPrefix(id, "stytch-"))
}

func (a *accounts) DeleteTOTP(ctx context.Context, id string) error {
	return a.record(ctx, "delete_totp", strings.TrimPrefix(id, "stytch-"))
}
