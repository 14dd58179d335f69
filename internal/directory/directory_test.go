package directory_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store"
)

func TestAdd(t *testing.T) {
	t.Parallel()
	f := open(t)
	got, err := f.Add(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: " Ada@Example.com ", Name: " Ada King ", Role: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	want := directory.User{
		ID: got.ID, Name: "Ada King", Email: directory.Email{Display: "Ada@Example.com", Normalized: "ada@example.com"},
		Role: directory.Admin, Status: directory.Invited, InvitedBy: "boss", CreatedAt: noon, UpdatedAt: noon,
	}
	stored, err := f.GetUser(t.Context(), got.ID)
	if diff := cmp.Diff([]directory.User{want, want}, []directory.User{got, stored}); diff != "" || err != nil {
		t.Errorf("%v, returned and stored (-want +got):\n%s", err, diff)
	}
	if jobs := f.jobs("ada@example.com"); len(jobs) != 0 || len(f.outbox.delivered) != 0 {
		t.Errorf("adding sends a mail: %+v", jobs)
	}
	if _, err := f.Add(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: "ADA@example.com"}); !errors.Is(err, directory.ErrEmailTaken) {
		t.Errorf("the address again: %v", err)
	}
}

func TestAdd_InvalidInput(t *testing.T) {
	t.Parallel()
	f := open(t)
	bad := directory.UserInput{Email: "ada", Name: "Ada\nKing", Role: "owner"}
	_, addErr := f.Add(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, bad)
	_, inviteErr := f.Invite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, bad)
	_, againErr := f.InviteOrReinvite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, bad)
	for _, err := range []error{addErr, inviteErr, againErr} {
		var invalid *directory.ValidationError
		if !errors.As(err, &invalid) {
			t.Fatalf("got %v, want an *Invalid", err)
		}
		if diff := cmp.Diff(map[string]string{
			"email": "Enter one email address, like ada@example.com.",
			"name":  "Use letters, digits and punctuation only.",
			"role":  "Choose admin or member.",
		}, invalid.Fields); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	page, err := f.ListUsers(t.Context(), directory.Query{Sort: directory.ByName, Limit: 10})
	if err != nil || page.Total != 0 {
		t.Errorf("%d people are on the list, %v", page.Total, err)
	}
}

func TestInvite(t *testing.T) {
	t.Parallel()
	t.Run("returns somebody whose invitation has left", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		got, err := f.Invite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: "ada@example.com", Name: "Ada"})
		if err != nil {
			t.Fatal(err)
		}
		want := directory.User{
			ID: got.ID, Name: "Ada", Email: mustParse(t, "ada@example.com"), Role: directory.Member, Status: directory.Invited,
			StytchUserID: "stytch-of-" + got.ID, InvitedBy: "boss", InviteSentAt: noon, CreatedAt: noon, UpdatedAt: noon,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]time.Duration{4 * time.Second}, f.outbox.waits); diff != "" {
			t.Errorf("waits for the mail (-want +got):\n%s", diff)
		}
	})
	t.Run("returns somebody whose invitation has not left, and keeps the job", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		f.outbox.down = true
		got, err := f.Invite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: "Ada@example.com", Name: "Ada"})
		if err != nil || !got.InviteSentAt.IsZero() {
			t.Errorf("sent at %v, %v", got.InviteSentAt, err)
		}
		want := []job{{outbox.Invite, "ada@example.com", got.ID, "", "Ada"}}
		if diff := cmp.Diff(want, f.jobs("ada@example.com")); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
	})
	t.Run("leaves who is on the list as they are", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		want := f.put("ada@example.com", directory.Member, directory.Active)
		if _, err := f.Invite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: "ADA@example.com", Role: "admin"}); !errors.Is(err, directory.ErrEmailTaken) {
			t.Errorf("got %v, want ErrEmailTaken", err)
		}
		got, err := f.GetUser(t.Context(), want.ID)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if jobs := f.jobs("ada@example.com"); len(jobs) != 0 {
			t.Errorf("jobs: %+v", jobs)
		}
	})
}

func TestReinvite(t *testing.T) {
	t.Parallel()
	t.Run("takes the place of an invitation that waits", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		f.outbox.down = true
		u, err := f.Invite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: "ada@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Reinvite(t.Context(), directory.Actor{}, u.ID); err != nil {
			t.Fatal(err)
		}
		if jobs := f.jobs("ada@example.com"); len(jobs) != 1 {
			t.Errorf("jobs: %+v, want one invitation", jobs)
		}
		f.outbox.down = false
		got, err := f.Reinvite(t.Context(), directory.Actor{}, u.ID)
		if err != nil || got.InviteSentAt != noon || got.Status != directory.Invited {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("is refused to who is suspended", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		u := f.put("ada@example.com", directory.Member, directory.Suspended)
		if _, err := f.Reinvite(t.Context(), directory.Actor{}, u.ID); !errors.Is(err, directory.ErrSuspended) {
			t.Errorf("got %v, want ErrSuspended", err)
		}
		if _, err := f.InviteOrReinvite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: "ada@example.com"}); !errors.Is(err, directory.ErrSuspended) {
			t.Errorf("by address: got %v, want ErrSuspended", err)
		}
		if jobs := f.jobs("ada@example.com"); len(jobs) != 0 {
			t.Errorf("jobs: %+v", jobs)
		}
	})
	t.Run("finds nobody", func(t *testing.T) {
		t.Parallel()
		if _, err := open(t).Reinvite(t.Context(), directory.Actor{}, "nobody"); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
}

func TestInvite_TakenAddressOfAUserWhoIsGone(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.put("ada@example.com", directory.Member, directory.Invited)
	d := directory.New(directory.Options{Store: goneStore{f.db}, Outbox: f.outbox, Now: func() time.Time { return noon }})
	if _, err := d.Invite(t.Context(), directory.Actor{}, directory.UserInput{Email: "ada@example.com"}); !errors.Is(err, directory.ErrEmailTaken) {
		t.Errorf("got %v, want ErrEmailTaken", err)
	}
	if _, err := d.InviteOrReinvite(t.Context(), directory.Actor{}, directory.UserInput{Email: "ada@example.com"}); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("or again: got %v, want ErrNotFound", err)
	}
}

