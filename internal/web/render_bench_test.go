package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// BenchmarkUsersPage renders a page of fifty users.
func BenchmarkUsersPage(b *testing.B) {
	s := newServer(Options{BaseURL: &url.URL{Scheme: "http", Host: "localhost:8080"}, Now: func() time.Time { return noon }})
	view, users := fiftyUsers()
	for _, coding := range []string{"identity", "gzip"} {
		b.Run(coding, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/users", nil)
			r.Header.Set("Accept-Encoding", coding)
			b.ReportAllocs()
			for b.Loop() {
				view.Rows = s.userRows(users, nil, "")
				if err := s.render(discard{}, r, http.StatusOK, "users", view); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// discard discards a response.
type discard http.Header

func (n discard) Header() http.Header         { return http.Header(n) }
func (n discard) WriteHeader(int)             {}
func (n discard) Write(b []byte) (int, error) { return len(b), nil }

func fiftyUsers() (usersPage, []directory.User) {
	query, _ := parseQuery(url.Values{})
	view := usersPage{
		layoutData: layoutData{Title: "People", Section: "users", Viewer: &directory.User{Name: "Ada Lovelace", Role: directory.Admin, Status: directory.Active}},
		Columns:    columns(url.Values{}, query.Sort), Total: 10_000, More: true, InviteLifetime: 7 * 24 * time.Hour,
		NextURL: withCursor(url.Values{}, "opaque"),
	}
	var users []directory.User
	for i := range 50 {
		u := directory.User{
			ID: fmt.Sprintf("0199c7a2-5f3e-7cc1-9d3e-%012d", i), Name: fmt.Sprintf("Katherine Johnson %02d", i),
			Email: directory.Email{Display: fmt.Sprintf("katherine.johnson.%02d@example.com", i)}, Role: directory.Member, Status: directory.Active,
			CreatedAt: noon.Add(-time.Duration(i) * 40 * time.Hour), LastSeenAt: noon.Add(-time.Duration(i) * 50 * time.Minute),
		}
		if i%5 == 0 {
			u.Status, u.LastSeenAt, u.InviteSentAt = directory.Invited, time.Time{}, u.CreatedAt
		}
		users = append(users, u)
	}
	return view, users
}
