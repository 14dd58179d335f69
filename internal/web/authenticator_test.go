package web

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// authenticators is a login service that keeps one authenticator app of each account. The code of
// every app is rightCode.
type authenticators struct {
	started  map[string]factor.TOTPSetup // by account
	verified map[string]bool             // by account
	dropped  []string                    // accounts
	fail     error                       // of every call
}

const rightCode = "246810"

func (a *authenticators) StartTOTP(_ context.Context, account string) (factor.TOTPSetup, error) {
	if a.fail != nil {
		return factor.TOTPSetup{}, a.fail
	}
	if a.verified[account] {
		return factor.TOTPSetup{}, factor.ErrHasTOTP
	}
	raw := make([]byte, 20)
	_, _ = rand.Read(raw) // never fails
	setup := factor.TOTPSetup{ProviderID: "totp-" + rand.Text(), Secret: base32.StdEncoding.EncodeToString(raw)}
	for i := range factor.RecoveryCodes {
		setup.RecoveryCodes = append(setup.RecoveryCodes, fmt.Sprintf("%s-c0de-%04d", strings.ToLower(rand.Text()[:4]), i))
	}
	a.started[account] = setup
	return setup, nil
}

func (a *authenticators) ConfirmTOTP(_ context.Context, account, code, sessionToken string) (string, error) {
	setup, ok := a.started[account]
	switch {
	case a.fail != nil:
		return "", a.fail
	case !ok:
		return "", session.ErrNoAuthenticator
	case sessionToken == "":
		return "", session.ErrEnded
	case code == "111111":
		return "", session.ErrCodeSpent
	case code != rightCode:
		return "", session.ErrCodeWrong
	}
	a.verified[account] = true
	return setup.ProviderID, nil
}

func (a *authenticators) DropTOTPs(_ context.Context, account string) error {
	a.dropped = append(a.dropped, account)
	delete(a.started, account)
	delete(a.verified, account)
	return a.fail
}

func (*authenticators) StartRegistration(context.Context, string, string, string, string) (json.RawMessage, error) {
	return nil, session.ErrUnavailable
}

func (*authenticators) RegisterPasskey(context.Context, string, string, string) (string, error) {
	return "", session.ErrUnavailable
}

// newAuthenticatorFixture returns a fixture whose factors are kept by authenticators. change may
// replace the store of the factors, or be nil.
func newAuthenticatorFixture(t *testing.T, change func(factor.Store) factor.Store) (*fixture, *authenticators) {
	t.Helper()
	f := newFixture(t)
	service := &authenticators{started: map[string]factor.TOTPSetup{}, verified: map[string]bool{}}
	var store factor.Store = f.store
	if change != nil {
		store = change(store)
	}
	f.server.opts.Factors = factor.New(store, service, noOutbox{}, f.clock.now)
	f.replaceSessions(session.Options{})
	return f, service
}

type noOutbox struct{}

func (noOutbox) Wake() {}

// setupShown is the page of a setup that was begun.
type setupShown struct {
	answer
	sealed, secret string
}

// beginSetup presses "Set up" on the profile.
func (c *caller) beginSetup(next string) setupShown {
	c.f.t.Helper()
	return shownSetup(c.f.t, c.form("/profile/authenticator", "next", next))
}

func shownSetup(t *testing.T, a answer) setupShown {
	t.Helper()
	form, ok := a.Form("Turn on")
	if !ok {
		t.Fatalf("no setup is shown: %d %s", a.status, a.Text())
	}
	address, _ := a.Link("Open an app on this device")
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return setupShown{a, form.Values.Get("setup"), u.Query().Get("secret")}
}

func (c *caller) confirmSetup(sealed, code string) answer {
	c.f.t.Helper()
	return c.form("/profile/authenticator/confirm", "setup", sealed, "code", code)
}

// setUp sets up an authenticator app and returns the page with the recovery codes.
func (c *caller) setUp() answer {
	c.f.t.Helper()
	a := c.confirmSetup(c.beginSetup("").sealed, rightCode)
	if a.Heading() != "Save your recovery codes" {
		c.f.t.Fatalf("not set up: %d %s", a.status, a.Text())
	}
	return a
}

