package web

import (
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/token"
)

// hostile is a name that does harm unless it is escaped.
const hostile = `<script>alert("x")</script> {{.}} & 'Zoë' ` + "\u202e" + ` 李`

// seen returns text as a page shows it.
func seen(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "\u202e", "")), " ")
}

func TestPages_EscapeHostileNames(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.InboxPath, o.FirstAdmin = "/dev/inbox", true })
	asAda := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: hostile, Status: directory.Active})
	boss := f.signedIn(directory.Admin, "grace@example.com")

	file := boss.sendFile("<script>{{.}}.csv", "email,name,<script>\nada@example.com\n<script>@x,"+`"<script>"`+"\nbo@example.com\n").header.Get("Location")

	made := boss.form("/profile/tokens", "id", token.NewID(), "name", hostile, "scope", "write", "days", "7")
	revoke, _ := made.Link("Revoke…")

	passkey := f.linked(directory.Admin, "grace@example.com").addPasskey().Factor
	boss.form("/profile/passkeys/"+passkey.ID, "name", hostile)

	group := f.addGroup(hostile)
	f.joinUser(group, f.add(directory.User{Email: directory.Email{Display: "hedy@example.com"}, Name: hostile}).ID, f.clock.now().Add(time.Minute))
	f.joinUser(f.addGroup("2 "+hostile), grace.ID, f.clock.now().Add(time.Minute))
	app := f.addApp(hostile, "https://wiki.example.com", group)
	tickets, ending := f.server.opts.Tickets, f.addGroup("<i>")
	asker := f.signedIn(directory.Member, "asker@example.com")
	asker.requestAccess(app.ID, hostile)
	f.joinUntil(ending, grace, f.clock.now().Add(48*time.Hour))

	f.server.opts.Factors = factor.New(f.store, &authenticators{started: map[string]factor.TOTPSetup{}, verified: map[string]bool{}}, noOutbox{}, f.clock.now)
	forced := f.signedIn(directory.Member, "forced@example.com")
	f.exec("UPDATE sessions SET second_factor = 1 WHERE user_id = ?", forced.user.ID)
	hedy := f.signedIn(directory.Member, "hedy@example.com")
	shown := hedy.beginSetup("")
	codes := hedy.confirmSetup(shown.sealed, rightCode)

	onTheWay := f.visitor()
	w := httptest.NewRecorder()
	f.server.opts.Cookies.SetTicket(w, tickets.Seal(tickets.New(app, "/", "")))
	onTheWay.keep(w.Result())

	stale, half := f.stale(directory.Admin, "stale@example.com"), f.halfSignedIn(directory.Member, "half@example.com")
	stale.form("/apps/new", "name", hostile)

	f.saveClient(app, openid.ClientInput{RedirectURIs: "https://x.example\nhttps://x.example/?\"><script>"})

	everyones := f.addApp("2 "+hostile, "")
	f.saveClient(everyones, openid.ClientInput{})
	if err := f.store.CreateDeviceCode(t.Context(), openid.DeviceCode{
		Hash: "device", AppID: everyones.ID, Address: `"><script>`, CreatedAt: f.clock.now(), ExpiresAt: f.clock.now().Add(time.Hour),
	}); err != nil {
		t.Fatal(err)
	}

	pages := map[string]struct {
		page    answer
		heading string
	}{
		"signin":               {f.visitor().get("/?expired&signed-out&next=/users"), "Sign in"},
		"sent":                 {f.visitor().get("/signin/sent"), "Check your email"},
		"continue":             {boss.get("/api/authenticate_magic_link?token=%22%3E%3Cscript%3E"), "Switch accounts?"},
		"home":                 {boss.get("/apps"), "My apps"},
		"profile":              {boss.get("/profile"), hostile},
		"passkey_remove":       {boss.get("/profile/passkeys/" + passkey.ID + "/remove"), "Remove " + hostile + "?"},
		"revoke":               {boss.get(revoke), "Revoke " + hostile + "?"},
		"users":                {boss.get("/users?q=%22%3E%3Cscript%3E"), "People"},
		"user":                 {boss.get("/users/" + grace.ID), hostile},
		"remove":               {boss.get("/users/" + grace.ID + "/remove"), "Remove " + hostile + "?"},
		"factors_remove":       {asAda.get("/users/" + grace.ID + "/factors/remove"), "Remove the sign-in methods of " + hostile + "?"},
		"invite":               {boss.form("/users", "email", `"><script>`, "name", hostile, "role", `"><script>`), "Invite people"},
		"imports":              {boss.get("/users/import"), "Import people"},
		"import":               {boss.get(file), "<script>{{.}}.csv"},
		"activity":             {boss.get("/activity?about=%22%3E%3Cscript%3E"), "Activity"},
		"why":                  {boss.form("/why", "email", `"><script>`), "Sign-in help"},
		"waiting":              {boss.get("/waiting"), "Pending updates"},
		"signout":              {boss.get("/signout?app=" + app.ID), "Switch account"},
		"refused":              {boss.get("/enter?t=" + tickets.Seal(tickets.New(app, "/", ""))), "You can’t open " + hostile},
		"account":              {stale.get("/oauth/authorize?prompt=select_account&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Fx.example&client_id=" + app.ID), "Continue to " + hostile},
		"device":               {boss.get("/device?user_code=%22%3E%3Cscript%3E"), "Sign in on a device"},
		"device_signin":        {boss.get("/device/device"), "Sign in to 2 " + hostile + " on a device?"},
		"again":                {boss.get("/enter?t=" + tickets.Seal(apps.Ticket{AppID: app.ID, Path: "/", ExpiresAt: noon})), "This sign-in didn’t finish"},
		"app_new":              {boss.form("/apps/new", "name", hostile, "url", `"><script>`, "audience", `"><script>`, "groups", `"><script>`, "upstream", `"><script>`, "public_paths", `</textarea><script>`), "Add an app"},
		"app":                  {boss.form("/apps/"+app.ID+"/tokens", "id", apps.NewTokenID(), "name", hostile, "days", "30"), hostile},
		"openid":               {boss.form("/apps/"+app.ID+"/openid", "kind", `"><script>`, "redirect_uris", `</textarea><script>`, "post_logout_redirect_uris", `</textarea><script>`, "backchannel_logout_uri", `"><script>`, "algorithm", `"><script>`), "OpenID Connect for " + hostile},
		"openid_remove":        {boss.get("/apps/" + app.ID + "/openid/remove"), "Remove OpenID Connect from " + hostile + "?"},
		"app_remove":           {boss.get("/apps/" + app.ID + "/remove"), "Remove " + hostile + "?"},
		"groups":               {boss.form("/groups", "name", hostile+","), "Groups"},
		"group":                {boss.form("/groups/"+group.ID+"/members", "who", "script", "until", `"><script>`), group.Name},
		"group_remove":         {boss.get("/groups/" + group.ID + "/remove"), "Remove " + group.Name + "?"},
		"ask":                  {asker.get("/apps/" + app.ID + "/request"), "Request access to " + hostile},
		"requests":             {boss.get("/requests"), "Access requests"},
		"renew":                {boss.get("/users/" + grace.ID + "/groups/" + ending.ID + "/renew"), "Renew " + hostile + "’s access"},
		"to_provider":          {f.visitor().form("/signin/with/google"), "Taking you to Google"},
		"to_app":               {onTheWay.get("/enter"), "You’re signed in"},
		"confirm":              {stale.get("/confirm"), "Confirm it’s you"},
		"resubmit":             {stale.form("/apps/new", "name", strings.Repeat(hostile, 100)), "Confirm it’s you"},
		"second_factor":        {half.get("/second-factor"), "One more step"},
		"problem":              {boss.get("/users/nobody"), "This person isn’t on the list"},
		"authenticator_setup":  {shown.answer, "Set up an authenticator app"},
		"recovery_codes":       {codes, "Save your recovery codes"},
		"authenticator_remove": {hedy.get("/profile/authenticator/remove"), "Remove your authenticator app?"},
		"authenticator_renew":  {hedy.get("/profile/authenticator/renew"), "Get new recovery codes?"},
		"second_factor_setup":  {forced.get("/second-factor/setup?next=%22%3E%3Cscript%3E"), "Set up a second factor"},
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(f.server.templates)), slices.Sorted(maps.Keys(pages))); diff != "" {
		t.Errorf("(-templates +shown):\n%s", diff)
	}
	for name, row := range pages {
		if got, want := row.page.Heading(), seen(row.heading); got != want {
			t.Errorf("%s: the heading is %q, want %q", name, got, want)
		}
		if title := row.page.Title(); !strings.HasSuffix(title, " · Guestlist") || len(title) < 14 {
			t.Errorf("%s: the title is %q", name, title)
		}
		for _, never := range []string{"<script>", "ZgotmplZ", "<no value>", "%!", "{{.Title"} {
			if strings.Contains(row.page.body, never) {
				t.Errorf("%s holds %q: %s", name, never, row.page.body)
			}
		}
		for _, always := range []string{`<html lang="en">`, `<main id="main"`, `href="#main"`, `name="viewport"`} {
			if !strings.Contains(row.page.body, always) {
				t.Errorf("%s has no %s", name, always)
			}
		}
	}
}

