package webhooksig

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The example of https://docs.svix.com/receiving/verifying-payloads/how-manual.
const (
	secret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	id        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	timestamp = "1614265330"
	body      = `{"test": 2432232314}`
	signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var sent = time.Unix(1614265330, 0)

func mustParse(t testing.TB, secret string) Key {
	t.Helper()
	key, err := ParseKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustSign(t testing.TB, key Key, at time.Time, id string, body []byte) string {
	t.Helper()
	signature, err := key.Sign(id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func TestVerify(t *testing.T) {
	t.Parallel()
	other := mustSign(t, mustParse(t, "whsec_"+strings.Repeat("QUJD", 8)), sent, id, []byte(body))
	for _, row := range []struct {
		name   string
		change func(s *Headers, body *string, now *time.Time)
		want   error
	}{
		{"the documented example is good", func(*Headers, *string, *time.Time) {}, nil},
		{"one of several signatures is enough", func(s *Headers, _ *string, _ *time.Time) { s.Signature = other + " v2,x " + signature }, nil},
		{"five minutes ago is good", func(_ *Headers, _ *string, now *time.Time) { *now = sent.Add(5 * time.Minute) }, nil},
		{"five minutes ahead is good", func(_ *Headers, _ *string, now *time.Time) { *now = sent.Add(-5 * time.Minute) }, nil},

		{"longer ago is not", func(_ *Headers, _ *string, now *time.Time) { *now = sent.Add(5*time.Minute + 1) }, ErrTime},
		{"further ahead is not", func(_ *Headers, _ *string, now *time.Time) { *now = sent.Add(-5*time.Minute - 1) }, ErrTime},
		{"another secret's signature", func(s *Headers, _ *string, _ *time.Time) { s.Signature = other }, ErrSignature},
		{"a signature that was cut", func(s *Headers, _ *string, _ *time.Time) { s.Signature = signature[:20] }, ErrSignature},
		{"a signature of another version", func(s *Headers, _ *string, _ *time.Time) { s.Signature = "v1a" + signature[2:] }, ErrSignature},
		{"another body", func(_ *Headers, body *string, _ *time.Time) { *body += " " }, ErrSignature},
		{"another id", func(s *Headers, _ *string, _ *time.Time) { s.ID += "x" }, ErrSignature},
		{"another time", func(s *Headers, _ *string, _ *time.Time) { s.Timestamp = "1614265331" }, ErrSignature},
		{"a dot that moved", func(s *Headers, _ *string, _ *time.Time) { s.ID, s.Timestamp = id+"."+timestamp, "1" }, ErrSignature},
		{"no id", func(s *Headers, _ *string, _ *time.Time) { s.ID = "" }, ErrIncomplete},
		{"an id that has no end", func(s *Headers, _ *string, _ *time.Time) { s.ID = strings.Repeat("x", 129) }, ErrIncomplete},
		{"no time", func(s *Headers, _ *string, _ *time.Time) { s.Timestamp = "" }, ErrIncomplete},
		{"a time that is no number", func(s *Headers, _ *string, _ *time.Time) { s.Timestamp = "now" }, ErrIncomplete},
		{"no signature", func(s *Headers, _ *string, _ *time.Time) { s.Signature = "" }, ErrIncomplete},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, text, now := Headers{id, timestamp, signature}, body, sent
			row.change(&s, &text, &now)
			if err := mustParse(t, secret).Verify(s, []byte(text), now); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}

func TestParseKey_Invalid(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64", "WHSEC_MfKQ"} {
		if key, err := ParseKey(text); err == nil {
			t.Errorf("%q is %x", text, key)
		}
	}
}

// FuzzVerify checks that only webhooks signed with the key pass.
func FuzzVerify(f *testing.F) {
	key := mustParse(f, secret)
	f.Add(id, timestamp, signature, []byte(body))
	f.Add(id, "-1", "v1, v1,", []byte{})
	f.Add("a.b", "9223372036854775807", signature+" "+signature, []byte(body))
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		seconds, _ := strconv.ParseInt(timestamp, 10, 64)
		s := Headers{id, timestamp, signature}
		if err := key.Verify(s, body, time.Unix(seconds, 0)); err == nil && !strings.Contains(signature, mustSign(t, key, time.Unix(seconds, 0), id, body)) {
			t.Errorf("%+v passes", s)
		}
		s.Signature = "v1,x " + mustSign(t, key, time.Unix(seconds, 0), id, body)
		err := key.Verify(s, body, time.Unix(seconds, 0))
		if err != nil && !errors.Is(err, ErrIncomplete) {
			t.Errorf("%+v, well signed: %v", s, err)
		}
		if err == nil && key.Verify(s, append(bytes.Clone(body), 0), time.Unix(seconds, 0)) == nil {
			t.Errorf("%+v passes with a longer body", s)
		}
	})
}