func TestAuthenticator_SetUp(t *testing.T) {
	t.Parallel()
	f, service := newAuthenticatorFixture(t, nil)
	ada := f.signedIn(directory.Member, "Ada.King@example.com")
	if text := ada.get("/profile").Text(); !strings.Contains(text, "Authenticator app After your email") {
		t.Errorf("the profile says %s", text)
	}
	shown := ada.beginSetup("/users?q=x")
	setup := service.started[ada.user.StytchUserID]
	if shown.status != 200 || shown.secret != setup.Secret || !strings.Contains(shown.Text(), setup.Secret) {
		t.Errorf("%d, the secret is %q in the link, want %q: %s", shown.status, shown.secret, setup.Secret, shown.Text())
	}
	if got, want := scanQR(t, shown.body), "otpauth://totp/localhost:Ada.King@example.com?algorithm=SHA1&digits=6&issuer=localhost&period=30&secret="+setup.Secret; got != want {
		t.Errorf("the QR code is %q, want %q", got, want)
	}
	wrong := shownSetup(t, ada.confirmSetup(shown.sealed, "246 811"))
	if wrong.status != 422 || wrong.secret != setup.Secret || wrong.sealed != shown.sealed || !strings.Contains(wrong.Problems()["code"], "isn’t right") || !strings.Contains(wrong.body, `value="246 811"`) {
		t.Errorf("after a wrong code: %d %v %s", wrong.status, wrong.Problems(), wrong.Text())
	}
	codes := ada.confirmSetup(wrong.sealed, " 246-810 ")
	if codes.status != 200 || codes.Heading() != "Save your recovery codes" {
		t.Fatalf("%d %s", codes.status, codes.Text())
	}
	for _, code := range setup.RecoveryCodes {
		if strings.Count(codes.Text(), code) != 1 {
			t.Errorf("%s is not shown once: %s", code, codes.Text())
		}
	}
	if next, _ := codes.Link("I’ve saved them"); next != "/users?q=x" {
		t.Errorf("it leads on to %q", next)
	}
	form, _ := codes.Form("Download")
	file := ada.form(form.Action, "setup", form.Values.Get("setup"))
	if file.status != 200 || file.header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.HasPrefix(file.header.Get("Content-Disposition"), "attachment") ||
		!strings.Contains(file.body, strings.Join(setup.RecoveryCodes, "\n")+"\n") || !strings.Contains(file.body, "Account: Ada.King@example.com\n") {
		t.Errorf("the file: %d %v %s", file.status, file.header, file.body)
	}
	for name, a := range map[string]answer{"setup": shown.answer, "wrong code": wrong.answer, "codes": codes, "file": file} {
		if got := a.header.Get("Cache-Control"); got != "no-store, no-transform" {
			t.Errorf("%s: Cache-Control is %q", name, got)
		}
	}

	f.clock.advance(time.Minute)
	profile := ada.get("/profile")
	for _, want := range []string{"Set up 1 minute ago · not used since · 10 recovery codes left", "Email link 1 minute ago, authenticator app 1 minute ago"} {
		if !strings.Contains(profile.Text(), want) {
			t.Errorf("the profile lacks %q: %s", want, profile.Text())
		}
	}
	boss := f.signedIn(directory.Admin, "boss@example.com")
	if text := boss.get("/users/" + ada.user.ID).Text(); !strings.Contains(text, "set up 1 minute ago · not used since · 10 recovery codes left") {
		t.Errorf("their page says %s", text)
	}
	if a := boss.get("/api/events?kind=factor_added"); !strings.Contains(a.body, "authenticator app") || !strings.Contains(a.body, "Ada.King@example.com") && !strings.Contains(a.body, "ada.king@example.com") {
		t.Errorf("the event: %s", a.body)
	}
	if got, want := fmt.Sprint(ada.get("/api/session").object(t)["session"].(map[string]any)["factors"]),
		"[map[at:2026-03-01T12:00:00Z kind:email_link] map[at:2026-03-01T12:00:00Z kind:totp]]"; got != want {
		t.Errorf("factors are %s, want %s", got, want)
	}
	for _, secret := range append(setup.RecoveryCodes, setup.Secret, shown.sealed, rightCode) {
		if strings.Contains(f.log.String(), secret) {
			t.Errorf("the log has %q: %s", secret, f.log)
		}
		if strings.Contains(f.allRows(), secret) {
			t.Errorf("the database has %q", secret)
		}
	}
}

