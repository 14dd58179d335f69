package identity_test

import (
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

const issuer = "https://guestlist.example/people"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// fakeClock stands still until it is advanced.
type fakeClock struct{ micros atomic.Int64 }

func newClock() *fakeClock {
	c := &fakeClock{}
	c.micros.Store(noon.UnixMicro())
	return c
}

func (c *fakeClock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *fakeClock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// openStore opens a database as an instance would.
func openStore(t testing.TB, databaseURL string, clock *fakeClock) *store.Store {
	t.Helper()
	db, err := store.Open(databaseURL, clock.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return db
}

// newSigner returns a signer without keys.
func newSigner(t testing.TB, db identity.Store, clock *fakeClock, cookieKeys ...string) *identity.Signer {
	t.Helper()
	if len(cookieKeys) == 0 {
		cookieKeys = []string{"a cookie key"}
	}
	s, err := identity.NewSigner(identity.Options{
		Store: db, CookieKeys: cookieKeys, Issuer: issuer, Now: clock.now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// onSQLite returns a signer with its own database and a key.
func onSQLite(t testing.TB) (*identity.Signer, *store.Store, *fakeClock) {
	t.Helper()
	clock := newClock()
	db := openStore(t, testdb.SQLite(t), clock)
	s := newSigner(t, db, clock)
	load(t, s)
	return s, db, clock
}

func load(t testing.TB, s *identity.Signer) {
	t.Helper()
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func mint(t testing.TB, s *identity.Signer, id identity.Identity) string {
	t.Helper()
	token, err := s.Mint(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

var algorithms = []identity.Algorithm{identity.RS256, identity.ES256}

// claims are those of an ID token.
type claims struct {
	Subject string `json:"sub"`
	Name    string `json:"name"`
	Expires int64  `json:"exp"`
}

var adaClaims = claims{Subject: "0193-ada", Name: "Ada <Lovelace> & Söhne", Expires: 1 << 60}

func sign(t testing.TB, s *identity.Signer, a identity.Algorithm) string {
	t.Helper()
	token, err := s.Sign(t.Context(), a, "JWT", adaClaims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func jwks(t testing.TB, s *identity.Signer) jose.JSONWebKeySet {
	t.Helper()
	body, err := s.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(body, &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

// published returns the ids of an algorithm's keys in the JWKS.
func published(t testing.TB, s *identity.Signer, a identity.Algorithm) []string {
	t.Helper()
	var ids []string
	for _, k := range jwks(t, s).Keys {
		if k.Algorithm == string(a) {
			ids = append(ids, k.KeyID)
		}
	}
	return ids
}

func stored(t testing.TB, db identity.Store, a identity.Algorithm) []identity.StoredKey {
	t.Helper()
	keys, err := db.ListSigningKeys(t.Context(), a, 100)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// keyID returns the kid of a JWT.
func keyID(t testing.TB, token string) string {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Headers[0].KeyID
}

// verify returns the claims of a JWT as an app sees them that fetches the keys now. Signer.Verify
// must agree.
func verify(t testing.TB, s *identity.Signer, token string) (map[string]any, error) {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	err = parsed.Claims(jwks(t, s), &claims)
	if _, own := s.Verify(token); (own == nil) != (err == nil) {
		t.Errorf("Verify: %v, with the JWKS: %v", own, err)
	}
	return claims, err
}

func parseEmail(t testing.TB, address string) directory.Email {
	t.Helper()
	email, err := directory.ParseEmail(address)
	if err != nil {
		t.Fatal(address, err)
	}
	return email
}

// ada is an administrator with two groups.
func ada(t testing.TB) identity.Identity {
	u := directory.User{ID: "0193-ada", Name: "Ada Lovelace", Email: parseEmail(t, "Ada@example.com")}
	return identity.Of(u, "app-1", []string{"staff", "admins"}, "session-1")
}
