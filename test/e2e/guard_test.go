package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestGuard_WayIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-admins=ada@example.com", "--guestlist-base-url=http://localhost:PORT")
		boss := s.NewPerson("ada@example.com")
		boss.SignIn()
		for i, via := range harness.Askers {
			t.Run(via.Name, func(t *testing.T) {
				app := s.AddApp("Wiki of "+via.Name, "https://wiki"+string(rune('a'+i))+".example.net")
				address := strings.ToLower(via.Name) + "@example.com"
				boss.Invite(address)
				ada := s.NewPerson(address)
				ada.NextLink() // the invitation
				deep := app.URL() + "/a%20page?q=%2Fx&y"
				signIn := ada.OpenApp(via, deep)
				harness.WantPage(t, signIn, http.StatusOK, "Sign in")
				sent := ada.Submit(signIn, "Email me a link", "Email address", ada.Email)
				harness.WantPage(t, sent, http.StatusOK, "Check your email")
				landing := ada.OpenNextLink()
				form, _ := landing.Form("Continue")
				v := ada.DoOnce(ada.FormRequest("/api/authenticate_magic_link", form.Values.Encode()))
				if v.Status != http.StatusSeeOther || !strings.HasSuffix(v.Header.Get("Location"), "/enter") {
					t.Fatalf("%d to %s", v.Status, v.Header.Get("Location"))
				}
				in := ada.OpenApp(via, s.URL+"/enter")
				if in.Status != http.StatusOK || in.Path != "/a%20page?q=%2Fx&y" || in.Header.Get("Remote-Email") != address || in.Header.Get("X-Guestlist-Jwt") == "" {
					t.Fatalf("%d %s %v %s", in.Status, in.Path, in.Header, in.Text())
				}
				if in.Header.Get("Set-Cookie") != "" {
					t.Error("an answer 200 sets a cookie")
				}
			})
		}
	})
}