// allRows returns the content of every table of ours as text.
func (f *fixture) allRows() string {
	f.t.Helper()
	var b strings.Builder
	for _, table := range []string{"users", "sessions", "user_factors", "events", "outbox", "limits", "sign_in_attempts", "email_codes"} {
		rows, err := f.store.Reader().QueryContext(f.t.Context(), "SELECT * FROM "+table)
		if err != nil {
			f.t.Fatal(err)
		}
		defer rows.Close()
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
	}
	return b.String()
}

func TestAuthenticator_FormSentAgainShowsTheCodesAgain(t *testing.T) {
	t.Parallel()
	f, service := newAuthenticatorFixture(t, nil)
	ada := f.signedIn(directory.Member, "ada@example.com")
	shown := ada.beginSetup("")
	first := ada.confirmSetup(shown.sealed, rightCode)
	f.clock.advance(29 * time.Minute) // the sign-in is no longer fresh
	for range 2 {
		again := ada.confirmSetup(shown.sealed, "111111")
		if again.status != 200 || again.Text() != first.Text() {
			t.Errorf("%d %s, want %s", again.status, again.Text(), first.Text())
		}
	}
	if n := strings.Count(f.allRows(), "user_factors"); n != 1 || len(service.dropped) != 0 {
		t.Errorf("%d factors, dropped %v", n, service.dropped)
	}
	f.clock.advance(time.Minute)
	if a := ada.confirmSetup(shown.sealed, rightCode); a.status != 410 {
		t.Errorf("after half an hour: %d %s", a.status, a.Text())
	}
	if a := ada.form("/profile/authenticator/codes", "setup", shown.sealed); a.status != 410 || a.Heading() != "These codes can’t be shown again" {
		t.Errorf("the file after half an hour: %d %s", a.status, a.Text())
	}
}

