package directory_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

func TestEdit(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.put("boss@example.com", directory.Admin, directory.Active)
	want := f.put("ada@example.com", directory.Member, directory.Active)
	want.Name, want.Role, want.LinksAfter = "Ada King", directory.Admin, noon
	got, err := f.Edit(t.Context(), directory.Actor{}, want.ID, directory.Edit{Name: ptr(" Ada King "), Role: ptr("admin")})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := f.GetUser(t.Context(), want.ID)
	if diff := cmp.Diff([]directory.User{want, want}, []directory.User{got, stored}); diff != "" || err != nil {
		t.Errorf("%v, returned and stored (-want +got):\n%s", err, diff)
	}
	if _, err := f.Edit(t.Context(), directory.Actor{}, "nobody", directory.Edit{}); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("nobody: got %v, want ErrNotFound", err)
	}
}

func TestEdit_Suspend(t *testing.T) {
	t.Parallel()
	f := open(t)
	ada := f.put("ada@example.com", directory.Member, directory.Active)
	f.signIn(ada, "stytch-session-1")
	f.outbox.down = true
	if _, err := f.Reinvite(t.Context(), directory.Actor{}, ada.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Edit(t.Context(), directory.Actor{}, ada.ID, directory.Edit{Status: ptr("suspended")}); err != nil {
		t.Fatal(err)
	}
	if left, err := f.db.ListSessions(t.Context(), ada.ID); err != nil || len(left) != 0 {
		t.Errorf("sessions left: %+v, %v", left, err)
	}
	want := []job{{outbox.RevokeSession, "ada@example.com", ada.ID, "stytch-session-1", ""}}
	if diff := cmp.Diff(want, f.jobs("ada@example.com")); diff != "" || f.outbox.woken != 1 {
		t.Errorf("the outbox was woken %d times and has (-want +got):\n%s", f.outbox.woken, diff)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	f := open(t)
	boss := f.put("boss@example.com", directory.Admin, directory.Active)
	if _, err := f.Remove(t.Context(), directory.Actor{}, boss.ID); !errors.Is(err, directory.ErrLastAdmin) {
		t.Errorf("the last administrator: got %v, want ErrLastAdmin", err)
	}
	ada := f.put("ada@example.com", directory.Admin, directory.Active)
	f.signIn(ada, "stytch-session-1")
	got, err := f.Remove(t.Context(), directory.Actor{}, ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Email != ada.Email {
		t.Errorf("removed %v, want %v", got.Email, ada.Email)
	}
	if _, err := f.GetUser(t.Context(), ada.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
	want := []job{
		{outbox.RevokeSession, "ada@example.com", ada.ID, "stytch-session-1", ""},
		{outbox.DeleteUser, "ada@example.com", ada.ID, ada.StytchUserID, ""},
	}
	anyOrder := cmpopts.SortSlices(func(a, b job) bool { return a.Kind < b.Kind })
	if diff := cmp.Diff(want, f.jobs("ada@example.com"), anyOrder); diff != "" || f.outbox.woken != 1 {
		t.Errorf("the outbox was woken %d times and has (-want +got):\n%s", f.outbox.woken, diff)
	}
	if _, err := f.Remove(t.Context(), directory.Actor{}, ada.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("again: got %v, want ErrNotFound", err)
	}
	if back, err := f.Add(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: "ada@example.com"}); err != nil || back.ID == ada.ID {
		t.Errorf("added again as %v, %v", back.ID, err)
	}
}

func TestRemove_ConcurrentLastAdmins(t *testing.T) {
	t.Parallel()
	type act func(context.Context, *directory.Directory, string) (directory.User, error)
	edit := func(e directory.Edit) act {
		return func(ctx context.Context, d *directory.Directory, id string) (directory.User, error) {
			return d.Edit(ctx, directory.Actor{}, id, e)
		}
	}
	for name, act := range map[string]act{
		"when removed": func(ctx context.Context, d *directory.Directory, id string) (directory.User, error) {
			return d.Remove(ctx, directory.Actor{}, id)
		},
		"when demoted":   edit(directory.Edit{Role: ptr("member")}),
		"when suspended": edit(directory.Edit{Status: ptr("suspended")}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			var ids []string
			for _, address := range []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"} {
				ids = append(ids, f.put(address, directory.Admin, directory.Active).ID)
			}
			var all sync.WaitGroup
			errs := make([]error, len(ids))
			for i, id := range ids {
				all.Go(func() { _, errs[i] = act(t.Context(), f.Directory, id) })
			}
			all.Wait()

			refused := 0
			for _, err := range errs {
				if errors.Is(err, directory.ErrLastAdmin) {
					refused++
				} else if err != nil {
					t.Error(err)
				}
			}
			if n, err := f.CountAdmins(t.Context()); refused != 1 || n != 1 || err != nil {
				t.Errorf("%d of %d refused and %d administrators left, %v; want 1 and 1", refused, len(ids), n, err)
			}
		})
	}
}

// signIn creates a session.
func (f *fixture) signIn(u directory.User, stytchID string) {
	f.t.Helper()
	_, err := f.db.CreateSession(f.t.Context(), session.SignInRequest{
		Email: u.Email, Session: session.Session{TokenHash: session.Hash(stytchID), StytchSessionID: stytchID, CreatedAt: noon, ExpiresAt: noon},
	}, func(from directory.Applicant) (directory.User, []event.Event, error) { return *from.User, nil, nil })
	if err != nil {
		f.t.Fatal(err)
	}
}

func TestDirectory_NeedsFreshSignInToChangeAdministrators(t *testing.T) {
	t.Parallel()
	f := open(t)
	add := func(address, role string) string {
		u, err := f.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: address, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		return u.ID
	}
	admin, member := add("ada@example.com", "admin"), add("grace@example.com", "member")
	edit := func(id string, e directory.Edit) func(directory.Actor) error {
		return func(by directory.Actor) error { _, err := f.Edit(t.Context(), by, id, e); return err }
	}
	rows := []struct {
		name      string
		do        func(by directory.Actor) error
		dangerous bool
	}{
		{"add an administrator", func(by directory.Actor) error {
			_, err := f.Add(t.Context(), by, directory.UserInput{Email: rand.Text() + "@example.com", Role: "admin"})
			return err
		}, true},
		{"invite an administrator", func(by directory.Actor) error {
			_, err := f.Invite(t.Context(), by, directory.UserInput{Email: rand.Text() + "@example.com", Role: "admin"})
			return err
		}, true},
		{"invite or reinvite an administrator", func(by directory.Actor) error {
			_, err := f.InviteOrReinvite(t.Context(), by, directory.UserInput{Email: rand.Text() + "@example.com", Role: "admin"})
			return err
		}, true},
		{"add a member", func(by directory.Actor) error {
			_, err := f.Add(t.Context(), by, directory.UserInput{Email: rand.Text() + "@example.com"})
			return err
		}, false},
		{"rename an administrator", edit(admin, directory.Edit{Name: ptr("Ada"), Role: ptr("admin")}), false},
		{"rename a member", edit(member, directory.Edit{Name: ptr("Grace"), Role: ptr("member")}), false},
		{"suspend a member", edit(member, directory.Edit{Status: ptr("suspended")}), false},
		{"reinstate a member", edit(member, directory.Edit{Status: ptr("active")}), false},
		{"make a member an administrator", edit(member, directory.Edit{Role: ptr("admin")}), true},
		{"make an administrator a member", edit(member, directory.Edit{Role: ptr("member")}), true},
		{"suspend an administrator", edit(admin, directory.Edit{Status: ptr("suspended")}), true},
		{"reinstate an administrator", edit(admin, directory.Edit{Status: ptr("active")}), true},
		{"remove a member", func(by directory.Actor) error {
			_, err := f.Remove(t.Context(), by, add(rand.Text()+"@example.com", "member"))
			return err
		}, false},
		{"remove an administrator", func(by directory.Actor) error {
			_, err := f.Remove(t.Context(), by, add(rand.Text()+"@example.com", "admin"))
			return err
		}, true},
	}
	user := event.Origin{ActorID: "boss"}
	for _, row := range rows {
		err := row.do(directory.Actor{Origin: user})
		if row.dangerous != errors.Is(err, directory.ErrNotFresh) || !row.dangerous && err != nil {
			t.Errorf("%s, with a stale session: %v", row.name, err)
		}
		if !row.dangerous {
			continue
		}
		if err := row.do(directory.Actor{Origin: user, Fresh: true}); err != nil {
			t.Errorf("%s, with a fresh session: %v", row.name, err)
		}
	}
	for name, by := range map[string]directory.Actor{"an API token": {Origin: event.Origin{ActorID: "boss", Token: "backup"}}, "the operator": {}} {
		if _, err := f.Add(t.Context(), by, directory.UserInput{Email: rand.Text() + "@example.com", Role: "admin"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
