package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/token"
)

// newToken creates a token that is valid for 30 days.
func (c *caller) newToken(scope token.Scope) string {
	c.f.t.Helper()
	_, secret, err := c.f.server.opts.Tokens.Create(c.f.t.Context(), event.Origin{}, c.user, token.Request{ID: token.NewID(), Name: "deploy", Scope: string(scope), Days: "30"})
	if err != nil {
		c.f.t.Fatal(err)
	}
	return secret
}

// sendWithToken sends a request with an API token.
func (c *caller) sendWithToken(secret, method, path, body string, changes ...string) answer {
	c.f.t.Helper()
	return c.send(method, path, body, append([]string{"Authorization", "Bearer " + secret, "Content-Type", "application/json"}, changes...)...)
}

func TestTokens_ReachAPIRoutesByScope(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.signedIn(directory.Admin, "ada@example.com")
	secrets := map[token.Scope]string{token.Read: boss.newToken(token.Read), token.Write: boss.newToken(token.Write)}
	boss.sendWithToken(secrets[token.Read], "GET", "/api/session", "") // its use is recorded
	boss.sendWithToken(secrets[token.Write], "GET", "/api/session", "")
	target := f.add(directory.User{Email: directory.Email{Display: "target@example.com"}})
	for _, r := range f.server.routes {
		method, path := r.address(target.ID)
		for scope, secret := range secrets {
			for name, c := range map[string]*caller{"alone": f.visitor(), "with a cookie": boss} {
				before := f.rows()
				a := c.sendWithToken(secret, method, path, "")
				refused := a.status == http.StatusForbidden
				want := r.access != public && (r.access&tokenAllowed == 0 || scope == token.Read && method != "GET") ||
					path == "/signout" || path == "/api/logout"
				unauthorized := path == "/oauth/userinfo" && method != "OPTIONS" // which takes access tokens
				if refused != want || (a.status == http.StatusUnauthorized) != unauthorized {
					t.Errorf("%s, by %s %s: %d %s", r.pattern, scope, name, a.status, a.body)
				}
				if diff := cmp.Diff(before, f.rows()); refused && diff != "" {
					t.Errorf("%s, by %s %s: the database has changed:\n%s", r.pattern, scope, name, diff)
				}
			}
		}
	}
	a := boss.sendWithToken(secrets[token.Read], "DELETE", "/api/users/"+target.ID, "")
	if got, want := a.header.Get("WWW-Authenticate"), `Bearer realm="Guestlist", error="insufficient_scope", scope="write"`; got != want || a.body != `{"error":"API token may only read"}`+"\n" {
		t.Errorf("%q %s", got, a.body)
	}
	if a := boss.get("/api/events?kind=action_refused"); !strings.Contains(a.body, "DELETE /api/users/{id}: the API token deploy may only read") {
		t.Errorf("the refusal is not on record: %s", a.body)
	}
	if a := f.visitor().sendWithToken(secrets[token.Write], "GET", "/profile", ""); a.Heading() != "API tokens are for programs" {
		t.Errorf("a page says %s", a.Text())
	}
}

