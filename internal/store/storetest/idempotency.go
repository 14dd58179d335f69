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
	{"a response is repeated for a day, for the same user, key and body only", single(testAnswerAgain)},
	{"a key is claimed until its request ends or its lease expires", single(testKeyInProgress)},
	{"a change without a response is known to the next request", single(testDoneWithoutAnswer)},
	{"a group or an app without a response is known to the next request", single(testCreatedWithoutAnswer)},
	{"a failed change is not recorded", single(testNotDone)},
	{"a request whose key was taken over writes nothing", single(testKeyTaken)},
	{"a reset key counts as new", single(testForgottenKey)},
	{"expired keys, and no others, are deleted", single(testDeleteKeys)},
	{"one of fifty requests with one key on two instances is executed", testKeyConcurrently},
	{"one of fifty requests takes over a key, and none repeats a change", testTakeOverConcurrently},
}

// newClaim returns a new request's claim on a key.
func newClaim(t *testing.T, key, body string) idempotency.Claim {
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

// addUser adds a user by a request with a claim.
func addUser(t *testing.T, s Store, c idempotency.Claim, u directory.User) error {
	return s.CreateUser(t.Context(), directory.NewUser{Claim: c, User: u, Event: event.New(event.UserAdded, Now(), u.ID, u.Email.Normalized, "")})
}

func testCreatedWithoutAnswer(t *testing.T, s Store) {
	g, a := newGroup("Staff"), appFor("Wiki")
	group, app := newClaim(t, "group", "body"), newClaim(t, "app", "body")
	wantClaim(t, s, group, Now(), idempotency.Result{}, nil)
	wantClaim(t, s, app, Now(), idempotency.Result{}, nil)
	must(t, s.CreateGroup(t.Context(), g, groupEvent(event.GroupCreated, g), group))
	must(t, s.CreateApp(t.Context(), a, appEvent(event.AppCreated, a), app))
	later := Now().Add(idempotency.Lease)
	wantClaim(t, s, newClaim(t, "group", "body"), later, idempotency.Result{UserID: g.ID}, nil)
	wantClaim(t, s, newClaim(t, "app", "body"), later, idempotency.Result{UserID: a.ID}, nil)
	// A request whose key was taken over writes nothing.
	g, a = newGroup("Board"), appFor("Shop")
	if err := s.CreateGroup(t.Context(), g, groupEvent(event.GroupCreated, g), group); !errors.Is(err, idempotency.ErrInProgress) {
		t.Errorf("a group: %v", err)
	}
	if err := s.CreateApp(t.Context(), a, appEvent(event.AppCreated, a), app); !errors.Is(err, idempotency.ErrInProgress) {
		t.Errorf("an app: %v", err)
	}
	if _, err := s.GetGroup(t.Context(), g.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the group was created: %v", err)
	}
	if _, err := s.GetApp(t.Context(), a.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the app was created: %v", err)
	}
}

func testAnswerAgain(t *testing.T, s Store) {
	c := newClaim(t, "key", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	must(t, s.SaveResponse(t.Context(), c, answer))
	must(t, s.SaveResponse(t.Context(), c, idempotency.Response{Status: 409})) // has no effect
	for _, later := range []time.Duration{0, time.Hour, idempotency.Retention - time.Microsecond} {
		wantClaim(t, s, newClaim(t, "key", "body"), Now().Add(later), idempotency.Result{Answer: answer}, nil)
		wantClaim(t, s, newClaim(t, "key", "Body"), Now().Add(later), idempotency.Result{}, idempotency.ErrReused)
	}
	for _, other := range []struct{ person, route, key string }{
		{"ada", "POST /api/users", "Key"}, {"ada", "POST /api/users", "key "}, {"bob", "POST /api/users", "key"}, {"ada", "POST /api/invite_user", "key"},
	} {
		c, err := idempotency.NewClaim(other.person, other.route, []string{other.key}, []byte("body"))
		must(t, err)
		wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	}
	wantClaim(t, s, newClaim(t, "key", "another body"), Now().Add(idempotency.Retention), idempotency.Result{}, nil)
	wantClaim(t, s, newClaim(t, "key", "body"), Now().Add(idempotency.Retention), idempotency.Result{}, idempotency.ErrReused)
}

func testKeyInProgress(t *testing.T, s Store) {
	c := newClaim(t, "key", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	wantClaim(t, s, newClaim(t, "key", "body"), Now().Add(idempotency.Lease-time.Microsecond), idempotency.Result{}, idempotency.ErrInProgress)
	wantClaim(t, s, newClaim(t, "key", "other"), Now(), idempotency.Result{}, idempotency.ErrReused)
	next := newClaim(t, "key", "body")
	wantClaim(t, s, next, Now().Add(idempotency.Lease), idempotency.Result{}, nil)
	wantClaim(t, s, newClaim(t, "key", "body"), Now().Add(idempotency.Lease), idempotency.Result{}, idempotency.ErrInProgress)
	must(t, s.ReleaseKey(t.Context(), c)) // no longer its claim
	wantClaim(t, s, newClaim(t, "key", "body"), Now().Add(idempotency.Lease), idempotency.Result{}, idempotency.ErrInProgress)
	must(t, s.ReleaseKey(t.Context(), next))
	wantClaim(t, s, newClaim(t, "key", "body"), Now().Add(idempotency.Lease), idempotency.Result{}, nil)
}

func testDoneWithoutAnswer(t *testing.T, s Store) {
	c, ada := newClaim(t, "add", "body"), member("Ada", "ada@example.com")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	must(t, addUser(t, s, c, ada))
	for _, later := range []time.Duration{1, 2, 3} { // however often it is interrupted
		wantClaim(t, s, newClaim(t, "add", "body"), Now().Add(later*idempotency.Lease), idempotency.Result{UserID: ada.ID}, nil)
	}
	c = newClaim(t, "invite", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	_, err := s.ChangeUser(t.Context(), ada.ID, func(s directory.RuleState) (directory.Change, error) {
		s.User.Name = "Countess"
		return directory.Change{User: s.User, Claim: c}, nil
	})
	must(t, err)
	must(t, s.ReleaseKey(t.Context(), c))
	wantClaim(t, s, newClaim(t, "invite", "body"), Now(), idempotency.Result{UserID: ada.ID}, nil)
}

func testNotDone(t *testing.T, s Store) {
	create(t, s, member("Ada", "ada@example.com"))
	c := newClaim(t, "key", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	if err := addUser(t, s, c, member("Ada", "ADA@example.com")); !errors.Is(err, directory.ErrEmailTaken) {
		t.Errorf("got %v", err)
	}
	must(t, s.ReleaseKey(t.Context(), c))
	wantClaim(t, s, newClaim(t, "key", "body"), Now(), idempotency.Result{}, nil)
}

func testKeyTaken(t *testing.T, s Store) {
	slow, ada := newClaim(t, "key", "body"), member("Ada", "ada@example.com")
	wantClaim(t, s, slow, Now(), idempotency.Result{}, nil)
	quick := newClaim(t, "key", "body")
	wantClaim(t, s, quick, Now().Add(idempotency.Lease), idempotency.Result{}, nil)
	if err := addUser(t, s, slow, ada); !errors.Is(err, idempotency.ErrInProgress) {
		t.Errorf("the slow request: %v", err)
	}
	if _, err := s.GetUser(t.Context(), ada.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the slow request wrote: %v", err)
	}
	must(t, addUser(t, s, quick, ada))
	must(t, s.SaveResponse(t.Context(), slow, idempotency.Response{Status: 409}))
	must(t, s.ResetKey(t.Context(), slow))
	must(t, s.SaveResponse(t.Context(), quick, answer))
	wantClaim(t, s, newClaim(t, "key", "body"), Now(), idempotency.Result{Answer: answer}, nil)
}

func testForgottenKey(t *testing.T, s Store) {
	c := newClaim(t, "key", "body")
	wantClaim(t, s, c, Now(), idempotency.Result{}, nil)
	must(t, addUser(t, s, c, member("Ada", "ada@example.com")))
	must(t, s.ResetKey(t.Context(), c))
	wantClaim(t, s, newClaim(t, "key", "other"), Now(), idempotency.Result{}, nil)
}

func testDeleteKeys(t *testing.T, s Store) {
	for i := range 120 {
		wantClaim(t, s, newClaim(t, fmt.Sprint(i), "body"), Now(), idempotency.Result{}, nil)
	}
	wantClaim(t, s, newClaim(t, "later", "body"), Now().Add(time.Second), idempotency.Result{}, nil)
	if n, err := s.DeleteKeys(t.Context(), Now().Add(idempotency.Retention-time.Microsecond)); n != 0 || err != nil {
		t.Errorf("%d deleted too early: %v", n, err)
	}
	if n, err := s.DeleteKeys(t.Context(), Now().Add(idempotency.Retention)); n != 120 || err != nil {
		t.Errorf("%d deleted, want 120: %v", n, err)
	}
	wantClaim(t, s, newClaim(t, "later", "other"), Now(), idempotency.Result{}, idempotency.ErrReused)
}

func testKeyConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	claimConcurrently(t, stores, Now(), func(idempotency.Result) bool { return true })
}

func testTakeOverConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	first := newClaim(t, "key", "body")
	wantClaim(t, stores[0], first, Now(), idempotency.Result{}, nil)
	claimConcurrently(t, stores, Now().Add(idempotency.Lease), func(f idempotency.Result) bool { return f.UserID == "" })

	second, ada := newClaim(t, "done", "body"), member("Ada", "ada@example.com")
	wantClaim(t, stores[0], second, Now(), idempotency.Result{}, nil)
	var claimed atomic.Int64
	for i, err := range concurrently(50, func(i int) error {
		if i == 0 {
			return addUser(t, stores[0], second, ada) // late
		}
		found, err := stores[i%2].ClaimKey(t.Context(), newClaim(t, "done", "body"), Now().Add(idempotency.Lease))
		if err == nil && found.UserID == "" { // before the change, which then failed
			claimed.Add(1)
		}
		return err
	}) {
		if i == 0 && (err == nil) != (claimed.Load() == 0) {
			t.Errorf("the change: %v, with %d claims before it", err, claimed.Load())
		}
	}
}

// claimConcurrently makes fifty requests claim one key. Those for which may returns true
// add a user.
func claimConcurrently(t *testing.T, stores []Store, now time.Time, may func(idempotency.Result) bool) {
	t.Helper()
	done := 0
	for i, err := range concurrently(50, func(i int) error {
		c := newClaim(t, "key", "body")
		found, err := stores[i%2].ClaimKey(t.Context(), c, now)
		if err == nil && may(found) {
			err = addUser(t, stores[i%2], c, member("Ada", fmt.Sprintf("ada%d@example.com", i)))
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
		t.Errorf("%d requests were executed, %d users exist", done, total)
	}
}
