package passkey_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/passkey"
	"github.com/guestlist/guestlist/internal/testpasskey"
)

const (
	domain = "example.com"
	origin = "https://login.example.com"
)

func newChallenge() []byte {
	challenge := make([]byte, 32)
	rand.Read(challenge)
	return challenge
}

// registered returns a passkey and what is stored about it.
func registered(t *testing.T) (*testpasskey.Passkey, passkey.Credential) {
	t.Helper()
	key := testpasskey.New(t, origin)
	key.Domain = domain
	key.UserHandle = []byte("ada")
	got, err := passkey.ParseRegistration(key.Attest(t, newChallenge()))
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := got.Verify(passkey.Expected{Domain: domain}, key.UserHandle)
	if err != nil {
		t.Fatal(err)
	}
	return key, c
}

func TestParseDomain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ typed, want string }{
		{"example.com", "example.com"},
		{"Login.Example.COM", "login.example.com"},
		{"localhost", "localhost"},
		{"app.localhost", "app.localhost"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"", ""},
		{"com", ""},
		{"127.0.0.1", ""},
		{"[::1]", ""},
		{"example.com:443", ""},
		{"https://example.com", ""},
		{"example.com/", ""},
		{"example..com", ""},
		{".example.com", ""},
		{"example.com.", ""},
		{"-a.example.com", ""},
		{"a_b.example.com", ""},
		{"bücher.example", ""},
		{strings.Repeat("a.", 130) + "com", ""},
	} {
		if got, ok := passkey.ParseDomain(row.typed); ok != (row.want != "") || ok && got != row.want {
			t.Errorf("%q is %q, %v", row.typed, got, ok)
		}
	}
}

func TestVerify_Origins(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		domain, origin string
		ok             bool
	}{
		{"example.com", "https://example.com", true},
		{"example.com", "https://example.com:8443", true},
		{"example.com", "https://a.b.example.com", true},
		{"localhost", "http://localhost:8080", true},
		{"localhost", "http://app.localhost", true},
		{"app.localhost", "http://app.localhost:3000", true},
		{"app.localhost", "http://localhost:3000", false},
		{"example.com", "http://example.com", false},
		{"example.com", "https://badexample.com", false},
		{"example.com", "https://example.com.evil.test", false},
		{"login.example.com", "https://example.com", false},
		{"example.com", "https://example.com@evil.test", false},
		{"example.com", "https://evil.test/example.com", false},
		{"example.com", "https://evil.test#.example.com", false},
		{"example.com", "https://example.com/", false},
		{"example.com", "wss://example.com", false},
		{"example.com", "android:apk-key-hash:abc", false},
		{"example.com", "null", false},
		{"example.com", "", false},
	} {
		key := testpasskey.New(t, row.origin)
		key.Domain = row.domain
		got, err := passkey.ParseRegistration(key.Attest(t, newChallenge()))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := got.Verify(passkey.Expected{Domain: row.domain}, nil); (err == nil) != row.ok {
			t.Errorf("%s at %s: %v", row.domain, row.origin, err)
		}
	}
}

type object = map[string]any

// refusal is a way in which a response must not be accepted.
type refusal struct {
	name   string
	change func(t *testing.T, p *testpasskey.Passkey)
	want   passkey.Expected
}

var refusals = []refusal{
	{"another origin", func(_ *testing.T, p *testpasskey.Passkey) { p.Origin = "https://evil.test" }, passkey.Expected{Domain: domain}},
	{"an unencrypted origin", func(_ *testing.T, p *testpasskey.Passkey) { p.Origin = "http://login.example.com" }, passkey.Expected{Domain: domain}},
	{"another domain", func(_ *testing.T, p *testpasskey.Passkey) { p.Domain = "example.org" }, passkey.Expected{Domain: domain}},
	{"no user presence", func(_ *testing.T, p *testpasskey.Passkey) { p.Flags = testpasskey.UserVerified }, passkey.Expected{Domain: domain}},
	{"no user verification where it is required", func(_ *testing.T, p *testpasskey.Passkey) { p.Flags = testpasskey.UserPresent }, passkey.Expected{Domain: domain, UserVerification: true}},
	{"in a frame of another site", func(_ *testing.T, p *testpasskey.Passkey) { p.ClientData = object{"crossOrigin": true} }, passkey.Expected{Domain: domain}},
	{"in a frame that does not say so", func(_ *testing.T, p *testpasskey.Passkey) { p.ClientData = object{"topOrigin": origin} }, passkey.Expected{Domain: domain}},
	{"of no known kind", func(_ *testing.T, p *testpasskey.Passkey) { p.ClientData = object{"type": "payment.get"} }, passkey.Expected{Domain: domain}},
	{"backed up although it can't be", func(_ *testing.T, p *testpasskey.Passkey) { p.Flags |= testpasskey.BackedUp }, passkey.Expected{Domain: domain}},
}