func TestTokens_InvalidOnesAreRefusedDespiteACookie(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other := f.signedIn(directory.Admin, "grace@example.com")
	change := func(edit func(*directory.User)) func(*caller, string) string {
		return func(c *caller, secret string) string {
			if _, err := f.store.ChangeUser(t.Context(), c.user.ID, func(s directory.RuleState) (directory.Change, error) {
				edit(&s.User) // without revoking the tokens, unlike the rules
				return directory.Change{User: s.User}, nil
			}); err != nil {
				t.Fatal(err)
			}
			return secret
		}
	}
	rows := []struct {
		name, code string
		spoil      func(c *caller, secret string) string
	}{
		{"empty", "unknown or revoked", func(*caller, string) string { return "" }},
		{"cut", "unknown or revoked", func(_ *caller, secret string) string { return secret[:len(secret)-1] }},
		{"another", "unknown or revoked", func(_ *caller, secret string) string { return secret[:len(secret)-1] + "0" }},
		{"in lower case", "unknown or revoked", func(_ *caller, secret string) string { return strings.ToLower(secret) }},
		{"its hash", "unknown or revoked", func(_ *caller, secret string) string { return token.Hash(secret) }},
		{"revoked", "unknown or revoked", func(c *caller, secret string) string {
			revoke, _ := c.get("/profile").Link("Revoke…")
			c.form(revoke)
			return secret
		}},
		{"of somebody demoted", "unknown or revoked", change(func(u *directory.User) { u.Role = directory.Member })},
		{"of somebody suspended", "unknown or revoked", change(func(u *directory.User) { u.Status = directory.Suspended })},
		{"of somebody removed", "unknown or revoked", func(c *caller, secret string) string {
			if _, err := f.server.opts.Directory.Remove(t.Context(), directory.Actor{}, c.user.ID); err != nil {
				t.Fatal(err)
			}
			return secret
		}},
		{"expired", "expired", func(_ *caller, secret string) string {
			f.clock.advance(30 * 24 * time.Hour)
			other = f.signedIn(directory.Admin, "grace@example.com")
			return secret
		}},
	}
	for i, r := range rows {
		c := f.signedIn(directory.Admin, fmt.Sprintf("ada%d@example.com", i))
		secret := c.newToken(token.Write)
		if a := f.visitor().sendWithToken(secret, "GET", "/api/users", ""); a.status != http.StatusOK {
			t.Fatalf("%s, before: %d %s", r.name, a.status, a.body)
		}
		secret = r.spoil(c, secret)
		for who, by := range map[string]*caller{"alone": f.visitor(), "with another's cookie": other} {
			held := len(by.cookies)
			a := by.sendWithToken(secret, "GET", "/api/users", "")
			want := `Bearer realm="Guestlist", error="invalid_token", error_description="` + r.code + `"`
			if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") != want || len(by.cookies) != held {
				t.Errorf("%s, %s: %d %q %s", r.name, who, a.status, a.header.Get("WWW-Authenticate"), a.body)
			}
		}
	}
	if a := f.visitor().get("/api/users"); a.header.Get("WWW-Authenticate") != bearerChallenge {
		t.Errorf("without any: %q", a.header.Get("WWW-Authenticate"))
	}
}

func TestTokens_CountBeforeCookies(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Member, "grace@example.com")
	a := grace.sendWithToken(ada.newToken(token.Read), "GET", "/api/session", "", "Authorization", "bearer "+ada.newToken(token.Write)) // case doesn't matter
	o := a.object(t)
	if o["user"].(object)["email"] != "ada@example.com" || o["session"] != nil || o["token"].(object)["scope"] != "write" {
		t.Errorf("%d %s", a.status, a.body)
	}
	grace.sendWithToken(ada.newToken(token.Write), "POST", "/api/users", `{"email":"joan@example.com"}`)
	if a := ada.get("/api/events?kind=user_added&by=ada@example.com"); !strings.Contains(a.body, "joan@example.com") {
		t.Errorf("on record: %s", a.body)
	}
	// What protects the cookie holds for a request with a token, too.
	if a := grace.sendWithToken(ada.newToken(token.Write), "POST", "/api/users", `{"email":"eve@example.com"}`, "Origin", "http://evil.example"); a.status != http.StatusForbidden || !strings.Contains(a.body, "another site") {
		t.Errorf("for another site: %d %s", a.status, a.body)
	}
}

