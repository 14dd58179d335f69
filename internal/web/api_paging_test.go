package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

// list is a response of GET /api/users.
type list struct {
	emails []string
	next   string // empty on the last page
	total  int
}

func (c *caller) list(query string) list {
	c.f.t.Helper()
	a := c.get("/api/users?" + query)
	if a.status != http.StatusOK {
		c.f.t.Fatalf("%s: %d %s", query, a.status, a.body)
	}
	o := a.object(c.f.t)
	l := list{total: int(o["total"].(float64))}
	l.next, _ = o["next_cursor"].(string)
	for _, u := range o["users"].([]any) {
		l.emails = append(l.emails, u.(object)["email"].(string))
	}
	return l
}

// crowd adds 119 users besides ada and returns the addresses in order. The other columns order them
// differently, with many equal values.
func crowd(f *fixture) (ada *caller, emails []string) {
	ada = f.signedIn(directory.Admin, "ada@example.com")
	emails = []string{"ada@example.com"}
	for i := range 119 {
		u := directory.User{
			Email: directory.Email{Display: fmt.Sprintf("p%03d@example.com", i)}, Name: fmt.Sprintf("Name %d", i%7),
			CreatedAt: noon.Add(time.Duration(-i%5) * time.Hour), Status: directory.Active, LastSeenAt: noon.Add(time.Duration(i%3) * time.Minute),
		}
		switch i % 4 {
		case 1:
			u.Status, u.LastSeenAt = directory.Invited, time.Time{}
		case 2:
			u.Role = directory.Admin
		}
		f.add(u)
		emails = append(emails, u.Email.Display)
	}
	return ada, emails
}

func TestPaging_VisitsEveryUserOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, emails := crowd(f)
	for _, sort := range []string{"", "name", "email", "created_at", "last_seen_at"} {
		orders := map[string][]string{}
		for _, limit := range []int{7, 50, 60, 120, 200} {
			for _, sign := range []string{"", "-"} {
				if sort == "" && sign == "-" {
					continue
				}
				var seen []string
				for cursor, page := "", 0; ; page++ {
					query := url.Values{"sort": {sign + sort}, "limit": {strconv.Itoa(limit)}, "cursor": {cursor}}
					l := ada.list(query.Encode())
					if l.total != 120 || len(l.emails) != min(limit, 120-page*limit) {
						t.Fatalf("sort %s%s, limit %d, page %d: %d of %d people", sign, sort, limit, page, len(l.emails), l.total)
					}
					seen = append(seen, l.emails...)
					if cursor = l.next; cursor == "" {
						break
					}
				}
				if diff := cmp.Diff(emails, slices.Sorted(slices.Values(seen))); diff != "" {
					t.Fatalf("sort %s%s, limit %d: not everybody once:\n%s", sign, sort, limit, diff)
				}
				if before, ok := orders[sign]; ok && !slices.Equal(before, seen) {
					t.Errorf("sort %s%s: another order with limit %d", sign, sort, limit)
				}
				orders[sign] = seen
			}
		}
		if back, ok := orders["-"]; ok {
			slices.Reverse(back)
			if diff := cmp.Diff(orders[""], back); diff != "" {
				t.Errorf("sort -%s is not %s turned round:\n%s", sort, sort, diff)
			}
		}
		if sort == "email" && !slices.Equal(orders[""], emails) {
			t.Errorf("by address: %q", orders[""])
		}
	}
	never := ada.list("sort=last_seen_at&status=invited&limit=30").emails
	if first := ada.list("sort=last_seen_at&limit=30").emails; !slices.Equal(first, never) {
		t.Errorf("who was never seen does not come first: %q", first)
	}
	if l := ada.list(""); len(l.emails) != directory.DefaultLimit || l.emails[0] != "ada@example.com" {
		t.Errorf("unasked, the page has %d people and begins with %s", len(l.emails), l.emails[0])
	}
}

func TestPaging_CountsFilteredUsers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, _ := crowd(f)
	for query, want := range map[string]int{
		"":                                       120,
		"role=admin":                             31,
		"role=member":                            89,
		"status=invited":                         30,
		"status=active":                          90,
		"status=suspended":                       0,
		"role=admin&status=active":               31,
		"q=p01":                                  10,
		"q=p01&role=admin":                       3,
		"q=NAME+3":                               17,
		"q=example.com":                          120,
		"q=p007%40example.com":                   1,
		"q=007":                                  0, // only beginnings of words match
		"q=nobody":                               0,
		"q=%20%20":                               120,
		"q=name&status=invited&sort=-created_at": 30,
	} {
		if l := ada.list("limit=200&" + query); l.total != want || len(l.emails) != want {
			t.Errorf("%q: %d of %d people, want %d", query, len(l.emails), l.total, want)
		}
	}
}

func TestPaging_CursorSurvivesChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, emails := crowd(f)
	first := ada.list("sort=email&limit=10")
	u, err := f.store.GetUserByEmail(t.Context(), directory.Email{Normalized: emails[9]}) // the user the cursor points at
	if err != nil {
		t.Fatal(err)
	}
	ada.json("DELETE", "/api/users/"+u.ID, "")
	f.add(directory.User{Email: directory.Email{Display: "aaa@example.com"}})
	if l := ada.list("sort=email&limit=10&cursor=" + first.next); !slices.Equal(l.emails, emails[10:20]) {
		t.Errorf("the second page is %q", l.emails)
	}
}

func TestPaging_ExplainsInvalidQueries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, _ := crowd(f)
	cursor := ada.list("sort=email&limit=10").next
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=201": "limit", "limit=-1": "limit", "limit=ten": "limit", "limit=1e2": "limit", "limit=99999999999999999999": "limit",
		"sort=password": "sort", "sort=--name": "sort", "sort=name,email": "sort", "sort=-": "sort",
		"role=owner": "role", "role=ADMIN": "role", "status=dead": "status", "status=Active": "status",
		"q=" + strings.Repeat("x", 101): "q", "q=a+b+c+d+e": "q", "q=%ff": "q",
		"cursor=x": "cursor", "cursor=e30": "cursor", "cursor=" + cursor: "cursor", "sort=-email&cursor=" + cursor: "cursor",
		"sort=email&cursor=" + cursor + "x": "cursor", "cursor=" + strings.Repeat("A", 5000): "cursor",
	} {
		a := ada.get("/api/users?" + query)
		fields, _ := a.object(t)["fields"].(object)
		if text, _ := fields[field].(string); a.status != http.StatusUnprocessableEntity || text == "" || len(fields) != 1 {
			t.Errorf("%q: %d %s", query, a.status, a.body)
		}
	}
}
