package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
)

// crowded is a list on which every search matches too many to sort.
type crowded struct {
	directory.Store
	page  directory.Page
	err   error
	asked directory.Query // the last query
}

func (c *crowded) ListUsers(_ context.Context, q directory.Query) (directory.Page, error) {
	c.asked = q
	return c.page, c.err
}

func TestSearch_SaysThatTooManyMatch(t *testing.T) {
	t.Parallel()
	list := &crowded{}
	f := newFixture(t, func(o *Options) {
		list.Store = o.Events.(directory.Store)
		o.Directory = directory.New(directory.Options{Store: list, Now: o.Now})
	})
	ada := f.signedIn(directory.Admin, "ada@example.com")
	place := &directory.Keyset{Key: "person", ID: "17", ByWord: true}
	two := []directory.User{
		{ID: "1", Name: "Person 1", Role: directory.Member, Status: directory.Invited}, {ID: "2", Name: "Person 2", Role: directory.Member, Status: directory.Invited},
	}
	const many = "Many people match, ordered by the matching word. Type more to sort them."
	for _, r := range []struct {
		name         string
		page         directory.Page
		backward     bool
		says         string
		links, lacks []string
	}{
		{"a full page leads to the next", directory.Page{Users: two, Next: place}, false, many, []string{"Next →"}, []string{"Keep looking →", "← Previous"}},
		{"a page that was cut leads further", directory.Page{Users: two[:1], Next: place, Prev: place}, false, many, []string{"Keep looking →", "← Previous"}, []string{"Next →"}},
		{"so does one of nobody", directory.Page{Next: place}, false, "No one so far", []string{"Keep looking →"}, []string{"Clear search and filters"}},
		{"and one backward", directory.Page{Users: two[:1], Next: place, Prev: place}, true, many, []string{"← Keep looking", "Next →"}, []string{"← Previous"}},
		{"nobody at all is nobody", directory.Page{}, false, "No matches", []string{"Clear search and filters"}, []string{"Keep looking →"}},
	} {
		list.page = r.page
		list.page.RelevanceOrder, list.page.Total = true, len(r.page.Users)
		address := url.Values{"q": {"person"}, "limit": {"2"}}
		if r.backward {
			address.Set("cursor", f.server.sealCursor(directory.ByName, place, true))
		}
		a := ada.get("/users?" + address.Encode())
		if a.status != http.StatusOK || !strings.Contains(a.Text(), r.says) || strings.Contains(a.Text(), "found") {
			t.Errorf("%s: %d %s", r.name, a.status, a.Text())
		}
		if strings.Contains(a.body, `aria-sort="ascending"`) {
			t.Errorf("%s: a column claims to be sorted by", r.name)
		}
		for _, label := range r.links {
			if _, ok := a.Link(label); !ok {
				t.Errorf("%s: no link %q", r.name, label)
			}
		}
		for _, label := range r.lacks {
			if _, ok := a.Link(label); ok {
				t.Errorf("%s: a link %q", r.name, label)
			}
		}
	}

	list.page = directory.Page{Users: two, Next: place, Total: 2, More: true, RelevanceOrder: true}
	o := ada.get("/api/users?q=person&limit=2").object(t)
	if o["by_word"] != true || o["total"] != 2.0 || o["total_more"] != true {
		t.Errorf("as JSON: %v", o)
	}
	next, _ := o["next_cursor"].(string)
	if a := ada.get("/api/users?q=person&cursor=" + next); a.status != http.StatusOK || list.asked.After == nil || *list.asked.After != *place {
		t.Errorf("the cursor leads to %+v: %d", list.asked.After, a.status)
	}
	if a := ada.get("/api/users?cursor=" + next); a.status != http.StatusUnprocessableEntity {
		t.Errorf("the cursor without its search: %d %s", a.status, a.body)
	}

	list.err = directory.ErrCursor
	for _, path := range []string{"/users?q=person", "/api/users?q=person"} {
		if a := ada.get(path); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "belongs to another list") {
			t.Errorf("%s, with a cursor that leads nowhere: %d %s", path, a.status, a.body)
		}
	}
}