func TestTokens_AreShownOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	id := token.NewID()
	form := []string{"id", id, "name", "deploy", "scope", "read", "days", "7"}
	a := ada.send("POST", "/profile/tokens", "id="+id+"&name=deploy&scope=read&days=7", "Content-Type", "application/x-www-form-urlencoded", "Accept-Encoding", "gzip")
	_, rest, _ := strings.Cut(a.body, `value="guestlist_`)
	secret, _, found := strings.Cut("guestlist_"+rest, `"`)
	if a.status != http.StatusOK || !found || len(secret) != 62 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a.header.Get("Cache-Control") != "no-store, no-transform" || a.header.Get("Content-Encoding") != "" {
		t.Errorf("the page with the token may be kept, or compressed: %v", a.header)
	}
	if a := f.visitor().sendWithToken(secret, "GET", "/api/users", ""); a.status != http.StatusOK {
		t.Errorf("it opens nothing: %d %s", a.status, a.body)
	}
	if again := ada.form("/profile/tokens", form...); again.status != http.StatusSeeOther || again.header.Get("Location") != "/profile" {
		t.Errorf("loaded again: %d %s", again.status, again.Text())
	}
	if a := ada.get("/profile"); !strings.Contains(a.Text(), "shown only once") || strings.Count(a.Text(), "Revoke…") != 1 {
		t.Errorf("after that: %s", a.Text())
	}
	if a := ada.get("/profile/tokens"); a.status != http.StatusSeeOther {
		t.Errorf("from the address bar: %d", a.status)
	}
	for where, text := range map[string]string{"the log": f.log.String(), "the database": f.rows(), "the trail": ada.get("/api/events").body, "the profile": ada.get("/profile").body} {
		if strings.Contains(text, secret) || strings.Contains(text, secret[10:]) {
			t.Errorf("%s holds the token", where)
		}
	}
	if a := ada.get("/api/events?kind=token_made"); !strings.Contains(a.body, `"reason":"deploy (read, until 2026-03-08)"`) {
		t.Errorf("on record: %s", a.body)
	}
}

func TestTokens_InvalidFormCreatesNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for _, r := range []struct {
		field, value string
		status       int
		says         string
	}{
		{"name", " ", 422, "Name it by what will use it."},
		{"name", strings.Repeat("n", 101), 422, "Use at most 100 characters."},
		{"scope", "admin", 422, "Choose read or write."},
		{"days", "3650", 422, "Choose one of these times."},
		{"days", "", 422, "Choose one of these times."},
		{"id", "1", 400, "It arrived damaged."},
	} {
		form := map[string]string{"id": token.NewID(), "name": "the backup", "scope": "write", "days": "90"}
		form[r.field] = r.value
		before := f.rows()
		a := ada.form("/profile/tokens", "id", form["id"], "name", form["name"], "scope", form["scope"], "days", form["days"])
		if a.status != r.status || !strings.Contains(a.Text(), r.says) || strings.Contains(a.body, `value="guestlist_`) {
			t.Errorf("%s %q: %d %s", r.field, r.value, a.status, a.Text())
		}
		if r.status == 422 && r.field != "name" && !strings.Contains(a.body, `value="the backup"`) {
			t.Errorf("%s %q: what was typed is lost", r.field, r.value)
		}
		if diff := cmp.Diff(before, f.rows()); diff != "" {
			t.Errorf("%s %q: the database has changed:\n%s", r.field, r.value, diff)
		}
	}
	for range token.MaxPerUser {
		ada.newToken(token.Read)
	}
	if a := ada.get("/profile"); !strings.Contains(a.Text(), "limit of 20 tokens") || strings.Contains(a.body, "Create token") {
		t.Errorf("with as many as there may be: %s", a.Text())
	}
	if a := ada.form("/profile/tokens", "id", token.NewID(), "name", "one more", "scope", "read", "days", "7"); a.status != http.StatusConflict {
		t.Errorf("one more: %d %s", a.status, a.Text())
	}
}

func TestTokens_OfOthersCannotBeRevoked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Admin, "grace@example.com")
	other, secret := ada.newToken(token.Read), ada.newToken(token.Read)
	revoke, _ := ada.get("/profile").Link("Revoke…") // the newest token's
	if a := ada.get(revoke); a.status != http.StatusOK || a.Heading() != "Revoke deploy?" {
		t.Errorf("%d %s", a.status, a.Text())
	}
	for _, a := range []answer{grace.get(revoke), grace.form(revoke)} {
		if a.status != http.StatusNotFound || a.Heading() != "Token not found" || strings.Contains(a.Text(), "deploy") {
			t.Errorf("another administrator: %d %s", a.status, a.Text())
		}
	}
	if a := f.visitor().sendWithToken(secret, "GET", "/api/session", ""); a.status != http.StatusOK {
		t.Errorf("the token: %d %s", a.status, a.body)
	}
	ada.form(revoke)
	for secret, status := range map[string]int{secret: http.StatusUnauthorized, other: http.StatusOK} {
		if a := f.visitor().sendWithToken(secret, "GET", "/api/session", ""); a.status != status {
			t.Errorf("after it was revoked: %d, want %d", a.status, status)
		}
	}
}

