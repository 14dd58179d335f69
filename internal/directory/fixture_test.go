package directory_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// fixture is a directory on a database of its own, whose clock stands at noon.
type fixture struct {
	*directory.Directory
	t      *testing.T
	db     *store.Store
	outbox *deliverer
}

func open(t *testing.T) *fixture {
	t.Helper()
	now := func() time.Time { return noon }
	db, err := store.Open(testdb.SQLite(t), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, db: db, outbox: &deliverer{db: db}}
	f.Directory = directory.New(directory.Options{Store: db, Outbox: f.outbox, Now: now})
	return f
}

// deliverer is an outbox that hands invitations over, unless it is down.
type deliverer struct {
	db        *store.Store
	down      bool
	delivered []string // subjects
	waits     []time.Duration

	mu    sync.Mutex
	woken int
}

func (d *deliverer) Wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.woken++
}

func (d *deliverer) Deliver(ctx context.Context, subject string) {
	d.delivered = append(d.delivered, subject)
	if end, ok := ctx.Deadline(); ok {
		d.waits = append(d.waits, time.Until(end).Round(time.Second))
	}
	if d.down {
		return
	}
	job, err := d.db.LeaseJob(ctx, subject, noon, noon.Add(time.Minute))
	if err == nil {
		_ = d.db.FinishInvite(ctx, job.Sent("stytch-of-"+job.UserID, noon))
	}
}

// put creates a user.
func (f *fixture) put(address string, role directory.Role, status directory.Status) directory.User {
	f.t.Helper()
	u := directory.User{
		ID: "id-of-" + address, Email: mustParse(f.t, address), Role: role, Status: status,
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

// job is what is looked at of a job.
type job struct {
	Kind                          outbox.Kind
	Subject, UserID, Stytch, Name string
}

// jobs returns what waits for an address, oldest first.
func (f *fixture) jobs(address string) []job {
	f.t.Helper()
	all, err := f.ListJobs(f.t.Context(), mustParse(f.t, address))
	if err != nil {
		f.t.Fatal(err)
	}
	var out []job
	for _, j := range all {
		out = append(out, job{j.Kind, j.Subject, j.UserID, j.StytchID, j.Name})
	}
	return out
}
