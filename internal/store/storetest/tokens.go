package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/token"
)

var tokenRows = []row{
	{"a token is read with its owner", single(testGetToken)},
	{"a token is created if the rule allows it, once, with its event", single(testCreateToken)},
	{"concurrent calls don't create more tokens than the rule allows", testTokensConcurrently},
	{"a user's tokens are listed newest first, and those of all users page by page", single(testListTokens)},
	{"LastUsedAt of a token never goes back", single(testSetTokenUsed)},
	{"revoking tokens is recorded and doesn't affect other users", single(testRevokeTokens)},
	{"a change of a user can revoke their tokens", single(testChangeRevokesTokens)},
	{"expired tokens are deleted", single(testDeleteExpiredTokens)},
}

// tokenOf returns a new token of a user.
func tokenOf(u directory.User, name string) token.Token {
	return token.Token{
		ID: newID(), Hash: token.Hash(name), UserID: u.ID, Name: name, Scope: token.Write,
		CreatedAt: ago(time.Hour), ExpiresAt: Now().Add(time.Hour),
	}
}

// allowAll is a rule that allows any number of tokens.
func allowAll(directory.User, []token.Token) error { return nil }

func createTokens(t *testing.T, s Store, tokens ...token.Token) {
	t.Helper()
	for _, v := range tokens {
		if err := s.CreateToken(t.Context(), v, tokenCreated(v), allowAll); err != nil {
			t.Fatal(err)
		}
	}
}

func tokenCreated(v token.Token) event.Event {
	return event.New(event.TokenCreated, Now(), v.UserID, "", v.Name)
}

func testGetToken(t *testing.T, s Store) {
	u := admin("Ada", "Ada@example.com")
	create(t, s, u)
	want := tokenOf(u, "Deploy, 李 🚀")
	createTokens(t, s, want)
	found, err := s.FindToken(t.Context(), want.ID)
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("found: %v, -want +got\n%s", err, diff)
	}
	want.User = u
	got, err := s.GetToken(t.Context(), want.Hash)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
	if _, err := s.ChangeUser(t.Context(), u.ID, set(func(u *directory.User) { u.Role = directory.Member })); err != nil {
		t.Fatal(err)
	}
	if got, err := s.GetToken(t.Context(), want.Hash); err != nil || got.User.Role != directory.Member {
		t.Errorf("after a change of role: %v, %v", got.User.Role, err)
	}
	remove(t, s, u.ID)
	for _, hash := range []string{want.Hash, "", want.Hash[:63], token.Hash("other")} {
		if _, err := s.GetToken(t.Context(), hash); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%q: %v", hash, err)
		}
	}
	if _, err := s.FindToken(t.Context(), newID()); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("an unknown token: %v", err)
	}
}

func testCreateToken(t *testing.T, s Store) {
	ada, bob := admin("Ada", "ada@example.com"), admin("Bob", "bob@example.com")
	create(t, s, ada, bob)
	first := tokenOf(ada, "first")
	createTokens(t, s, first)
	second := tokenOf(ada, "second")
	err := s.CreateToken(t.Context(), second, tokenCreated(second), func(owner directory.User, have []token.Token) error {
		if diff := cmp.Diff(ada, owner) + cmp.Diff([]token.Token{first}, have); diff != "" {
			t.Errorf("arguments of the rule: -want +got\n%s", diff)
		}
		return token.ErrTooMany
	})
	if !errors.Is(err, token.ErrTooMany) {
		t.Errorf("against the rule: %v", err)
	}
	for _, owner := range []directory.User{ada, bob} { // an ID is unique across owners
		again := tokenOf(owner, "again")
		again.ID = first.ID
		if err := s.CreateToken(t.Context(), again, tokenCreated(again), allowAll); !errors.Is(err, token.ErrDuplicate) {
			t.Errorf("created twice: %v", err)
		}
	}
	ownerless := tokenOf(member("Eve", "eve@example.com"), "ownerless")
	if err := s.CreateToken(t.Context(), ownerless, tokenCreated(ownerless), allowAll); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("of an unknown user: %v", err)
	}
	created, _, err := s.ListEvents(t.Context(), event.Query{Kind: event.TokenCreated, Limit: 10})
	if err != nil || len(created) != 1 || created[0].Reason != "first" {
		t.Errorf("recorded: %v, %v", created, err)
	}
}

func testTokensConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	u := admin("Ada", "ada@example.com")
	create(t, stores[0], u)
	few := func(_ directory.User, have []token.Token) error {
		if len(have) >= 3 {
			return token.ErrTooMany
		}
		return nil
	}
	created := 0
	for _, err := range concurrently(12, func(i int) error {
		v := tokenOf(u, fmt.Sprint(i))
		return stores[i%2].CreateToken(t.Context(), v, tokenCreated(v), few)
	}) {
		switch {
		case err == nil:
			created++
		case !errors.Is(err, token.ErrTooMany):
			t.Error(err)
		}
	}
	if list, err := stores[1].ListTokensOf(t.Context(), u.ID); created != 3 || len(list) != 3 || err != nil {
		t.Errorf("%d were created, %d exist, %v", created, len(list), err)
	}
}

