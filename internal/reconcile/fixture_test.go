package reconcile_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/testdb"
)

const base = "https://guestlist.example"

var quiet = slog.New(slog.DiscardHandler)

// clock is a clock that only advance moves.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// fixture is a directory and a local Stytch with everything that connects them.
type fixture struct {
	*reconcile.Reconciler
	opts      reconcile.Options
	t         *testing.T
	clock     *clock
	db        *store.Store
	local     *stytchlocal.Server
	network   *network
	client    *stytch.Client
	api       *stytchapi.API // makes changes as another program would
	worker    *outbox.Worker
	directory *directory.Directory
	sessions  *session.Service
}

// network sends requests to the local Stytch, after calling before.
type network struct {
	http.RoundTripper
	before func(*http.Request) error // may be nil; if it returns an error, the request isn't sent
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	if n.before != nil {
		if err := n.before(r); err != nil {
			return nil, err
		}
	}
	return n.RoundTripper.RoundTrip(r)
}

// forEachEngine runs fn on SQLite and on MySQL, with pages of two.
func forEachEngine(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) { fn(t, open(t, databaseURL, directory.AdmissionPolicy{})) })
}

func open(t *testing.T, databaseURL string, admission directory.AdmissionPolicy) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &clock{}}
	f.clock.micros.Store(time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC).UnixMicro())
	var err error
	if f.db, err = store.Open(databaseURL, f.clock.now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.db.Close() })
	if _, err := f.db.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	f.local, err = stytchlocal.New(t.Context(), stytchlocal.Options{
		Read: f.db.Reader(), InTx: f.db.Transact, IsDuplicate: store.IsDuplicate, Now: f.clock.now, Log: quiet,
		BaseURL: base, RedirectURLs: []string{base + "/in"}, Product: "Guestlist", Inbox: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	credentials := f.local.Credentials()
	f.network = &network{RoundTripper: f.local.Transport()}
	if f.client, err = stytch.New(stytch.Options{
		ProjectID: credentials.ProjectID, Secret: credentials.Secret, Transport: f.network, RedirectURL: base + "/in",
		SessionDuration: 168 * time.Hour, LinkDuration: 10 * time.Minute, InviteDuration: 168 * time.Hour, Now: f.clock.now,
	}); err != nil {
		t.Fatal(err)
	}
	if f.api, err = stytchapi.NewClient(credentials.ProjectID, credentials.Secret, stytchapi.WithSkipJWKSInitialization(),
		stytchapi.WithHTTPClient(&http.Client{Transport: f.local.Transport()})); err != nil {
		t.Fatal(err)
	}
	f.worker = outbox.NewWorker(outbox.Options{Store: f.db, Accounts: f.client, Now: f.clock.now, Log: quiet})
	f.directory = directory.New(directory.Options{Store: f.db, Outbox: f.worker, Now: f.clock.now})
	f.sessions = session.New(session.Options{
		Store: f.db, Provider: f.client, Outbox: f.worker, Admission: admission, Duration: 168 * time.Hour, Recheck: 5 * time.Minute, Now: f.clock.now, Log: quiet,
	})
	t.Cleanup(f.sessions.Close)
	f.opts = reconcile.Options{Store: f.db, Accounts: f.client, Outbox: f.worker, Admission: admission, PageSize: 2, Now: f.clock.now, Log: quiet}
	f.Reconciler = reconcile.New(f.opts)
	return f
}

// reconfigure replaces the reconciler with one that has changed options.
func (f *fixture) reconfigure(change func(*reconcile.Options)) {
	change(&f.opts)
	f.Reconciler = reconcile.New(f.opts)
}

// withAccounts returns a reconciler for the same directory that reads accounts from a.
func (f *fixture) withAccounts(a reconcile.Accounts) *reconcile.Reconciler {
	o := f.opts
	o.Accounts = a
	return reconcile.New(o)
}

// must returns a function that returns v, and fails the test if err is not nil.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// invite adds a user with an account at Stytch.
func (f *fixture) invite(address string) directory.User {
	f.t.Helper()
	u := must(f.directory.Invite(f.t.Context(), directory.Actor{}, directory.UserInput{Email: address}))(f.t)
	if u.StytchUserID == "" {
		f.t.Fatalf("the invitation of %s was not sent", address)
	}
	return u
}

// signIn adds a user and signs them in. It returns the session's token.
func (f *fixture) signIn(address string) (directory.User, string) {
	f.t.Helper()
	u := f.invite(address)
	_, token, err := f.sessions.SignIn(f.t.Context(), session.Credentials{Token: f.mailedToken(address)}, session.Browser{})
	if err != nil {
		f.t.Fatal(err)
	}
	return f.reload(u), token
}

// reload returns the stored state of a user.
func (f *fixture) reload(u directory.User) directory.User {
	f.t.Helper()
	return must(f.db.GetUser(f.t.Context(), u.ID))(f.t)
}

// mailedToken returns the token of the newest link emailed to an address.
func (f *fixture) mailedToken(address string) string {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.local.DevPages().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/dev/inbox.json?key="+f.local.DevKey(), nil))
	var inbox struct {
		Messages []struct {
			To    string
			Links []string
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &inbox); err != nil {
		f.t.Fatal(err)
	}
	for _, m := range inbox.Messages { // newest first
		if m.To == strings.ToLower(address) {
			return must(url.Parse(m.Links[0]))(f.t).Query().Get("token")
		}
	}
	f.t.Fatalf("nothing was mailed to %s", address)
	return ""
}

// signInElsewhere creates an account that isn't in the directory and signs it in, as
// another program of the project would.
func (f *fixture) signInElsewhere(address string) session.Authentication {
	f.t.Helper()
	if err := f.client.SendMagicLink(f.t.Context(), session.Link{Email: address, CreateAccount: true}); err != nil {
		f.t.Fatal(err)
	}
	return must(f.client.AuthenticateMagicLink(f.t.Context(), f.mailedToken(address), "", session.Browser{}))(f.t)
}

// deleteAccount deletes a user's account as another program would.
func (f *fixture) deleteAccount(u directory.User) {
	f.t.Helper()
	must(f.api.Users.Delete(f.t.Context(), &users.DeleteParams{UserID: u.StytchUserID}))(f.t)
}

// deleteAddresses deletes all addresses of a user's account as another program would.
func (f *fixture) deleteAddresses(u directory.User) {
	f.t.Helper()
	account := must(f.api.Users.Get(f.t.Context(), &users.GetParams{UserID: u.StytchUserID}))(f.t)
	for _, e := range account.Emails {
		must(f.api.Users.DeleteEmail(f.t.Context(), &users.DeleteEmailParams{EmailID: e.EmailID}))(f.t)
	}
}

// isValidAtStytch reports whether a session is active at Stytch.
func (f *fixture) isValidAtStytch(token string) bool {
	f.t.Helper()
	_, err := f.client.AuthenticateSession(f.t.Context(), token)
	if err != nil && !errors.Is(err, session.ErrEnded) {
		f.t.Fatal(err)
	}
	return err == nil
}

// isSignedIn reports whether a browser with the token has a session.
func (f *fixture) isSignedIn(token string) bool {
	f.t.Helper()
	_, err := f.sessions.Check(f.t.Context(), token, session.Browser{})
	if err != nil && !errors.Is(err, session.ErrEnded) {
		f.t.Fatal(err)
	}
	return err == nil
}

// events returns the recorded differences as "subject: reason", oldest first.
func (f *fixture) events() []string {
	f.t.Helper()
	page, _, err := f.db.ListEvents(f.t.Context(), event.Query{Kind: event.StytchMismatch, Limit: event.MaxLimit})
	if err != nil {
		f.t.Fatal(err)
	}
	var events []string
	for _, e := range page {
		events = append([]string{strings.TrimPrefix(e.Subject+": "+e.Reason, ": ")}, events...)
	}
	return events
}

// drainOutbox runs the pending jobs for an address and checks that none is left.
func (f *fixture) drainOutbox(address string) {
	f.t.Helper()
	f.worker.Deliver(f.t.Context(), address)
	if jobs := must(f.db.ListJobs(f.t.Context(), directory.Email{Normalized: address}))(f.t); len(jobs) > 0 {
		f.t.Errorf("%s: the outbox still holds %+v", address, jobs)
	}
}
