package browser

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/internal/userio"
	"github.com/guestlist/guestlist/test/harness"
)

// browserSite is the server in local mode, with the mailboxes of its users.
type browserSite struct {
	*harness.Site
	mailboxes map[string]*harness.Person // by address
}

// startBrowserSite starts a server on its own database and stops it with the test.
func startBrowserSite(t *testing.T, chromium browser) *browserSite {
	t.Helper()
	s := chromium.start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of %s:\n%s", s.URL, s.Log)
		}
	})
	return &browserSite{Site: s, mailboxes: map[string]*harness.Person{}}
}

// link waits for the next email to address and returns the link in it.
func (s *browserSite) link(address string) string {
	s.T.Helper()
	if s.mailboxes[address] == nil {
		s.mailboxes[address] = s.NewPerson(address)
	}
	return s.mailboxes[address].NextLink()
}

// add creates a user without sending an email. The address and the id derive from the name:
// Ada Lovelace is ada.lovelace@example.com with the page /users/ada.lovelace.
func (s *browserSite) add(name string, changes ...func(*directory.User)) directory.User {
	s.T.Helper()
	id := strings.ToLower(strings.ReplaceAll(name, " ", "."))
	email, err := directory.ParseEmail(id + "@example.com")
	if err != nil {
		s.T.Fatal(err)
	}
	now := s.Clock.Now()
	u := directory.User{
		ID: id, Name: name, Email: email, Role: directory.Member, Status: directory.Invited, CreatedAt: now, UpdatedAt: now,
	}
	for _, change := range changes {
		change(&u)
	}
	if err := s.App.Store.CreateUser(s.T.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, "")}); err != nil {
		s.T.Fatal(err)
	}
	return u
}

// Changes for add.

func admin(u *directory.User) { u.Role, u.Status = directory.Admin, directory.Active }

func suspended(u *directory.User) { u.Status = directory.Suspended }

func mailed(u *directory.User) { u.InviteSentAt = u.CreatedAt }

func seen(ago time.Duration) func(*directory.User) {
	return func(u *directory.User) {
		u.Status, u.LastSeenAt = directory.Active, u.CreatedAt.Add(-ago)
		u.CreatedAt = u.LastSeenAt.Add(-40 * 24 * time.Hour)
	}
}

// gallery is a site with users and an empty one, each with a signed-in administrator's tab
// and a signed-out tab. member is the tab of a member of the first.
type gallery struct {
	in, out      *tab
	alone, first *tab
	member       *tab
	asker        *tab // requests links and codes

	asking *asking

	handbook, photos apps.App // of in
	chat             apps.App // of in, with an OpenID Connect client and no address
	backup, archive  apps.App // of in: without an address, and switched off
	family, guests   directory.Group
}

func newGallery(t *testing.T, chromium browser) *gallery {
	t.Helper()
	const day = 24 * time.Hour
	full, empty := startBrowserSite(t, chromium), startBrowserSite(t, chromium)
	full.add("Ada Lovelace", seen(0), admin)
	full.add("Grace Hopper", seen(2*time.Hour), admin)
	full.add("Alan Turing", seen(3*day))
	full.add("Katherine Johnson", seen(5*time.Hour))
	full.add("Konrad Zuse", seen(70*day), suspended)
	full.add("Hedy Lamarr", mailed)
	full.add("Margaret Hamilton", seen(18*time.Minute))
	full.add("Niklaus Wirth")
	full.add("Radia Perlman", seen(day))
	full.add("Sophie Wilson", seen(26*day))
	full.add("Tim Berners Lee", seen(6*day))
	full.add("Vint Cerf", mailed)
	for _, name := range []string{"Wiki", "Board", "Photos", "Grafana", "Meeting notes of the spring party"} {
		full.addApp(name)
	}
	full.addApp("Vault", "Treasurers")
	empty.addJob(outbox.RevokeSession, "konrad.zuse@example.com", "The login service answered 400 invalid_session_id.", true)
	empty.addJob(outbox.DeleteUser, "vint.cerf@example.com", "The login service could not be reached.", false)

	g := &gallery{
		in: newTab(t, chromium, full), out: newTab(t, chromium, full),
		alone: newTab(t, chromium, empty), first: newTab(t, chromium, empty),
	}
	g.asker = newTab(t, chromium, full)
	g.addApps()
	full.Clock.Advance(time.Minute)
	g.in.signIn("ada.lovelace@example.com")
	g.first.visit("/")
	g.member = newTab(t, chromium, full)
	g.member.signIn("alan.turing@example.com")
	g.alone.signIn("ada@example.com")
	g.asking = newAsking(t, chromium)
	return g
}