func TestMessage_IsShownOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	ada.form("/users/"+grace.ID, "name", "Grace Hopper", "role", "member")
	for _, shown := range []bool{true, false} {
		if got := strings.Contains(ada.get("/users/"+grace.ID).Text(), "Saved Grace Hopper."); got != shown {
			t.Errorf("the message is shown: %v, want %v", got, shown)
		}
	}
}

// submitsItself marks a form that a script submits.
const submitsItself = `data-continue="auto"`

func TestContinuePage_SubmitsItselfOnlyInTheRequestingBrowser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	asker, signedInAsker := f.visitor(), f.signedIn(directory.Member, "grace@example.com")
	asker.form("/signin", "email", "nobody@example.com")
	signedInAsker.form("/signin", "email", "nobody@example.com")
	for _, row := range []struct {
		name string
		c    *caller
		want bool
	}{
		{"a browser that asked", asker, true},
		{"any other", f.visitor(), false},
		{"one where somebody is signed in", ada, false},
		{"one that asked, where somebody is signed in", signedInAsker, false},
	} {
		a := row.c.get("/api/authenticate_magic_link?token=x&stytch_token_type=magic_links")
		if got := strings.Contains(a.body, submitsItself); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
	// Ten minutes later it is as any other.
	f.clock.advance(f.server.opts.LinkDuration)
	if a := asker.get("/api/authenticate_magic_link?token=x"); strings.Contains(a.body, submitsItself) {
		t.Error("a flow that has expired still counts")
	}
}

