package stytchlocal_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"

	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/testdb"
)

// rotating is two instances on one database with an SDK for each.
type rotating struct {
	*fixture
	other           *fixture
	token, firstJWT string
}

// newRotating signs a user in, with the clock set back by before.
func newRotating(t *testing.T, f *fixture, before time.Duration) *rotating {
	o := *f
	o.server = f.newServer()
	web := httptest.NewServer(stytchlocal.LoopbackOnly(o.handler()))
	t.Cleanup(web.Close)
	o.url = web.URL
	f.clock.advance(time.Since(f.clock.now()) - before) // the SDK checks times by the system's clock
	in := f.signIn("ada@example.com")
	return &rotating{f, &o, in["session_token"].(string), in["session_jwt"].(string)}
}

// jwt returns a new JWT of the session from an instance.
func (r *rotating) jwt(by *fixture) string {
	r.t.Helper()
	answer := by.ok("POST", "/v1/sessions/authenticate", object{"session_token": r.token})
	return answer["session_jwt"].(string)
}

// good reports whether an SDK accepts a JWT with the keys it has.
func good(api *stytchapi.API, jwt string) bool {
	_, err := api.Sessions.AuthenticateJWTLocal(jwt, 24*time.Hour)
	return err == nil
}

// exchanges reports whether an instance exchanges a JWT for a new one.
func exchanges(t *testing.T, by *fixture, jwt string) bool {
	t.Helper()
	status, answer := by.call("POST", "/v1/sessions/authenticate", object{"session_jwt": jwt})
	if status != 200 && answer["error_type"] != "unable_to_parse_session_jwt" {
		t.Errorf("%d %v", status, answer)
	}
	return status == 200
}

// shown returns how many keys the instances publish.
func (r *rotating) shown() int {
	return len(r.other.ok("GET", "/v1/sessions/jwks/"+r.server.Credentials().ProjectID, nil)["keys"].([]any))
}

// keyID returns the id of the key that signed a JWT.
func keyID(t *testing.T, text string) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(text, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Header["kid"].(string)
}

func TestRotateKey(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		r := newRotating(t, f, 10*time.Minute+2*time.Second)
		earlier := f.newSDK(stytchapi.WithBaseURI(r.other.url)) // fetches the keys now
		rotation, err := f.server.RotateKey(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		shown := f.newSDK(stytchapi.WithBaseURI(r.other.url))
		instances := map[string]*fixture{"the one that rotated": f, "the other": r.other}
		old := map[string]string{}

		f.clock.advance(rotation.SignsFrom.Sub(f.clock.now()) - time.Second)
		for name, by := range instances {
			old[name] = r.jwt(by)
			if keyID(t, old[name]) == rotation.KeyID || !good(earlier, old[name]) || !good(shown, old[name]) {
				t.Errorf("%s signs with a key that not everybody has fetched yet", name)
			}
		}
		f.clock.advance(time.Second)
		for name, by := range instances {
			jwt := r.jwt(by)
			if keyID(t, jwt) != rotation.KeyID || !good(shown, jwt) || !good(earlier, jwt) || !exchanges(t, r.other, jwt) {
				t.Errorf("%s does not sign with the new key", name)
			}
			if !good(shown, old[name]) || !exchanges(t, by, old[name]) || !exchanges(t, by, r.firstJWT) {
				t.Errorf("what %s signed with the old key is good for nothing", name)
			}
		}
		f.clock.advance(30*24*time.Hour - time.Microsecond)
		if n := r.shown(); n != 2 {
			t.Errorf("%d keys are shown within a month", n)
		}
		f.clock.advance(time.Microsecond)
		if n := r.shown(); n != 1 {
			t.Errorf("%d keys are shown after a month", n)
		}
	})
}

func TestRotateKey_Immediately(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		r := newRotating(t, f, 0)
		rotation, err := f.server.RotateKey(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		after := f.newSDK(stytchapi.WithBaseURI(r.other.url))
		for name, by := range map[string]*fixture{"the one that rotated": f, "the other": r.other} {
			jwt := r.jwt(by)
			if keyID(t, jwt) != rotation.KeyID || !good(after, jwt) || !exchanges(t, by, jwt) {
				t.Errorf("a JWT of %s is not good", name)
			}
		}
		if good(after, r.firstJWT) || exchanges(t, f, r.firstJWT) || exchanges(t, r.other, r.firstJWT) {
			t.Error("what the old key signed is still good")
		}
	})
}

func TestRotateKey_BeforeTheLastOneSigns(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	r := newRotating(t, f, 0)
	for range 2 {
		if _, err := f.server.RotateKey(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	api := f.newSDK(stytchapi.WithBaseURI(r.other.url))
	if keyID(t, r.jwt(r.other)) != keyID(t, r.firstJWT) || !good(api, r.jwt(f)) {
		t.Error("a key signs before it was shown for long enough")
	}
}

// The other instance rotates between a read and a write of the first. On SQLite it would
// have to wait.
func TestRotateKey_Concurrently(t *testing.T) {
	t.Parallel()
	var between atomic.Pointer[func()]
	f := newFixture(t, testdb.MySQL(t), newClock(time.Now()), func(o *stytchlocal.Options) {
		now := o.Now
		o.Now = func() time.Time {
			if fn := between.Swap(nil); fn != nil {
				(*fn)()
			}
			return now()
		}
	})
	r := newRotating(t, f, 0)
	rotates := func(by *fixture) {
		if _, err := by.server.RotateKey(t.Context(), false); err != nil {
			t.Error(err)
		}
	}
	rotateOther := func() { rotates(r.other) }
	between.Store(&rotateOther)
	rotates(f)
	if n := r.shown(); n != 3 {
		t.Errorf("%d keys are shown, want the first and two new ones", n)
	}
}

// The first key is the shortest that is allowed.
func TestRotateKey_3072Bits(t *testing.T) {
	f := onSQLite(t)
	if _, err := f.server.RotateKey(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	f.server.API().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/sessions/jwks/"+f.server.Credentials().ProjectID, nil))
	var got struct{ Keys []struct{ N string } }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Keys) != 2 {
		t.Fatalf("%v: %s", err, w.Body)
	}
	for i, key := range got.Keys {
		if n, err := base64.RawURLEncoding.DecodeString(key.N); err != nil || len(n)*8 != 3072 {
			t.Errorf("key %d has %d bits, %v", i, len(n)*8, err)
		}
	}
}
