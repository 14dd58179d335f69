package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestCursor_IsSealed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for i := range 3 {
		f.add(directory.User{Email: directory.Email{Display: fmt.Sprintf("p%d@example.com", i)}, Name: fmt.Sprint("Grace ", i)})
	}
	cursor, _ := ada.get("/api/users?limit=2").object(t)["next_cursor"].(string)
	if a := ada.get("/api/users?limit=2&cursor=" + cursor); a.status != http.StatusOK || !strings.Contains(a.body, "p2@example.com") {
		t.Errorf("%d %s", a.status, a.body)
	}
	forged := directory.EncodeCursor(directory.ByName, &directory.Keyset{Key: "a", ID: "1"}, false)
	for name, made := range map[string]string{
		"made up": forged, "edited": cursor[:len(cursor)-6] + "AAAAAA", "cut": cursor[:len(cursor)/2],
		"a cookie": f.server.opts.Cookies.Seal("guestlist", forged),
	} {
		if a := ada.get("/api/users?cursor=" + made); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if next, ok := ada.get("/users?limit=2").Link("Next →"); !ok || strings.Contains(next, "grace") {
		t.Errorf("the page leads on to %q", next)
	}
}