func TestLog_HasNoTokensOrAddresses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	cookie := ada.cookies["guestlist"].Value
	const token = "tokenthatmustnotbelogged"
	ada.get("/api/authenticate_magic_link?token=" + token)
	ada.form("/api/authenticate_magic_link?token="+token, "token", token)
	ada.send("PUT", "/api/authenticate_magic_link?token="+token, "")
	ada.send("POST", "/signout?token="+token, "", "Sec-Fetch-Site", "cross-site")
	ada.get("/nothing?token=" + token)
	f.visitor().form("/signin", "email", "stranger@example.com")
	ada.json("POST", "/api/users", `{"email":"grace@example.com"}`)
	ada.get("/api/users/alan@example.com")
	ada.get("/users/an-id-of-somebody/remove")
	ada.send("POST", "/api/users/mary@example.com", "")                                   // 405
	ada.send("DELETE", "/api/users/joan@example.com", "", "Sec-Fetch-Site", "cross-site") // 403, before any route
	ada.get("/users/rosa@example.com/edit")                                               // 404
	ada.get("/users//jean@example.com")                                                   // 307
	log := f.log.String()
	for _, never := range []string{token, cookie, "stranger@example.com", "grace@example.com", "alan@example.com", "an-id-of", "mary@", "joan@", "rosa@", "jean@"} {
		if strings.Contains(log, never) {
			t.Errorf("the log holds %q:\n%s", never, log)
		}
	}
	if !strings.Contains(log, "path=/api/authenticate_magic_link") || !strings.Contains(log, "path=/api/users/{id}") {
		t.Errorf("the requests are not logged at all:\n%s", log)
	}
}

func TestNotice_IsOnEveryPage(t *testing.T) {
	t.Parallel()
	text := ""
	f := newFixture(t, func(o *Options) { o.Notice, o.NoticePath = func() string { return text }, "/dev/faults" })
	ada := f.signedIn(directory.Admin, "ada@example.com")
	shown := func() []bool {
		var out []bool
		for _, page := range []answer{f.visitor().get("/"), f.visitor().get("/nothing"), ada.get("/users"), ada.get("/profile")} {
			to, _ := page.Link("Change")
			out = append(out, strings.Contains(page.body, `<aside aria-label="Notice">`) && strings.Contains(page.Text(), strings.Join(strings.Fields(text), " ")) && to == "/dev/faults")
			if strings.Contains(page.body, "<script>") {
				t.Errorf("a notice is not shown as text: %s", page.body)
			}
		}
		return out
	}
	if diff := cmp.Diff([]bool{false, false, false, false}, shown()); diff != "" {
		t.Errorf("without one: %s", diff)
	}
	text = hostile
	if diff := cmp.Diff([]bool{true, true, true, true}, shown()); diff != "" {
		t.Errorf("with one: %s", diff)
	}
}
