package web

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/testpasskey"
)

// origin is the origin of the fixture's pages.
const origin = "http://localhost:8080"

// linked adds a user, unless there is one, who signs in with a link. The local Stytch knows the
// session.
func (f *fixture) linked(role directory.Role, address string) *caller {
	f.t.Helper()
	email, err := directory.ParseEmail(address)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.store.GetUserByEmail(f.t.Context(), email); errors.Is(err, directory.ErrNotFound) {
		f.add(directory.User{Email: email, Role: role})
	}
	if err := f.provider.SendMagicLink(f.t.Context(), session.Link{Email: email.Normalized, CreateAccount: true}); err != nil {
		f.t.Fatal(err)
	}
	var link string
	if err := f.store.Reader().QueryRowContext(f.t.Context(), "SELECT link FROM stytch_mails WHERE recipient = ? ORDER BY sent_at DESC, mail_id DESC LIMIT 1", email.Normalized).Scan(&link); err != nil {
		f.t.Fatal(err)
	}
	_, token, _ := strings.Cut(link, "&token=")
	c := f.visitor()
	if a := c.form("/api/authenticate_magic_link", "token", token, "pressed", "yes"); a.header.Get("Location") != "/apps" {
		f.t.Fatalf("%s: %d %s", link, a.status, a.Text())
	}
	if c.user, err = f.store.GetUserByEmail(f.t.Context(), email); err != nil {
		f.t.Fatal(err)
	}
	return c
}

// addedPasskey is a passkey of a user, with its authenticator.
type addedPasskey struct {
	factor.Factor
	*testpasskey.Passkey
}

// options asks for the options of a passkey, as the script does.
func (c *caller) options(path string) string {
	c.f.t.Helper()
	a := c.send("POST", path, "", "Sec-Fetch-Site", "same-origin")
	if a.status != http.StatusOK {
		c.f.t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	return a.body
}

// addPasskey adds a passkey as the profile does.
func (c *caller) addPasskey() addedPasskey {
	c.f.t.Helper()
	key := testpasskey.New(c.f.t, origin)
	a := c.form("/profile/passkeys", "credential", key.Create(c.f.t, c.options("/profile/passkeys/start")))
	if a.status != http.StatusSeeOther {
		c.f.t.Fatalf("%d %s", a.status, a.Text())
	}
	have := c.passkeys()
	return addedPasskey{have[len(have)-1], key}
}

func (c *caller) passkeys() []factor.Factor {
	c.f.t.Helper()
	have, err := c.f.store.ListFactors(c.f.t.Context(), c.user.ID)
	if err != nil {
		c.f.t.Fatal(err)
	}
	return have
}

// usePasskey signs in with a passkey as the sign-in page does.
func (c *caller) usePasskey(key *testpasskey.Passkey, values ...string) answer {
	c.f.t.Helper()
	return c.form("/signin/passkey", append([]string{"credential", key.Get(c.f.t, c.options("/signin/passkey/start"))}, values...)...)
}

func TestPasskey_AddedUsedRenamedAndRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.linked(directory.Member, "ada@example.com")
	r := ada.request("POST", "/profile/passkeys/start", "", "User-Agent", "Mozilla/5.0 (Macintosh; Intel Mac OS X) Firefox/140.0")
	key := testpasskey.New(t, origin)
	options := ada.do(r)
	if o := testpasskey.Parse(t, options.body); o.RP.ID != "localhost" || o.AuthenticatorSelection.UserVerification != "required" || o.AuthenticatorSelection.ResidentKey != "required" {
		t.Errorf("options: %s", options.body)
	}
	a := ada.do(func() *http.Request {
		form := "credential=" + escape(key.Create(t, options.body)) + "&next=%2Fapps"
		return ada.request("POST", "/profile/passkeys", form, "Content-Type", "application/x-www-form-urlencoded", "User-Agent", "Mozilla/5.0 (Macintosh; Intel Mac OS X) Firefox/140.0")
	}())
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/apps" {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if text := ada.get("/profile").Text(); !strings.Contains(text, "Added the passkey Firefox on macOS. You can sign in with it from now on.") || !strings.Contains(text, "never used · added just now") {
		t.Errorf("the profile says: %s", text)
	}
	ada.addPasskey() // of another browser
	id := ada.passkeys()[0].ID

	f.clock.advance(time.Minute)
	door := f.visitor()
	if a := door.usePasskey(key, "next", "/profile"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/profile" {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if text := door.get("/profile").Text(); !strings.Contains(text, "last used just now") {
		t.Errorf("the profile says: %s", text)
	}
	if door.cookies["guestlist-known"] == nil {
		t.Error("the browser isn't known")
	}

	if a := ada.form("/profile/passkeys/"+id, "name", strings.Repeat("é", 61)); a.status != http.StatusUnprocessableEntity ||
		a.Problems()["name"] != "Use at most 60 characters." || !strings.Contains(a.body, strings.Repeat("é", 61)) {
		t.Errorf("%d %v", a.status, a.Problems())
	}
	if a := ada.form("/profile/passkeys/"+id, "name", "My laptop"); a.status != http.StatusSeeOther || ada.passkeys()[0].Name != "My laptop" {
		t.Errorf("%d %s", a.status, a.Text())
	}

	ada.form("/profile/passkeys/" + id + "/remove")
	if page := ada.get("/profile"); !strings.Contains(page.body, `data-gone-passkey="`+testpasskey.Encode(key.ID)+`"`) || len(ada.passkeys()) != 1 {
		t.Errorf("the browser isn't told: %s", page.Text())
	}
	if page := ada.get("/profile"); strings.Contains(page.body, "data-gone-passkey") {
		t.Error("the browser is told twice")
	}
	// The local Stytch still has the passkey: its job waits.
	a = f.visitor().usePasskey(key)
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), "This passkey was removed") || !strings.Contains(a.body, `data-gone-passkey="`+testpasskey.Encode(key.ID)+`"`) {
		t.Errorf("%d %s", a.status, a.Text())
	}
}

