package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

// withSmallLimits runs fn on a store of each engine whose searches have small limits.
func withSmallLimits(t *testing.T, fn func(t *testing.T, s *Store)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		s.maxSorted, s.maxScanned = 10, 10
		fn(t, s)
	})
}

// addUsers adds users with these names, numbered from a number on.
func addUsers(t *testing.T, s *Store, from int, role directory.Role, names ...string) {
	t.Helper()
	for i, name := range names {
		id := fmt.Sprintf("%03d", from+i)
		u := directory.User{
			ID: id, Name: name, Email: directory.Email{Display: id + "@x.org", Normalized: id + "@x.org"},
			Role: role, Status: directory.Active, CreatedAt: storetest.Now(),
		}
		if err := s.CreateUser(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, "")}); err != nil {
			t.Fatal(err)
		}
	}
}

// readPages reads a list from a page on to its end, and returns the names on each page.
func readPages(t *testing.T, s *Store, q directory.Query) (pages []directory.Page, seen [][]string) {
	t.Helper()
	for range 100 {
		page, err := s.ListUsers(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, u := range page.Users {
			names = append(names, u.Name)
		}
		pages, seen = append(pages, page), append(seen, names)
		if q.After = page.Next; q.Backward {
			q.After = page.Prev
		}
		if q.After == nil {
			return pages, seen
		}
	}
	t.Fatal("the list has no end")
	return nil, nil
}

func TestSearch_FewMatchesAreSortedAndCounted(t *testing.T) {
	t.Parallel()
	withSmallLimits(t, func(t *testing.T, s *Store) {
		addUsers(t, s, 0, directory.Member, "Ann J", "Ann I", "Ann H", "Ann G", "Ann F", "Ann E", "Ann D", "Ann C", "Ann B", "Ann A", "Bob")
		q := directory.Query{Terms: []string{"ann"}, Sort: directory.ByName, Limit: 4}
		pages, seen := readPages(t, s, q)
		want := [][]string{{"Ann A", "Ann B", "Ann C", "Ann D"}, {"Ann E", "Ann F", "Ann G", "Ann H"}, {"Ann I", "Ann J"}}
		if diff := cmp.Diff(want, seen); diff != "" || pages[0].Total != 10 || pages[0].More || pages[0].RelevanceOrder {
			t.Errorf("%+v\n%s", pages[0], diff)
		}
		// The rarer term is looked for, wherever it stands.
		for _, terms := range [][]string{{"an", "x.org"}, {"x.org", "an"}, {"x", "x.org", "an", "x"}} {
			q.Terms = terms
			if pages, _ := readPages(t, s, q); pages[0].RelevanceOrder || pages[0].Total != 10 {
				t.Errorf("%q: %+v", terms, pages[0])
			}
		}
	})
}

func TestSearch_ManyMatchesAreOrderedByWord(t *testing.T) {
	t.Parallel()
	withSmallLimits(t, func(t *testing.T, s *Store) {
		// Two have two words that begin with ann, and many have the same.
		addUsers(t, s, 0, directory.Member, "Anne", "Anna", "Ann", "Anna Annabel", "Anna", "Ann", "Anne", "Annabel Ann", "Annika", "Anna", "Ann", "Bob", "Ánn")
		want := []string{"Ann", "Ann", "Annabel Ann", "Ann", "Ánn", "Anna", "Anna", "Anna", "Anna Annabel", "Anne", "Anne", "Annika"}
		for _, limit := range []int{1, 3, 4, 200} {
			q := directory.Query{Terms: []string{"ann"}, Sort: "-" + directory.ByCreated, Limit: limit}
			pages, seen := readPages(t, s, q)
			if diff := cmp.Diff(want, slices.Concat(seen...)); diff != "" || !pages[0].RelevanceOrder || pages[0].Prev != nil {
				t.Errorf("limit %d: %+v\n%s", limit, pages[0], diff)
			}
			for i, page := range pages {
				if page.Total != len(seen[i]) || page.More != (len(pages) > 1) {
					t.Errorf("limit %d, page %d: total %d, more %v", limit, i, page.Total, page.More)
				}
			}
			// From the end, and from the last page, back again.
			q.Backward = true
			if _, seen := readPages(t, s, q); !slices.Equal(want, slices.Concat(reversed(seen)...)) {
				t.Errorf("limit %d, from the end: %q", limit, seen)
			}
			if q.After = pages[len(pages)-1].Prev; q.After == nil {
				continue
			}
			_, back := readPages(t, s, q)
			if diff := cmp.Diff(want, slices.Concat(append(reversed(back), seen[len(seen)-1])...)); diff != "" {
				t.Errorf("limit %d, back: %s", limit, diff)
			}
		}
	})
}

func reversed(pages [][]string) [][]string {
	slices.Reverse(pages)
	return pages
}

func TestSearch_ReadsALimitedNumberOfWords(t *testing.T) {
	t.Parallel()
	withSmallLimits(t, func(t *testing.T, s *Store) {
		for i := range 35 {
			role := directory.Member
			if i%12 == 11 {
				role = directory.Admin
			}
			addUsers(t, s, i, role, "Ann")
		}
		for _, backward := range []bool{false, true} {
			q := directory.Query{Terms: []string{"ann"}, Role: directory.Admin, Sort: directory.ByName, Limit: 2, Backward: backward}
			pages, seen := readPages(t, s, q)
			if len(slices.Concat(seen...)) != 2 || len(pages) != 4 {
				t.Fatalf("backward %v: %q", backward, seen)
			}
			for i, page := range pages {
				if !page.RelevanceOrder || len(page.Users) > 1 {
					t.Errorf("backward %v, page %d: %+v", backward, i, page)
				}
			}
			// An empty page has a next page and the previous one.
			q.After = pages[0].Next
			if backward {
				q.After = pages[0].Prev
			}
			q.Backward = !backward
			if page, err := s.ListUsers(t.Context(), q); err != nil || !page.RelevanceOrder {
				t.Errorf("backward %v: %+v, %v", backward, page, err)
			}
		}
	})
}

func TestSearch_CursorKeepsTheOrder(t *testing.T) {
	t.Parallel()
	withSmallLimits(t, func(t *testing.T, s *Store) {
		people := slices.Repeat([]string{"Ann"}, 10)
		addUsers(t, s, 0, directory.Member, people...)
		q := directory.Query{Terms: []string{"ann"}, Sort: "-" + directory.ByEmail, Limit: 4}
		sorted, err := s.ListUsers(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		addUsers(t, s, 10, directory.Member, people...)
		byWord, err := s.ListUsers(t.Context(), q)
		if err != nil || sorted.RelevanceOrder || !byWord.RelevanceOrder {
			t.Fatal(sorted, byWord, err)
		}
		q.After = sorted.Next
		if page, err := s.ListUsers(t.Context(), q); err != nil || page.RelevanceOrder || page.Users[0].ID != "005" || page.Total != 20 {
			t.Errorf("sorted, with twice as many: %+v, %v", page, err)
		}
		addUsers(t, s, 20, directory.Member, "Ann")
		var invalid *directory.ValidationError
		if page, err := s.ListUsers(t.Context(), q); !errors.As(err, &invalid) || invalid.Fields["cursor"] == "" {
			t.Errorf("sorted, with more: %+v, %v", page, err)
		}
		for id := range 15 {
			if _, err := s.ChangeUser(t.Context(), fmt.Sprintf("%03d", 20-id), func(state directory.RuleState) (directory.Change, error) {
				return directory.Change{User: state.User, Remove: true}, nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		q.After = byWord.Next
		if page, err := s.ListUsers(t.Context(), q); err != nil || !page.RelevanceOrder || len(page.Users) != 2 || page.Users[0].ID != "004" {
			t.Errorf("by word, with few left: %+v, %v", page, err)
		}
		for _, p := range []directory.Keyset{{}, {Key: "ant", ID: "1"}, {Key: "zoe"}, {Key: "a\x00"}, {Key: maxRune + maxRune, ID: maxRune}} {
			for _, backward := range []bool{false, true} {
				p.ByWord = true
				q.After, q.Backward = &p, backward
				if page, err := s.ListUsers(t.Context(), q); err != nil || len(page.Users) > 6 {
					t.Errorf("%+v: %+v, %v", p, page, err)
				}
			}
		}
	})
}
