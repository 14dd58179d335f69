package web

import (
	"slices"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestUsersPage_EscapesHostileNames(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	f.add(directory.User{ID: `"><script>`, Email: directory.Email{Display: "o'hara&co@example.com"}, Name: hostile, CreatedAt: noon})
	a := ada.get("/users")
	want := []string{seen(hostile), "o'hara&co@example.com", "Member", "Not invited", "just now", "never"}
	if !slices.ContainsFunc(a.Rows(), func(row []string) bool { return slices.Equal(row, want) }) {
		t.Errorf("the rows are %q, without %q", a.Rows(), want)
	}
	if to, _ := a.Link(want[0]); to != "/users/%22%3E%3Cscript%3E" {
		t.Errorf("the name leads to %q", to)
	}
	if strings.Contains(a.body, "<script>") {
		t.Error("a name is part of the page's markup")
	}
}
