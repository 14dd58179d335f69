package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

const isOld = "Links stop working when your access changes"

func TestLink_BeforeAChangeOfAccessIsRefused(t *testing.T) {
	t.Parallel()
	post := func(heading, path string, form ...string) func(t *testing.T, ada, grace *harness.Person) {
		return func(t *testing.T, ada, grace *harness.Person) {
			harness.WantPage(t, ada.Post("/users/"+harness.CurrentSession(grace).User.ID+path, form...), 200, heading)
		}
	}
	own := func(which string) func(t *testing.T, _, grace *harness.Person) {
		return func(t *testing.T, _, grace *harness.Person) { grace.Post("/profile/signout", "session", which) }
	}
	for _, row := range []struct {
		name   string
		change func(t *testing.T, ada, grace *harness.Person)
	}{
		{"all sessions ended by an administrator", post("grace@example.com", "/signout")},
		{"signed out everywhere", own("all")},
		{"signed out everywhere else", own("others")},
		{"made an administrator", post("Grace", "", "name", "Grace", "role", "admin")},
		{"suspended and reinstated", func(t *testing.T, ada, grace *harness.Person) {
			path := "/users/" + harness.CurrentSession(grace).User.ID
			ada.Post(path + "/suspend")
			ada.Post(path + "/reinstate")
		}},
		{"all sessions ended on the command line", func(t *testing.T, _, grace *harness.Person) {
			if _, err := grace.Site.Command("sessions", "end", grace.Email); err != nil {
				t.Error(err)
			}
		}},
		{"removed and invited again", func(t *testing.T, ada, grace *harness.Person) {
			ada.CallAPI("DELETE", "/api/users/"+harness.CurrentSession(grace).User.ID, "")
			harness.Eventually(t, "Stytch told", func() bool { return grace.Site.Count("SELECT COUNT(*) FROM outbox") == 0 })
			grace.Site.Clock.Advance(time.Second)
			ada.Invite(grace.Email)
			grace.NextLink()
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, databaseURL string) {
				s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
				ada, grace := s.NewPerson("ada@example.com"), s.NewPerson("grace@example.com")
				ada.SignIn()
				ada.Invite(grace.Email)
				grace.PressContinue(grace.OpenNextLink())
				s.Clock.Advance(time.Minute)
				thief := grace.InNewBrowser()
				thief.RequestLink()
				stolen := thief.OpenLink(grace.NextLink())
				s.Clock.Advance(time.Second)
				row.change(t, ada, grace)
				s.Clock.Advance(time.Second)

				v := thief.PressContinue(stolen)
				if row.name == "removed and invited again" { // the account is deleted at Stytch
					harness.WantPage(t, v, 404, "This link isn’t valid")
				} else {
					harness.WantPage(t, v, 410, "This link no longer works", isOld)
				}
				harness.WantPage(t, thief.Get("/profile"), 200, "Sign in")

				again := grace.InNewBrowser()
				again.RequestLink()
				if v := again.PressContinue(again.OpenLink(grace.NextLink())); v.Status != http.StatusOK {
					t.Errorf("a link from after it: %d %s", v.Status, v.Text())
				}
			})
		})
	}
}

func TestLink_FirstSignInRevokesOthers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		second := s.StartAnother()
		ada, grace := s.NewPerson("ada@example.com"), s.NewPerson("grace@example.com")
		ada.SignIn()
		ada.Invite(grace.Email)
		invitation := grace.NextLink()
		s.Clock.Advance(time.Minute)
		grace.RequestLink()
		harness.WantPage(t, grace.PressContinue(grace.OpenLink(grace.NextLink())), 200, "My apps", grace.Email)

		thief := grace.InNewBrowser().At(second)
		harness.WantPage(t, thief.PressContinue(thief.OpenLink(invitation)), 410, "This link no longer works", isOld)
		harness.WantPage(t, grace.PressContinue(grace.OpenLink(invitation)), 200, "My apps", grace.Email) // the session continues
		harness.WantPage(t, ada.Get("/users/"+harness.CurrentSession(grace).User.ID+"/why"), 200, "Sign-in help", "a link or a code from before their access changed")
	})
}

func TestLink_InvitationForAnotherRoleIsRefused(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada, grace := s.NewPerson("ada@example.com"), s.NewPerson("grace@example.com")
	ada.SignIn()
	ada.Invite(grace.Email)
	old := grace.NextLink()
	s.Clock.Advance(time.Minute)
	id := harness.UserIDOf(ada, grace.Email)
	ada.CallAPI("PATCH", "/api/users/"+id, `{"role":"admin"}`)
	fresh := grace.NextLink() // replaces the first
	thief := grace.InNewBrowser()
	if v := thief.PressContinue(thief.OpenLink(old)); v.Status != http.StatusGone {
		t.Errorf("%d %s", v.Status, v.Text())
	}
	harness.WantPage(t, grace.PressContinue(grace.OpenLink(fresh)), 200, "My apps", "People")
}
