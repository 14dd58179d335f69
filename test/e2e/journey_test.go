package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestJourney_FromEmptyDirectoryToSignOut(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, start harness.StartFunc) {
		testdb.Each(t, func(t *testing.T, databaseURL string) {
			s := start(t, databaseURL, harness.NewClock(harness.Noon))

			// The first person becomes the administrator.
			ada := s.NewPerson("Ada@Example.com")
			harness.WantPage(t, ada.Get("/"), 200, "Sign in", "The first person to sign in becomes the administrator")
			harness.WantPage(t, ada.RequestLink(), 200, "Check your email")
			landing := ada.OpenNextLink()
			harness.WantPage(t, landing, 200, "Welcome")
			home := ada.PressContinue(landing)
			harness.WantPage(t, home, 200, "My apps", "Protect your first app")
			if home.Path != "/apps" {
				t.Errorf("ada lands on %s", home.Path)
			}
			list := harness.FollowLink(t, ada, home, "People")
			harness.WantPage(t, list, 200, "People", "It’s just you so far")

			// She invites another person, who opens the link in their own browser.
			form := harness.FollowLink(t, ada, list, "Invite the first person")
			invited := ada.Submit(form, "Send invitation", "Email address", "grace@example.com", "Name (optional)", "Grace Hopper")
			harness.WantPage(t, invited, 200, "People", "2 people", "Invitation sent to grace@example.com.")
			if !harness.HasRow(invited, "Grace Hopper", "grace@example.com", "Member", "Invited") {
				t.Errorf("grace is not shown as invited: %s", invited.Text())
			}
			grace := s.NewPerson("grace@example.com")
			landing = grace.OpenNextLink()
			harness.WantPage(t, landing, 200, "Welcome", "Click Continue to finish signing in")
			home = grace.PressContinue(landing)
			harness.WantPage(t, home, 200, "My apps", "Grace Hopper", "No apps yet")
			if home.Path != "/apps" {
				t.Errorf("grace lands on %s", home.Path)
			}
			harness.WantPage(t, harness.FollowLink(t, grace, home, "Profile"), 200, "Grace Hopper", "This device", "Firefox on Linux")
			harness.WantPage(t, grace.Get("/users"), 403, "This page is for administrators")

			// Ada edits, suspends and reinstates the person.
			entry := harness.FollowLink(t, ada, ada.Get("/users"), "Grace Hopper")
			edited := ada.Submit(entry, "Save", "Name", "Rear Admiral Hopper", "Role", "member")
			harness.WantPage(t, edited, 200, "Rear Admiral Hopper", "Saved Rear Admiral Hopper.")
			harness.WantPage(t, grace.Get("/profile"), 200, "Rear Admiral Hopper")
			suspended := ada.Submit(edited, "Suspend")
			harness.WantPage(t, suspended, 200, "Rear Admiral Hopper", "is suspended and signed out everywhere", "Not signed in anywhere")
			harness.WantPage(t, grace.Get("/profile"), 200, "Sign in", "Your session has ended")
			reinstated := ada.Submit(suspended, "Restore access")
			harness.WantPage(t, reinstated, 200, "Rear Admiral Hopper", "can sign in again")
			if v := grace.SignIn(); v.Path != "/apps" {
				t.Errorf("grace, reinstated, lands on %s: %s", v.Path, v.Text())
			}

			// She removes the person after confirming it.
			question := harness.FollowLink(t, ada, ada.Get(reinstated.Path), "Remove…")
			harness.WantPage(t, question, 200, "Remove Rear Admiral Hopper?")
			removed := ada.Submit(question, "Remove Rear Admiral Hopper")
			harness.WantPage(t, removed, 200, "People", "grace@example.com was removed", "1 person")
			harness.WantPage(t, grace.Get("/profile"), 200, "Sign in")
			harness.WantPage(t, ada.Get(entry.Path), 404, "This person isn’t on the list")

			// Finally she signs out.
			harness.WantPage(t, ada.Submit(removed, "Sign out"), 200, "Sign in", "You’ve signed out.")
			harness.WantPage(t, ada.Get("/users"), 200, "Sign in")
		})
	})
}

func TestSignIn_AfterExpiryReturnsToThePage(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, start harness.StartFunc) {
		s := start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
		ada := s.NewPerson("ada@example.com")
		ada.SignIn()

		s.Clock.Advance(7*24*time.Hour - time.Second)
		harness.WantPage(t, ada.Get("/users?q=grace&sort=-email"), 200, "People")
		s.Clock.Advance(time.Second)
		page := ada.Get("/users?q=grace&sort=-email")
		harness.WantPage(t, page, 200, "Sign in", "Your session has ended. Sign in to pick up where you left off.")
		if !strings.HasPrefix(page.Path, "/?expired") {
			t.Errorf("the sign-in page is at %s", page.Path)
		}
		harness.WantPage(t, ada.Submit(page, "Email me a link", "Email address", ada.Email), 200, "Check your email")
		if back := ada.PressContinue(ada.OpenNextLink()); back.Path != "/users?q=grace&sort=-email" {
			t.Errorf("ada comes back to %s", back.Path)
		}
		// The return path applies to one sign-in; the next one ends on the start page.
		ada.Post("/signout")
		if next := ada.SignIn(); next.Path != "/apps" {
			t.Errorf("the next time ada comes to %s", next.Path)
		}
	})
}

func TestSignIn_SeveralLinksInOneBrowser(t *testing.T) {
	t.Parallel()
	for _, sameBrowser := range []string{"off", "on"} {
		t.Run("same browser "+sameBrowser, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-link-same-browser="+sameBrowser)
			ada := s.NewPerson("ada@example.com")
			ada.RequestLink()
			first := ada.NextLink()
			ada.RequestLink()
			second := ada.NextLink()
			ada.RequestLink()
			third := ada.NextLink()
			for _, link := range []string{second, first, third} {
				if v := ada.PressContinue(ada.OpenLink(link)); v.Path != "/apps" {
					t.Errorf("a link ends on %s: %s", v.Path, v.Text())
				}
			}
			harness.WantPage(t, ada.PressContinue(ada.InNewBrowser().At(s).OpenLink(first)), 200, "My apps", "People") // pressed again: the session is valid
			if n := len(sessionsShown(ada)); n != 1 {
				t.Errorf("one browser has %d sessions", n)
			}
		})
	}
}

// eachPlace runs a test with an instance at the root of a host, and with one below a path
// behind nginx.
func eachPlace(t *testing.T, test func(t *testing.T, start harness.StartFunc)) {
	for place, start := range map[string]harness.StartFunc{"at the root": harness.Start, "below a path, behind nginx": harness.StartBehindNginx} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			test(t, start)
		})
	}
}

// sessionsShown returns the sessions that a person's profile page lists.
func sessionsShown(p *harness.Person) []string {
	var list []string
	for line := range strings.SplitSeq(p.Get("/profile").Body, "\n") {
		if strings.Contains(line, `name="session"`) && strings.Contains(line, "hidden") {
			list = append(list, line)
		}
	}
	return list
}
