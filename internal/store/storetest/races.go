package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/outbox"
)

var raceRows = []row{
	{"an address that is added fifty times concurrently exists once", testCreateOneAddressConcurrently},
	{"of two administrators who demote or remove each other, one stays", testLastAdmin},
	{"apps that are created concurrently don't exceed the limit", testAppLimitConcurrently},
	{"concurrent changes of one user are all kept", testChangesConcurrently},
}

func testCreateOneAddressConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	added := 0
	for i, err := range concurrently(50, func(i int) error {
		u := member("Ada", []string{"ada@example.com", "ADA@example.com"}[i%2])
		return stores[i/25].CreateUser(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, ""), Jobs: []outbox.Job{outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", "", Now())}})
	}) {
		switch {
		case err == nil:
			added++
		case !errors.Is(err, directory.ErrEmailTaken):
			t.Errorf("try %d: %v", i, err)
		}
	}
	after := state(t, stores[0], list(t, stores[0], directory.Query{Sort: directory.ByName, Limit: 1}).Users[0])
	if added != 1 || after.Total != 1 || len(after.Jobs) != 1 {
		t.Errorf("%d added, %d users, %d invitations", added, after.Total, len(after.Jobs))
	}
}

func testAppLimitConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	add := func(s Store, name string) error {
		a := appFor(name)
		return s.CreateApp(t.Context(), a, event.New(event.AppCreated, a.CreatedAt, "", "", a.Name), idempotency.Claim{})
	}
	for i := range apps.MaxApps - 1 {
		if err := add(stores[0], fmt.Sprintf("app %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	added := 0
	for i, err := range concurrently(8, func(i int) error { return add(stores[i%2], fmt.Sprintf("late %d", i)) }) {
		switch {
		case err == nil:
			added++
		case !errors.Is(err, apps.ErrTooManyApps):
			t.Errorf("try %d: %v", i, err)
		}
	}
	if added != 1 {
		t.Errorf("%d were added", added)
	}
}

// noopOutbox delivers nothing.
type noopOutbox struct{}

func (noopOutbox) Deliver(context.Context, string) {}
func (noopOutbox) Wake()                           {}

func testLastAdmin(t *testing.T, open func() Store) {
	s1, s2 := open(), open()
	directories := []*directory.Directory{directory.New(directory.Options{Store: s1, Outbox: noopOutbox{}, Now: Now}), directory.New(directory.Options{Store: s2, Outbox: noopOutbox{}, Now: Now})}
	member, suspended := string(directory.Member), string(directory.Suspended)
	changes := []func(d *directory.Directory, id string) error{
		func(d *directory.Directory, id string) error {
			_, err := d.Edit(t.Context(), directory.Actor{}, id, directory.Edit{Role: &member})
			return err
		},
		func(d *directory.Directory, id string) error {
			_, err := d.Edit(t.Context(), directory.Actor{}, id, directory.Edit{Status: &suspended})
			return err
		},
		func(d *directory.Directory, id string) error {
			_, err := d.Remove(t.Context(), directory.Actor{}, id)
			return err
		},
	}
	for round := range 20 {
		admins := []directory.User{admin("Ada", "ada@example.com"), admin("Bob", "bob@example.com")}
		create(t, s1, admins...)
		errs := concurrently(2, func(i int) error {
			return changes[(round+i*(round/3))%len(changes)](directories[i], admins[1-i].ID)
		})
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), directory.ErrLastAdmin) {
			t.Errorf("round %d: %v", round, errs)
		}
		page := list(t, s1, directory.Query{Sort: directory.ByName, Limit: 10, Role: directory.Admin, Status: directory.Active})
		if page.Total != 1 {
			t.Errorf("round %d: %d administrators", round, page.Total)
		}
		removeAll(t, s1)
	}
}

func testChangesConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	u := member("", "ada@example.com")
	create(t, stores[0], u)
	for _, err := range concurrently(20, func(i int) error {
		_, err := stores[i%2].ChangeUser(t.Context(), u.ID, set(func(u *directory.User) { u.Name += "x" }))
		return err
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if got := get(t, stores[0], u.ID).Name; len(got) != 20 {
		t.Errorf("%d of 20 changes are kept", len(got))
	}
}
