package testpage_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testpage"
)

const page = `<!doctype html><title>People · Guestlist</title>
<h1>People  <em>here</em></h1>
<a href="/users/new">Invite</a>
<table><tr><th>Name</th><th>Role</th></tr><tr><td>Ada</td><td>Member</td></tr></table>
<form action="/search"><input name="q" value="x"><button>Search</button></form>
<form method="post" action="/users">
  <input type="hidden" name="next" value="/users">
  <label for="e">Email address</label><input id="e" name="email" value="ada" aria-invalid="true" aria-describedby="e-error">
  <p id="e-error">Enter one address.</p>
  <label for="r">Role</label><select id="r" name="role"><option value="member">Member</option><option value="admin" selected>Admin</option></select>
  <button name="how" value="now">Send</button>
</form>
<script>no(text)</script>`

func parse(t *testing.T) *testpage.Page {
	t.Helper()
	p, err := testpage.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPage(t *testing.T) {
	t.Parallel()
	p := parse(t)
	if p.Heading() != "People here" || p.Title() != "People · Guestlist" {
		t.Errorf("heading is %q, title %q", p.Heading(), p.Title())
	}
	if text := p.Text(); strings.Contains(text, "no(text)") || !strings.Contains(text, "Enter one address.") {
		t.Errorf("text is %q", text)
	}
	if href, ok := p.Link("Invite"); !ok || href != "/users/new" {
		t.Errorf("the link leads to %q, %v", href, ok)
	}
	if _, ok := p.Link("Leave"); ok {
		t.Error("found a link that does not exist")
	}
	if diff := cmp.Diff([][]string{{"Name", "Role"}, {"Ada", "Member"}}, p.Rows()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"email": "Enter one address."}, p.Problems()); diff != "" {
		t.Error(diff)
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	p := parse(t)
	f, ok := p.Form("Send")
	if !ok || f.Method != "POST" || f.Action != "/users" {
		t.Fatalf("got %+v, %v", f, ok)
	}
	if err := f.Fill("Email address", "ada@example.com"); err != nil {
		t.Error(err)
	}
	if err := f.Fill("Shoe size", "38"); err == nil {
		t.Error("filled in a field that does not exist")
	}
	want := url.Values{"next": {"/users"}, "email": {"ada@example.com"}, "role": {"admin"}, "how": {"now"}}
	if diff := cmp.Diff(want, f.Values); diff != "" {
		t.Error(diff)
	}
	if f.Value("Role") != "admin" {
		t.Errorf("the role is %q", f.Value("Role"))
	}
	if f, _ := p.Form("Search"); f.Method != "GET" || f.Values.Get("q") != "x" {
		t.Errorf("the search form is %+v", f)
	}
	if _, ok := p.Form("Remove"); ok {
		t.Error("found a form that does not exist")
	}
}
