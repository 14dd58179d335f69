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

// inBubble runs fn where time is synctest's: it stands still while anybody is
// busy, the database included, and leaps to the next timer when all wait.
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
		fn(t, &fixture{t: t, db: db, stytch: &accounts{began: time.Now()}})
	})
}

// fixture is a database and a Stytch.
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

// invited puts somebody on the list, with the job that invites them.
func (f *fixture) invited(name string) directory.User {
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

// waiting returns the jobs that are there for a person.
func (f *fixture) waiting(name string) []outbox.Job {
	f.t.Helper()
	jobs, err := f.db.ListJobs(f.t.Context(), directory.Email{Normalized: address(name)})
	if err != nil {
		f.t.Fatal(err)
	}
	return jobs
}

func address(name string) string { return name + "@example.com" }

// errDown is Stytch out of reach.
var errDown = errors.New("connection refused")

// slow is a Stytch that takes its time.
func slow(d time.Duration) func(context.Context, string, int) error {
	return func(context.Context, string, int) error {
		time.Sleep(d)
		return nil
	}
}

// failing is a Stytch that fails, after the moment that any call takes.
func failing(err error) func(context.Context, string, int) error {
	return func(context.Context, string, int) error {
		time.Sleep(time.Millisecond)
		return err
	}
}

// call is one call to Stytch, as it arrived there.
type call struct {
	What string // "invite ada"
	At   time.Duration
}

// accounts is a Stytch that notes every call and does as the test scripts.
type accounts struct {
	began time.Time
	// answer makes a call's outcome; nil: every call is done at once. n counts
	// the calls of the same kind for the same person, from 1.
	answer func(ctx context.Context, what string, n int) error

	mu      sync.Mutex
	calls   []call
	notices []outbox.Notice
}

func (a *accounts) take(ctx context.Context, verb, email string) error {
	name, _, _ := strings.Cut(email, "@")
	what := verb + " " + name
	a.mu.Lock()
	a.calls = append(a.calls, call{what, time.Since(a.began)})
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

// made returns what was called so far.
func (a *accounts) made() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, c := range a.calls {
		all = append(all, c.What)
	}
	return all
}

// times returns when a call was made, since the beginning.
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
	if err := a.take(ctx, "invite", email); err != nil {
		return "", err
	}
	return "stytch-" + name, nil
}

func (a *accounts) Notify(ctx context.Context, n outbox.Notice) error {
	a.mu.Lock()
	a.notices = append(a.notices, n)
	a.mu.Unlock()
	return a.take(ctx, "notify", n.Email)
}

func (a *accounts) RevokeInvite(ctx context.Context, email string) error {
	return a.take(ctx, "revoke_invite", email)
}

func (a *accounts) DeleteUser(ctx context.Context, _, email string) error {
	return a.take(ctx, "delete_user", email)
}

func (a *accounts) RevokeSession(ctx context.Context, id string) error {
	return a.take(ctx, "revoke_session", strings.TrimPrefix(id, "stytch-"))
}