// escape returns text as a form sends it.
func escape(text string) string {
	return strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B", "=", "%3D").Replace(text)
}

func TestPasskeySignIn_Refusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.linked(directory.Member, "ada@example.com")
	grace := f.linked(directory.Member, "grace@example.com")
	key := ada.addPasskey()
	suspended := grace.addPasskey()
	door := f.visitor()
	fresh := func() string { return door.options("/signin/passkey/start") }
	const refused, removed, unverified = "That passkey wasn’t accepted.", "This passkey was removed", "Your device didn’t check that it’s you."

	spent := key.Get(t, fresh())
	if a := f.visitor().form("/signin/passkey", "credential", spent); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	expired := key.Get(t, fresh())
	f.clock.advance(5 * time.Minute)

	other := func(change func(*testpasskey.Passkey)) string {
		changed := *key.Passkey
		change(&changed)
		return changed.Get(t, fresh())
	}
	for name, row := range map[string]struct{ credential, want string }{
		"no credential":            {"", refused},
		"no JSON":                  {"passkey", refused},
		"too large":                {`{"id":"` + strings.Repeat("A", 20<<10) + `"}`, refused},
		"markup":                   {`{"id":"\"><script>","response":{"authenticatorData":"` + strings.Repeat("_", 60) + `"}}`, refused},
		"a challenge used before":  {spent, refused},
		"a challenge that expired": {expired, refused},
		"a challenge of its own":   {key.Assert(t, []byte("a challenge of my own, 32 bytes..")), refused},
		"another origin":           {other(func(p *testpasskey.Passkey) { p.Origin = "http://evil.example" }), refused},
		"another domain":           {other(func(p *testpasskey.Passkey) { p.Domain = "evil.example" }), refused},
		"a bogus signature":        {other(func(p *testpasskey.Passkey) { p.Forge(t) }), refused},
		"its user wasn't verified": {other(func(p *testpasskey.Passkey) { p.Flags = testpasskey.UserPresent }), unverified},
		"a passkey never added":    {other(func(p *testpasskey.Passkey) { p.ID = []byte("another passkey") }), removed},
	} {
		before := f.rows()
		a := door.form("/signin/passkey", "credential", row.credential, "next", "/users?q=x")
		if a.status != http.StatusUnprocessableEntity || a.Heading() != "Sign in" || !strings.Contains(a.Text(), row.want) {
			t.Errorf("%s: %d %s", name, a.status, a.Text())
		}
		if form, _ := a.Form("Sign in with a passkey"); form.Values.Get("next") != "/users?q=x" {
			t.Errorf("%s: goes on to %q", name, form.Values.Get("next"))
		}
		if before != f.rows() || door.cookies["guestlist"] != nil {
			t.Errorf("%s: it changed something", name)
		}
	}

	status := string(directory.Suspended)
	if _, err := f.server.opts.Directory.Edit(t.Context(), directory.Actor{}, grace.user.ID, directory.Edit{Status: &status}); err != nil {
		t.Fatal(err)
	}
	if a := door.usePasskey(suspended.Passkey); a.status != http.StatusForbidden || a.Heading() != "Your access is suspended" {
		t.Errorf("suspended: %d %s", a.status, a.Text())
	}
	if a := door.usePasskey(testpasskeyOf(suspended, func(p *testpasskey.Passkey) { p.Forge(t) })); !strings.Contains(a.Text(), refused) {
		t.Errorf("a forged passkey of someone suspended: %d %s", a.status, a.Text())
	}
	if _, err := f.server.opts.Directory.Remove(t.Context(), directory.Actor{}, ada.user.ID); err != nil {
		t.Fatal(err)
	}
	if a := door.usePasskey(key.Passkey); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), removed) {
		t.Errorf("of a person removed: %d %s", a.status, a.Text())
	}
	if door.cookies["guestlist"] != nil {
		t.Error("the browser has a session")
	}
}

