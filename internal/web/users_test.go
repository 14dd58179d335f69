package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestInvite_SaysWhetherTheEmailWasSent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	a := ada.form("/users", "email", "Grace@Example.com", "name", "Grace Hopper", "role", "admin")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/users" {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	list := ada.get("/users")
	want := [][]string{
		{"Name", "Address", "Role", "Status", "Added", "Last seen"},
		{"ada@example.com", "ada@example.com", "Administrator", "Active", "just now", "just now"},
		{"Grace Hopper", "Grace@Example.com", "Administrator", "Invited", "just now", "never"},
	}
	if diff := cmp.Diff(want, list.Rows()); diff != "" || !strings.Contains(list.Text(), "Invitation sent to Grace@Example.com.") {
		t.Errorf("%s\n%s", diff, list.Text())
	}
	f.clock.advance(7*24*time.Hour - time.Second)
	ada = f.signedIn(directory.Admin, "ada@example.com")
	if text := ada.get("/users").Text(); strings.Contains(text, "Invitation expired") {
		t.Error("the invitation has expired too early")
	}
	f.clock.advance(time.Second)
	if text := ada.get("/users").Text(); !strings.Contains(text, "Invitation expired") {
		t.Errorf("the invitation has not expired: %s", text)
	}
}

func TestForms_InvalidOnesKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	long := strings.Repeat("é", directory.MaxName+1)
	const noAddress, noName, noRole = "Enter one email address, like ada@example.com.", "Use at most 100 characters.", "Choose admin or member."
	before := f.rows()
	for _, row := range []struct {
		name, path, button string
		fill               []string
		status             int
		problems           map[string]string
	}{
		{"an address that is none", "/users", "Send invitation", []string{"email", "grace", "name", "G", "role", "admin"}, 422, map[string]string{"email": noAddress}},
		{"everything wrong at once", "/users", "Send invitation", []string{"email", "", "name", long, "role", "owner"}, 422, map[string]string{"email": noAddress, "name": noName, "role": noRole}},
		{"an address that is taken", "/users", "Send invitation", []string{"email", "GRACE@example.com", "name", "Other", "role", "member"}, 409, map[string]string{"email": "This address is already on the list."}},
		{"a name of two lines", "/users", "Send invitation", []string{"email", "joan@example.com", "name", "Joan\nClarke", "role", "member"}, 422, map[string]string{"name": "Use letters, digits and punctuation only."}},
		{"a name of 101 characters", "/users/" + grace.ID, "Save", []string{"name", long, "role", "member"}, 422, map[string]string{"name": noName}},
		{"a role that there is not", "/users/" + grace.ID, "Save", []string{"name", "Grace", "role", "owner"}, 422, map[string]string{"role": noRole}},
		{"no role", "/users/" + grace.ID, "Save", []string{"name", "Grace", "role", ""}, 422, map[string]string{"role": noRole}},
		{"the last administrator demoted", "/users/" + ada.user.ID, "Save", []string{"name", "Ada", "role", "member"}, 409, map[string]string{
			"role": "This is the last active administrator. Make someone else who is active an administrator first.",
		}},
	} {
		a := ada.form(row.path, row.fill...)
		if a.status != row.status {
			t.Errorf("%s: %d %s", row.name, a.status, a.Text())
			continue
		}
		if diff := cmp.Diff(row.problems, a.Problems()); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
		form, _ := a.Form(row.button)
		for i := 0; i < len(row.fill); i += 2 {
			if name := row.fill[i]; name != "role" && form.Values.Get(name) != row.fill[i+1] {
				t.Errorf("%s: the form keeps %q of %q", row.name, form.Values.Get(name), row.fill[i+1])
			}
		}
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("the database has changed:\n%s", diff)
	}
}

func TestLastAdministrator_CannotBeSuspendedOrRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	f.add(directory.User{Email: directory.Email{Display: "invited@example.com"}, Role: directory.Admin}) // never signed in
	before := f.rows()
	for _, what := range []string{"suspend", "remove"} {
		a := ada.form("/users/" + ada.user.ID + "/" + what)
		if a.status != http.StatusConflict || a.Heading() != "You need at least one administrator" {
			t.Errorf("%s: %d %s", what, a.status, a.Text())
		}
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("the database has changed:\n%s", diff)
	}
	f.signedIn(directory.Admin, "grace@example.com")
	if a := ada.form("/users/" + ada.user.ID + "/remove"); a.status != http.StatusSeeOther {
		t.Errorf("with another administrator: %d %s", a.status, a.Text())
	}
}

func TestUsersPage_SearchFilterSortPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for i := range 119 {
		u := directory.User{Email: directory.Email{Display: fmt.Sprintf("p%03d@example.com", i)}, Name: fmt.Sprintf("Person %03d", i)}
		if i%2 == 0 {
			u.Status = directory.Suspended
		}
		f.add(u)
	}
	for path, want := range map[string]string{
		"/users":                                 "120 people",
		"/users?q=person+00":                     "10 people found",
		"/users?q=PERS+p007":                     "1 person found",
		"/users?q=nobody":                        "No matches",
		"/users?status=suspended":                "60 people found",
		"/users?status=invited&q=person":         "59 people found",
		"/users?role=admin":                      "1 person found",
		"/users?role=member&status=active":       "0 people found",
		"/users?role=&status=&q=&sort=&cursor=":  "120 people",
		"/users?sort=password":                   "Sort by name, email, created_at or last_seen_at",
		"/users?status=dead":                     "Choose invited, refused, active or suspended.",
		"/users?role=owner":                      "Choose admin or member.",
		"/users?cursor=x":                        "This cursor belongs to another list",
		"/users?q=" + strings.Repeat("x", 101):   "Search with at most 100 characters.",
		"/users?q=a+b+c+d+e":                     "Search with at most 4 words.",
		"/users?limit=0":                         "Ask for 1 to 200 people.",
		"/users?limit=18446744073709551616":      "Ask for 1 to 200 people.",
		"/users?q=%27+OR+1=1--":                  "No matches",
		"/users?q=%25":                           "No matches",
		"/users?sort=name%3B+DROP+TABLE+users--": "Sort by name",
	} {
		a := ada.get(path)
		if !strings.Contains(a.Text(), want) || a.status != 200 && a.status != 422 {
			t.Errorf("%s: %d, does not say %q: %s", path, a.status, want, a.Text())
		}
	}

	// Forth and back again through all pages; the address keeps what was asked for.
	path, seen := "/users?sort=-email&limit=50", []string{}
	for page := 1; ; page++ {
		a := ada.get(path)
		for _, row := range a.Rows()[1:] {
			seen = append(seen, row[1])
		}
		next, more := a.Link("Next →")
		if !more {
			if page != 3 {
				t.Errorf("the last page is number %d", page)
			}
			break
		}
		path = "/users" + next
	}
	if len(seen) != 120 || seen[0] != "p118@example.com" || seen[118] != "p000@example.com" || seen[119] != "ada@example.com" {
		t.Errorf("%d people were seen: %q", len(seen), seen)
	}
	for range 2 {
		prev, _ := ada.get(path).Link("← Previous")
		path = "/users" + prev
	}
	first := ada.get(path)
	if _, more := first.Link("← Previous"); more || first.Rows()[1][1] != "p118@example.com" {
		t.Errorf("the way back ends at %q", first.Rows()[1])
	}
	if by, _ := first.Link("Address"); by != "?limit=50&sort=email" {
		t.Errorf("the heading sorts by %q", by)
	}
}