func TestAuthenticator_RefusedSetups(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		spoil   func(f *fixture, service *authenticators, c *caller, sealed string) (*caller, string)
		code    string
		status  int
		heading string
	}{
		"too late": {func(f *fixture, _ *authenticators, c *caller, sealed string) (*caller, string) {
			f.clock.advance(factor.SetupDuration)
			return c, sealed
		}, rightCode, 410, "This setup no longer works"},
		"another session of the user": {func(f *fixture, service *authenticators, c *caller, sealed string) (*caller, string) {
			return service.sharing(c, f.signedIn(directory.Member, c.user.Email.Display)), sealed
		}, rightCode, 410, "This setup no longer works"},
		"another user": {func(f *fixture, service *authenticators, c *caller, sealed string) (*caller, string) {
			return service.sharing(c, f.signedIn(directory.Member, "grace@example.com")), sealed
		}, rightCode, 410, "This setup no longer works"},
		"changed": {func(_ *fixture, _ *authenticators, c *caller, sealed string) (*caller, string) {
			return c, sealed[:40] + "A" + sealed[41:]
		}, rightCode, 410, "This setup no longer works"},
		"none": {func(_ *fixture, _ *authenticators, c *caller, _ string) (*caller, string) { return c, "" }, rightCode, 410, "This setup no longer works"},
		"a sealed text of another kind": {func(f *fixture, _ *authenticators, c *caller, _ string) (*caller, string) {
			return c, f.server.opts.Cookies.Seal("cursor", "session=x")
		}, rightCode, 410, "This setup no longer works"},
		"begun again since, in another tab": {func(_ *fixture, _ *authenticators, c *caller, sealed string) (*caller, string) {
			c.beginSetup("")
			return c, sealed
		}, rightCode, 410, "This setup no longer works"},
		"removed at the login service": {func(_ *fixture, service *authenticators, c *caller, sealed string) (*caller, string) {
			delete(service.started, c.user.StytchUserID)
			return c, sealed
		}, rightCode, 410, "This setup no longer works"},
		"no digits":   {nil, "24681", 422, "Set up an authenticator app"},
		"a used code": {nil, "111111", 422, "Set up an authenticator app"},
		"no code":     {nil, "", 422, "Set up an authenticator app"},
		"the login service is down": {func(_ *fixture, service *authenticators, c *caller, sealed string) (*caller, string) {
			service.fail = session.ErrUnavailable
			return c, sealed
		}, rightCode, 503, "Set up an authenticator app"},
		"the login service limits tries": {func(_ *fixture, service *authenticators, c *caller, sealed string) (*caller, string) {
			service.fail = session.ErrTooMany
			return c, sealed
		}, rightCode, 429, "Set up an authenticator app"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, service := newAuthenticatorFixture(t, nil)
			c := f.signedIn(directory.Member, "ada@example.com")
			shown := c.beginSetup("")
			sealed, secret := shown.sealed, shown.secret
			if row.spoil != nil {
				c, sealed = row.spoil(f, service, c, sealed)
			}
			a := c.confirmSetup(sealed, row.code)
			if a.status != row.status || a.Heading() != row.heading || strings.Contains(a.Text(), "c0de") {
				t.Errorf("%d %s", a.status, a.Text())
			}
			if row.status != 410 {
				if again := shownSetup(t, a); again.sealed != sealed || again.secret != secret || again.Problems()["code"] == "" {
					t.Errorf("the setup is lost: %s", again.Text())
				}
			}
			if (row.status == 429 || row.status == 503) && a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if rows := f.allRows(); strings.Contains(rows, "user_factors") || strings.Contains(rows, "factor_added") {
				t.Errorf("something is set up: %s", rows)
			}
		})
	}
}

// sharing lets other complete the setup of c, as far as the login service is concerned.
func (a *authenticators) sharing(c, other *caller) *caller {
	a.started[other.user.StytchUserID] = a.started[c.user.StytchUserID]
	return other
}

