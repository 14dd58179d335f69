package stytch_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
)

func TestAccounts_ListFindGet(t *testing.T) {
	eachWay(t, func(t *testing.T, l *local) {
		var want []reconcile.Account
		for _, address := range []string{"ada@example.com", "bob@example.com", "eve@example.com"} {
			id, err := l.Invite(t.Context(), address, "", "")
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, reconcile.Account{ID: id, Emails: []string{address}})
		}
		var got []reconcile.Account
		for cursor, first := "", true; first || cursor != ""; first = false {
			page, next, err := l.ListAccounts(t.Context(), cursor, 2)
			if err != nil || len(page) > 2 {
				t.Fatalf("%d on a page, %v", len(page), err)
			}
			got, cursor = append(got, page...), next
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("listed: -want +got\n%s", diff)
		}
		const unknownUser = "user-test-22222222-2222-4222-8222-222222222222"
		got, err := l.FindAccounts(t.Context(), []string{want[2].ID, unknownUser, want[0].ID})
		if diff := cmp.Diff([]reconcile.Account{want[0], want[2]}, got); diff != "" || err != nil {
			t.Errorf("found: %v: -want +got\n%s", err, diff)
		}
		one, err := l.GetAccount(t.Context(), want[1].ID)
		if diff := cmp.Diff(want[1], one); diff != "" || err != nil {
			t.Errorf("looked at: %v: -want +got\n%s", err, diff)
		}
		if _, err := l.GetAccount(t.Context(), unknownUser); !errors.Is(err, session.ErrNoAccount) {
			t.Errorf("unknownUser: %v", err)
		}

		p, err := l.redeem(t, l.newest(t, "ada@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string][]string{want[0].ID: {p.SessionID}, want[1].ID: nil, unknownUser: nil} {
			ids, err := l.ListSessions(t.Context(), id)
			if diff := cmp.Diff(want, ids); diff != "" || err != nil {
				t.Errorf("sessions of %s: %v: -want +got\n%s", id, err, diff)
			}
		}
	})
}

// A malformed response must not sign anyone out.
func TestAccounts_MalformedResponse(t *testing.T) {
	t.Parallel()
	list := func(t *testing.T, c comparer) error { _, _, err := c.ListAccounts(t.Context(), "", 1); return err }
	find := func(t *testing.T, c comparer) error {
		_, err := c.FindAccounts(t.Context(), []string{userID})
		return err
	}
	get := func(t *testing.T, c comparer) error { _, err := c.GetAccount(t.Context(), userID); return err }
	sessions := func(t *testing.T, c comparer) error { _, err := c.ListSessions(t.Context(), userID); return err }
	for _, row := range []struct {
		name    string
		call    func(*testing.T, comparer) error
		status  int
		body    string
		refused bool
	}{
		{"an account without an id, in a list", list, 200, `{"results":[{"emails":[{"email":"ada@example.com"}]}]}`, false},
		{"an account without an id, in a search", find, 200, `{"results":[{}]}`, false},
		{"an empty account", get, 200, `{}`, false},
		{"another account", get, 200, `{"user_id":"user-test-1"}`, false},
		{"a 404 of somebody between", get, 404, `{"error_type":"route_not_found"}`, true},
		{"a 404 without a name", get, 404, `{}`, false},
		{"a session of somebody else", sessions, 200, `{"sessions":[{"session_id":"session-test-1","user_id":"user-test-1"}]}`, false},
		{"a session without an id", sessions, 200, `{"sessions":[{"user_id":"` + userID + `"}]}`, false},
		{"a search that is refused", list, 400, `{"error_type":"user_search_invalid_cursor"}`, true},
	} {
		o := options(newClock())
		o.Transport = transport(func(r *http.Request) (*http.Response, error) { return respond(r, row.status, row.body), nil })
		err := row.call(t, newClient(t, o))
		if !errors.Is(err, session.ErrUnavailable) || errors.Is(err, session.ErrNoAccount) || errors.Is(err, outbox.ErrRefused) != row.refused {
			t.Errorf("%s: %v", row.name, err)
		}
		wantNoSecrets(t, err)
	}
}

type comparer = reconcile.Accounts

// A search is slow: its failure must not prevent sign-ins.
func TestListAccounts_FailuresDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	s := newFlakyStytch(t)
	s.down.Store(true)
	for range 5 {
		if _, _, err := s.ListAccounts(t.Context(), "", 1); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("while Stytch is down: %v", err)
		}
	}
	s.down.Store(false)
	if calls, err := s.try(t.Context()); calls != 1 || !errors.Is(err, session.ErrEnded) {
		t.Errorf("%d calls, %v: the first call after them is not made", calls, err)
	}
}
