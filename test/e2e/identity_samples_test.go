package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// TestIdentitySamples runs the code of docs/identity.md against the keys of a running site, below a
// path, with tokens that are valid and tokens that aren't.
func TestIdentitySamples(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(time.Now()), "--guestlist-base-url=http://127.0.0.1:PORT/people")
	for name, verify := range map[string]func(*testing.T, *harness.Site, []string) []string{"Go": verifyInGo, "Node": verifyInNode, "Python": verifyInPython} {
		t.Run(name, func(t *testing.T) {
			s.Clock.Set(time.Now()) // the libraries use the machine's clock
			tokens := newTokens(t, s)
			var texts []string
			for _, row := range tokens {
				texts = append(texts, row.token)
			}
			got := verify(t, s, texts)
			if len(got) != len(tokens) {
				t.Fatalf("%d results of %d tokens: %q", len(got), len(tokens), got)
			}
			for i, row := range tokens {
				want := "refused"
				if row.valid {
					want = "user-1 Chloé Köln, Nord"
				}
				if got[i] != want {
					t.Errorf("a token %s: %q, want %q", row.name, got[i], want)
				}
			}
		})
	}
}

type sampleToken struct {
	name, token string
	valid       bool
}

// newTokens returns tokens for the app APP_ID, and others.
func newTokens(t *testing.T, s *harness.Site) []sampleToken {
	t.Helper()
	id := identity.Identity{
		AppID: "APP_ID", UserID: "user-1", Email: "chloe@example.com", Name: "Chloé", Handle: "chloe_example.com", Groups: []string{"Köln, Nord"}, SessionID: "session-1",
	}
	mint := func(id identity.Identity) string {
		token, err := s.App.Signer.Mint(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	fresh := mint(id)
	other := id
	other.AppID = "another app"
	const past = 2*time.Minute + time.Minute + 10*time.Second // the sample in Python allows for a minute
	s.Clock.Advance(-past)
	expired := mint(id)
	s.Clock.Advance(past)

	part := strings.Split(fresh, ".")
	header, payload := decode(t, part[0]), decode(t, part[1])
	var parsed struct {
		KeyID string `json:"kid"`
	}
	if err := json.Unmarshal([]byte(header), &parsed); err != nil {
		t.Fatal(err)
	}
	forged, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(algorithm jose.SignatureAlgorithm, key any, keyID, payload string) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: keyID}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		token, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	encode := base64.RawURLEncoding.EncodeToString
	return []sampleToken{
		{"that is fresh", fresh, true},
		{"that has expired", expired, false},
		{"for another app", mint(other), false},
		{"of another issuer with the same keys", mintElsewhere(t, s, id), false},
		{"of another key with the same ID", forge(jose.ES256, forged, parsed.KeyID, payload), false},
		{"of an unknown key", forge(jose.ES256, forged, "unknown", payload), false},
		{"of a key in its header", embedKey(t, forged, payload), false},
		{"signed with the public key as a secret", forge(jose.HS256, publicKeyPEM(t, s, parsed.KeyID), parsed.KeyID, payload), false},
		{"that is changed", part[0] + "." + encode([]byte(strings.Replace(payload, "user-1", "user-2", 1))) + "." + part[2], false},
		{"without an algorithm", encode([]byte(strings.Replace(header, "ES256", "none", 1))) + "." + part[1] + ".", false},
		{"without an algorithm, with the signature", encode([]byte(strings.Replace(header, "ES256", "none", 1))) + "." + part[1] + "." + part[2], false},
		{"without its signature", part[0] + "." + part[1] + ".", false},
		{"that is none", "x", false},
		{"that is missing", "", false},
	}
}

// mintElsewhere returns a token of a site with another address that shares the database.
func mintElsewhere(t *testing.T, s *harness.Site, id identity.Identity) string {
	t.Helper()
	cookieKey, err := s.App.Store.CookieKey(t.Context(), event.Event{})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := identity.NewSigner(identity.Options{
		Store: s.App.Store, CookieKeys: []string{cookieKey}, Issuer: "https://other.example", Now: s.Clock.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := elsewhere.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	token, err := elsewhere.Mint(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if elsewhere.PublicKeys()[0].ID != s.App.Signer.PublicKeys()[0].ID {
		t.Fatal("it has keys of its own")
	}
	return token
}

func decode(t *testing.T, part string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// embedKey returns a token with the key that verifies it.
func embedKey(t *testing.T, key *ecdsa.PrivateKey, payload string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// publicKeyPEM returns the published key in the form in which careless libraries would take it for a
// shared secret.
func publicKeyPEM(t *testing.T, s *harness.Site, keyID string) []byte {
	t.Helper()
	keys := s.App.Signer.PublicKeys()
	i := slices.IndexFunc(keys, func(k identity.PublicKey) bool { return k.ID == keyID })
	if i < 0 {
		t.Fatalf("no key %s", keyID)
	}
	der, err := x509.MarshalPKIXPublicKey(keys[i].Key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// verifyInGo is compared with the page, because Go can't run a part of a file.
func verifyInGo(t *testing.T, s *harness.Site, tokens []string) []string {
	t.Helper()
	const source = "test/e2e/identity_samples_test.go"
	code, err := os.ReadFile(harness.RepoPath(source))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(sample(t, s, "go")) {
		line = strings.NewReplacer(`"`+s.URL+`"`, "s.URL", `"`+s.URL, `s.URL+"`).Replace(strings.TrimSpace(line))
		if line != "" && !strings.HasPrefix(line, "//") && !strings.Contains(string(code), "\n\t"+line+"\n") && !strings.Contains(string(code), "\n\t\t"+line+"\n") {
			t.Errorf("docs/identity.md has a line that %s doesn't run: %s", source, line)
		}
	}

	keys := oidc.NewRemoteKeySet(context.Background(), s.URL+"/.well-known/jwks.json")
	verifier := oidc.NewVerifier(s.URL, keys, &oidc.Config{ClientID: "APP_ID", SupportedSigningAlgs: []string{oidc.ES256}})

	var results []string
	for _, text := range tokens {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Guestlist-Jwt", text)
		idToken, err := verifier.Verify(r.Context(), r.Header.Get("X-Guestlist-Jwt"))
		if err != nil {
			results = append(results, "refused")
			continue
		}
		var person struct {
			Name   string
			Groups []string
		}
		if err := idToken.Claims(&person); err != nil {
			t.Fatal(err)
		}
		results = append(results, idToken.Subject+" "+person.Name+" "+strings.Join(person.Groups, " "))
	}
	return results
}

func verifyInNode(t *testing.T, s *harness.Site, tokens []string) []string {
	t.Helper()
	const library = "/usr/share/nodejs/jose" // where Debian's node-jose is
	if _, err := os.Stat(library); err != nil {
		missingProgram(t, "Debian's package node-jose")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missingProgram(t, "node")
	}
	setUp, each, _ := strings.Cut(sample(t, s, "js"), "// For each request:\n")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "node_modules"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(library, filepath.Join(dir, "node_modules", "jose")); err != nil {
		t.Fatal(err)
	}
	return runSample(t, node, filepath.Join(dir, "sample.mjs"), setUp+`
for (const token of JSON.parse(process.argv[2])) {
  const request = { headers: token === "" ? {} : { "x-guestlist-jwt": token } };
  try {
    `+each+`
    console.log(payload.sub, payload.name, ...payload.groups);
  } catch (error) {
    if (!error.code?.startsWith("ERR_J")) throw error;
    console.log("refused");
  }
}
`, tokens)
}

func verifyInPython(t *testing.T, s *harness.Site, tokens []string) []string {
	t.Helper()
	candidates := []string{"python3", "/usr/bin/python3"} // the first may be another than Debian's
	i := slices.IndexFunc(candidates, func(name string) bool { return exec.Command(name, "-c", "import jwt, cryptography").Run() == nil })
	if i < 0 {
		missingProgram(t, "Debian's packages python3-jwt and python3-cryptography")
	}
	setUp, each, _ := strings.Cut(sample(t, s, "python"), "# For each request:\n")
	return runSample(t, candidates[i], filepath.Join(t.TempDir(), "sample.py"), setUp+`
import json, sys, types
for given in json.loads(sys.argv[1]):
    request = types.SimpleNamespace(headers={"X-Guestlist-Jwt": given} if given else {})
    try:
        `+strings.ReplaceAll(strings.TrimSpace(each), "\n", "\n        ")+`
        print(person["sub"], person["name"], *person["groups"])
    except jwt.PyJWTError:
        print("refused")
`, tokens)
}

// sample returns the code in a language in docs/identity.md, with the address of a site.
func sample(t *testing.T, s *harness.Site, language string) string {
	t.Helper()
	page, err := os.ReadFile(harness.RepoPath("docs/identity.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(found) != 1 {
		t.Fatalf("docs/identity.md has %d samples in %s", len(found), language)
	}
	return strings.ReplaceAll(found[0][1], "https://people.example.com", s.URL)
}

// runSample writes and runs a program with the tokens as its argument and returns its lines.
func runSample(t *testing.T, program, path, code string, tokens []string) []string {
	t.Helper()
	if err := os.WriteFile(path, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	argument, err := json.Marshal(tokens)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, path, string(argument))
	command.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8", "PYTHONDONTWRITEBYTECODE=1")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", program, err, out, code)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// missingProgram skips a test, or fails it if CI=true.
func missingProgram(t *testing.T, name string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing; .ci/deps.sh installs it", name)
	}
	t.Skipf("%s is missing; .ci/deps.sh installs it", name)
}