// goneStore is a store whose users are removed before they are read.
type goneStore struct{ *store.Store }

func (goneStore) GetUserByEmail(context.Context, directory.Email) (directory.User, error) {
	return directory.User{}, directory.ErrNotFound
}

func TestInviteOrReinvite(t *testing.T) {
	t.Parallel()
	f := open(t)
	u, err := f.InviteOrReinvite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: "ada@example.com", Name: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.InviteOrReinvite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "eve"}, Fresh: true}, directory.UserInput{Email: "ADA@Example.com", Name: "Eve", Role: "admin"})
	if diff := cmp.Diff(u, again); diff != "" || err != nil {
		t.Errorf("invited again, %v (-first +second):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"ada@example.com", "ada@example.com"}, f.outbox.delivered); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

func TestInviteInitialAdmins(t *testing.T) {
	t.Parallel()
	f := open(t)
	member := f.put("bob@example.com", directory.Member, directory.Active)
	suspended := f.put("cyd@example.com", directory.Admin, directory.Suspended)
	emails := []directory.Email{mustParse(t, "bob@example.com"), mustParse(t, "Ada@example.com"), mustParse(t, "cyd@example.com")}
	for range 2 { // as a second instance does, or a second start
		if removed, err := f.InviteInitialAdmins(t.Context(), emails); err != nil || len(removed) > 0 {
			t.Fatal(removed, err)
		}
	}
	page, err := f.ListUsers(t.Context(), directory.Query{Sort: directory.ByEmail, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	want := []directory.User{
		{Email: mustParse(t, "Ada@example.com"), Role: directory.Admin, Status: directory.Invited, CreatedAt: noon, UpdatedAt: noon},
		member, suspended,
	}
	if diff := cmp.Diff(want[1:], page.Users[1:]); diff != "" {
		t.Errorf("people who were there (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[0], page.Users[0], cmpopts.IgnoreFields(directory.User{}, "ID")); diff != "" {
		t.Errorf("new administrator (-want +got):\n%s", diff)
	}
	if jobs := f.jobs("ada@example.com"); len(jobs) != 1 || jobs[0].Kind != outbox.Invite {
		t.Errorf("jobs: %+v, want one invitation", jobs)
	}
	if f.outbox.woken != 2 {
		t.Errorf("the outbox was woken %d times, want 2", f.outbox.woken)
	}
}

func TestInviteInitialAdmins_RemovedAddress(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.put("boss@example.com", directory.Admin, directory.Active)
	ada := f.put("Ada@example.com", directory.Admin, directory.Active)
	named := []directory.Email{mustParse(t, "boss@example.com"), mustParse(t, "ADA@example.com")}
	if _, err := f.Remove(t.Context(), directory.Actor{}, ada.ID); err != nil {
		t.Fatal(err)
	}
	before := f.jobs("ada@example.com")
	for range 2 {
		removed, err := f.InviteInitialAdmins(t.Context(), named)
		if diff := cmp.Diff(named[1:], removed); diff != "" || err != nil {
			t.Errorf("%v, left out (-want +got):\n%s", err, diff)
		}
	}
	if u, err := f.GetUserByEmail(t.Context(), ada.Email); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the removed administrator is back: %+v, %v", u, err)
	}
	if diff := cmp.Diff(before, f.jobs("ada@example.com")); diff != "" {
		t.Errorf("jobs (-before +after):\n%s", diff)
	}

	// Invited again, removed by the command line's way, and named by the next start.
	again, err := f.Invite(t.Context(), directory.Actor{Origin: event.Origin{ActorID: "boss"}, Fresh: true}, directory.UserInput{Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if removed, err := f.InviteInitialAdmins(t.Context(), named); err != nil || len(removed) > 0 {
		t.Errorf("invited again: left out %v, %v", removed, err)
	}
	if _, err := f.Remove(t.Context(), directory.Actor{}, again.ID); err != nil {
		t.Fatal(err)
	}
	if removed, err := f.InviteInitialAdmins(t.Context(), named); err != nil || len(removed) != 1 {
		t.Errorf("removed again: left out %v, %v", removed, err)
	}
}
