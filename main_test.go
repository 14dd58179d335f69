package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestFromAnEmptyListToPeopleComingAndGoing(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, start starter) {
		testdb.Each(t, func(t *testing.T, databaseURL string) {
			s := start(t, databaseURL, newClock(noon))

			// The first person to come becomes the administrator.
			ada := s.person("Ada@Example.com")
			wants(t, ada.get("/"), 200, "Sign in", "The first person to sign in becomes the administrator")
			wants(t, ada.asks(), 200, "Check your email")
			landing := ada.opensMail()
			wants(t, landing, 200, "Welcome")
			list := ada.continues(landing)
			wants(t, list, 200, "People", "It’s just you so far")
			if list.path != "/users" {
				t.Errorf("ada lands on %s", list.path)
			}

			// She invites somebody, who follows the link in a browser of their own.
			form := follows(t, ada, list, "Invite the first person")
			invited := ada.submits(form, "Send invitation", "Email address", "grace@example.com", "Name (optional)", "Grace Hopper")
			wants(t, invited, 200, "People", "2 people", "Invitation sent to grace@example.com.")
			if !hasRow(invited, "Grace Hopper", "grace@example.com", "Member", "Invited") {
				t.Errorf("grace is not shown as invited: %s", invited.Text())
			}
			grace := s.person("grace@example.com")
			landing = grace.opensMail()
			wants(t, landing, 200, "Welcome", "Click Continue to finish signing in")
			profile := grace.continues(landing)
			wants(t, profile, 200, "Grace Hopper", "This device", "Firefox on Linux")
			if profile.path != "/profile" {
				t.Errorf("grace lands on %s", profile.path)
			}
			wants(t, grace.get("/users"), 403, "This page is for administrators")

			// Ada edits, suspends and lets in again.
			entry := follows(t, ada, ada.get("/users"), "Grace Hopper")
			edited := ada.submits(entry, "Save", "Name", "Rear Admiral Hopper", "Role", "member")
			wants(t, edited, 200, "Rear Admiral Hopper", "Saved Rear Admiral Hopper.")
			wants(t, grace.get("/profile"), 200, "Rear Admiral Hopper")
			suspended := ada.submits(edited, "Suspend")
			wants(t, suspended, 200, "Rear Admiral Hopper", "is suspended: signed out everywhere", "Not signed in anywhere")
			wants(t, grace.get("/profile"), 200, "Sign in", "Your session has ended")
			reinstated := ada.submits(suspended, "Restore access")
			wants(t, reinstated, 200, "Rear Admiral Hopper", "can sign in again")
			if v := grace.signsIn(); v.path != "/profile" {
				t.Errorf("grace, let in again, lands on %s: %s", v.path, v.Text())
			}

			// And removes, after a question.
			question := follows(t, ada, ada.get(reinstated.path), "Remove…")
			wants(t, question, 200, "Remove Rear Admiral Hopper?")
			removed := ada.submits(question, "Remove Rear Admiral Hopper")
			wants(t, removed, 200, "People", "Removed grace@example.com: off the list", "1 person")
			wants(t, grace.get("/profile"), 200, "Sign in")
			wants(t, ada.get(entry.path), 404, "This person is not on the list")

			// At last she signs out.
			wants(t, ada.submits(removed, "Sign out"), 200, "Sign in", "You’ve signed out.")
			wants(t, ada.get("/users"), 200, "Sign in")
		})
	})
}

func TestAfterItsSessionHasExpiredAPersonComesBackToWhereTheyWere(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, start starter) {
		s := start(t, testdb.SQLite(t), newClock(noon))
		ada := s.person("ada@example.com")
		ada.signsIn()

		s.clock.advance(7*24*time.Hour - time.Second)
		wants(t, ada.get("/users?q=grace&sort=-email"), 200, "People")
		s.clock.advance(time.Second)
		page := ada.get("/users?q=grace&sort=-email")
		wants(t, page, 200, "Sign in", "Your session has ended. Sign in to pick up where you left off.")
		if !strings.HasPrefix(page.path, "/?expired") {
			t.Errorf("the sign-in page is at %s", page.path)
		}
		wants(t, ada.submits(page, "Email me a link", "Email address", ada.email), 200, "Check your email")
		if back := ada.continues(ada.opensMail()); back.path != "/users?q=grace&sort=-email" {
			t.Errorf("ada comes back to %s", back.path)
		}
		// The return path is for one sign-in: the next ends on the start page.
		ada.posts("/signout")
		if next := ada.signsIn(); next.path != "/users" {
			t.Errorf("the next time ada comes to %s", next.path)
		}
	})
}

func TestSeveralLinksAskedForInOneBrowserAllWork(t *testing.T) {
	t.Parallel()
	for _, sameBrowser := range []string{"off", "on"} {
		t.Run("same browser "+sameBrowser, func(t *testing.T) {
			t.Parallel()
			s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-link-same-browser="+sameBrowser)
			ada := s.person("ada@example.com")
			ada.asks()
			first := ada.newMail()
			ada.asks()
			second := ada.newMail()
			ada.asks()
			third := ada.newMail()
			for _, link := range []string{second, first, third} {
				if v := ada.continues(ada.opens(link)); v.path != "/users" {
					t.Errorf("a link ends on %s: %s", v.path, v.Text())
				}
			}
			wants(t, ada.continues(ada.elsewhere().at(s).opens(first)), 200, "People") // pressed once more: who is in is in
			if n := len(sessionsShown(ada)); n != 1 {
				t.Errorf("one browser has %d sessions", n)
			}
		})
	}
}

// eachPlace runs a test at the root of a host, and below a path behind nginx.
func eachPlace(t *testing.T, test func(t *testing.T, start starter)) {
	for place, start := range map[string]starter{"at the root": start, "below a path, behind nginx": startBehindNginx} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			test(t, start)
		})
	}
}

// wants checks status, heading and what can be read on a page.
func wants(t *testing.T, v view, status int, heading string, texts ...string) {
	t.Helper()
	if v.status != status || v.Heading() != heading {
		t.Fatalf("%s: got %d %q, want %d %q: %s", v.path, v.status, v.Heading(), status, heading, v.Text())
	}
	for _, text := range texts {
		if !strings.Contains(v.Text(), text) {
			t.Errorf("%s does not say %q: %s", v.path, text, v.Text())
		}
	}
}

// wantsRow checks that a table has a row that begins with these cells.
func wantsRow(t *testing.T, v view, cells ...string) {
	t.Helper()
	if !hasRow(v, cells...) {
		t.Errorf("%s has no row %q: %q", v.path, cells, v.Rows())
	}
}

func hasRow(v view, cells ...string) bool {
	return slices.ContainsFunc(v.Rows(), func(row []string) bool {
		return len(row) >= len(cells) && slices.Equal(row[:len(cells)], cells)
	})
}

// follows clicks the link with these words.
func follows(t *testing.T, p *person, v view, words string) view {
	t.Helper()
	href, ok := v.Link(words)
	if !ok {
		t.Fatalf("%s has no link %q: %s", v.path, words, v.Text())
	}
	return p.send("GET", href, nil)
}

// sessionsShown are the browsers that a person's profile lists.
func sessionsShown(p *person) []string {
	var list []string
	for line := range strings.SplitSeq(p.get("/profile").body, "\n") {
		if strings.Contains(line, `name="session"`) && strings.Contains(line, "hidden") {
			list = append(list, line)
		}
	}
	return list
}