func TestTokens_LastUseIsRecordedOnceAMinute(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var writes, answers atomic.Int64
	const calls = 20
	others := make(chan struct{}, 1) // receives once all calls but the writing one are answered
	f.store.Watch(func(_ context.Context, name string) func(error) {
		if name == "SetTokenUsed" {
			writes.Add(1)
			select {
			case <-others:
			case <-time.After(500 * time.Millisecond): // others wait, too, or are slow
			}
		}
		return func(error) {}
	})
	ada := f.signedIn(directory.Admin, "ada@example.com")
	secret := ada.newToken(token.Read)
	if a := ada.get("/profile"); !strings.Contains(a.Text(), "never used") {
		t.Errorf("before: %s", a.Text())
	}
	for minute, want := range []int64{1, 2} {
		var all sync.WaitGroup
		answers.Store(0)
		for range calls {
			all.Go(func() {
				f.visitor().sendWithToken(secret, "GET", "/api/session", "")
				if answers.Add(1) == calls-1 {
					others <- struct{}{}
				}
			})
		}
		all.Wait()
		if got := writes.Load(); got != want {
			t.Errorf("minute %d: %d writes so far, want %d", minute, got, want)
		}
		f.clock.advance(time.Minute)
	}
	if a := ada.get("/profile"); !strings.Contains(a.Text(), "last used 1 minute ago") {
		t.Errorf("after: %s", a.Text())
	}
}

func TestTokens_NewOneIsShownDespiteADatabaseOutage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	inserted, made := false, false
	f.store.Watch(func(_ context.Context, name string) func(error) {
		if made {
			f.store.Close()
		}
		inserted = inserted || name == "InsertToken"
		return func(error) { made = inserted && name == "InsertEvent" }
	})
	a := ada.form("/profile/tokens", "id", token.NewID(), "name", "deploy", "scope", "read", "days", "7")
	if a.status != http.StatusOK || !strings.Contains(a.body, `value="guestlist_`) || strings.Count(a.Text(), "Revoke…") != 1 || !made {
		t.Errorf("%d %s", a.status, a.Text())
	}
}

func TestTokens_AreListedNewestFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	opened, later := token.NewID(), token.NewID()
	for _, d := range []token.Request{{ID: later, Name: "one"}, {ID: opened, Name: "two"}} {
		d.Scope, d.Days = "read", "7"
		if _, _, err := f.server.opts.Tokens.Create(t.Context(), event.Origin{}, ada.user, d); err != nil {
			t.Fatal(err)
		}
		f.clock.advance(time.Second)
	}
	if text := ada.get("/profile").Text(); strings.Index(text, "two Read only") > strings.Index(text, "one Read only") {
		t.Error(text)
	}
}

// Some authenticating proxies pass their own token on.
func TestTokens_OfProxiesAreIgnoredOnPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	const proxys = "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"
	if a := ada.send("GET", "/users", "", "Authorization", proxys); a.status != http.StatusOK {
		t.Errorf("a page: %d %s", a.status, a.Text())
	}
	if a := ada.send("GET", "/api/users", "", "Authorization", proxys); a.status != http.StatusUnauthorized {
		t.Errorf("for programs: %d %s", a.status, a.body)
	}
	if a := ada.send("GET", "/users", "", "Authorization", "Bearer "+token.Prefix+"x"); a.status != http.StatusForbidden {
		t.Errorf("one of ours: %d %s", a.status, a.Text())
	}
	if a := ada.send("POST", "/signout", "", "Authorization", proxys); a.status != http.StatusSeeOther || ada.get("/users").status != http.StatusSeeOther {
		t.Errorf("signing out: %d %s", a.status, a.Text())
	}
}