func TestRegistration_Refusals(t *testing.T) {
	t.Parallel()
	for _, row := range append([]refusal{
		{"an assertion's client data", func(_ *testing.T, p *testpasskey.Passkey) { p.ClientData = object{"type": "webauthn.get"} }, passkey.Expected{Domain: domain}},
	}, refusals...) {
		key := testpasskey.New(t, origin)
		key.Domain = domain
		row.change(t, key)
		got, err := passkey.ParseRegistration(key.Attest(t, newChallenge()))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := got.Verify(row.want, nil); err == nil {
			t.Errorf("%s: accepted", row.name)
		}
	}
}

func TestAssertion_Refusals(t *testing.T) {
	t.Parallel()
	for _, row := range append([]refusal{
		{"a registration's client data", func(_ *testing.T, p *testpasskey.Passkey) { p.ClientData = object{"type": "webauthn.create"} }, passkey.Expected{Domain: domain}},
		{"a bogus signature", func(t *testing.T, p *testpasskey.Passkey) { p.Forge(t) }, passkey.Expected{Domain: domain}},
		{"another user", func(_ *testing.T, p *testpasskey.Passkey) { p.UserHandle = []byte("grace") }, passkey.Expected{Domain: domain}},
		{"now it may be backed up", func(_ *testing.T, p *testpasskey.Passkey) { p.Flags |= testpasskey.BackupEligible }, passkey.Expected{Domain: domain}},
		{"another passkey", func(_ *testing.T, p *testpasskey.Passkey) { p.ID = []byte("another") }, passkey.Expected{Domain: domain}},
	}, refusals...) {
		key, credential := registered(t)
		row.change(t, key)
		got, err := passkey.ParseAssertion(key.Assert(t, newChallenge()))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := got.Verify(credential, row.want); err == nil {
			t.Errorf("%s: accepted", row.name)
		}
	}
}

func TestAssertion_RecordsTheFlagsOfTheUse(t *testing.T) {
	t.Parallel()
	key := testpasskey.New(t, origin)
	key.Domain, key.Flags = domain, testpasskey.UserPresent|testpasskey.BackupEligible
	got, err := passkey.ParseRegistration(key.Attest(t, newChallenge()))
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := got.Verify(passkey.Expected{Domain: domain}, nil)
	if err != nil || c.UserVerified || !c.BackupEligible || c.BackedUp {
		t.Fatalf("%+v, %v", c, err)
	}
	key.Flags |= testpasskey.UserVerified | testpasskey.BackedUp
	key.SignCount = 7
	used, err := passkey.ParseAssertion(key.Assert(t, newChallenge()))
	if err != nil {
		t.Fatal(err)
	}
	c, n, err := used.Verify(c, passkey.Expected{Domain: domain, UserVerification: true})
	if err != nil || !c.UserVerified || !c.BackedUp || n != 7 {
		t.Errorf("%+v, %d, %v", c, n, err)
	}
}

func TestIsNewer(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		got    uint32
		stored int64
		want   bool
	}{{0, 0, true}, {1, 0, true}, {8, 7, true}, {7, 7, false}, {6, 7, false}, {0, 7, false}} {
		if got := passkey.IsNewer(row.got, row.stored); got != row.want {
			t.Errorf("%d after %d: %v", row.got, row.stored, got)
		}
	}
}

func TestOptions_Encodings(t *testing.T) {
	t.Parallel()
	bytes := []byte{0xfb, 0xff, 0xfe, 0x01}
	creation := passkey.Creation{Domain: domain, Challenge: bytes, UserHandle: bytes, Exclude: []passkey.Credential{{ID: bytes}}}
	request := passkey.Request{Domain: domain, Challenge: bytes, Allow: []passkey.Credential{{ID: bytes}}}
	for _, row := range []struct {
		encoding *base64.Encoding
		want     string
	}{{base64.StdEncoding, "+//+AQ=="}, {base64.RawURLEncoding, "-__-AQ"}} {
		created, err := creation.JSON(row.encoding)
		if err != nil || strings.Count(created, row.want) != 3 {
			t.Errorf("%s, %v", created, err)
		}
		requested, err := request.JSON(row.encoding)
		if err != nil || strings.Count(requested, row.want) != 2 {
			t.Errorf("%s, %v", requested, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	key := testpasskey.New(f, origin)
	key.Domain = domain
	f.Add(key.Attest(f, newChallenge()))
	f.Add(key.Assert(f, newChallenge()))
	f.Add(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := passkey.ParseRegistration(text); err == nil {
			_, _, _ = r.Verify(passkey.Expected{Domain: domain}, nil)
		} else if !errors.Is(err, passkey.ErrMalformed) {
			t.Error(err)
		}
		if a, err := passkey.ParseAssertion(text); err == nil {
			if _, _, err := a.Verify(passkey.Credential{ID: a.CredentialID()}, passkey.Expected{Domain: domain}); err == nil {
				t.Error("verified without a public key")
			}
		}
	})
}