func testListTokens(t *testing.T, s Store) {
	ada, bob := admin("Ada", "ada@example.com"), admin("Bob", "bob@example.com")
	create(t, s, ada, bob)
	all := []token.Token{tokenOf(ada, "one"), tokenOf(bob, "two"), tokenOf(ada, "three")}
	createTokens(t, s, all...)
	own, err := s.ListTokensOf(t.Context(), ada.ID)
	if diff := cmp.Diff([]token.Token{all[2], all[0]}, own); diff != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
	all[0].User, all[1].User, all[2].User = ada, bob, ada
	for after, want := range map[string][]token.Token{"": all[:2], all[1].ID: all[2:], all[2].ID: {}} {
		page, err := s.ListTokens(t.Context(), after, 2)
		if diff := cmp.Diff(want, page); diff != "" || err != nil {
			t.Errorf("after %q: %v, -want +got\n%s", after, err, diff)
		}
	}
}

func testSetTokenUsed(t *testing.T, s Store) {
	u := admin("Ada", "ada@example.com")
	create(t, s, u)
	v := tokenOf(u, "one")
	createTokens(t, s, v)
	for _, at := range []time.Time{ago(time.Minute), Now(), Now(), ago(time.Second)} {
		if err := s.SetTokenUsed(t.Context(), v.Hash, at); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.FindToken(t.Context(), v.ID); err != nil || !got.LastUsedAt.Equal(Now()) {
		t.Errorf("last used %v, %v", got.LastUsedAt, err)
	}
	if err := s.SetTokenUsed(t.Context(), token.Hash("gone"), Now()); err != nil {
		t.Errorf("an unknown token: %v", err)
	}
}

func testRevokeTokens(t *testing.T, s Store) {
	ada, bob := admin("Ada", "ada@example.com"), admin("Bob", "bob@example.com")
	create(t, s, ada, bob)
	one, two, his := tokenOf(ada, "one"), tokenOf(ada, "two"), tokenOf(bob, "his")
	createTokens(t, s, one, two, his)
	for _, r := range []struct {
		match func(token.Token) bool
		want  int
	}{
		{func(v token.Token) bool { return v.ID == his.ID }, 0},
		{func(v token.Token) bool { return v.ID == one.ID }, 1},
		{func(token.Token) bool { return true }, 1},
		{func(token.Token) bool { return true }, 0},
	} {
		if n, err := s.RevokeTokens(t.Context(), ada.ID, revoking("lost", r.match)); n != r.want || err != nil {
			t.Errorf("%d, %v, want %d", n, err, r.want)
		}
	}
	wantRevoked(t, s, ada, "two: lost", "one: lost")
	if list, err := s.ListTokensOf(t.Context(), bob.ID); len(list) != 1 || err != nil {
		t.Errorf("bob has %v, %v", list, err)
	}
	if n, err := s.RevokeTokens(t.Context(), newID(), revoking("", func(token.Token) bool { return true })); n != 0 || !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("of an unknown user: %d, %v", n, err)
	}
}

// wantRevoked checks the reasons of a user's TokenRevoked events, newest first.
func wantRevoked(t *testing.T, s Store, u directory.User, reasons ...string) {
	t.Helper()
	events, _, err := s.ListEvents(t.Context(), event.Query{About: u.Email.Normalized, Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, e := range slices.DeleteFunc(events, func(e event.Event) bool { return e.Kind != event.TokenRevoked }) {
		got = append(got, e.Reason)
	}
	if diff := cmp.Diff(reasons, got); diff != "" {
		t.Errorf("recorded: -want +got\n%s", diff)
	}
}

func testChangeRevokesTokens(t *testing.T, s Store) {
	ada, bob := admin("Ada", "ada@example.com"), admin("Bob", "bob@example.com")
	create(t, s, ada, bob)
	createTokens(t, s, tokenOf(ada, "one"), tokenOf(bob, "his"))
	for _, removing := range []bool{false, true} {
		if removing {
			createTokens(t, s, tokenOf(ada, "two"))
		}
		if _, err := s.ChangeUser(t.Context(), ada.ID, func(s directory.RuleState) (directory.Change, error) {
			return directory.Change{User: s.User, Remove: removing, RevokeToken: func(name string) event.Event {
				return s.User.RevokeToken(event.Origin{}, name, "said so", Now())
			}}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	wantRevoked(t, s, ada, "two: said so", "one: said so")
	if all, err := s.ListTokensOf(t.Context(), ada.ID); len(all) != 0 || err != nil {
		t.Errorf("ada has %v, %v", all, err)
	}
	if _, err := s.GetToken(t.Context(), token.Hash("his")); err != nil {
		t.Errorf("bob's: %v", err)
	}
}

func testDeleteExpiredTokens(t *testing.T, s Store) {
	u := admin("Ada", "ada@example.com")
	create(t, s, u)
	for name, left := range map[string]time.Duration{"expired": -time.Hour, "expired now": 0, "good": time.Microsecond} {
		v := tokenOf(u, name)
		v.ExpiresAt = Now().Add(left)
		createTokens(t, s, v)
	}
	for _, want := range []int{2, 0} {
		if n, err := s.DeleteExpiredTokens(t.Context(), Now()); n != want || err != nil {
			t.Errorf("%d deleted, want %d; %v", n, want, err)
		}
	}
	if _, err := s.GetToken(t.Context(), token.Hash("good")); err != nil {
		t.Errorf("the good one: %v", err)
	}
}