// request requests an email in a tab of its own.
func (g *gallery) request(button string) *tab {
	b := g.asker
	b.visit("/")
	b.fill("textbox", "Email address", "eve@example.com")
	b.click("button", button)
	b.sees("heading", "Check your email")
	return b
}

// addApp adds an app that opens to groups, which are created, or to everyone if none is given. Its
// address derives from the name.
func (s *browserSite) addApp(name string, groups ...string) apps.App {
	s.T.Helper()
	in := apps.Input{Name: name, URL: "https://" + strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example.com", Audience: string(apps.Everyone)}
	for _, group := range groups {
		g, err := s.App.Groups.Create(s.T.Context(), event.Origin{}, group)
		if err != nil {
			s.T.Fatal(err)
		}
		in.Audience, in.GroupIDs = string(apps.Groups), append(in.GroupIDs, g.ID)
	}
	a, err := s.App.Apps.Create(s.T.Context(), event.Origin{}, in)
	if err != nil {
		s.T.Fatal(err)
	}
	return a
}

// hostURL returns the address of the site with another host.
func (s *browserSite) hostURL(host string) string {
	return strings.Replace(s.Host, s.Config.BaseURL.Hostname(), host, 1)
}

// atApp visits a page of the app Notes, which doesn't open to anyone.
func (g *gallery) atApp(b *tab, path, heading string) *tab {
	b.visit(g.in.site.hostURL("notes.localhost") + path)
	b.sees("heading", heading)
	return b
}

// addApps adds groups with members, and apps, of which one has received a request.
func (g *gallery) addApps() {
	t, a := g.in.t, g.in.site.App
	t.Helper()
	const day = 24 * time.Hour
	now := g.in.site.Clock.Now()
	create := func(name string) directory.Group {
		group, err := a.Groups.Create(t.Context(), event.Origin{}, name)
		if err != nil {
			t.Fatal(err)
		}
		return group
	}
	join := func(group directory.Group, id string, until time.Time) {
		if err := a.Groups.Join(t.Context(), event.Origin{}, group.ID, id, until); err != nil {
			t.Fatal(err)
		}
	}
	add := func(in apps.Input) apps.App {
		added, err := a.Apps.Create(t.Context(), event.Origin{}, in)
		if err != nil {
			t.Fatal(err)
		}
		return added
	}
	g.family, g.guests = create("Family"), create("Guests")
	create("Board of trustees")
	for _, id := range []string{"ada.lovelace", "grace.hopper", "alan.turing", "konrad.zuse"} {
		join(g.family, id, time.Time{})
	}
	midnight := now.Truncate(day)
	join(g.guests, "hedy.lamarr", midnight.Add(4*day))
	join(g.guests, "radia.perlman", midnight.Add(40*day))
	join(g.guests, "vint.cerf", now.Add(time.Second)) // over once the clock is advanced
	add(apps.Input{
		Name: "Notes", URL: g.in.site.hostURL("notes.localhost"), Audience: "groups", GroupIDs: []string{create("Writers").ID}, AllowRequests: true,
	})
	g.handbook = add(apps.Input{Name: "Handbook", URL: "https://handbook.example.com", Audience: "everyone", Upstream: "http://127.0.0.1:3000"})
	g.photos = add(apps.Input{
		Name: "Holiday photos", URL: "https://holiday.example.com", Audience: "groups", GroupIDs: []string{g.family.ID, g.guests.ID},
		PublicPaths: "/health\n/assets/*", AllowRequests: true,
	})
	g.backup = add(apps.Input{Name: "Backup", Audience: "everyone"})
	off := false
	g.archive = add(apps.Input{Name: "Archive", URL: "https://archive.example.com", Audience: "everyone", AllowRequests: true, Enabled: &off})
	g.chat = add(apps.Input{Name: "Chat", HomeURL: "https://chat.example.com", Audience: "groups", GroupIDs: []string{g.family.ID}})
	g.in.site.AddClient(g.chat, openid.ClientInput{
		RedirectURIs: "https://chat.example.com/oauth/callback\nhttps://chat.example.com/mobile/oauth/callback", PostLogoutURIs: "https://chat.example.com/",
		BackchannelLogout: "https://chat.example.com/oauth/backchannel-logout",
	})
	if _, _, err := a.Clients.CreateSecret(t.Context(), event.Origin{}, g.chat, 10*day); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Apps.Check(t.Context(), g.photos.Host, "", session.Browser{}); err != nil {
		t.Fatal(err)
	}
}

// secrets returns the secrets of an app's client, newest first.
func (g *gallery) secrets(a apps.App) []openid.Secret {
	g.in.t.Helper()
	list, err := g.in.site.App.Clients.ListSecrets(g.in.t.Context(), a.ID)
	if err != nil {
		g.in.t.Fatal(err)
	}
	return list
}

// visitingApp visits a page below /apps/.
func visitingApp(path func(g *gallery) string) func(*gallery) *tab {
	return func(g *gallery) *tab {
		g.in.visit("/apps/" + path(g))
		return g.in
	}
}

// addJob adds an outbox job that failed once, or was refused for good.
func (s *browserSite) addJob(kind outbox.Kind, subject, reason string, refused bool) {
	s.T.Helper()
	now := s.Clock.Now()
	job := outbox.New(kind, subject, "", "session-test-1", "", now)
	job.DueAt = now.Add(time.Hour) // so that the worker doesn't run it
	err := s.App.Store.AddJob(s.T.Context(), job)
	if err == nil && refused {
		err = s.App.Store.ParkJob(s.T.Context(), job.Park(now, reason))
	} else if err == nil {
		err = s.App.Store.RetryJob(s.T.Context(), job.ID, job.DueAt, reason)
	}
	if err != nil {
		s.T.Fatal(err)
	}
}

// pageState is a page in one of its states and how to reach it.
type pageState struct {
	name string
	show func(g *gallery) *tab
}

func visiting(tabOf func(*gallery) *tab, address string) func(*gallery) *tab {
	return func(g *gallery) *tab {
		b := tabOf(g)
		b.visit(address)
		return b
	}
}

// visitingWithKey visits a developer page by the address that contains its key.
func visitingWithKey(tabOf func(*gallery) *tab, path string) func(*gallery) *tab {
	return func(g *gallery) *tab {
		b := tabOf(g)
		b.visit(b.site.DevPage(path))
		return b
	}
}

// showProvider shows the page on which the local Stytch plays an OAuth provider.
func showProvider(g *gallery) *tab {
	b := g.in
	b.visit(b.site.DevPage("/dev/inbox"))
	b.visit("/v1/public/oauth/google/start?" + url.Values{
		"public_token": {harness.StytchEnv(b.t, b.site.Site)["STYTCH_PUBLIC_TOKEN"]}, "login_redirect_url": {"http://localhost:3000/callback"},
	}.Encode())
	b.sees("heading", "Pretend to be Google")
	return b
}

// showImport shows an import that another instance holds.
func (g *gallery) showImport(stopped bool) *tab {
	s, t := g.in.site, g.in.t
	importer := userio.NewImporter(s.App.Store, func() {}, s.Clock.Now, slog.New(slog.DiscardHandler))
	i, err := importer.Upload(t.Context(), "members.csv", strings.NewReader("email\nbo@example.com\n"), nil)
	if err == nil {
		i.Lease = "another's"
		err = s.App.Store.StartImport(t.Context(), i, event.New(event.ImportStarted, s.Clock.Now(), "", "", "members.csv"))
	}
	if err == nil {
		_, err = s.App.Store.LeaseImport(t.Context(), i.ID, "another's", s.Clock.Now(), s.Clock.Now().Add(time.Hour))
	}
	if err != nil {
		t.Fatal(err)
	}
	g.in.visit("/imports/" + i.ID)
	if stopped {
		g.in.click("button", "Stop")
		g.in.sees("button", "Resume")
	}
	return g.in
}

// withFault visits address while the local Stytch has a fault that affects no call.
func withFault(address string) func(*gallery) *tab {
	return func(g *gallery) *tab {
		g.in.site.SetFaults(`{"rules":[{"kind":"down","share":0}]}`)
		g.in.visit(address)
		g.in.site.SetFaults(`{}`)
		return g.in
	}
}

func signedOut(g *gallery) *tab { return g.out }

func administrator(g *gallery) *tab { return g.in }

var pageStates = []pageState{
	{"sign-in", visiting(signedOut, "/")},
	{"sign-in, the first person", func(g *gallery) *tab { return g.first }},
	{"sign-in, session over", visiting(signedOut, "/?expired&next=%2Fusers")},
	{"sign-in, signed out", visiting(signedOut, "/?signed-out")},
	{"sign-in, bad address", func(g *gallery) *tab {
		g.out.visit("/")
		g.out.fill("textbox", "Email address", "ada@localhost")
		g.out.click("button", "Email me a link")
		g.out.reads("Enter one email address")
		return g.out
	}},
	{"sent", visiting(signedOut, "/signin/sent")},
	{"sent, a link", func(g *gallery) *tab { return g.request("Email me a link") }},
	{"sent, a code", func(g *gallery) *tab { return g.request("Email me a code") }},
	{"sent, a wrong code", func(g *gallery) *tab {
		b := g.request("Email me a code")
		b.press("12345" + kb.Enter)
		b.reads("Enter the six digits from the email.")
		return b
	}},
	{"sent, too early", func(g *gallery) *tab {
		b := g.request("Email me a code")
		eval[any](b, `document.querySelector("[value=code]").form.append(Object.assign(document.createElement("input"), {type: "hidden", name: "send", value: "code"}))`)
		eval[any](b, `document.querySelector("[value=code]").form.submit()`)
		b.reads("You’ve just requested one.")
		return b
	}},
	{"continue", visiting(signedOut, "/api/authenticate_magic_link?token=x&stytch_token_type=magic_links")},
	{"continue as another", visiting(administrator, "/api/authenticate_magic_link?token=x&stytch_token_type=magic_links")},
	{"problem", visiting(signedOut, "/api/authenticate_magic_link")},
	{"problem, no such page", visiting(signedOut, "/nothing")},
	{"problem, signed in", visiting(administrator, "/users/nobody")},
	{"sign-in, on the way to an app", func(g *gallery) *tab { return g.atApp(g.out, "/page", "Sign in") }},
	{"an app that doesn't open", func(g *gallery) *tab { return g.atApp(g.member, "/page", "You can’t open Notes") }},
	{"an app, start again", func(g *gallery) *tab {
		return g.atApp(g.out, "/.guestlist/callback", "This sign-in didn’t finish")
	}},
	{"sign out", visiting(administrator, "/signout")},
	{"sign out for an app", visiting(administrator, "/oauth/end-session")},
	{"apps", visiting(administrator, "/apps")},
	{"apps, none, administrator", func(g *gallery) *tab {
		g.alone.visit("/apps")
		g.alone.sees("heading", "Protect your first app")
		return g.alone
	}},
	{"apps, of a member", func(g *gallery) *tab {
		g.member.visit("/apps")
		g.member.lacks("link", "Add an app")
		return g.member
	}},
	{"people", visiting(administrator, "/users")},
	{"people, only the administrator", func(g *gallery) *tab {
		g.alone.visit("/users")
		return g.alone
	}},
	{"people, no match", visiting(administrator, "/users?q=zzz")},
	{"people, one page of several", visiting(administrator, "/users?limit=5")},
	{"people, bad filter", visiting(administrator, "/users?role=king")},
	{"people, invite dialog", func(g *gallery) *tab {
		g.in.visit("/users")
		g.in.click("link", "Invite people")
		g.in.sees("dialog", "Invite people")
		return g.in
	}},
	{"people, message", func(g *gallery) *tab {
		g.in.visit("/users")
		g.in.click("link", "Invite people")
		g.in.fill("textbox", "Email address", "dorothy@example.com")
		g.in.click("button", "Send invitation")
		g.in.reads("Invitation sent")
		return g.in
	}},
	{"imports", visiting(administrator, "/users/import")},
	{"imports, bad file", func(g *gallery) *tab {
		g.in.visit("/users/import")
		g.in.chooseFile("people.csv", "first,last\nAda,Lovelace\n")
		g.in.click("button", "Upload and check")
		g.in.reads("The first line must name the columns")
		return g.in
	}},
	{"import, before", func(g *gallery) *tab {
		g.in.visit("/users/import")
		g.in.chooseFile("spring-party.csv", "email,name,role,table\nlinus@example.com,Linus Torvalds,,3\nken@example.com,Ken Thompson,admin,1\nken@example.com,Ken,,1\ndennis at example.com,Dennis Ritchie,,1\nada.lovelace@example.com,Ada,,2\n")
		g.in.click("button", "Upload and check")
		g.in.sees("button", "Import 2 people")
		return g.in
	}},
	{"import, done", func(g *gallery) *tab { // continues the state before
		g.in.visit("/users/import")
		g.in.click("link", "spring-party.csv")
		g.in.click("button", "Import 2 people")
		g.in.sees("heading", "Done")
		return g.in
	}},
	{"import, under way", func(g *gallery) *tab { return g.showImport(false) }},
	{"import, stopped", func(g *gallery) *tab { return g.showImport(true) }},
	{"invite", visiting(administrator, "/users/new")},
	{"invite, taken", func(g *gallery) *tab {
		g.in.visit("/users/new")
		g.in.fill("textbox", "Email address", "ada.lovelace@example.com")
		g.in.click("button", "Send invitation")
		g.in.reads("already")
		return g.in
	}},
	{"person, signed in", visiting(administrator, "/users/ada.lovelace")},
	{"person, invited", visiting(administrator, "/users/hedy.lamarr")},
	{"person, suspended", visiting(administrator, "/users/konrad.zuse")},
	{"person, edited", func(g *gallery) *tab {
		g.in.visit("/users/radia.perlman")
		g.in.fill("textbox", "Name", "Radia Joy Perlman")
		g.in.click("button", "Save")
		g.in.reads("Saved Radia Joy Perlman.")
		return g.in
	}},
	{"person, remove dialog", func(g *gallery) *tab {
		g.in.visit("/users/hedy.lamarr")
		g.in.click("link", "Remove…")
		g.in.sees("dialog", "Remove Hedy Lamarr?")
		return g.in
	}},
	{"remove", visiting(administrator, "/users/ada.lovelace/remove")},
	{"factors, none to remove", visiting(administrator, "/users/ada.lovelace/factors/remove")},
	{"app, new", visiting(administrator, "/apps/new")},
	{"app, bad input", func(g *gallery) *tab {
		g.in.visit("/apps/new")
		g.in.click("radio", "Both")
		g.in.fill("textbox", "Name", "Wiki")
		g.in.fill("textbox", "Address (optional)", "https://wiki.example.com/start")
		g.in.click("radio", "Only these groups")
		g.in.fill("textbox", "Where the app listens (optional)", "localhost:3000")
		g.in.fill("textbox", "Public paths (optional)", "health*")
		g.in.click("button", "Add app")
		g.in.reads("Choose at least one group.")
		return g.in
	}},
	{"app, new, with OpenID Connect alone", func(g *gallery) *tab {
		g.in.visit("/apps/new")
		g.in.click("radio", "It sends people to Guestlist (apps that support OpenID Connect)")
		g.in.lacks("textbox", "Address (optional)")
		return g.in
	}},
	{"openid, new", visitingApp(func(g *gallery) string { return g.handbook.ID + "/openid" })},
	{"openid, filled in", visitingApp(func(g *gallery) string { return g.handbook.ID + "/openid?tool=nextcloud" })},
	{"openid, bad input", func(g *gallery) *tab {
		visitingApp(func(g *gallery) string { return g.handbook.ID + "/openid" })(g)
		g.in.fill("textbox", "Redirect addresses", "handbook.example.com/callback")
		g.in.fill("textbox", "Sign-out addresses (optional)", "https://*.example.com")
		g.in.click("button", "Set up OpenID Connect")
		g.in.reads("Write each address in full, such as")
		return g.in
	}},
	{"openid, change", visitingApp(func(g *gallery) string { return g.chat.ID + "/openid" })},
	{"openid, remove", visitingApp(func(g *gallery) string { return g.chat.ID + "/openid/remove" })},
	{"app, with OpenID Connect", visitingApp(func(g *gallery) string { return g.chat.ID + "?tool=grafana" })},
	{"app, new client secret", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.chat.ID)
		g.in.click("button", "Create secret")
		g.in.sees("heading", "Your new client secret")
		for _, v := range g.secrets(g.chat)[:1] { // so that it can be shown again
			if err := g.in.site.App.Clients.RevokeSecret(g.in.t.Context(), event.Origin{}, g.chat, v.ID); err != nil {
				g.in.t.Fatal(err)
			}
		}
		return g.in
	}},
	{"client secret, revoke", visitingApp(func(g *gallery) string { return g.chat.ID + "/secrets/" + g.secrets(g.chat)[0].ID + "/revoke" })},
	{"app, waiting for a request", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.handbook.ID)
		return g.in
	}},
	{"app, nginx", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.photos.ID)
		eval[chromedp.Void](g.in, `document.querySelector("#snippet-nginx").closest("details").open = true`)
		return g.in
	}},
	{"app, not connected", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.handbook.ID)
		g.in.click("button", "Test it")
		g.in.reads("No request has arrived:")
		return g.in
	}},
	{"app, bad token", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.handbook.ID)
		g.in.fill("textbox", "Token name", "Backup")
		g.in.fill("textbox", "Acts as (optional)", "nobody@example.com")
		g.in.click("button", "Create token")
		g.in.reads("isn’t on the list")
		return g.in
	}},
	{"app, new token", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.handbook.ID)
		g.in.fill("textbox", "Token name", "Backup script")
		g.in.click("button", "Create token")
		g.in.reads("You won’t be able to see it again.")
		return g.in
	}},
	{"app, switched off", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.archive.ID)
		g.in.sees("button", "Switch on")
		return g.in
	}},
	{"app, without an address", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.backup.ID)
		g.in.lacks("button", "Test it")
		return g.in
	}},
	{"request, app switched off", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.archive.ID + "/request")
		g.in.sees("heading", "Archive is switched off")
		return g.in
	}},
	{"app, remove", func(g *gallery) *tab {
		g.in.visit("/apps/" + g.photos.ID + "/remove")
		return g.in
	}},
	{"groups, none", func(g *gallery) *tab {
		g.alone.visit("/groups")
		return g.alone
	}},
	{"groups", visiting(administrator, "/groups")},
	{"groups, taken", func(g *gallery) *tab {
		g.in.visit("/groups")
		g.in.fill("textbox", "New group", "family")
		g.in.click("button", "Create group")
		g.in.reads("Another group has this name.")
		return g.in
	}},
	{"group", func(g *gallery) *tab {
		g.in.visit("/groups/" + g.guests.ID)
		return g.in
	}},
	{"group, change a member", func(g *gallery) *tab {
		g.in.visit("/groups/" + g.guests.ID)
		eval[chromedp.Void](g.in, `document.querySelector("details.edit").open = true`)
		return g.in
	}},
	{"group, choose a person", func(g *gallery) *tab {
		g.in.visit("/groups/" + g.family.ID)
		g.in.fill("textbox", "Email address or name", "ra")
		g.in.click("button", "Add member")
		g.in.reads("Choose the person below.")
		return g.in
	}},
	{"group, empty", func(g *gallery) *tab {
		g.in.visit("/groups")
		g.in.click("link", "Board of trustees")
		g.in.reads("No one is in this group yet.")
		return g.in
	}},
	{"group, remove", func(g *gallery) *tab {
		g.in.visit("/groups/" + g.family.ID + "/remove")
		return g.in
	}},
	{"person, guest", visiting(administrator, "/users/hedy.lamarr")},
	{"person, guest pass over", visiting(administrator, "/users/vint.cerf")},
	{"profile", visiting(administrator, "/profile")},
	{"profile, bad token", func(g *gallery) *tab {
		g.in.visit("/profile")
		g.in.fill("textbox", "Token name", " ")
		g.in.click("button", "Create token")
		g.in.reads("Name it by what will use it.")
		return g.in
	}},
	{"profile, new token", func(g *gallery) *tab {
		g.in.visit("/profile")
		g.in.createToken("Nightly backup of the list")
		return g.in
	}},
	{"profile, tokens", visiting(administrator, "/profile")},
	{"revoke", func(g *gallery) *tab {
		g.in.visit("/profile")
		g.in.click("link", "Revoke Nightly backup of the list")
		g.in.sees("heading", "Revoke Nightly backup of the list?")
		return g.in
	}},
	{"activity", visiting(administrator, "/activity")},
	{"activity, one page of several", visiting(administrator, "/activity?limit=5")},
	{"activity, nothing", visiting(administrator, "/activity?kind=job_parked")},
	{"activity, bad filter", visiting(administrator, "/activity?about=ada")},
	{"why", visiting(administrator, "/why")},
	{"why, invited", visiting(administrator, "/users/hedy.lamarr/why")},
	{"why, suspended", visiting(administrator, "/users/konrad.zuse/why")},
	{"waiting", func(g *gallery) *tab {
		g.alone.visit("/waiting")
		return g.alone
	}},
	{"waiting, nothing", visiting(administrator, "/waiting")},
	{"link of the local Stytch, spoilt", visiting(signedOut, "/v1/magic_links/redirect?token=x")},
	{"inbox, without its key", visiting(signedOut, "/dev/inbox")},
	{"inbox", visitingWithKey(administrator, "/dev/inbox")},
	{"faults", visiting(administrator, "/dev/faults")},
	{"OAuth provider", showProvider},
	{"OAuth provider, bad address", func(g *gallery) *tab {
		b := showProvider(g)
		b.fill("textbox", "Email address", "ada@localhost")
		b.click("button", "Continue")
		b.reads("Enter an email address, such as ada@example.com.")
		return b
	}},
	{"OAuth provider, unknown", visitingWithKey(administrator, "/dev/oauth/yahoo")},
	{"OAuth provider, without its key", visiting(signedOut, "/dev/oauth/google")},
	{"people, faults on", withFault("/users")},
	{"faults, on", withFault("/dev/faults")},
	{"people, too many to sort", func(g *gallery) *tab {
		for i := range 350 { // each has three words that match
			g.alone.site.add(fmt.Sprintf("Anna Anders %d", i))
		}
		g.alone.visit("/users?q=an")
		g.alone.reads("Many people match, ordered by the matching word.")
		return g.alone
	}},
	{"people, none so far", func(g *gallery) *tab { // uses the people added above
		g.alone.visit("/users?q=an&role=admin")
		g.alone.reads("Keep looking")
		return g.alone
	}},
}

// viewport is a window size and a colour scheme.
type viewport struct {
	name          string
	scheme        string // light or dark
	width, height int64
}

var (
	desk  = viewport{"light on a desk", "light", 1280, 800}
	phone = viewport{"light on a phone", "light", 390, 844}
)

// dark returns l with the dark colour scheme.
func (l viewport) dark() viewport {
	l.name, l.scheme = strings.Replace(l.name, "light", "dark", 1), "dark"
	return l
}

// setViewport applies a viewport and reduces motion, because axe can't judge colours during a
// transition.
func (b *tab) setViewport(l viewport) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	b.do(chromedp.EmulateViewport(l.width, l.height))
}