func testpasskeyOf(p addedPasskey, change func(*testpasskey.Passkey)) *testpasskey.Passkey {
	changed := *p.Passkey
	change(&changed)
	return &changed
}

// What the login service accepts is not enough: the passkey must be one of the user's here.
func TestPasskeySignIn_OnlyWithPasskeysOfTheDirectory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.linked(directory.Member, "ada@example.com")
	eve := f.linked(directory.Member, "eve@example.com")

	// Registered at the login service only.
	unlisted := testpasskey.New(t, origin)
	options, err := f.provider.StartRegistration(t.Context(), ada.user.StytchUserID, "Ada", "ada@example.com", "curl")
	if err == nil {
		_, err = f.provider.RegisterPasskey(t.Context(), ada.user.StytchUserID, unlisted.Create(t, string(options)), "")
	}
	if err != nil {
		t.Fatal(err)
	}
	if a := f.visitor().usePasskey(unlisted); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), "This passkey was removed") {
		t.Errorf("%d %s", a.status, a.Text())
	}

	// Written down for another user than the login service says.
	key := eve.addPasskey()
	if err := f.store.Transact(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE user_factors SET user_id = ? WHERE id = ?", ada.user.ID, key.Factor.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if a := f.visitor().usePasskey(key.Passkey); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), "This passkey was removed") {
		t.Errorf("%d %s", a.status, a.Text())
	}
}

// A passkey of eve's can't be added to ada's account by sending its creation from ada's browser, and
// its assertion is no creation.
func TestPasskey_AddsOnlyWhatWasStartedForTheViewer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.linked(directory.Member, "ada@example.com")
	eve := f.linked(directory.Member, "eve@example.com")
	key := testpasskey.New(t, origin)
	for name, credential := range map[string]string{
		"made for another user": key.Create(t, eve.options("/profile/passkeys/start")),
		"used, not made":        key.Get(t, f.visitor().options("/signin/passkey/start")),
		"no JSON":               "x",
		"its user wasn't verified": func() string {
			key := testpasskey.New(t, origin)
			key.Flags = testpasskey.UserPresent
			return key.Create(t, ada.options("/profile/passkeys/start"))
		}(),
	} {
		if a := ada.form("/profile/passkeys", "credential", credential); a.status != http.StatusUnprocessableEntity || a.Heading() != "Your passkey wasn’t added" {
			t.Errorf("%s: %d %s", name, a.status, a.Text())
		}
	}
	if len(ada.passkeys()) != 0 || len(eve.passkeys()) != 0 {
		t.Errorf("ada has %d, eve %d", len(ada.passkeys()), len(eve.passkeys()))
	}
	mine := eve.addPasskey()
	for _, path := range []string{"/profile/passkeys/" + mine.Factor.ID, "/profile/passkeys/" + mine.Factor.ID + "/remove"} {
		if a := ada.form(path, "name", "Mine"); a.status != http.StatusNotFound || len(eve.passkeys()) != 1 || eve.passkeys()[0].Name == "Mine" {
			t.Errorf("ada posts to %s: %d", path, a.status)
		}
	}
	if a := ada.get("/profile/passkeys/" + mine.Factor.ID + "/remove"); a.status != http.StatusNotFound {
		t.Errorf("ada sees eve's passkey: %d", a.status)
	}
}

func TestPasskey_NeedsAFreshSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.linked(directory.Member, "ada@example.com")
	options := ada.options("/profile/passkeys/start")
	f.clock.advance(factor.FreshFor)
	for _, a := range []answer{
		ada.send("POST", "/profile/passkeys/start", ""),
		ada.form("/profile/passkeys", "credential", testpasskey.New(t, origin).Create(t, options)),
		ada.form("/profile/passkeys"),
	} {
		if a.status == http.StatusOK || len(ada.passkeys()) != 0 {
			t.Errorf("%d %s", a.status, a.Text())
		}
	}
}

