package session_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// A request for a code, and a wrong code, cause the same statements for every address.
func TestCodes_Statements(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.code = right
		f.reconfigure(func(o *session.Options) { o.Limits = true })
		f.put("active@example.com", directory.Member, directory.Active)
		f.put("suspended@example.com", directory.Member, directory.Suspended)
		var mu sync.Mutex
		var statements []string
		f.db.Watch(func(_ context.Context, name string) func(error) {
			mu.Lock()
			defer mu.Unlock()
			statements = append(statements, name)
			return func(error) {}
		})
		made := map[string][]string{}
		for i, who := range []string{"first", "active", "suspended", "unknown"} { // the first one creates rows of total limits
			statements = nil
			b := session.Browser{Address: fmt.Sprintf("198.51.%d.7", i)}
			flow, err := f.RequestCode(t.Context(), mustParse(t, who+"@example.com"), session.SignInFlow{}, b)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if !slices.Contains(statements, "SetEmailCodeSent") {
				t.Errorf("%s: %v", who, statements)
			}
			for range 6 {
				if _, _, err := f.SignInWithCode(t.Context(), session.CodeCredentials{Code: "000000", Flow: flow}, b); err == nil {
					t.Fatal("signed in")
				}
			}
			made[who] = statements
		}
		for _, who := range []string{"suspended", "unknown"} {
			if diff := cmp.Diff(made["active"], made[who]); diff != "" {
				t.Errorf("%s makes other statements than an active user (-active +%s):\n%s", who, who, diff)
			}
		}
		f.Close()
	})
}

// Each statement is a round trip. The client waits for those before the event, and all of them are
// the same for every address.
func TestRequestLink_Statements(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *session.Options) { o.Limits = true })
		f.reconfigure(func(o *session.Options) { o.Decoy = func(context.Context, string) error { return nil } })
		for _, who := range []string{"active", "used"} {
			f.put(who+"@example.com", directory.Member, directory.Active)
		}
		f.put("suspended@example.com", directory.Member, directory.Suspended)
		var mu sync.Mutex
		var statements []string
		f.db.Watch(func(_ context.Context, name string) func(error) {
			mu.Lock()
			defer mu.Unlock()
			statements = append(statements, name)
			return func(error) {}
		})
		asks := func(who string, b session.Browser) []string {
			statements = nil
			if _, err := f.RequestLink(t.Context(), mustParse(t, who+"@example.com"), session.SignInFlow{}, b); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return statements
		}
		again := session.Browser{Address: "192.0.2.7"}
		known := session.Browser{Address: "192.0.2.7", KnownID: "a browser"}
		for _, b := range []session.Browser{again, known} {
			asks("used", b)
		}
		for name, test := range map[string]struct {
			b    session.Browser
			want []string
		}{
			"a browser that is new": {again, []string{
				"GetLimits", "TakeLimit", "TakeLimit", "TakeLimit", "TakeLimit", "TakeLimit",
				"GetLimits", "TakeLimit", "TakeLimit", "TakeLimit", "InsertEvent",
			}},
			"a known browser": {known, []string{"GetLimits", "TakeLimit", "GetLimits", "TakeLimit", "TakeLimit", "InsertEvent"}},
		} {
			ours := slices.DeleteFunc(asks("used", test.b), func(name string) bool {
				return !strings.Contains(name, "Limit") && !strings.Contains(name, "Event")
			})
			if diff := cmp.Diff(test.want, ours); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		fresh := func(n string) session.Browser { return session.Browser{Address: "198.51." + n + ".7"} }
		listed := asks("active", fresh("1"))
		for who, n := range map[string]string{"suspended": "2", "unknown": "3"} {
			if diff := cmp.Diff(listed, asks(who, fresh(n))); diff != "" {
				t.Errorf("%s makes other statements than somebody on the list (-listed +%s):\n%s", who, who, diff)
			}
		}
		f.Close()
	})
}

// A sign-in with a passkey takes two requests, and three queries besides what it writes: for the
// limits, for the passkey with its user, and for the user under a lock.
func TestSignInWithPasskey_Statements(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.reconfigure(func(o *session.Options) { o.Limits = true })
		u := f.put("ada@example.com", directory.Member, directory.Active)
		sess, _ := f.signIn("ada@example.com")
		if err := f.db.AddFactor(t.Context(), factor.Addition{
			Factor:      factor.Factor{ID: "f1", UserID: u.ID, Kind: factor.Passkey, ProviderID: "registration-1", Name: "Laptop", CreatedAt: noon},
			SessionHash: sess.TokenHash, Event: event.New(event.FactorAdded, noon, u.ID, u.Email.Normalized, "passkey Laptop"),
		}, func([]factor.Factor) error { return nil }); err != nil {
			t.Fatal(err)
		}
		f.stytch.passkey = func(string, string) (session.Authentication, error) {
			auth, err := proofOf("link:ada@example.com", "of-passkey")
			auth.Email, auth.FactorID = "", "registration-1"
			return auth, err
		}
		known := session.Browser{Address: "192.0.2.7", KnownID: "a browser"}
		if _, err := f.StartPasskey(t.Context(), known); err != nil { // the browser's limit exists
			t.Fatal(err)
		}
		var mu sync.Mutex
		var statements []string
		f.db.Watch(func(_ context.Context, name string) func(error) {
			mu.Lock()
			defer mu.Unlock()
			statements = append(statements, name)
			return func(error) {}
		})
		if _, err := f.StartPasskey(t.Context(), known); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"GetLimits", "TakeLimit"}, statements); diff != "" {
			t.Errorf("options (-want +got):\n%s", diff)
		}
		statements = nil
		const credential = `{"id":"AQID","rawId":"AQID","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFAAAAAQ"}}`
		if _, _, err := f.SignInWithPasskey(t.Context(), credential, "", known); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{
			"GetLimits", "GetFactorByProvider",
			"LockUserByEmailKey", "GetUserByEmailKey", "UpdateUser", "UseFactor", "InsertEvent", "InsertSession",
		}, statements); diff != "" {
			t.Errorf("sign-in (-want +got):\n%s", diff)
		}
		f.Close()
	})
}