// A code of another tab's setup is never answered with the recovery codes of this one.
func TestAuthenticator_CodeOfANewerSetupIsUndone(t *testing.T) {
	t.Parallel()
	f, _ := newAuthenticatorFixture(t, nil)
	ada := f.signedIn(directory.Member, "ada@example.com")
	older := ada.beginSetup("")
	newer := ada.beginSetup("")
	ada.confirmSetup(older.sealed, rightCode)
	if !strings.Contains(f.allRows(), "delete_totp") {
		t.Error("the app stays at the login service")
	}
	if a := ada.confirmSetup(newer.sealed, rightCode); a.status != 410 { // it is about to be deleted there
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := ada.setUp(); a.status != 200 {
		t.Errorf("begun anew: %d", a.status)
	}
}

// failingStore fails to write factors.
type failingStore struct{ factor.Store }

func (failingStore) AddFactor(context.Context, factor.Addition, func([]factor.Factor) error) error {
	return fmt.Errorf("add factor: %w", directory.ErrUnavailable)
}

func TestAuthenticator_FailedWriteIsUndone(t *testing.T) {
	t.Parallel()
	f, service := newAuthenticatorFixture(t, func(s factor.Store) factor.Store { return failingStore{s} })
	ada := f.signedIn(directory.Member, "ada@example.com")
	shown := ada.beginSetup("")
	a := ada.confirmSetup(shown.sealed, rightCode)
	if again := shownSetup(t, a); a.status != 503 || again.secret != shown.secret || strings.Contains(a.Text(), "c0de") {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if rows := f.allRows(); !strings.Contains(rows, "delete_totp") || !strings.Contains(rows, service.started[ada.user.StytchUserID].ProviderID) {
		t.Errorf("the app stays at the login service: %s", rows)
	}
	// The database works again, before the login service has been told.
	f.server.opts.Factors = factor.New(f.store, service, noOutbox{}, f.clock.now)
	if a := ada.confirmSetup(shown.sealed, rightCode); a.status != 410 {
		t.Errorf("an app that is about to be deleted there is added: %d %s", a.status, a.Text())
	}
	ada.setUp() // although the login service has an app already
	if len(service.dropped) != 1 {
		t.Errorf("dropped %v", service.dropped)
	}
}

func TestAuthenticator_TriesAreLimited(t *testing.T) {
	t.Parallel()
	f, _ := newAuthenticatorFixture(t, nil)
	f.replaceSessions(session.Options{Limits: true})
	ada := f.signedIn(directory.Member, "ada@example.com")
	shown := ada.beginSetup("")
	for range 5 {
		if a := ada.confirmSetup(shown.sealed, "000000"); a.status != 422 {
			t.Fatalf("%d %s", a.status, a.Text())
		}
	}
	a := ada.confirmSetup(shown.sealed, rightCode)
	if again := shownSetup(t, a); a.status != 429 || again.sealed != shown.sealed || a.header.Get("Retry-After") != "30" || !strings.Contains(again.Problems()["code"], "Too many tries. Try again in 1 minute") {
		t.Errorf("%d %v %v", a.status, a.header, again.Problems())
	}
	f.clock.advance(30 * time.Second)
	if a := ada.confirmSetup(shown.sealed, rightCode); a.status != 200 {
		t.Errorf("%d %s", a.status, a.Text())
	}

	grace := f.signedIn(directory.Member, "grace@example.com")
	for range 10 {
		grace.beginSetup("")
	}
	if a := grace.form("/profile/authenticator"); a.status != 429 {
		t.Errorf("%d %s", a.status, a.Text())
	}
}

func TestAuthenticator_SecondOneIsRefused(t *testing.T) {
	t.Parallel()
	f, _ := newAuthenticatorFixture(t, nil)
	ada := f.signedIn(directory.Member, "ada@example.com")
	other := f.signedIn(directory.Member, "ada@example.com")
	late := other.beginSetup("")
	ada.setUp()
	before := f.allRows()
	for name, a := range map[string]answer{"begun": ada.form("/profile/authenticator"), "completed elsewhere": other.confirmSetup(late.sealed, rightCode)} {
		if a.status != 303 || a.header.Get("Location") != "/profile" {
			t.Errorf("%s: %d %s", name, a.status, a.Text())
		}
	}
	if text := ada.get("/profile").Text(); !strings.Contains(text, "You’ve already set up an authenticator app.") {
		t.Errorf("the profile says %s", text)
	}
	if f.allRows() != before {
		t.Errorf("something changed: %s\n%s", before, f.allRows())
	}
}

func TestAuthenticator_StaleSessionsChangeNothing(t *testing.T) {
	t.Parallel()
	f, _ := newAuthenticatorFixture(t, nil)
	ada, grace := f.signedIn(directory.Member, "ada@example.com"), f.signedIn(directory.Member, "grace@example.com")
	grace.setUp()
	begun := ada.beginSetup("")
	f.clock.advance(factor.FreshFor)
	before := f.allRows()
	for name, a := range map[string]answer{
		"begin":    ada.form("/profile/authenticator"),
		"complete": ada.confirmSetup(begun.sealed, rightCode),
		"remove":   grace.form("/profile/authenticator/remove"),
		"renew":    grace.form("/profile/authenticator/renew"),
	} {
		if a.status != 403 && (a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), "/confirm")) {
			t.Errorf("%s: %d %s", name, a.status, a.Text())
		}
	}
	if f.allRows() != before {
		t.Errorf("something changed: %s\n%s", before, f.allRows())
	}
}

