package openid

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
)

// problemsOf returns the messages for the fields of some input, nil if it is valid.
func problemsOf(t *testing.T, in ClientInput) map[string]string {
	t.Helper()
	_, err := in.Parse()
	if err == nil {
		return nil
	}
	var invalid *directory.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	return invalid.Fields
}

func TestClientInput_RedirectURIs(t *testing.T) {
	t.Parallel()
	const (
		inFull    = "Write each address in full, such as https://wiki.example.com/callback: "
		webInFull = "Write the address in full, such as https://wiki.example.com/callback: "
		noHash    = "An address can’t contain #: "
		noStar    = "Write each address in full, without *: "
		unusable  = "Addresses of this kind can’t be used: "
		noUser    = "An address can’t contain a user name: "
		program   = "Only a public client can use an address that opens a program on a device: "
	)
	long := "https://wiki.example.com/" + strings.Repeat("a", MaxURI)
	for _, row := range []struct {
		uri                  string
		confidential, public string // the message without the URI; empty if it is valid
	}{
		{"https://wiki.example.com/callback", "", ""},
		{"https://wiki.example.com", "", ""},
		{"https://wiki.example.com:8443/a/b?tenant=1&x=%2F", "", ""},
		{"HTTPS://Wiki.Example.com/Callback", "", ""},
		{"http://wiki.lan/callback", "", ""},
		{"http://192.168.1.10:3000/login/generic_oauth", "", ""},
		{"http://localhost/callback", "", ""},
		{"http://localhost:8000", "", ""},
		{"http://127.0.0.1:18000/", "", ""},
		{"http://[::1]:8000/callback", "", ""},

		{"app.immich:///oauth-callback", program, ""},
		{"audiobookshelf://oauth", program, ""},
		{"com.example.app:/callback", program, ""},

		{"wiki.example.com/callback", inFull, inFull},
		{"//wiki.example.com/callback", inFull, inFull},
		{"/callback", inFull, inFull},
		{"https://", webInFull, webInFull},
		{"https:///callback", webInFull, webInFull},
		{"https:callback", webInFull, webInFull},
		{"https://:443/callback", webInFull, webInFull},
		{"https://ada@wiki.example.com/callback", webInFull, webInFull},
		{"https://ada:secret@wiki.example.com/", webInFull, webInFull},
		{"https://wiki.example.com@evil.example/", webInFull, webInFull},
		{"app://ada@host/callback", noUser, noUser},
		{"https://wiki.example.com/%zz", inFull, inFull},
		{"https://wiki.example.com:port/", inFull, inFull},
		{"https://wiki.example.com/a b", inFull, inFull},
		{"https://wiki.example.com/a\tb", inFull, inFull},
		{"https://wiki.example.com/a\x00", inFull, inFull},
		{"https://wiki.example.com/a\x7f", inFull, inFull},
		{"https://wiki.example.com/a\rb", inFull, inFull},
		{`https://wiki.example.com\@evil.example/`, inFull, inFull},
		{"https://wíki.example.com/callback", inFull, inFull},
		{"https://wiki.example.com/\u202ecallback", inFull, inFull},
		{long, inFull, inFull},
		{"https://wiki.example.com/callback#", noHash, noHash},
		{"https://wiki.example.com/callback#part", noHash, noHash},
		{"app.immich:///oauth-callback#part", noHash, noHash},
		{"https://*.example.com/callback", noStar, noStar},
		{"https://wiki.example.com/*", noStar, noStar},
		{"app://*", noStar, noStar},
		{"javascript:alert(1)", unusable, unusable},
		{"JavaScript:alert(1)", unusable, unusable},
		{"javascript://wiki.example.com/%0aalert(1)", unusable, unusable},
		{"data:text/html,x", unusable, unusable},
		{"vbscript:x", unusable, unusable},
		{"file:///etc/passwd", unusable, unusable},
		{"blob:https://wiki.example.com/x", unusable, unusable},
		{"view-source:https://wiki.example.com/", unusable, unusable},
		{"intent://wiki.example.com/", unusable, unusable},
		{"wss://wiki.example.com/", unusable, unusable},
		{"mailto:ada@example.com", unusable, unusable},
	} {
		for _, public := range []bool{false, true} {
			want := row.confidential
			if public {
				want = row.public
			}
			wanted := map[string]string(nil)
			if want != "" {
				wanted = map[string]string{"redirect_uris": want + shorten(row.uri)}
			}
			if diff := cmp.Diff(wanted, problemsOf(t, ClientInput{Public: public, RedirectURIs: row.uri})); diff != "" {
				t.Errorf("%q, public %t (-want +got):\n%s", row.uri, public, diff)
			}
			if want != "" {
				wanted = map[string]string{"post_logout_redirect_uris": want + shorten(row.uri)}
			}
			if diff := cmp.Diff(wanted, problemsOf(t, ClientInput{Public: public, PostLogoutURIs: row.uri})); diff != "" {
				t.Errorf("%q after a sign-out, public %t (-want +got):\n%s", row.uri, public, diff)
			}
		}
	}
}

