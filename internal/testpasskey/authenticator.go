// Package testpasskey is an authenticator and a browser in software, for tests of passkeys.
package testpasskey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// Flags of authenticator data: https://www.w3.org/TR/webauthn-3/#authdata-flags
const (
	UserPresent    = 1
	UserVerified   = 4
	BackupEligible = 8
	BackedUp       = 16
	attested       = 64
)

// Passkey is a passkey of one user at one domain. A test changes its fields to make it
// respond differently.
type Passkey struct {
	ID         []byte
	UserHandle []byte // set by Create; sent by Get if it is not empty
	Domain     string // set by Create; hashed into the authenticator data
	Flags      byte
	SignCount  uint32         // sent with the next response; Get adds 1 after it unless it is 0
	Origin     string         // of the page
	ClientData map[string]any // replaces what the browser would sign; may be nil
	key        *ecdsa.PrivateKey
}

// New returns a passkey that is not registered yet, in a browser that shows a page of an
// origin. It verifies its user and has no signature counter.
func New(t testing.TB, origin string) *Passkey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	rand.Read(id)
	return &Passkey{ID: id, Flags: UserPresent | UserVerified, Origin: origin, key: key}
}

// Options are what both kinds of options have. Bytes are in base64, as sent.
type Options struct {
	Challenge string
	RPID      string `json:"rpId"` // of request options
	RP        struct{ ID, Name string }
	User      struct{ ID, Name, DisplayName string }

	Timeout            int64
	PubKeyCredParams   []struct{ Alg int }
	ExcludeCredentials []struct{ ID string }
	AllowCredentials   []struct{ ID string }
	UserVerification   string
	Attestation        string

	AuthenticatorSelection struct{ AuthenticatorAttachment, ResidentKey, UserVerification string }
}

// Parse parses options.
func Parse(t testing.TB, options string) Options {
	t.Helper()
	var o Options
	if err := json.Unmarshal([]byte(options), &o); err != nil {
		t.Fatalf("the options are no JSON: %q", options)
	}
	return o
}

// Decode decodes base64 of either alphabet, with or without padding.
func Decode(t testing.TB, text string) []byte {
	t.Helper()
	text = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatalf("%q is not base64", text)
	}
	return b
}

// Encode returns bytes in base64url, as browsers do in JSON.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Create registers the passkey: it returns what a browser's toJSON does after
// navigator.credentials.create.
func (p *Passkey) Create(t testing.TB, options string) string {
	t.Helper()
	o := Parse(t, options)
	p.UserHandle, p.Domain = Decode(t, o.User.ID), o.RP.ID
	return p.Attest(t, Decode(t, o.Challenge))
}

// Attest is Create for a challenge.
func (p *Passkey) Attest(t testing.TB, challenge []byte) string {
	t.Helper()
	data := p.authenticatorData(attested)
	data = append(data, make([]byte, 16)...) // the model of the authenticator, not told
	data = binary.BigEndian.AppendUint16(data, uint16(len(p.ID)))
	data = append(data, p.ID...)
	data = append(data, p.publicKey(t)...)
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		t.Fatal(err)
	}
	return p.response(t, map[string]any{
		"clientDataJSON": Encode(p.clientData(t, "webauthn.create", challenge)), "attestationObject": Encode(object), "authenticatorData": Encode(data), "transports": []string{"internal", "carrier-pigeon"},
	})
}

// Get uses the passkey: it returns what a browser's toJSON does after
// navigator.credentials.get.
func (p *Passkey) Get(t testing.TB, options string) string {
	t.Helper()
	return p.Assert(t, Decode(t, Parse(t, options).Challenge))
}

// Assert is Get for a challenge.
func (p *Passkey) Assert(t testing.TB, challenge []byte) string {
	t.Helper()
	data, client := p.authenticatorData(0), p.clientData(t, "webauthn.get", challenge)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(slices.Concat(data, hash[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, p.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	if p.SignCount > 0 {
		p.SignCount++
	}
	response := map[string]any{
		"clientDataJSON": Encode(client), "authenticatorData": Encode(data), "signature": Encode(signature),
	}
	if len(p.UserHandle) > 0 {
		response["userHandle"] = Encode(p.UserHandle)
	}
	return p.response(t, response)
}

func (p *Passkey) response(t testing.TB, response map[string]any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"id": Encode(p.ID), "rawId": Encode(p.ID), "type": "public-key", "authenticatorAttachment": "platform",
		"clientExtensionResults": map[string]any{}, "response": response,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (p *Passkey) clientData(t testing.TB, kind string, challenge []byte) []byte {
	t.Helper()
	data := map[string]any{"type": kind, "challenge": Encode(challenge), "origin": p.Origin, "crossOrigin": false}
	maps.Copy(data, p.ClientData)
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (p *Passkey) authenticatorData(more byte) []byte {
	hash := sha256.Sum256([]byte(p.Domain))
	return binary.BigEndian.AppendUint32(append(bytes.Clone(hash[:]), p.Flags|more), p.SignCount)
}

// publicKey returns the key in the form of COSE: https://www.rfc-editor.org/rfc/rfc9053
func (p *Passkey) publicKey(t testing.TB) []byte {
	t.Helper()
	point, err := p.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	const kty, alg, crv, x, y = 1, 3, -1, -2, -3
	key, err := webauthncbor.Marshal(map[int]any{kty: 2, alg: -7, crv: 1, x: point[1:33], y: point[33:65]})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Forge replaces the private key, so that signatures no longer fit the public key.
func (p *Passkey) Forge(t testing.TB) {
	t.Helper()
	p.key = New(t, p.Origin).key
}
