package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

// orders are all sort orders.
var orders = []directory.Sort{
	directory.ByName, "-" + directory.ByName, directory.ByEmail, "-" + directory.ByEmail,
	directory.ByCreated, "-" + directory.ByCreated, directory.ByLastSeen, "-" + directory.ByLastSeen,
}

// randomUsers returns n users. Many share a name, CreatedAt or LastSeenAt.
func randomUsers(random *rand.Rand, n int) []directory.User {
	people := make([]directory.User, n)
	for i := range people {
		u := member([]string{"", "Ada", "ada", "Ádá", "Bob", "王"}[random.IntN(6)], fmt.Sprintf("%08x@example.com", random.Uint32()))
		u.CreatedAt = ago(time.Duration(random.IntN(4)) * time.Hour)
		u.LastSeenAt = []time.Time{{}, ago(time.Hour), ago(2 * time.Hour)}[random.IntN(3)]
		people[i] = u
	}
	return people
}

// sorted returns the users in the expected order.
func sorted(people []directory.User, order directory.Sort) []directory.User {
	return slices.SortedFunc(slices.Values(people), func(a, b directory.User) int {
		c := 0
		switch order.Column() {
		case directory.ByName:
			c = cmp.Compare(a.SortKey(), b.SortKey())
		case directory.ByEmail:
			c = cmp.Compare(a.Email.Normalized, b.Email.Normalized)
		case directory.ByCreated:
			c = a.CreatedAt.Compare(b.CreatedAt)
		case directory.ByLastSeen:
			c = a.LastSeenAt.Compare(b.LastSeenAt)
		}
		c = cmp.Or(c, cmp.Compare(a.ID, b.ID))
		if order.Descending() {
			return -c
		}
		return c
	})
}

// walk reads all pages in one direction and calls between after each.
func walk(t *testing.T, s Store, q directory.Query, between func(directory.Page)) []directory.User {
	t.Helper()
	var seen []directory.User
	for range 1000 {
		page := list(t, s, q)
		between(page)
		next := page.Next
		if q.Backward {
			seen, next = append(page.Users, seen...), page.Prev
		} else {
			seen = append(seen, page.Users...)
		}
		if next == nil {
			return seen
		}
		q.After = next
	}
	t.Fatal("more than 1000 pages")
	return nil
}

func testPages(t *testing.T, s Store) {
	people := randomUsers(rand.New(rand.NewPCG(1, 2)), 61)
	create(t, s, people...)
	for _, order := range orders {
		for _, limit := range []int{7, 20, 61, 200} {
			t.Run(fmt.Sprintf("%s by %d", order, limit), func(t *testing.T) {
				checkPages(t, s, directory.Query{Sort: order, Limit: limit}, people)
			})
		}
	}
}

func testFilteredPages(t *testing.T, s Store) {
	random := rand.New(rand.NewPCG(5, 6))
	people := randomUsers(random, 80)
	for i := range people {
		people[i].Role = []directory.Role{directory.Admin, directory.Member}[random.IntN(2)]
		people[i].Status = []directory.Status{directory.Invited, directory.Active, directory.Suspended}[random.IntN(3)]
	}
	create(t, s, people...)
	for _, q := range []directory.Query{
		{Role: directory.Member}, {Status: directory.Invited}, {Role: directory.Admin, Status: directory.Suspended},
		{Terms: []string{"ada"}}, {Terms: []string{"ada", "example"}, Status: directory.Active},
	} {
		matches := slices.DeleteFunc(slices.Clone(people), func(u directory.User) bool {
			return q.Role != "" && u.Role != q.Role || q.Status != "" && u.Status != q.Status ||
				q.Terms != nil && !slices.Contains(u.SearchTerms(), "ada")
		})
		for _, q.Sort = range orders {
			t.Run(fmt.Sprint(q.Role, q.Status, q.Terms, q.Sort), func(t *testing.T) {
				q.Limit = 4
				checkPages(t, s, q, matches)
			})
		}
	}
}

// checkPages checks that the pages, forward and backward, contain exactly the given users.
func checkPages(t *testing.T, s Store, q directory.Query, people []directory.User) {
	t.Helper()
	var pages []directory.Page
	got := walk(t, s, q, func(p directory.Page) { pages = append(pages, p) })
	if diff := gocmp.Diff(sorted(people, q.Sort), got); diff != "" {
		t.Fatalf("forward: -want +got\n%s", diff)
	}
	if n := (len(people) + q.Limit - 1) / q.Limit; len(pages) != n || pages[0].Prev != nil || pages[n-1].Next != nil {
		t.Errorf("%d pages, want %d with a start and an end", len(pages), n)
	}
	for i, page := range pages {
		if page.Total != len(people) || page.More || page.RelevanceOrder {
			t.Errorf("page %d: total %d, more %v, relevance order %v", i, page.Total, page.More, page.RelevanceOrder)
		}
	}
	if len(pages) == 1 {
		return
	}
	// Backward from the last page, the pages are the same.
	q.Backward, q.After = true, pages[len(pages)-1].Prev
	i := len(pages) - 1
	walk(t, s, q, func(p directory.Page) {
		i--
		if i < 0 {
			t.Fatal("there are more pages backward")
		}
		if diff := gocmp.Diff(pages[i], p); diff != "" {
			t.Errorf("page %d: -forward +backward\n%s", i, diff)
		}
	})
	if i != 0 {
		t.Errorf("the first page backward is page %d", i)
	}
}

func testPagesDuringChanges(t *testing.T, s Store) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, order := range orders {
		for _, backward := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, backward %v", order, backward), func(t *testing.T) {
				people := randomUsers(random, 40)
				create(t, s, people...)
				staying, going := people[:20], people[20:]
				q := directory.Query{Sort: order, Limit: 6, Backward: backward}
				seen := walk(t, s, q, func(directory.Page) {
					if len(going) > 0 {
						remove(t, s, going[0].ID)
						going = going[1:]
						create(t, s, randomUsers(random, 1)...)
					}
				})
				ids := map[string]int{}
				for _, u := range seen {
					ids[u.ID]++
					if ids[u.ID] > 1 {
						t.Errorf("%s is seen twice", u.Email)
					}
				}
				for _, u := range staying {
					if ids[u.ID] == 0 {
						t.Errorf("%s is not seen", u.Email)
					}
				}
				if diff := gocmp.Diff(sorted(seen, order), seen); diff != "" {
					t.Errorf("out of order: -want +got\n%s", diff)
				}
				removeAll(t, s)
			})
		}
	}
}

func removeAll(t *testing.T, s Store) {
	t.Helper()
	for _, u := range list(t, s, directory.Query{Sort: directory.ByName, Limit: directory.MaxLimit}).Users {
		remove(t, s, u.ID)
	}
}
