package openid_test

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const issuer = "https://guestlist.example.com"

// logoutFixture is a provider with a client that may send a signed-out user to two addresses.
type logoutFixture struct {
	*openid.Provider
	db     *store.Store
	signer *identity.Signer
	app    apps.App
}

func newLogoutFixture(t *testing.T) logoutFixture {
	t.Helper()
	now, log := func() time.Time { return noon }, slog.New(slog.DiscardHandler)
	db, err := store.Open(testdb.SQLite(t), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	f := logoutFixture{db: db}
	f.signer, err = identity.NewSigner(identity.Options{Store: db, CookieKeys: []string{"a key"}, Issuer: issuer, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.signer.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Provider = openid.New(openid.Options{Store: db, Signer: f.signer, Issuer: issuer, Now: now, Log: log})
	f.app = f.addClient(t, "Wiki", openid.ClientInput{
		RedirectURIs: "https://wiki.example.com/callback", PostLogoutURIs: "https://wiki.example.com/bye\nhttps://wiki.example.com/bye?to=1",
		BackchannelLogout: "https://wiki.example.com/logout",
	})
	return f
}

func (f logoutFixture) addClient(t *testing.T, name string, in openid.ClientInput) apps.App {
	t.Helper()
	now := func() time.Time { return noon }
	a, err := apps.New(apps.Options{Store: f.db, Own: apps.Own{BaseURL: &url.URL{Scheme: "https", Host: "guestlist.example.com"}}, Now: now}).Create(
		t.Context(), event.Origin{}, apps.Input{Name: name, Audience: string(apps.Everyone)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openid.NewClients(f.db, now).Save(t.Context(), event.Origin{}, a, in); err != nil {
		t.Fatal(err)
	}
	return a
}

// hint returns an ID token of a client, with changes, given as names and values.
func (f logoutFixture) hint(t *testing.T, audience, typ string, changes ...any) string {
	t.Helper()
	claims := map[string]any{
		"iss": issuer, "aud": audience, "sub": "ada", "sid": "session-1", "auth_time": noon.Unix(), "exp": noon.Add(-time.Hour).Unix(), "iat": noon.Add(-2 * time.Hour).Unix(),
	}
	for i := 0; i < len(changes); i += 2 {
		claims[changes[i].(string)] = changes[i+1]
	}
	token, err := f.signer.Sign(t.Context(), identity.RS256, typ, claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestParseLogout(t *testing.T) {
	t.Parallel()
	f := newLogoutFixture(t)
	other := f.addClient(t, "Notes", openid.ClientInput{RedirectURIs: "https://notes.example.com/callback", PostLogoutURIs: "https://notes.example.com/bye"})
	id, bye := f.app.ID, "https://wiki.example.com/bye"
	hint := f.hint(t, id, "JWT")
	header, err := f.signer.Mint(t.Context(), identity.Identity{AppID: id, UserID: "ada", SessionID: "session-1"})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(hint, ".")
	unsigned := "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + parts[1] + "."
	const (
		notIssued = "The id_token_hint was not issued here."
		notTheirs = "The post_logout_redirect_uri is not one of the client's."
		unknown   = "The client_id is unknown."
		needsOne  = "A post_logout_redirect_uri needs an id_token_hint or a client_id."
	)
	tests := []struct {
		name    string
		params  url.Values
		returns string // ReturnURL
		app     string // id
		sid     string
		refused string // description
	}{
		{name: "nothing"},
		{name: "a state alone", params: url.Values{"state": {"x"}}},
		{name: "unknown parameters", params: url.Values{"logout_hint": {"ada@example.com"}, "ui_locales": {"de"}, "else": {"1", "2"}}},
		{name: "an expired hint", params: url.Values{"id_token_hint": {hint}}, app: id, sid: "session-1"},
		{name: "a hint and an address", params: url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {bye}}, returns: bye, app: id, sid: "session-1"},
		{name: "a hint of another client's session", params: url.Values{"id_token_hint": {f.hint(t, other.ID, "JWT")}}, app: other.ID, sid: "session-1"},
		{name: "a client", params: url.Values{"client_id": {id}}, app: id},
		{name: "a client and an address", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {bye}}, returns: bye, app: id},
		{name: "a state", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {bye}, "state": {"a b&c=d"}}, returns: bye + "?state=a+b%26c%3Dd", app: id},
		{name: "an address with a query", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {bye + "?to=1"}, "state": {"x"}}, returns: bye + "?to=1&state=x", app: id},
		{name: "a client and its hint", params: url.Values{"client_id": {id}, "id_token_hint": {hint}}, app: id, sid: "session-1"},

		{name: "an address alone", params: url.Values{"post_logout_redirect_uri": {bye}}, refused: needsOne},
		{name: "an unknown client", params: url.Values{"client_id": {ids.New()}}, refused: unknown},
		{name: "a removed client's hint", params: url.Values{"id_token_hint": {f.hint(t, ids.New(), "JWT")}}, refused: unknown},
		{name: "another client's hint", params: url.Values{"client_id": {other.ID}, "id_token_hint": {hint}}, refused: "The id_token_hint was issued to another client than client_id."},
		{name: "another client's address", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {"https://notes.example.com/bye"}}, refused: notTheirs},
		{name: "an address for signing in", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {"https://wiki.example.com/callback"}}, refused: notTheirs},
		{name: "an address with more after it", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {bye + "/x"}}, refused: notTheirs},
		{name: "an address with another query", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {bye + "?to=2"}}, refused: notTheirs},
		{name: "an address with a fragment", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {bye + "#x"}}, refused: notTheirs},
		{name: "an address in capitals", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {"https://WIKI.example.com/bye"}}, refused: notTheirs},
		{name: "an address on another site that begins as ours", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {"https://wiki.example.com.evil.example/bye"}}, refused: notTheirs},
		{name: "an address with a user name", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {"https://wiki.example.com@evil.example/bye"}}, refused: notTheirs},
		{name: "an address without a scheme", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {"//wiki.example.com/bye"}}, refused: notTheirs},
		{name: "an address of another scheme", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {"javascript:alert(1)"}}, refused: notTheirs},
		{name: "both addresses in one", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {bye + "\nhttps://wiki.example.com/bye?to=1"}}, refused: notTheirs},
		{name: "two addresses", params: url.Values{"client_id": {id}, "post_logout_redirect_uri": {bye, bye}}, refused: "The parameter post_logout_redirect_uri occurs more than once."},
		{name: "two clients", params: url.Values{"client_id": {id, other.ID}}, refused: "The parameter client_id occurs more than once."},
		{name: "two hints", params: url.Values{"id_token_hint": {hint, hint}}, refused: "The parameter id_token_hint occurs more than once."},
		{name: "a long state", params: url.Values{"state": {strings.Repeat("x", 2001)}}, refused: "The parameter state is longer than 2000 bytes."},
		{name: "no token", params: url.Values{"id_token_hint": {"x"}}, refused: notIssued},
		{name: "an unsigned hint", params: url.Values{"id_token_hint": {unsigned}}, refused: notIssued},
		{name: "a hint with other claims", params: url.Values{"id_token_hint": {parts[0] + "." + strings.Split(f.hint(t, other.ID, "JWT"), ".")[1] + "." + parts[2]}}, refused: notIssued},
		{name: "a hint of another issuer", params: url.Values{"id_token_hint": {f.hint(t, id, "JWT", "iss", "https://evil.example")}}, refused: notIssued},
		{name: "a hint without a user", params: url.Values{"id_token_hint": {f.hint(t, id, "JWT", "sub", "")}}, refused: notIssued},
		{name: "a logout token", params: url.Values{"id_token_hint": {f.hint(t, id, "logout+jwt")}}, refused: notIssued},
		{name: "the JWT of the header for apps", params: url.Values{"id_token_hint": {header}}, refused: notIssued},
	}
	for _, test := range tests {
		got, err := f.ParseLogout(t.Context(), test.params)
		var refused *openid.Error
		if test.refused != "" {
			if !errors.As(err, &refused) || refused.Description != test.refused || refused.Status != 400 {
				t.Errorf("%s: %+v, %v; want %q", test.name, got, err, test.refused)
			}
			continue
		}
		if err != nil || got.ReturnURL() != test.returns || got.App.ID != test.app || got.SessionID != test.sid {
			t.Errorf("%s: %+v, %v", test.name, got, err)
			continue
		}
		asked, err := url.ParseQuery(got.Encode())
		if err != nil {
			t.Fatal(err)
		}
		again, err := f.ParseLogout(t.Context(), asked)
		if err != nil || again.ReturnURL() != test.returns || again.App.ID != test.app || again.SessionID != "" {
			t.Errorf("%s, encoded: %+v, %v", test.name, again, err)
		}
	}
}