func TestPasskeys_AtMostTwenty(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.linked(directory.Member, "ada@example.com")
	begun := testpasskey.New(t, origin).Create(t, ada.options("/profile/passkeys/start"))
	for i := range factor.MaxPasskeys {
		if err := f.store.AddFactor(t.Context(), factor.Addition{
			Factor:      factor.Factor{ID: strconv.Itoa(i), UserID: ada.user.ID, Kind: factor.Passkey, ProviderID: strconv.Itoa(i), Name: "P" + strconv.Itoa(i)},
			SessionHash: f.hashOf(ada), Event: event.New(event.FactorAdded, f.clock.now(), ada.user.ID, "", strconv.Itoa(i)),
		}, func([]factor.Factor) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if a := ada.send("POST", "/profile/passkeys/start", ""); a.status != http.StatusConflict {
		t.Errorf("%d", a.status)
	}
	if a := ada.form("/profile/passkeys", "credential", begun); a.status != http.StatusConflict || len(ada.passkeys()) != factor.MaxPasskeys {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if page := ada.get("/profile"); !strings.Contains(page.Text(), "You’ve reached the limit of 20 passkeys.") || strings.Contains(page.body, "data-passkey=") {
		t.Errorf("the profile says: %s", page.Text())
	}
}

// passkeysAt is a login service whose passkeys fail with an error.
type passkeysAt struct {
	session.Provider
	err error
}

func (p passkeysAt) StartPasskey(context.Context) (json.RawMessage, error) { return nil, p.err }

func (p passkeysAt) AuthenticatePasskey(context.Context, string, string, session.Browser) (session.Authentication, error) {
	return session.Authentication{}, p.err
}

func TestPasskeySignIn_WithoutTheLoginService(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]struct {
		status  int
		heading string
	}{
		session.ErrUnavailable:            {503, "Sign-in is unavailable right now"},
		session.ErrTooMany:                {429, "Too many attempts"},
		errors.New("an unexpected error"): {500, "Something went wrong"},
	} {
		f := newFixture(t)
		f.server.opts.Sessions = session.New(session.Options{Store: f.store, Provider: passkeysAt{err: err}, Now: f.clock.now, Log: f.server.opts.Log})
		key := testpasskey.New(t, origin)
		for path, a := range map[string]answer{
			"start":  f.visitor().send("POST", "/signin/passkey/start", ""),
			"finish": f.visitor().form("/signin/passkey", "credential", key.Assert(t, []byte("challenge"))),
		} {
			if a.status != want.status || a.Heading() != want.heading {
				t.Errorf("%v, %s: %d %s", err, path, a.status, a.Text())
			}
		}
	}
}

// A browser that sends the form twice stays signed in, and its earlier session ends.
func TestPasskeySignIn_TwiceAndInPlaceOfAnotherSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.linked(directory.Member, "ada@example.com")
	key := ada.addPasskey()
	grace := f.linked(directory.Member, "grace@example.com")
	old := f.hashOf(grace)
	credential := key.Get(t, grace.options("/signin/passkey/start"))
	for range 2 {
		if a := grace.form("/signin/passkey", "credential", credential, "next", "/profile"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/profile" {
			t.Errorf("%d %s", a.status, a.Text())
		}
	}
	if text := grace.get("/profile").Text(); !strings.Contains(text, "ada@example.com") {
		t.Errorf("signed in as: %s", text)
	}
	if _, err := f.store.GetSession(t.Context(), old); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the earlier session: %v", err)
	}
}

func TestPasskeyOffer_OnceInOneSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.linked(directory.Member, "ada@example.com")
	const offer = "Next time, skip the email"
	sees := func(c *caller) bool { return strings.Contains(c.get("/apps").body, offer) }
	for range 2 {
		if !sees(ada) {
			t.Error("no passkey is offered after the first sign-in")
		}
	}
	again := f.linked(directory.Member, "ada@example.com")
	if sees(again) {
		t.Error("it is offered in another session")
	}
	if a := ada.form("/profile/passkeys/decline"); a.header.Get("Location") != "/apps" || sees(ada) || sees(again) {
		t.Error("it is offered after Not now")
	}

	grace := f.linked(directory.Member, "grace@example.com")
	sees(grace)
	grace.addPasskey()
	if sees(grace) {
		t.Error("it is offered to a user with a passkey")
	}
}

func TestPasskeys_NotAtANetworkAddress(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { base := *o.BaseURL; base.Host = "192.0.2.1"; o.BaseURL = &base })
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for _, page := range []answer{f.visitor().get("/"), ada.get("/profile"), ada.get("/apps")} {
		if strings.Contains(strings.ToLower(page.body), "passkey") || page.status != http.StatusOK {
			t.Errorf("%d %s", page.status, page.Text())
		}
	}
}

func TestPasskeys_SayThatTheyNeedJavaScript(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for _, page := range []answer{f.visitor().get("/"), ada.get("/profile")} {
		if !strings.Contains(page.body, "<noscript>") || !strings.Contains(page.body, "turn on JavaScript") {
			t.Errorf("it says: %s", page.body)
		}
	}
}

func (f *fixture) hashOf(c *caller) string {
	r := c.request("GET", "/", "")
	token, _ := f.server.opts.Cookies.Token(r)
	return session.Hash(token)
}
