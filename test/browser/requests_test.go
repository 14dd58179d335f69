package browser

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// asking is a site with requests for access.
type asking struct {
	admin, asker *tab // ada.lovelace and alan.turing
	wiki, vault  apps.App
	board        apps.App // opens to everyone since it was asked for
	group        directory.Group
	denied       apps.App // alan.turing's request for it was denied
	pending      apps.App // alan.turing waits for it
}

func newAsking(t *testing.T, chromium browser) *asking {
	t.Helper()
	const day = 24 * time.Hour
	s := startBrowserSite(t, chromium)
	a := &asking{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	app := func(name string, groups ...directory.Group) apps.App {
		in := apps.Input{Name: name, URL: "https://" + strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example.com", Audience: string(apps.Groups), AllowRequests: true}
		for _, g := range groups {
			in.GroupIDs = append(in.GroupIDs, g.ID)
		}
		added, err := s.App.Apps.Create(t.Context(), event.Origin{}, in)
		must(err)
		return added
	}
	group := func(name string) directory.Group {
		g, err := s.App.Groups.Create(t.Context(), event.Origin{}, name)
		must(err)
		return g
	}
	ask := func(u directory.User, a apps.App, note string) apps.Request {
		must(s.App.Requests.Ask(t.Context(), event.Origin{ActorID: u.ID, Actor: u.Email.Normalized}, a.ID, u.ID, note))
		standing, err := s.App.Requests.Standing(t.Context(), a.ID, u.ID)
		must(err)
		s.Clock.Advance(17 * time.Minute)
		return *standing.Request
	}
	ada := s.add("Ada Lovelace", seen(0), admin)
	grace, alan := s.add("Grace Hopper", seen(time.Hour)), s.add("Alan Turing", seen(2*time.Hour))
	konrad, margaret := s.add("Konrad Zuse", seen(5*day)), s.add("Margaret Hamilton", seen(day))
	staff, guests := group("Staff"), group("Guests of the spring party")
	a.group = staff
	a.wiki, a.vault, a.board = app("Wiki", staff), app("Vault", staff, guests), app("Board", guests)
	a.denied, a.pending = app("Payroll", staff), app("Meeting notes", staff)
	ask(grace, a.wiki, "I’m taking over the release notes from Radia next week and need to edit the pages about it.")
	ask(alan, a.vault, "")
	ask(konrad, a.wiki, "")
	ask(margaret, a.board, "for the seating plan")
	ask(ada, a.vault, "")
	ask(alan, a.pending, "To read what was decided last week.")
	request := ask(alan, a.denied, "")
	_, err := s.App.Requests.Deny(t.Context(), event.Origin{ActorID: ada.ID, Actor: ada.Email.Normalized}, request.ID, "Payroll is for the accountants. Ask Joan for the summary.")
	must(err)
	status := string(directory.Suspended)
	_, err = s.App.Directory.Edit(t.Context(), directory.Actor{}, konrad.ID, directory.Edit{Status: &status})
	must(err)
	_, err = s.App.Apps.Edit(t.Context(), event.Origin{}, a.board.ID, apps.Input{Name: "Board", URL: a.board.URL(), Audience: string(apps.Everyone), AllowRequests: true})
	must(err)
	now := s.Clock.Now()
	must(s.App.Groups.Join(t.Context(), event.Origin{}, guests.ID, margaret.ID, now.Add(time.Hour)))
	must(s.App.Groups.Join(t.Context(), event.Origin{}, staff.ID, margaret.ID, now.Add(5*day)))
	s.Clock.Advance(3 * time.Hour)
	a.admin, a.asker = newTab(t, chromium, s), newTab(t, chromium, s)
	a.admin.signIn("ada.lovelace@example.com")
	a.asker.signIn("alan.turing@example.com")
	return a
}

// showRenew shows the page that renews a membership.
func (a *asking) showRenew() *tab {
	list, err := a.admin.site.App.Groups.Ending(a.admin.t.Context(), directory.EndWarning, 9)
	if len(list) == 0 {
		a.admin.t.Fatal(errors.Join(err, errors.New("no membership ends")))
	}
	a.admin.visit("/users/" + list[len(list)-1].UserID + "/groups/" + list[len(list)-1].GroupID + "/renew")
	return a.admin
}

// requestStates are the pages about requests for access.
var requestStates = []pageState{
	{"requests", func(g *gallery) *tab {
		g.asking.admin.visit("/requests")
		return g.asking.admin
	}},
	{"requests, none", func(g *gallery) *tab {
		g.alone.visit("/requests")
		return g.alone
	}},
	{"requests, bad date", func(g *gallery) *tab {
		b := g.asking.admin
		b.visit("/requests")
		eval[chromedp.Void](b, `document.querySelector("input[type=date]").type = "text"`) // as in a browser without a date picker
		b.fill("textbox", "Or last day", "next week")
		b.click("button", "Approve Grace Hopper for Wiki")
		b.reads("Write the date as YYYY-MM-DD.")
		return b
	}},
	{"requests, deny", func(g *gallery) *tab {
		b := g.asking.admin
		b.visit("/requests")
		eval[chromedp.Void](b, `document.querySelector(".deny").open = true`)
		b.sees("button", "Deny request of Grace Hopper for Wiki")
		return b
	}},
	{"request access", func(g *gallery) *tab {
		g.asking.asker.visit("/apps/" + g.asking.wiki.ID + "/request")
		return g.asking.asker
	}},
	{"request access, pending", func(g *gallery) *tab {
		g.asking.asker.visit("/apps/" + g.asking.pending.ID + "/request")
		return g.asking.asker
	}},
	{"request access, denied", func(g *gallery) *tab {
		g.asking.asker.visit("/apps/" + g.asking.denied.ID + "/request")
		return g.asking.asker
	}},
	{"request access, open already", func(g *gallery) *tab {
		g.asking.asker.visit("/apps/" + g.asking.board.ID + "/request")
		return g.asking.asker
	}},
	{"renew", func(g *gallery) *tab { return g.asking.showRenew() }},
}

func TestRequests(t *testing.T) {
	t.Parallel()
	walk(t, requestJourneys)
}

var requestJourneys = []journey{
	{"a request is made on a phone and approved by keyboard", func(t *testing.T, chromium browser) {
		a := newAsking(t, chromium)
		b := a.asker
		b.setViewport(phone)
		b.visit("/apps/" + a.wiki.ID + "/request")
		b.fill("textbox", "Why do you need it? (optional)", "for the handover")
		b.click("button", "Request access")
		b.announces("Your request is waiting for an administrator.")
		b.lacks("button", "Request access")

		b = a.admin
		b.visit("/requests")
		eval[chromedp.Void](b, `document.querySelector("[aria-label='Approve Alan Turing for Wiki'] select").focus()`)
		b.press("In 7")
		b.press(kb.Tab)
		b.press(kb.Enter)
		b.reads("Alan Turing can open Wiki until")
		b.lacks("button", "Approve Alan Turing for Wiki")
	}},

	{"a request is denied without scripts", func(t *testing.T, chromium browser) {
		a := newAsking(t, chromium)
		b := a.admin.withoutScripts()
		b.visit("/requests")
		b.click("DisclosureTriangle", "Deny Grace Hopper for Wiki…")
		b.fill("textbox", "Reason (optional; they’ll see it)", "Ask Radia first.")
		b.click("button", "Deny request of Grace Hopper for Wiki")
		b.announces("Denied Grace Hopper’s request for Wiki. We’ll email them.")
	}},
}
