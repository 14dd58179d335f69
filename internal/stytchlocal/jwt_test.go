package stytchlocal

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/guestlist/guestlist/internal/clock"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// FuzzParseJWT checks that only JWTs signed here, for this project and with RS256 are
// accepted.
func FuzzParseJWT(f *testing.F) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	newServer := func() *Server {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			f.Fatal(err)
		}
		return &Server{
			project: project{Credentials: Credentials{ProjectID: "project-test-1"}, signingKey: signingKey{KeyID: "jwk-test-1", key: key, public: &key.PublicKey}},
			clock:   clock.New(func() time.Time { return at }),
		}
	}
	ours, theirs := newServer(), newServer()
	sign := func(s *Server) string {
		text, err := s.signJWT(s.project.keyRing(), &session{StytchSession: dbsqlc.StytchSession{SessionID: "session-test-1", UserID: "user-test-1", ExpiresAt: at.Add(time.Hour).UnixMicro()}})
		if err != nil {
			f.Fatal(err)
		}
		return text
	}
	good := sign(ours)
	if id, err := ours.parseJWT(ours.project.keyRing(), good); err != nil || id != "session-test-1" {
		f.Fatalf("our own is read as %q, %v", id, err)
	}
	// The same claims with the algorithm none, and with the public key as a shared secret.
	claims, _ := base64.RawURLEncoding.DecodeString(strings.Split(good, ".")[1])
	public, err := x509.MarshalPKIXPublicKey(&ours.project.key.PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	signature, err := jwt.SigningMethodHS256.Sign(encode(`{"alg":"HS256","kid":"jwk-test-1","typ":"JWT"}`)+"."+encode(string(claims)), public)
	if err != nil {
		f.Fatal(err)
	}
	foreign, _ := base64.RawURLEncoding.DecodeString(strings.Split(sign(theirs), ".")[2])
	f.Add(`{"alg":"RS256","kid":"jwk-test-1","typ":"JWT"}`, string(claims), foreign, uint16(3), byte(1))
	f.Add(`{"alg":"none","kid":"jwk-test-1"}`, string(claims), []byte{}, uint16(40), byte(0x20))
	f.Add(`{"alg":"HS256","kid":"jwk-test-1","typ":"JWT"}`, string(claims), signature, uint16(400), byte(7))
	f.Add(`{"alg":"RS256","crit":["b64"],"b64":false,"jwk":{}}`, `{"iss":["stytch.com/project-test-1"],"aud":1}`, []byte{0}, uint16(65535), byte(255))
	f.Add(`{"alg":"RS256"}{}`, `null`, []byte("x"), uint16(0), byte(0))

	f.Fuzz(func(t *testing.T, header, claims string, signature []byte, at uint16, by byte) {
		text := encode(header) + "." + encode(claims) + "." + base64.RawURLEncoding.EncodeToString(signature)
		if id, err := ours.parseJWT(ours.project.keyRing(), text); (err == nil || id != "") && !bytes.Equal(parts(text), parts(good)) {
			t.Errorf("%s passes as %q", text, id)
		}
		edited := []byte(good)
		edited[int(at)%len(edited)] ^= by
		if id, err := ours.parseJWT(ours.project.keyRing(), string(edited)); err == nil && !bytes.Equal(parts(string(edited)), parts(good)) {
			t.Errorf("%s passes as %q", edited, id)
		}
	})
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// parts decodes a JWT: the last character of each part has unused bits.
func parts(token string) []byte {
	var all []byte
	for part := range strings.SplitSeq(token, ".") {
		b, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return nil
		}
		all = append(append(all, b...), '.')
	}
	return all
}
