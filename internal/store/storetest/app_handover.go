package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// cookieHash returns the hash of a browser's cookie.
func cookieHash(name string) string { return apps.HashCredential(name) }

// codeFor returns a code that has the name of its cookie.
func codeFor(a apps.App, v session.Session, name string) apps.Code {
	return apps.Code{
		Hash: apps.HashCredential("code " + name), AppID: a.ID, SessionHash: v.TokenHash, CookieHash: cookieHash("asked " + name), Path: "/a?b=%20\u00fc",
		CreatedAt: Now(), ExpiresAt: Now().Add(time.Minute),
	}
}

// credential returns a rule that issues a credential for a cookie.
func credential(name string) func(apps.Code, session.Session, int) (apps.Credential, error) {
	return func(c apps.Code, v session.Session, _ int) (apps.Credential, error) {
		return apps.Credential{CookieHash: cookieHash(name), AppID: c.AppID, SessionHash: c.SessionHash, CreatedAt: Now(), ExpiresAt: v.ExpiresAt}, nil
	}
}

// enter issues a credential for an app and returns its hash.
func enter(t *testing.T, s Store, a apps.App, v session.Session, name string) string {
	t.Helper()
	c := codeFor(a, v, name)
	must(t, s.CreateCode(t.Context(), c))
	must(t, s.RedeemCode(t.Context(), c.Hash, ago(time.Minute), credential(name)))
	return cookieHash(name)
}

func testRedeemCode(t *testing.T, s Store) {
	ada := member("Ada", "Ada@example.com")
	create(t, s, ada)
	wiki := appFor("Wiki")
	createApps(t, s, wiki)
	v := mustSignIn(t, s, signInRequest(ada, "one"))
	code := codeFor(wiki, v, "one")
	code.Path = "/" + strings.Repeat("ü%20", 600)
	must(t, s.CreateCode(t.Context(), code))
	refuse := func(apps.Code, session.Session, int) (apps.Credential, error) { return apps.Credential{}, apps.ErrLoop }
	if err := s.RedeemCode(t.Context(), code.Hash, ago(time.Minute), refuse); !errors.Is(err, apps.ErrLoop) {
		t.Errorf("the rule's error: %v", err)
	}
	for _, hash := range append(variants(code.Hash), strings.ToUpper(code.Hash)) {
		if err := s.RedeemCode(t.Context(), hash, ago(time.Minute), credential("x")); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the code %q: %v", hash, err)
		}
	}
	must(t, s.RedeemCode(t.Context(), code.Hash, ago(time.Minute), func(c apps.Code, got session.Session, recent int) (apps.Credential, error) {
		want := asFound(v)
		want.User = got.User
		if diff := gocmp.Diff(code, c) + gocmp.Diff(want, got) + gocmp.Diff(ada.ID, got.User.ID); diff != "" || recent != 0 {
			t.Errorf("arguments of the rule: %d recent, -want +got\n%s", recent, diff)
		}
		return credential("new")(c, got, recent)
	}))
	if state, err := s.CheckSession(t.Context(), wiki.Host, cookieHash("new")); state.Session.TokenHash != v.TokenHash || err != nil {
		t.Errorf("its credential: %+v, %v", state, err)
	}
	if err := s.RedeemCode(t.Context(), code.Hash, ago(time.Minute), credential("again")); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	late := codeFor(wiki, v, "late")
	must(t, s.CreateCode(t.Context(), late))
	if _, err := s.EndSessions(t.Context(), ada.ID, ending("signed out", func(session.Session) bool { return true })); err != nil {
		t.Fatal(err)
	}
	if err := s.RedeemCode(t.Context(), late.Hash, ago(time.Minute), credential("late")); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("after its session ended: %v", err)
	}
	for _, name := range []string{"x", "again", "late"} {
		if state, err := s.CheckSession(t.Context(), wiki.Host, cookieHash(name)); state.Session.TokenHash != "" || err != nil {
			t.Errorf("a credential %q was issued: %+v, %v", name, state, err)
		}
	}
}

func testRedeemCodeConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	ada := member("Ada", "ada@example.com")
	create(t, stores[0], ada)
	wiki := appFor("Wiki")
	createApps(t, stores[0], wiki)
	v := mustSignIn(t, stores[0], signInRequest(ada, "one"))
	for round := range 10 {
		code := codeFor(wiki, v, fmt.Sprint(round))
		must(t, stores[0].CreateCode(t.Context(), code))
		redeemed := 0
		for _, err := range concurrently(8, func(i int) error {
			return stores[i%2].RedeemCode(t.Context(), code.Hash, ago(time.Minute), credential(fmt.Sprint(round, i)))
		}) {
			switch {
			case err == nil:
				redeemed++
			case !errors.Is(err, directory.ErrNotFound):
				t.Errorf("round %d: %v", round, err)
			}
		}
		issued := 0
		for i := range 8 {
			state, err := stores[0].CheckSession(t.Context(), wiki.Host, cookieHash(fmt.Sprint(round, i)))
			if err != nil {
				t.Fatal(err)
			}
			if state.Session.TokenHash != "" {
				issued++
			}
		}
		if redeemed != 1 || issued != 1 {
			t.Errorf("round %d: redeemed %d times, %d credentials", round, redeemed, issued)
		}
	}
}

func testRedeemRecent(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	wiki, shop := appFor("Wiki"), appFor("Shop")
	createApps(t, s, wiki, shop)
	v, other := mustSignIn(t, s, signInRequest(ada, "one")), mustSignIn(t, s, signInRequest(ada, "two"))
	enter(t, s, shop, v, "another app")
	enter(t, s, wiki, other, "another session")
	for i, at := range []time.Time{ago(2 * time.Minute), ago(time.Minute), ago(time.Second), Now()} {
		code := codeFor(wiki, v, fmt.Sprint(i))
		must(t, s.CreateCode(t.Context(), code))
		must(t, s.RedeemCode(t.Context(), code.Hash, ago(time.Minute), func(c apps.Code, v session.Session, recent int) (apps.Credential, error) {
			if want := max(0, i-2); recent != want {
				t.Errorf("%d: %d recent, want %d", i, recent, want)
			}
			made, err := credential(fmt.Sprint(i))(c, v, recent)
			made.CreatedAt = at
			return made, err
		}))
	}
}

func testDeleteExpiredAccess(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	wiki := appFor("Wiki")
	createApps(t, s, wiki)
	v := mustSignIn(t, s, signInRequest(ada, "one"))
	for i, expires := range []time.Time{ago(time.Hour), Now(), Now().Add(time.Microsecond)} {
		name := fmt.Sprint(i)
		enter(t, s, wiki, v, "live "+name)
		code := codeFor(wiki, v, name)
		code.ExpiresAt = expires
		must(t, s.CreateCode(t.Context(), code))
		issued := codeFor(wiki, v, "issued "+name)
		must(t, s.CreateCode(t.Context(), issued))
		must(t, s.RedeemCode(t.Context(), issued.Hash, Now(), func(c apps.Code, v session.Session, recent int) (apps.Credential, error) {
			made, err := credential(name)(c, v, recent)
			made.ExpiresAt = expires
			return made, err
		}))
		token := appToken(wiki, ada, name)
		token.ExpiresAt = expires
		createAppTokens(t, s, token)
	}
	if n, err := s.DeleteExpiredAccess(t.Context(), Now(), ago(time.Minute)); n != 2+2+1 || err != nil {
		t.Errorf("%d were deleted, %v", n, err)
	}
	if n, err := s.DeleteExpiredAccess(t.Context(), Now(), Now()); n != 1 || err != nil {
		t.Errorf("then %d were deleted, %v", n, err)
	}
	for i, want := range []bool{false, false, true} {
		state, err := s.CheckSession(t.Context(), wiki.Host, cookieHash(fmt.Sprint(i)))
		if signedIn := state.Session.TokenHash != ""; signedIn != want || err != nil {
			t.Errorf("credential %d: %v, %v", i, signedIn, err)
		}
		err = s.RedeemCode(t.Context(), codeFor(wiki, v, fmt.Sprint(i)).Hash, Now(), credential(fmt.Sprint("code ", i)))
		if found := err == nil; found != want {
			t.Errorf("code %d: %v", i, err)
		}
	}
	if list, err := s.ListAppTokens(t.Context(), wiki.ID); len(list) != 1 || err != nil {
		t.Errorf("tokens %v, %v", list, err)
	}
}
