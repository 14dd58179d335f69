package storetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

var listRows = []row{
	{"an empty directory has one empty page", single(testEmptyList)},
	{"a search finds users by the beginnings of words", single(testSearch)},
	{"users are filtered by role and status, with and without a search", single(testFilters)},
	{"users whose invitation was refused are listed in every order, with and without a search", single(testRefused)},
	{"names sort regardless of case and accents, and users without a name by address", single(testSortByName)},
	{"users whose name sorts first or last are listed", single(testExtremeNames)},
	{"pages in every order, forward and backward, contain all users", single(testPages)},
	{"pages of a filter or search, in every order, forward and backward, contain all matches", single(testFilteredPages)},
	{"the total follows additions, removals and changes", single(testTotal)},
	{"other users are seen once while some are added and removed between pages", single(testPagesDuringChanges)},
	{"an empty page after the end leads back", single(testPageAfterTheEnd)},
	{"an invalid position is no error", single(testInvalidPosition)},
}

func list(t *testing.T, s Store, q directory.Query) directory.Page {
	t.Helper()
	page, err := s.ListUsers(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// find returns the display names of the users that a search finds, sorted by address.
func find(t *testing.T, s Store, search string) []string {
	t.Helper()
	terms, err := directory.ParseSearch(search)
	if err != nil {
		t.Fatal(err)
	}
	page := list(t, s, directory.Query{Terms: terms, Sort: directory.ByEmail, Limit: directory.MaxLimit})
	if page.Total != len(page.Users) {
		t.Errorf("%q finds %d users and counts %d", search, len(page.Users), page.Total)
	}
	return names(page.Users)
}

func names(people []directory.User) []string {
	all := []string{}
	for _, u := range people {
		all = append(all, u.DisplayName())
	}
	return all
}

func testEmptyList(t *testing.T, s Store) {
	for _, backward := range []bool{false, true} {
		page := list(t, s, directory.Query{Sort: directory.ByName, Limit: 10, Backward: backward})
		if diff := cmp.Diff(directory.Page{Users: []directory.User{}}, page); diff != "" {
			t.Errorf("backward %v: -want +got\n%s", backward, diff)
		}
	}
}

func testSearch(t *testing.T, s Store) {
	create(t, s,
		member("Ada Lovelace", "countess@analytical.example"),
		member("Zoë Strauß-Őry", "zs@example.com"),
		member("Conan O’Brien", "conan.obrien+tv@team-coco.example"),
		member("Anna O'Brien", "anna@example.org"),
		member("王小明", "wang@bücher.example"),
		member("100% Real_Name", "percent@example.net"),
		member(`Back\slash`, "back@example.net"),
		member("Ольга Иванова", "olga@пример.рф"),
		member(strings.Repeat("long", 25), "long@example.net"),
	)
	for search, want := range map[string][]string{
		"":                          {"Anna O'Brien", `Back\slash`, "Conan O’Brien", "Ada Lovelace", strings.Repeat("long", 25), "Ольга Иванова", "100% Real_Name", "王小明", "Zoë Strauß-Őry"},
		"   ":                       {"Anna O'Brien", `Back\slash`, "Conan O’Brien", "Ada Lovelace", strings.Repeat("long", 25), "Ольга Иванова", "100% Real_Name", "王小明", "Zoë Strauß-Őry"},
		"ada":                       {"Ada Lovelace"},
		"ADA LOVE":                  {"Ada Lovelace"},
		"love ada":                  {"Ada Lovelace"},
		"ovelace":                   {}, // not the start of a word
		"ada zoe":                   {}, // no user has both
		"zoe":                       {"Zoë Strauß-Őry"},
		"ZOË ő":                     {"Zoë Strauß-Őry"},
		"strauß-ory":                {"Zoë Strauß-Őry"},
		"brien":                     {"Anna O'Brien", "Conan O’Brien"},
		"o'b":                       {"Anna O'Brien", "Conan O’Brien"},
		"O’Brien":                   {"Anna O'Brien", "Conan O’Brien"},
		"obrien anna":               {"Anna O'Brien"},
		"strauss ory":               {"Zoë Strauß-Őry"},
		"小明":                        {"王小明"},
		"@analytical.example":       {"Ada Lovelace"},
		"anna@example.org,":         {"Anna O'Brien"},
		"<mailto:anna@example.org>": {"Anna O'Brien"},
		"conan.obrien":              {"Conan O’Brien"},
		"coco tv conan obrien":      {"Conan O’Brien"},
		"conan.obrien+tv@team-co":   {"Conan O’Brien"},
		"analytical.example":        {"Ada Lovelace"},
		"王":                         {"王小明"},
		"ольга":                     {"Ольга Иванова"},
		"%":                         {},
		"_":                         {},
		"10%":                       {},
		"100%":                      {"100% Real_Name"},
		"real_":                     {"100% Real_Name"},
		"realx":                     {},
		`back\`:                     {`Back\slash`},
		`\`:                         {},
		"'":                         {},
		"' OR 1=1":                  {},
		"\x00":                      {},
		strings.Repeat("long", 25):  {strings.Repeat("long", 25)},
	} {
		if diff := cmp.Diff(want, find(t, s, search)); diff != "" {
			t.Errorf("%q: -want +got\n%s", search, diff)
		}
	}
}

// refuse adds users whose invitation was refused.
func refuse(t *testing.T, s Store, users ...directory.User) {
	t.Helper()
	create(t, s, users...)
	for _, u := range users {
		job := outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, Now())
		if err := s.AddJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if err := s.ParkJob(t.Context(), job.Park(Now(), "No such mailbox.")); err != nil {
			t.Fatal(err)
		}
	}
}

func testRefused(t *testing.T, s Store) {
	invited := func(name, address string) directory.User {
		u := member(name, address)
		u.Status = directory.Invited
		return u
	}
	ada, bob, cleo := invited("Ada Lovelace", "ada@example.com"), invited("Bob", "bob@example.com"), invited("Cleo", "cleo@example.com")
	cleo.Role = directory.Admin
	waiting, none, active := invited("Waiting", "waiting@example.com"), invited("None", "none@example.com"), member("Active", "active@example.com")
	refuse(t, s, bob, cleo, ada, active)
	create(t, s, waiting, none)
	if err := s.AddJob(t.Context(), outbox.New(outbox.Invite, waiting.Email.Normalized, waiting.ID, "", "", Now())); err != nil {
		t.Fatal(err)
	}
	if err := s.AddJob(t.Context(), outbox.New(outbox.RevokeInvite, none.Email.Normalized, none.ID, "", "", Now())); err != nil {
		t.Fatal(err)
	}

	base := directory.Query{Sort: directory.ByName, Limit: 10}
	if err := base.FilterStatus(directory.RefusedFilter); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		change func(*directory.Query)
		want   []string
	}{
		{"all", func(*directory.Query) {}, []string{"Ada Lovelace", "Bob", "Cleo"}},
		{"by address, descending", func(q *directory.Query) { q.Sort = "-email" }, []string{"Cleo", "Bob", "Ada Lovelace"}},
		{"of one role", func(q *directory.Query) { q.Role = directory.Admin }, []string{"Cleo"}},
		{"with a search", func(q *directory.Query) { q.Terms = []string{"love", "example"} }, []string{"Ada Lovelace"}},
		{"with a search that finds none", func(q *directory.Query) { q.Terms = []string{"waiting"} }, []string{}},
	} {
		q := base
		row.change(&q)
		page := list(t, s, q)
		if diff := cmp.Diff(row.want, names(page.Users)); diff != "" || page.Total != len(row.want) || page.More {
			t.Errorf("%s, total %d, more %v: -want +got\n%s", row.name, page.Total, page.More, diff)
		}
	}

	first := base
	first.Limit = 2
	page := list(t, s, first)
	second := first
	second.After = page.Next
	if got := names(list(t, s, second).Users); page.Total != 3 || !slices.Equal(got, []string{"Cleo"}) {
		t.Errorf("the second page is %q, of %d", got, page.Total)
	}

	jobs, err := s.ListInviteJobs(t.Context(), []directory.User{ada, waiting, none, active})
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 2 || len(jobs[ada.Email.Normalized]) != 1 || jobs[ada.Email.Normalized][0].LastError != "No such mailbox." || len(jobs[waiting.Email.Normalized]) != 1 {
		t.Errorf("the invitations are %+v", jobs)
	}
}

func testFilters(t *testing.T, s Store) {
	for _, role := range []directory.Role{directory.Admin, directory.Member} {
		for _, status := range []directory.Status{directory.Invited, directory.Active, directory.Suspended} {
			for _, name := range []string{"ada", "bob"} {
				u := member(name, strings.Join([]string{name, string(role), string(status)}, ".")+"@example.com")
				u.Role, u.Status = role, status
				create(t, s, u)
			}
		}
	}
	for _, r := range []struct {
		q    directory.Query
		want int
	}{
		{directory.Query{}, 12},
		{directory.Query{Role: directory.Admin}, 6},
		{directory.Query{Status: directory.Invited}, 4},
		{directory.Query{Role: directory.Member, Status: directory.Suspended}, 2},
		{directory.Query{Role: directory.Member, Status: directory.Suspended, Terms: []string{"ada"}}, 1},
		{directory.Query{Status: directory.Active, Terms: []string{"ada", "example"}}, 2},
		{directory.Query{Role: "owner"}, 0},
		{directory.Query{Status: "ACTIVE"}, 0},
	} {
		for _, order := range orders {
			r.q.Sort, r.q.Limit = order, directory.MaxLimit
			page := list(t, s, r.q)
			if len(page.Users) != r.want || page.Total != r.want {
				t.Errorf("%+v: %d users, total %d, want %d", r.q, len(page.Users), page.Total, r.want)
			}
		}
		r.q.Limit = 1
		if page := list(t, s, r.q); page.Total != r.want {
			t.Errorf("%+v: total %d, want %d on every page", r.q, page.Total, r.want)
		}
	}
}

func testSortByName(t *testing.T, s Store) {
	want := []string{"1st", "Ada", "ÁDA B", "ada c", "b@example.com", "Çelik", "Zoë", "zoe a", "Ольга", "王"}
	for i, name := range slices.Backward(want) {
		address := string(rune('z'-i)) + "@example.com"
		if name == "b@example.com" {
			name, address = "", name
		}
		create(t, s, member(name, address))
	}
	page := list(t, s, directory.Query{Sort: directory.ByName, Limit: directory.MaxLimit})
	if diff := cmp.Diff(want, names(page.Users)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func testExtremeNames(t *testing.T, s Store) {
	for i, name := range []string{" ", "!", "\u0301", "\U0010FFFF", strings.Repeat("\U0010FFFF", directory.MaxName)} {
		create(t, s, member(name, string(rune('a'+i))+"@example.com"))
	}
	for _, order := range orders {
		if page := list(t, s, directory.Query{Sort: order, Limit: 10}); len(page.Users) != 5 {
			t.Errorf("%s: %d users", order, len(page.Users))
		}
	}
}

func testPageAfterTheEnd(t *testing.T, s Store) {
	people := []directory.User{member("a", "a@example.com"), member("b", "b@example.com"), member("c", "c@example.com")}
	create(t, s, people...)
	q := directory.Query{Sort: directory.ByName, Limit: 2}
	first := list(t, s, q)
	remove(t, s, people[2].ID)
	q.After = first.Next
	end := list(t, s, q)
	if len(end.Users) > 0 || end.Next != nil || end.Prev == nil || end.Total != 2 {
		t.Fatalf("after the end: %+v", end)
	}
	q.After, q.Backward = end.Prev, true
	if back := list(t, s, q); len(back.Users) == 0 {
		t.Error("the page before the one after the end is empty")
	}

	q.After, q.Backward = first.Next, false
	create(t, s, member("d", "d@example.com"))
	second := list(t, s, q)
	remove(t, s, people[0].ID)
	remove(t, s, people[1].ID)
	q.After, q.Backward = second.Prev, true
	start := list(t, s, q)
	if len(start.Users) > 0 || start.Prev != nil || start.Next == nil {
		t.Fatalf("before the start: %+v", start)
	}
}

func testInvalidPosition(t *testing.T, s Store) {
	create(t, s, member("Ada", "ada@example.com"))
	for _, order := range orders {
		for _, p := range []directory.Keyset{
			{}, {Key: "x", ID: "y"}, {Key: "'; --", ID: `\'`}, {Key: "99999999999999999999"}, {Key: "-1"},
			{Key: "\x00", ID: "\x00"}, {Key: strings.Repeat("x", 1000)}, {Key: "\U0010FFFF\U0010FFFF"},
		} {
			for _, backward := range []bool{false, true} {
				q := directory.Query{Sort: order, Limit: 10, After: &p, Backward: backward}
				if page := list(t, s, q); page.Total != 1 || len(page.Users) > 1 {
					t.Errorf("%s, %+v: %+v", order, p, page)
				}
			}
		}
	}
}

func testTotal(t *testing.T, s Store) {
	suspended := directory.Query{Status: directory.Suspended, Sort: directory.ByName, Limit: 1}
	check := func(when string, all, suspendedUsers int) {
		t.Helper()
		page := list(t, s, directory.Query{Sort: directory.ByName, Limit: 1})
		if n := list(t, s, suspended).Total; page.Total != all || n != suspendedUsers {
			t.Errorf("%s: %d users, %d suspended, want %d and %d", when, page.Total, n, all, suspendedUsers)
		}
	}
	people := []directory.User{member("a", "a@example.com"), member("b", "b@example.com"), member("c", "c@example.com")}
	people[0].Status, people[1].Status = directory.Suspended, directory.Suspended
	create(t, s, people...)
	check("at first", 3, 2)
	create(t, s, member("d", "d@example.com"))
	check("one more", 4, 2)
	if _, err := s.ChangeUser(t.Context(), people[2].ID, func(state directory.RuleState) (directory.Change, error) {
		state.User.Status = directory.Suspended
		return directory.Change{User: state.User}, nil
	}); err != nil {
		t.Fatal(err)
	}
	check("one suspended", 4, 3)
	remove(t, s, people[0].ID)
	check("one less", 3, 2)
	mustSignIn(t, s, signInRequest(member("", "e@example.com"), "token"))
	check("one signed in", 4, 2)
}

func remove(t *testing.T, s Store, id string) {
	t.Helper()
	if _, err := s.ChangeUser(t.Context(), id, func(s directory.RuleState) (directory.Change, error) {
		return directory.Change{User: s.User, Remove: true}, nil
	}); err != nil {
		t.Fatal(err)
	}
}