func TestClientInput_BackchannelLogoutIsAWebAddress(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"", " ", "https://wiki.example.com/logout", "http://127.0.0.1:3000/logout?x=1"} {
		if got := problemsOf(t, ClientInput{BackchannelLogout: uri}); got != nil {
			t.Errorf("%q: %v", uri, got)
		}
	}
	for _, uri := range []string{
		"wiki", "/logout", "app://logout", "javascript:alert(1)", "https://ada@wiki.example.com/", "https://wiki.example.com/#x", "https://wiki.example.com/a b",
		"https://wiki.example.com/\nhttps://evil.example/", "https://wiki.example.com/" + strings.Repeat("a", MaxURI),
	} {
		want := map[string]string{"backchannel_logout_uri": "Write the address in full, such as https://wiki.example.com/callback: " + shorten(uri)}
		if diff := cmp.Diff(want, problemsOf(t, ClientInput{Public: true, BackchannelLogout: uri})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", uri, diff)
		}
	}
}

func TestClientInput_Algorithm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]identity.Algorithm{"": identity.RS256, "RS256": identity.RS256, "ES256": identity.ES256} {
		c, err := ClientInput{Algorithm: text}.Parse()
		if err != nil || c.Algorithm != want {
			t.Errorf("%q: %s, %v", text, c.Algorithm, err)
		}
	}
	for _, text := range []string{"none", "HS256", "rs256", "EdDSA", " "} {
		want := map[string]string{"id_token_signed_response_alg": "Choose RS256 or ES256."}
		if diff := cmp.Diff(want, problemsOf(t, ClientInput{Algorithm: text})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestClientInput_ListsHaveOneAddressInALine(t *testing.T) {
	t.Parallel()
	c, err := ClientInput{RedirectURIs: "\r\n  https://b.example/ \r\n\nhttps://a.example/\nhttps://b.example/\n", PostLogoutURIs: "https://b.example/"}.Parse()
	if err != nil {
		t.Fatal(err)
	}
	want := Client{Algorithm: identity.RS256, RedirectURIs: []string{"https://b.example/", "https://a.example/"}, PostLogoutURIs: []string{"https://b.example/"}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	lines := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "https://example.com/%d\n", i)
		}
		return b.String()
	}
	if got := problemsOf(t, ClientInput{RedirectURIs: lines(MaxURIs), PostLogoutURIs: lines(MaxURIs)}); got != nil {
		t.Errorf("%d addresses: %v", MaxURIs, got)
	}
	const many = "At most 20 addresses fit."
	wanted := map[string]string{"redirect_uris": many, "post_logout_redirect_uris": many}
	if diff := cmp.Diff(wanted, problemsOf(t, ClientInput{RedirectURIs: lines(MaxURIs + 1), PostLogoutURIs: lines(MaxURIs + 1)})); diff != "" {
		t.Errorf("one more (-want +got):\n%s", diff)
	}
}

