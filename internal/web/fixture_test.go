package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/internal/testpage"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/userio"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// fixture is the handler with a database and a local Stytch of its own. The outbox runs only when
// it is called.
type fixture struct {
	t        *testing.T
	clock    *clock
	store    *store.Store
	server   *server
	provider *stytch.Client // of the local Stytch
	http.Handler
	log *bytes.Buffer
}

// clock is a clock that only advance moves.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

func newFixture(t *testing.T, changes ...func(*Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &clock{}, log: &bytes.Buffer{}}
	f.clock.micros.Store(noon.UnixMicro())
	log := slog.New(slog.NewTextHandler(f.log, nil))
	db, err := store.Open(testdb.SQLite(t), f.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	local, err := stytchlocal.New(t.Context(), stytchlocal.Options{
		Read: db.Reader(), InTx: db.Transact, IsDuplicate: store.IsDuplicate, Now: f.clock.now, Log: log,
		BaseURL: "http://localhost:8080", Product: "Guestlist", Inbox: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := stytch.New(stytch.Options{
		ProjectID: local.Credentials().ProjectID, Secret: local.Credentials().Secret, Transport: local.Transport(),
		PublicToken: local.Credentials().PublicToken, PublicBaseURL: "http://localhost:8080",
		RedirectURL: "http://localhost:8080/api/authenticate_magic_link", Domain: "localhost", SessionDuration: 7 * 24 * time.Hour,
		LinkDuration: 10 * time.Minute, InviteDuration: 7 * 24 * time.Hour, Now: f.clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	worker := outbox.NewWorker(outbox.Options{Store: db, Accounts: client, Now: f.clock.now, Log: log})
	sessions := session.New(session.Options{Store: db, Provider: client, Outbox: worker, LinkDuration: 10 * time.Minute, InviteDuration: 7 * 24 * time.Hour,
		Duration: 7 * 24 * time.Hour, Recheck: 5 * time.Minute, OAuth: []factor.Kind{factor.Google, factor.GitHub}, Now: f.clock.now, Log: log,
	})
	t.Cleanup(sessions.Close) // cleanups run in reverse order: before the database is closed
	cookies, err := session.NewCookies(session.CookieOptions{
		Keys: []string{rand.Text()}, Name: "guestlist", Path: "/", MaxAge: 7 * 24 * time.Hour, Now: f.clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	tickets, err := apps.NewTickets([]string{rand.Text()}, f.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	baseURL := &url.URL{Scheme: "http", Host: "localhost:8080"}
	signer, err := identity.NewSigner(identity.Options{
		Store: db, CookieKeys: []string{rand.Text()}, Issuer: baseURL.String(), Now: f.clock.now, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		OpenID:    openid.New(openid.Options{Store: db, Sessions: sessions, Signer: signer, Issuer: baseURL.String(), Now: f.clock.now, Log: log}),
		Clients:   openid.NewClients(db, f.clock.now),
		Directory: directory.New(directory.Options{Store: db, Outbox: worker, Now: f.clock.now}),
		Groups:    directory.NewGroups(db, f.clock.now),
		Apps:      apps.New(apps.Options{Store: db, Sessions: sessions, Own: apps.Own{BaseURL: baseURL}, Now: f.clock.now}),
		Tickets:   tickets,
		Requests:  apps.NewRequests(db, worker, f.clock.now),
		Sessions:  sessions, Factors: factor.New(db, client, worker, f.clock.now), Tokens: token.New(token.Options{Store: db, Now: f.clock.now, Log: log}), Cookies: cookies, Events: db, Idempotency: db,
		Importer: userio.NewImporter(db, worker.Wake, f.clock.now, log), Ping: db.Ping,
		JWKS:    func(context.Context) ([]byte, error) { return []byte(`{"keys":[]}`), nil },
		BaseURL: baseURL, OAuth: []string{"google", "github"}, OAuthURL: client.OAuthURL, LinkDuration: 10 * time.Minute,
		InviteDuration: 7 * 24 * time.Hour, Now: f.clock.now, Log: log,
	}
	for _, change := range changes {
		change(&o)
	}
	f.store, f.server, f.provider = db, newServer(o), client
	f.Handler = f.server.handler()
	return f
}

// caller is a user with a browser or program. It keeps the cookies that responses set.
type caller struct {
	f       *fixture
	user    directory.User
	cookies map[string]*http.Cookie
}

func (f *fixture) visitor() *caller { return &caller{f: f, cookies: map[string]*http.Cookie{}} }

// signedIn adds a user who has just signed in.
func (f *fixture) signedIn(role directory.Role, address string) *caller {
	f.t.Helper()
	email, err := directory.ParseEmail(address)
	if err != nil {
		f.t.Fatal(err)
	}
	token, now := rand.Text(), f.clock.now()
	in, err := f.store.CreateSession(f.t.Context(), session.SignInRequest{Email: email, Session: session.Session{
		TokenHash: session.Hash(token), StytchSessionID: "session-" + rand.Text(), UserAgent: "curl/8", Address: "192.0.2.1",
		CreatedAt: now, VerifiedAt: now, ExpiresAt: now.Add(7 * 24 * time.Hour), Proofs: factor.Proofs("").With(factor.EmailLink, now),
	}}, func(from directory.Applicant) (directory.User, []event.Event, error) {
		u, err := directory.AdmissionPolicy{Open: true}.Admit(from, "user-"+rand.Text(), now)
		u.Role = role
		return u, nil, err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	c := f.visitor()
	c.user = in.User
	w := httptest.NewRecorder()
	if err := f.server.opts.Cookies.SetToken(w, httptest.NewRequest("GET", "/", nil), token); err != nil {
		f.t.Fatal(err)
	}
	c.keep(w.Result())
	return c
}

func (c *caller) keep(res *http.Response) {
	for _, cookie := range res.Cookies() {
		c.cookies[cookie.Name] = cookie
		if cookie.MaxAge < 0 {
			delete(c.cookies, cookie.Name)
		}
	}
}

// answer is a response, parsed if it is a page.
type answer struct {
	*testpage.Page
	status int
	header http.Header
	body   string
}

// send sends a request with the caller's cookies. changes are names and values of headers.
func (c *caller) send(method, path, body string, changes ...string) answer {
	c.f.t.Helper()
	return c.do(c.request(method, path, body, changes...))
}

// request returns the request that send sends.
func (c *caller) request(method, path, body string, changes ...string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), method, "http://localhost:8080"+path, strings.NewReader(body))
	for _, cookie := range c.cookies {
		r.AddCookie(cookie)
	}
	for i := 0; i < len(changes); i += 2 {
		r.Header.Set(changes[i], changes[i+1])
	}
	return r
}

// do sends a request. A response of the API must be described in openapi.yaml.
func (c *caller) do(r *http.Request) answer {
	c.f.t.Helper()
	asked := apiRequest(c.f, r)
	w := httptest.NewRecorder()
	c.f.ServeHTTP(w, r)
	c.keep(w.Result())
	if asked != nil {
		wantDescribed(c.f.t, asked, w.Result())
	}
	page, err := testpage.Parse(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		c.f.t.Fatal(err)
	}
	return answer{page, w.Code, w.Header(), w.Body.String()}
}

func (c *caller) get(path string) answer {
	c.f.t.Helper()
	return c.send("GET", path, "")
}

// json sends a JSON body, or none if body is empty.
func (c *caller) json(method, path, body string) answer {
	c.f.t.Helper()
	if body == "" {
		return c.send(method, path, "")
	}
	return c.send(method, path, body, "Content-Type", "application/json")
}

// form posts a form of names and values.
func (c *caller) form(path string, values ...string) answer {
	c.f.t.Helper()
	v := url.Values{}
	for i := 0; i < len(values); i += 2 {
		v.Set(values[i], values[i+1])
	}
	return c.send("POST", path, v.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// object parses a JSON response.
func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(a.body), &o); err != nil {
		t.Fatalf("the body is no JSON object: %d %q", a.status, a.body)
	}
	return o
}

// add adds a user directly to the store.
func (f *fixture) add(u directory.User) directory.User {
	f.t.Helper()
	var err error
	if u.Email, err = directory.ParseEmail(u.Email.Display); err != nil {
		f.t.Fatal(err)
	}
	if u.ID == "" {
		u.ID = rand.Text()
	}
	if u.Role == "" {
		u.Role = directory.Member
	}
	if u.Status == "" {
		u.Status = directory.Invited
	}
	if err := f.store.CreateUser(f.t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, "")}); err != nil {
		f.t.Fatal(err)
	}
	return u
}

// rows returns the content of the tables as text, to detect changes.
func (f *fixture) rows() string {
	f.t.Helper()
	var b strings.Builder
	for _, table := range []string{"users", "user_words", "sessions", "tokens", "user_groups", "group_members", "apps", "app_groups", "app_tokens", "grants", "device_codes", "outbox", "stytch_users", "stytch_links", "stytch_sessions"} {
		rows, err := f.store.Reader().QueryContext(f.t.Context(), "SELECT * FROM "+table+" ORDER BY 1, 2")
		if err != nil {
			f.t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				f.t.Fatal(err)
			}
			fmt.Fprintln(&b, table, values)
		}
		if err := rows.Err(); err != nil {
			f.t.Fatal(err)
		}
	}
	return b.String()
}
