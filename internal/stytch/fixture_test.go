package stytch_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/testdb"
)

const callback = "https://guestlist.example/api/authenticate_magic_link"

// clock stands still until it is advanced.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// options returns the options of a client without a server.
func options(c *clock) stytch.Options {
	return stytch.Options{
		ProjectID: "project-test-11111111-1111-4111-8111-111111111111", Secret: "secret-test-hush-hush-hush", RedirectURL: callback,
		SessionDuration: 168 * time.Hour, LinkDuration: 10 * time.Minute, InviteDuration: 168 * time.Hour, Now: c.now,
	}
}

func newClient(t *testing.T, o stytch.Options) *stytch.Client {
	t.Helper()
	client, err := stytch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// local is a client of a local Stytch with its own database.
type local struct {
	*stytch.Client
	clock  *clock
	server *stytchlocal.Server
	opts   stytch.Options
}

func newLocal(t *testing.T, connect func(*stytch.Options, *stytchlocal.Server)) *local {
	t.Helper()
	l := &local{clock: newClock()}
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(testdb.SQLite(t), l.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	l.server, err = stytchlocal.New(t.Context(), stytchlocal.Options{
		Read: db.Reader(), InTx: db.Transact, IsDuplicate: store.IsDuplicate, Now: l.clock.now, Log: log,
		BaseURL: "https://guestlist.example", RedirectURLs: []string{callback}, Product: "Guestlist", Inbox: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	o := options(l.clock)
	o.ProjectID, o.Secret = l.server.Credentials().ProjectID, l.server.Credentials().Secret
	connect(&o, l.server)
	l.opts = o
	l.Client = newClient(t, o)
	return l
}

// inProcess connects a client to a local Stytch without a socket, overSocket with one.
func inProcess(o *stytch.Options, s *stytchlocal.Server) { o.Transport = s.Transport() }

func overSocket(t *testing.T) func(*stytch.Options, *stytchlocal.Server) {
	return func(o *stytch.Options, s *stytchlocal.Server) {
		server := httptest.NewServer(s.API())
		t.Cleanup(server.Close)
		o.BaseURL = server.URL
	}
}

// eachWay runs fn with a local Stytch, connected in both ways.
func eachWay(t *testing.T, fn func(t *testing.T, l *local)) {
	t.Helper()
	t.Parallel()
	t.Run("inside the process", func(t *testing.T) {
		t.Parallel()
		fn(t, newLocal(t, inProcess))
	})
	t.Run("over a socket", func(t *testing.T) {
		t.Parallel()
		fn(t, newLocal(t, overSocket(t)))
	})
}

// mail is an email in the inbox.
type mail struct {
	To, Subject, Text, Code string
	Links                   []string
}

// mails returns the emails to an address, oldest first.
func (l *local) mails(t *testing.T, address string) []mail {
	t.Helper()
	w := httptest.NewRecorder()
	l.server.DevPages().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/dev/inbox.json?key="+l.server.DevKey(), nil))
	var inbox struct{ Messages []mail }
	if err := json.Unmarshal(w.Body.Bytes(), &inbox); err != nil {
		t.Fatalf("inbox: %v", err)
	}
	mails := slices.DeleteFunc(inbox.Messages, func(m mail) bool { return m.To != address })
	slices.Reverse(mails)
	return mails
}

// codes returns the codes emailed to an address, oldest first.
func (l *local) codes(t *testing.T, address string) []string {
	t.Helper()
	var codes []string
	for _, m := range l.mails(t, address) {
		if m.Code != "" {
			codes = append(codes, m.Code)
		}
	}
	return codes
}

// links returns the tokens of the links emailed to an address, oldest first.
func (l *local) links(t *testing.T, address string) []string {
	t.Helper()
	var tokens []string
	for _, m := range l.mails(t, address) {
		for _, link := range m.Links {
			u, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, u.Query().Get("token"))
		}
	}
	return tokens
}