func TestClient_InputIsParsedToTheSameClient(t *testing.T) {
	t.Parallel()
	want := Client{
		Public: true, Algorithm: identity.ES256, RedirectURIs: []string{"app://callback", "https://a.example/"}, PostLogoutURIs: []string{"https://a.example/bye"},
		BackchannelLogout: "https://a.example/logout",
	}
	got, err := want.Input().Parse()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestClient_AllowsRedirect(t *testing.T) {
	t.Parallel()
	c := Client{RedirectURIs: []string{
		"https://wiki.example.com/callback", "https://wiki.example.com/other?tenant=1", "http://wiki.lan:3000/callback", "app.immich:///oauth-callback",
		"http://localhost:8000/callback", "http://127.0.0.1/callback", "http://[::1]:8000/callback?x=1",
	}}
	for _, uri := range append([]string{
		"http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback", "http://127.0.0.1:18000/callback", "http://[::1]/callback?x=1", "http://[::1]:9/callback?x=1",
	}, c.RedirectURIs...) {
		if !c.allowsRedirect(uri) {
			t.Errorf("%s is refused", uri)
		}
	}
	for _, uri := range []string{
		"", "https://wiki.example.com", "https://wiki.example.com/", "https://wiki.example.com/callback/", "https://wiki.example.com/callback?",
		"https://wiki.example.com/callback#", "https://wiki.example.com/callback?x=1", "https://wiki.example.com/Callback", "https://WIKI.example.com/callback",
		"HTTPS://wiki.example.com/callback", "http://wiki.example.com/callback", "https://wiki.example.com:443/callback", "https://wiki.example.com:8443/callback",
		"https://wiki.example.com./callback", "https://wiki.example.com/a/../callback", "https://wiki.example.com//callback", "https://wiki.example.com/call%62ack",
		"https://wiki.example.com/callback ", " https://wiki.example.com/callback", "https://wiki.example.com/callback\n", "https://wiki.example.com/callback%00",
		"https://a.wiki.example.com/callback", "https://wiki.example.com.evil.example/callback", "https://wiki.example.com@evil.example/callback",
		`https://wiki.example.com\@evil.example/callback`, "https://wiki.example.com/callback;x", "https://wiki.example.com/other", "https://wiki.example.com/other?tenant=2",
		"https://wiki.example.com/other?tenant=1&x=1", "http://wiki.lan:3001/callback", "http://wiki.lan/callback", "app.immich://oauth-callback", "app.immich:/oauth-callback",
		"https://localhost:8000/callback", "http://localhost:8000/", "http://localhost:8000/callback/", "http://localhost:8000/callback?x=1", "http://LOCALHOST:8000/callback",
		"http://localhost.:8000/callback", "http://localhost.evil.example:8000/callback", "http://localhost:80@evil.example/callback", "http://localhost@evil.example/callback",
		"http://localhost:8000@evil.example:8000/callback", "http://localhost:80a/callback", "http://127.0.0.2:8000/callback", "http://127.1:8000/callback",
		"http://[::1]:9/callback", "http://[::2]:9/callback?x=1", "http://::1:9/callback?x=1", "http://0.0.0.0:8000/callback", "http://[::ffff:127.0.0.1]:8000/callback",
		"http://localhost/callback", "http://localhost:8001/callback", "http://127.0.0.1:/callback", "http://127.0.0.1:0/callback", "http://127.0.0.1:08000/callback",
		"http://127.0.0.1:65536/callback", "http://127.0.0.1:8000/callback\x00", `http://localhost:8000\@evil.example/callback`, "http:localhost:8000/callback",
	} {
		if c.allowsRedirect(uri) {
			t.Errorf("%q is allowed", uri)
		}
	}
	if (Client{}).allowsRedirect("") {
		t.Error("a client without addresses allows an empty one")
	}
}

func TestClient_AllowsPostLogout(t *testing.T) {
	t.Parallel()
	c := Client{RedirectURIs: []string{"https://wiki.example.com/callback"}, PostLogoutURIs: []string{"https://wiki.example.com/bye", "http://localhost:8000/bye"}}
	for uri, want := range map[string]bool{
		"https://wiki.example.com/bye": true, "http://localhost:8000/bye": true, "http://localhost:9000/bye": false, "https://wiki.example.com/callback": false,
		"https://wiki.example.com/bye?x": false, "": false,
	} {
		if got := c.allowsPostLogout(uri); got != want {
			t.Errorf("%q: %t", uri, got)
		}
	}
}

func TestClientChanges_AreReadable(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range MaxURIs {
		many = append(many, fmt.Sprintf("https://example.com/%d/%s", i, strings.Repeat("&", MaxURI-30)))
	}
	old := Client{
		CreatedAt: time.Unix(1, 0), Algorithm: identity.RS256, RedirectURIs: []string{"https://a.example/", "https://b.example/"}, BackchannelLogout: "https://a.example/logout",
	}
	with := func(change func(c *Client)) Client {
		c := old
		change(&c)
		return c
	}
	for name, row := range map[string]struct {
		old, new Client
		want     []event.Change
	}{
		"new": {Client{}, old, []event.Change{
			{Field: "kind", New: "confidential"}, {Field: "redirect addresses", New: "https://a.example/, https://b.example/"},
			{Field: "back-channel logout address", New: "https://a.example/logout"}, {Field: "signature", New: "RS256"},
		}},
		"nothing": {old, with(func(c *Client) { c.UpdatedAt = time.Unix(2, 0) }), nil},
		"everything": {
			old, Client{CreatedAt: old.CreatedAt, Public: true, Algorithm: identity.ES256, PostLogoutURIs: []string{"https://a.example/bye"}},
			[]event.Change{
				{Field: "kind", Old: "confidential", New: "public"}, {Field: "redirect addresses", Old: "https://a.example/, https://b.example/"},
				{Field: "sign-out addresses", New: "https://a.example/bye"}, {Field: "back-channel logout address", Old: "https://a.example/logout"},
				{Field: "signature", Old: "RS256", New: "ES256"},
			},
		},
		"long lists are shortened": {
			with(func(c *Client) { c.RedirectURIs = many }), with(func(c *Client) { c.RedirectURIs = many[:19] }),
			[]event.Change{{
				Field: "redirect addresses", Old: strings.Join(many[:4], ", ") + ", and 16 more", New: strings.Join(many[:4], ", ") + ", and 15 more",
			}},
		},
		"a change is one even if it isn't shown": {
			with(func(c *Client) { c.RedirectURIs = many[:19] }), with(func(c *Client) { c.RedirectURIs = append(many[:18:18], many[19]) }),
			[]event.Change{{
				Field: "redirect addresses", Old: strings.Join(many[:4], ", ") + ", and 15 more", New: strings.Join(many[:4], ", ") + ", and 15 more",
			}},
		},
	} {
		if diff := cmp.Diff(row.want, clientChanges(row.old, row.new)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSecretRequest_IsValidated(t *testing.T) {
	t.Parallel()
	id := NewSecretID()
	for days, want := range map[string]time.Duration{"0": 0, "30": 30 * 24 * time.Hour, "90": 90 * 24 * time.Hour, "365": 365 * 24 * time.Hour} {
		got, lifetime, err := SecretRequest{ID: strings.ToUpper(id), Days: days}.parse()
		if err != nil || got != id || lifetime != want {
			t.Errorf("%s days: %s, %s, %v", days, got, lifetime, err)
		}
	}
	for _, row := range []struct {
		in   SecretRequest
		want map[string]string
	}{
		{SecretRequest{id, ""}, map[string]string{"days": "Choose one of these times."}},
		{SecretRequest{id, "31"}, map[string]string{"days": "Choose one of these times."}},
		{SecretRequest{id, "-1"}, map[string]string{"days": "Choose one of these times."}},
		{SecretRequest{"x", "30"}, map[string]string{"id": "This form is damaged: load its page again."}},
		{SecretRequest{}, map[string]string{"id": "This form is damaged: load its page again.", "days": "Choose one of these times."}},
	} {
		_, _, err := row.in.parse()
		var invalid *directory.ValidationError
		if !errors.As(err, &invalid) || !cmp.Equal(row.want, invalid.Fields) {
			t.Errorf("%+v: %v", row.in, err)
		}
	}
}
