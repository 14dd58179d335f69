package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
)

var idempotencyRows = []row{
	{"a response is repeated for a day, for the same body and key", on(testAnswerAgain)},
	{"a key is locked until its request or its lease ends", on(testKeyUnderWay)},
	{"work without a response is known to the next request", on(testDoneWithoutAnswer)},
	{"work that failed is not known", on(testNotDone)},
	{"a request whose key was taken stores nothing", on(testKeyTaken)},
	{"a key that was reset is unused", on(testForgottenKey)},
	{"only expired keys are deleted", on(testDeleteKeys)},
	{"of fifty requests with one key over two instances one works", testKeyAtOnce},
	{"of fifty that take over a key one works, and none again what was done", testTakeOverAtOnce},
}

// claims returns a new request's claim on a key.
func claims(t *testing.T, key, body string) idempotency.Claim {
	t.Helper()
	c, err := idempotency.NewClaim("ada", "POST /api/users", []string{key}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var answer = idempotency.Response{Status: 201, Location: "/api/users/1", Body: `{"id":"1","name":"Zoë 🚀"}` + "\n"}

// wantClaim claims a key and checks the result.
func wantClaim(t *testing.T, s Store, c idempotency.Claim, now time.Time, want idempotency.Result, wantErr error) {
	t.Helper()
	found, err := s.ClaimKey(t.Context(), c, now)
	if diff := cmp.Diff(want, found); diff != "" || !errors.Is(err, wantErr) {
		t.Errorf("got %v, want %v; (-want +got):\n%s", err, wantErr, diff)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// work is the work of a request with a claim: it creates a user.
func work(t *testing.T, s Store, c idempotency.Claim, u directory.User) error {
	return s.CreateUser(t.Context(), directory.NewUser{Claim: c, User: u, Event: event.New(event.UserAdded, Now(), u.ID, u.Email.Normalized, "")})
}

func testAnswerAgain(t *testing.T, s Store) {
	c := claims(t, "key", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	must(t, s.SaveResponse(t.Context(), c, answer))
	must(t, s.SaveResponse(t.Context(), c, idempotency.Response{Status: 409})) // the first stays
	for _, later := range []time.Duration{0, time.Hour, idempotency.Retention - time.Microsecond} {
		wantClaim(t, s, claims(t, "key", "body"), Now().Add(later), idempotency.Result{Answer: answer}, nil)
		wantClaim(t, s, claims(t, "key", "Body"), Now().Add(later), idempotency.Result{}, idempotency.ErrReused)
	}
	for _, other := range []struct{ person, route, key string }{
		{"ada", "POST /api/users", "Key"}, {"ada", "POST /api/users", "key "}, {"bob", "POST /api/users", "key"}, {"ada", "POST /api/invite_user", "key"},
	} {
		c, err := idempotency.NewClaim(other.person, other.route, []string{other.key}, []byte("body"))
		must(t, err)
		wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	}
	wantClaim(t, s, claims(t, "key", "another body"), Now().Add(idempotency.Retention), idempotency.Result{}, nil)
	wantClaim(t, s, claims(t, "key", "body"), Now().Add(idempotency.Retention), idempotency.Result{}, idempotency.ErrReused)
}

func testKeyUnderWay(t *testing.T, s Store) {
	c := claims(t, "key", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	wantClaim(t, s, claims(t, "key", "body"), Now().Add(idempotency.Lease-time.Microsecond), idempotency.Result{}, idempotency.ErrInProgress)
	wantClaim(t, s, claims(t, "key", "other"), Now(), idempotency.Result{}, idempotency.ErrReused)
	next := claims(t, "key", "body")
	wantClaim(t, s, next, Now().Add(idempotency.Lease), idempotency.Result{}, nil)
	wantClaim(t, s, claims(t, "key", "body"), Now().Add(idempotency.Lease), idempotency.Result{}, idempotency.ErrInProgress)
	must(t, s.ReleaseKey(t.Context(), c)) // no longer theirs
	wantClaim(t, s, claims(t, "key", "body"), Now().Add(idempotency.Lease), idempotency.Result{}, idempotency.ErrInProgress)
	must(t, s.ReleaseKey(t.Context(), next))
	wantClaim(t, s, claims(t, "key", "body"), Now().Add(idempotency.Lease), idempotency.Result{}, nil)
}

func testDoneWithoutAnswer(t *testing.T, s Store) {
	c, ada := claims(t, "add", "body"), person("Ada", "ada@example.com")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	must(t, work(t, s, c, ada))
	for _, later := range []time.Duration{1, 2, 3} { // each time it is interrupted
		wantClaim(t, s, claims(t, "add", "body"), Now().Add(later*idempotency.Lease), idempotency.Result{UserID: ada.ID}, nil)
	}
	c = claims(t, "invite", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	_, err := s.ChangeUser(t.Context(), ada.ID, func(s directory.RuleState) (directory.Change, error) {
		s.User.Name = "Countess"
		return directory.Change{User: s.User, Claim: c}, nil
	})
	must(t, err)
	must(t, s.ReleaseKey(t.Context(), c))
	wantClaim(t, s, claims(t, "invite", "body"), Now(), idempotency.Result{UserID: ada.ID}, nil)
}

func testNotDone(t *testing.T, s Store) {
	create(t, s, person("Ada", "ada@example.com"))
	c := claims(t, "key", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	if err := work(t, s, c, person("Ada", "ADA@example.com")); !errors.Is(err, directory.ErrEmailTaken) {
		t.Errorf("got %v", err)
	}
	must(t, s.ReleaseKey(t.Context(), c))
	wantClaim(t, s, claims(t, "key", "body"), Now(), idempotency.Result{}, nil)
}

func testKeyTaken(t *testing.T, s Store) {
	slow, ada := claims(t, "key", "body"), person("Ada", "ada@example.com")
	wantClaim(t, s, slow, Now(), idempotency.Result{}, nil)
	quick := claims(t, "key", "body")
	wantClaim(t, s, quick, Now().Add(idempotency.Lease), idempotency.Result{}, nil)
	if err := work(t, s, slow, ada); !errors.Is(err, idempotency.ErrInProgress) {
		t.Errorf("the slow one: %v", err)
	}
	if _, err := s.GetUser(t.Context(), ada.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the slow one has written: %v", err)
	}
	must(t, work(t, s, quick, ada))
	must(t, s.SaveResponse(t.Context(), slow, idempotency.Response{Status: 409}))
	must(t, s.ResetKey(t.Context(), slow))
	must(t, s.SaveResponse(t.Context(), quick, answer))
	wantClaim(t, s, claims(t, "key", "body"), Now(), idempotency.Result{Answer: answer}, nil)
}

func testForgottenKey(t *testing.T, s Store) {
	c := claims(t, "key", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	must(t, work(t, s, c, person("Ada", "ada@example.com")))
	must(t, s.ResetKey(t.Context(), c))
	wantClaim(t, s, claims(t, "key", "other"), Now(), idempotency.Result{}, nil)
}

func testDeleteKeys(t *testing.T, s Store) {
	for i := range 120 {
		wantClaim(t, s, claims(t, fmt.Sprint(i), "body"), Now(), idempotency.Result{}, nil)
	}
	wantClaim(t, s, claims(t, "later", "body"), Now().Add(time.Second), idempotency.Result{}, nil)
	if n, err := s.DeleteKeys(t.Context(), Now().Add(idempotency.Retention-time.Microsecond)); n != 0 || err != nil {
		t.Errorf("%d deleted too early: %v", n, err)
	}
	if n, err := s.DeleteKeys(t.Context(), Now().Add(idempotency.Retention)); n != 120 || err != nil {
		t.Errorf("%d deleted, want 120: %v", n, err)
	}
	wantClaim(t, s, claims(t, "later", "other"), Now(), idempotency.Result{}, idempotency.ErrReused)
}

func testKeyAtOnce(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	atOnceOnKey(t, stores, Now(), func(idempotency.Result) bool { return true })
}

func testTakeOverAtOnce(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	first := claims(t, "key", "body")
	wantClaim(t, stores[0], first, Now(), idempotency.Result{}, nil)
	atOnceOnKey(t, stores, Now().Add(idempotency.Lease), func(f idempotency.Result) bool { return f.UserID == "" })

	second, ada := claims(t, "done", "body"), person("Ada", "ada@example.com")
	wantClaim(t, stores[0], second, Now(), idempotency.Result{}, nil)
	var claimed atomic.Int64
	for i, err := range atOnce(50, func(i int) error {
		if i == 0 {
			return work(t, stores[0], second, ada) // finally
		}
		found, err := stores[i%2].ClaimKey(t.Context(), claims(t, "done", "body"), Now().Add(idempotency.Lease))
		if err == nil && found.UserID == "" { // claimed before the work, which then failed
			claimed.Add(1)
		}
		return err
	}) {
		if i == 0 && (err == nil) != (claimed.Load() == 0) {
			t.Errorf("the work: %v, and %d came before it", err, claimed.Load())
		}
	}
}

// atOnceOnKey makes fifty requests claim one key and then work if they may.
func atOnceOnKey(t *testing.T, stores []Store, now time.Time, may func(idempotency.Result) bool) {
	t.Helper()
	done := 0
	for i, err := range atOnce(50, func(i int) error {
		c := claims(t, "key", "body")
		found, err := stores[i%2].ClaimKey(t.Context(), c, now)
		if err == nil && may(found) {
			err = work(t, stores[i%2], c, person("Ada", fmt.Sprintf("ada%d@example.com", i)))
		}
		return err
	}) {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, idempotency.ErrInProgress):
			t.Errorf("request %d: %v", i, err)
		}
	}
	if total := list(t, stores[0], directory.Query{Sort: directory.ByName, Limit: 100}).Total; done != 1 || total != 1 {
		t.Errorf("%d have worked, %d are on the list", done, total)
	}
}
