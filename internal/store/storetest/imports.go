package storetest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/userio"
)

var importRows = []row{
	{"an import is uploaded, started, stopped and resumed, in that order", single(testImportStates)},
	{"the parts of a file are read as they were written, and deleted with their import", single(testImportParts)},
	{"imports unchanged for a long time are deleted, except running ones", single(testDeleteImports)},
	{"one of all instances leases an import", testLeaseImport},
	{"pending jobs are counted up to a limit", single(testCountPendingJobs)},
}

// runningImport returns an import that was started and leased.
func runningImport(t *testing.T, s Store, parts int, by event.Origin) userio.Import {
	t.Helper()
	i := readyImport(t, s, parts)
	i.Role, i.Actor = directory.Member, by
	if err := s.StartImport(t.Context(), i, event.New(event.ImportStarted, Now(), "", "", "")); err != nil {
		t.Fatal(err)
	}
	leased, err := s.LeaseImport(t.Context(), i.ID, newID(), Now(), Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return leased
}

// readyImport returns an import that can be started.
func readyImport(t *testing.T, s Store, parts int) userio.Import {
	t.Helper()
	i := userio.Import{ID: newID(), File: "people.csv", State: userio.Uploading, CreatedAt: Now(), UpdatedAt: Now()}
	if err := s.CreateImport(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	i.Parts = parts
	if err := s.SetImportSummary(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	return getImport(t, s, i.ID)
}

func getImport(t *testing.T, s Store, id string) userio.Import {
	t.Helper()
	i, err := s.GetImport(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func testImportStates(t *testing.T, s Store) {
	want := userio.Import{ID: newID(), File: "Gäste.csv", State: userio.Uploading, CreatedAt: Now(), UpdatedAt: Now()}
	e := event.New(event.ImportStarted, Now(), "", "", "people")
	check := func(action string, err, wantErr error) {
		t.Helper()
		if !errors.Is(err, wantErr) || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %v, want %v", action, err, wantErr)
		}
		if diff := cmp.Diff(want, getImport(t, s, want.ID)); diff != "" {
			t.Errorf("%s: -want +got\n%s", action, diff)
		}
	}
	check("create", s.CreateImport(t.Context(), want), nil)
	check("start too early", s.StartImport(t.Context(), want, e), userio.ErrInvalidState)
	want.State, want.Lines, want.People, want.Admins, want.Listed, want.Problems, want.Parts = userio.Ready, 9, 7, 6, 5, 2, 4
	want.UnknownColumns, want.UpdatedAt = []string{"id", "größe, cm"}, Now().Add(time.Second)
	check("fill", s.SetImportSummary(t.Context(), want), nil)
	check("fill again", s.SetImportSummary(t.Context(), want), userio.ErrInvalidState)
	check("stop too early", s.StopImport(t.Context(), want.ID, "", e), userio.ErrInvalidState)
	want.State, want.Invite, want.Role, want.UpdatedAt = userio.Running, true, directory.Admin, Now()
	want.Actor = event.Origin{ActorID: "1", Actor: "ada@example.com", Address: "192.0.2.1", UserAgent: "Browser/1.0", RequestID: "r"}
	check("run", s.StartImport(t.Context(), want, e), nil)
	check("run again", s.StartImport(t.Context(), want, e), userio.ErrInvalidState)
	check("delete while running", s.DeleteImport(t.Context(), want.ID), userio.ErrInvalidState)
	want.State, want.Reason = userio.Stopped, "tired"
	check("stop", s.StopImport(t.Context(), want.ID, "tired", event.New(event.ImportStopped, Now(), "", "", "people")), nil)
	want.State, want.Reason = userio.Running, ""
	check("resume", s.StartImport(t.Context(), want, event.New(event.ImportStarted, Now(), "", "", "people")), nil)
	var kinds []event.Kind
	recorded, _, err := s.ListEvents(t.Context(), event.Query{Limit: 10})
	for _, e := range recorded {
		kinds = append(kinds, e.Kind)
	}
	if diff := cmp.Diff([]event.Kind{event.ImportStarted, event.ImportStopped, event.ImportStarted}, kinds); diff != "" || err != nil {
		t.Errorf("events: %v, -want +got\n%s", err, diff)
	}
	other := readyImport(t, s, 1)
	list, err := s.ListImports(t.Context(), 10)
	if diff := cmp.Diff([]userio.Import{other, want}, list); diff != "" || err != nil {
		t.Errorf("the list: %v, -want +got\n%s", err, diff)
	}
	if _, err := s.GetImport(t.Context(), newID()); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("an unknown import: %v", err)
	}
}

func testImportParts(t *testing.T, s Store) {
	gone, stays := readyImport(t, s, 1), readyImport(t, s, 1)
	content := bytes.Repeat([]byte{0, 0xff, '\'', '\\'}, 15<<10) // 60 KB
	for _, i := range []userio.Import{gone, stays} {
		for n := range 120 { // more than one statement deletes
			if err := s.AddPart(t.Context(), i.ID, userio.People, n, content[n:]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.DeleteImport(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	for n := range 120 {
		if got, err := s.GetPart(t.Context(), stays.ID, userio.People, n); err != nil || !bytes.Equal(got, content[n:]) {
			t.Errorf("part %d: %d bytes, %v", n, len(got), err)
		}
		if _, err := s.GetPart(t.Context(), gone.ID, userio.People, n); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("part %d of one that is gone: %v", n, err)
		}
	}
	if _, err := s.GetPart(t.Context(), stays.ID, userio.Problems, 0); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a part of another series: %v", err)
	}
	if _, err := s.GetImport(t.Context(), gone.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the import: %v", err)
	}
}

func testDeleteImports(t *testing.T, s Store) {
	still, runs := readyImport(t, s, 1), runningImport(t, s, 1, event.Origin{})
	if n, err := s.DeleteImports(t.Context(), Now()); n != 0 || err != nil {
		t.Errorf("%d were deleted too early, %v", n, err)
	}
	if n, err := s.DeleteImports(t.Context(), Now().Add(1)); n != 0 || err != nil {
		t.Errorf("%d were deleted too early, %v", n, err)
	}
	if n, err := s.DeleteImports(t.Context(), Now().Add(time.Second)); n != 1 || err != nil {
		t.Errorf("%d were deleted, %v", n, err)
	}
	if _, err := s.GetImport(t.Context(), still.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the old one: %v", err)
	}
	if i := getImport(t, s, runs.ID); i.State != userio.Running {
		t.Errorf("the one that runs is %s", i.State)
	}
}

func testLeaseImport(t *testing.T, open func() Store) {
	s := []Store{open(), open()}
	i := readyImport(t, s[0], 1)
	if _, err := s[0].LeaseImport(t.Context(), "", newID(), Now(), Now()); !errors.Is(err, userio.ErrNoImport) {
		t.Errorf("an import that isn't running was leased: %v", err)
	}
	if err := s[0].StartImport(t.Context(), i, event.New(event.ImportStarted, Now(), "", "", "")); err != nil {
		t.Fatal(err)
	}
	lease := func(at time.Time) []error {
		return concurrently(8, func(n int) error {
			id := []string{"", i.ID}[n/2%2]
			got, err := s[n%2].LeaseImport(t.Context(), id, newID(), at, at.Add(time.Minute))
			if err == nil && (got.ID != i.ID || got.Lease == "") {
				t.Errorf("leased %+v", got)
			}
			return err
		})
	}
	for _, round := range []struct {
		at   time.Time
		want int
	}{{Now(), 1}, {Now().Add(time.Minute - time.Microsecond), 0}, {Now().Add(time.Minute), 1}} {
		got := 0
		for _, err := range lease(round.at) {
			if err == nil {
				got++
			} else if !errors.Is(err, userio.ErrNoImport) {
				t.Error(err)
			}
		}
		if got != round.want {
			t.Errorf("%d instances have it, want %d", got, round.want)
		}
	}
	held := getImport(t, s[0], i.ID)
	if err := s[1].ExtendImportLease(t.Context(), held, time.Time{}); err != nil {
		t.Error(err)
	}
	if _, err := s[0].LeaseImport(t.Context(), i.ID, newID(), Now(), Now()); err != nil {
		t.Errorf("a released import: %v", err)
	}
	if err := s[1].ExtendImportLease(t.Context(), held, Now()); !errors.Is(err, userio.ErrLeaseLost) {
		t.Errorf("a lost lease was extended: %v", err)
	}
}

func testCountPendingJobs(t *testing.T, s Store) {
	people := []directory.NewUser{invitedUser(t, "", "a@example.com"), invitedUser(t, "", "b@example.com"), invitedUser(t, "", "c@example.com")}
	if _, err := s.ImportUsers(t.Context(), runningImport(t, s, 1, event.Origin{}), people, Now(), Now(), userio.Import.DoneEvent); err != nil {
		t.Fatal(err)
	}
	if err := s.ParkJob(t.Context(), people[0].Jobs[0].Park(Now(), "no")); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]int{1: 1, 2: 2, 10: 2} {
		if n, err := s.CountPendingJobs(t.Context(), limit); n != want || err != nil {
			t.Errorf("counted up to %d: %d, want %d, %v", limit, n, want, err)
		}
	}
}
