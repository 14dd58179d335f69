package userio_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/internal/userio"
)

// addGroups creates groups.
func (f *fixture) addGroups(names ...string) {
	f.t.Helper()
	for _, name := range names {
		if _, err := f.groups().Create(f.t.Context(), event.Origin{}, name); err != nil {
			f.t.Fatal(err)
		}
	}
}

// run starts an import and returns it when it has ended.
func (f *fixture) run(id string) userio.Import {
	f.t.Helper()
	if err := f.Start(f.t.Context(), directory.Actor{}, id, "", false); err != nil {
		f.t.Fatal(err)
	}
	i, err := f.Follow(f.t.Context(), id, func(userio.Import) {})
	if err != nil {
		f.t.Fatal(err)
	}
	return i
}

// memberships returns a user's memberships as text.
func (f *fixture) memberships(address string) string {
	f.t.Helper()
	u, err := f.store.GetUserByEmail(f.t.Context(), directory.Email{Normalized: address})
	if err != nil {
		return err.Error()
	}
	list, err := f.store.ListMemberships(f.t.Context(), u.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	var all []string
	for _, m := range list {
		text := m.GroupName
		if !m.Until.IsZero() {
			text += " until " + m.Until.Format(time.RFC3339)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func TestImport_Groups(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		f := newFixture(t, databaseURL)
		f.addGroups("Staff", "Board & Co", "a;b", "Team until 2026")
		f.add("old@example.com")
		for _, r := range []struct{ name, text string }{
			{"csv", "email,groups,until\n" +
				"1@example.com,staff,\n" +
				"2@example.com,\"Staff, BOARD & CO ,staff,\",2026-03-05\n" +
				"3@example.com,Staff;Board & Co,\n" +
				"4@example.com,a;b,\n" +
				"5@example.com,\"Staff until 2026-03-09, Board & Co\",2026-03-05\n" +
				"6@example.com,Team until 2026,\n" +
				"7@example.com,,not a date\n" +
				"gone@example.com,\"Staff,Gone\",\n" +
				"past@example.com,Staff,2026-02-01\n" +
				"old@example.com,Staff,\n"},
			{"json", `[{"email":"1@example.org","groups":["staff"]},` + "\n" +
				`{"email":"2@example.org","groups":["Staff",{"name":"Board & Co","until":null}],"until":"2026-03-05"},` + "\n" +
				`{"email":"3@example.org","groups":"Staff;Board & Co"},` + "\n" +
				`{"email":"4@example.org","groups":"a;b"},` + "\n" +
				`{"email":"5@example.org","groups":[{"name":"Staff","until":"2026-03-10T00:00:00Z"},{"name":"Board & Co"}],"until":"2026-03-05"},` + "\n" +
				`{"email":"6@example.org","groups":["Team until 2026"],"profile":{"groups":["Gone"]}},` + "\n" +
				`{"email":"7@example.org","groups":[],"until":7},` + "\n" +
				`{"email":"8@example.org","groups":[7]},` + "\n" +
				`{"email":"gone@example.org","groups":["Staff","Gone"]}]`},
		} {
			i := f.upload(r.text)
			notes, err := f.Notes(t.Context(), i.ID, userio.Problems, 10)
			if err != nil {
				t.Fatal(err)
			}
			var problems []string
			for _, n := range notes {
				problems = append(problems, n.Text)
			}
			want := map[string][]string{
				"csv":  {"Groups: There is no group “Gone”. Create it first, or remove it from the file.", "Until: Choose a date in the future."},
				"json": {"The until must be text.", "The groups must be names.", "Groups: There is no group “Gone”. Create it first, or remove it from the file."},
			}[r.name]
			if diff := cmp.Diff(want, problems); diff != "" {
				t.Errorf("%s: problems: -want +got\n%s", r.name, diff)
			}
			f.run(i.ID)
			domain := map[string]string{"csv": "com", "json": "org"}[r.name]
			for n, want := range []string{
				"Staff", "Board & Co until 2026-03-06T00:00:00Z, Staff until 2026-03-06T00:00:00Z", "Board & Co, Staff", "a;b",
				"Board & Co until 2026-03-06T00:00:00Z, Staff until 2026-03-10T00:00:00Z", "Team until 2026",
			} {
				if got := f.memberships(fmt.Sprintf("%d@example.%s", n+1, domain)); got != want {
					t.Errorf("%s, line %d: %q, want %q", r.name, n+1, got, want)
				}
			}
		}
		if got := f.memberships("old@example.com"); got != "" {
			t.Errorf("someone on the list is in %q", got)
		}
		for _, address := range []string{"gone@example.com", "gone@example.org", "past@example.com"} {
			if got := f.memberships(address); !strings.Contains(got, "not found") {
				t.Errorf("%s was added: %q", address, got)
			}
		}
		recorded, _, err := f.store.ListEvents(t.Context(), event.Query{About: "5@example.com", Limit: 1})
		if err != nil || len(recorded) != 1 || len(recorded[0].Changes) != 1 || recorded[0].Changes[0].New != "Staff until 2026-03-10T00:00:00Z, Board & Co until 2026-03-06T00:00:00Z" {
			t.Errorf("recorded: %+v, %v", recorded, err)
		}
	})
}

func TestImport_GroupChangesAfterTheUpload(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testdb.SQLite(t))
	f.addGroups("Staff", "Guests")
	i := f.upload("email,groups\nada@example.com,Staff\ngrace@example.com,\"Staff, Guests until 2026-03-01T13:00:00Z\"\n")
	f.now = noon.Add(2 * time.Hour)
	staff, err := f.groups().Find(t.Context(), "Staff")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.groups().Remove(t.Context(), event.Origin{}, staff.ID); err != nil {
		t.Fatal(err)
	}
	stopped := f.run(i.ID)
	if stopped.State != userio.Stopped || stopped.Reason != "The group “Staff” was removed. Create it again, then resume the import." || f.count("SELECT COUNT(*) FROM users") != 0 {
		t.Errorf("%s: %s", stopped.State, stopped.Reason)
	}
	f.addGroups("staff")
	if err := f.Resume(t.Context(), directory.Actor{}, i.ID); err != nil {
		t.Fatal(err)
	}
	if done, err := f.Follow(t.Context(), i.ID, func(userio.Import) {}); err != nil || done.State != userio.Done || done.Added != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	if ada, grace := f.memberships("ada@example.com"), f.memberships("grace@example.com"); ada != "staff" || grace != "staff" { // Guests has ended
		t.Errorf("%q, %q", ada, grace)
	}
}

func TestExport_ImportsMembershipsAgain(t *testing.T) {
	t.Parallel()
	for format := range userio.Formats {
		from, to := newFixture(t, testdb.SQLite(t)), newFixture(t, testdb.SQLite(t))
		names := []string{"Staff", "=1+1", "a;b", "Zoë 李", "x until 2026-03-05"}
		from.addGroups(names...)
		to.addGroups(names...)
		from.run(from.upload("email,groups\nada@example.com,\"Staff, =1+1 until 2026-03-05\"\nbo@example.com,=1+1\ngrace@example.com,\"a;b, Zoë 李, x until 2026-03-05\"\nmax@example.com,\n" +
			"old@example.com,\"Staff until 2026-03-01T12:00:01Z, a;b\"\n").ID)
		from.now, to.now = noon.Add(time.Minute), noon.Add(time.Minute)
		var b strings.Builder
		if _, err := userio.Export(t.Context(), from.store, from.groups(), directory.Query{Sort: "email"}, &b, format, nil); err != nil {
			t.Fatal(err)
		}
		i := to.upload(b.String())
		if to.run(i.ID); i.Problems != 0 {
			t.Errorf("%s: %d problems in\n%s", format, i.Problems, b.String())
		}
		for _, address := range []string{"ada@example.com", "bo@example.com", "grace@example.com", "max@example.com"} {
			if was, is := from.memberships(address), to.memberships(address); was != is {
				t.Errorf("%s: %s was in %q and is in %q", format, address, was, is)
			}
		}
		if got := to.memberships("old@example.com"); got != "a;b" {
			t.Errorf("%s: an ended membership: %q", format, got)
		}
	}
}

func TestExport_WithoutGroupsHasNoColumn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testdb.SQLite(t))
	f.add("ada@example.com")
	var b strings.Builder
	if _, err := userio.Export(t.Context(), f.store, f.groups(), directory.Query{Sort: "email"}, &b, "csv", nil); err != nil || !strings.HasPrefix(b.String(), "id,name,email,role,status,created_at,last_seen_at\r\n") {
		t.Errorf("%v %s", err, b.String())
	}
}