func TestAuthenticator_Remove(t *testing.T) {
	t.Parallel()
	f, service := newAuthenticatorFixture(t, nil)
	ada := f.signedIn(directory.Member, "ada@example.com")
	for _, path := range []string{"/profile/authenticator/remove", "/profile/authenticator/renew"} {
		if a := ada.get(path); a.header.Get("Location") != "/profile" {
			t.Errorf("%s without an app: %d %s", path, a.status, a.Text())
		}
	}
	if a := ada.form("/profile/authenticator/remove"); a.header.Get("Location") != "/profile" {
		t.Errorf("removed without an app: %d %s", a.status, a.Text())
	}
	ada.get("/profile") // shows the message
	ada.setUp()
	id := service.started[ada.user.StytchUserID].ProviderID
	ask, _ := ada.get("/profile").Link("Remove…")
	question := ada.get(ask)
	form, ok := question.Form("Remove authenticator app")
	if !ok || strings.Contains(question.Text(), "only one") {
		t.Fatalf("%d %s", question.status, question.Text())
	}
	ada.form(form.Action)
	if text := ada.get("/profile").Text(); !strings.Contains(text, "Your authenticator app was removed.") || !strings.Contains(text, "After your email, an app") {
		t.Errorf("the profile says %s", text)
	}
	rows := f.allRows()
	for _, want := range []string{"factor_removed", "delete_totp " + ada.user.Email.Normalized + " " + ada.user.ID + " " + id} {
		if !strings.Contains(rows, want) {
			t.Errorf("no %q in %s", want, rows)
		}
	}
	if strings.Contains(rows, "user_factors") {
		t.Errorf("it is still there: %s", rows)
	}
	// Set up again before the login service has been told.
	ada.setUp()
	if len(service.dropped) != 1 {
		t.Errorf("dropped %v", service.dropped)
	}
}

func TestAuthenticator_NewRecoveryCodes(t *testing.T) {
	t.Parallel()
	f, service := newAuthenticatorFixture(t, nil)
	ada := f.signedIn(directory.Member, "ada@example.com")
	first := ada.setUp().Text()
	for left, want := range map[int]string{2: "You’re running out", 0: "You have no recovery codes left"} {
		f.exec("UPDATE user_factors SET codes_left = ?", left)
		if text := ada.get("/profile").Text(); !strings.Contains(text, want) {
			t.Errorf("with %d left: %s", left, text)
		}
	}
	f.exec("UPDATE user_factors SET codes_left = 3")
	if text := ada.get("/profile").Text(); strings.Contains(text, "Get new ones") {
		t.Errorf("with 3 left: %s", text)
	}
	ask, _ := ada.get("/profile").Link("Get new recovery codes…")
	form, ok := ada.get(ask).Form("Set it up again")
	if !ok {
		t.Fatal("no button")
	}
	shown := shownSetup(t, ada.form(form.Action))
	if !strings.Contains(shown.Text(), "delete the entry for localhost: ada@example.com") || strings.Contains(f.allRows(), "user_factors") {
		t.Errorf("%s", shown.Text())
	}
	second := ada.confirmSetup(shown.sealed, rightCode)
	if second.status != 200 || second.Text() == first {
		t.Errorf("%d %s", second.status, second.Text())
	}

	// The login service fails after the app was removed.
	service.fail = session.ErrUnavailable
	if a := ada.form(form.Action); a.header.Get("Location") != "/profile" {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if text := ada.get("/profile").Text(); !strings.Contains(text, "was removed, but we couldn’t start") || !strings.Contains(text, "After your email, an app") {
		t.Errorf("the profile says %s", text)
	}
}

func TestAuthenticator_LoginServiceDownBeforeTheSetup(t *testing.T) {
	t.Parallel()
	f, service := newAuthenticatorFixture(t, nil)
	service.fail = errors.Join(session.ErrUnavailable)
	if a := f.signedIn(directory.Member, "ada@example.com").form("/profile/authenticator"); a.status != 503 {
		t.Errorf("%d %s", a.status, a.Text())
	}
}

// replaceSessions makes the handlers use a session service with other settings, whose login service
// is never asked about sessions.
func (f *fixture) replaceSessions(o session.Options) {
	o.Store, o.Provider, o.Now, o.Log, o.Recheck = f.store, readyProvider{}, f.clock.now, f.server.opts.Log, 24*time.Hour
	sessions := session.New(o)
	f.t.Cleanup(sessions.Close)
	f.server.opts.Sessions = sessions
}

type readyProvider struct{ session.Provider }

func (readyProvider) Ready(context.Context) error { return nil }
