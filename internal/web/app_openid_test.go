package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid"
)

// saveClient gives an app a client.
func (f *fixture) saveClient(a apps.App, in openid.ClientInput) openid.Client {
	f.t.Helper()
	c, err := f.server.opts.Clients.Save(f.t.Context(), event.Origin{}, a, in)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// addSecret gives a client a secret and returns it with its text.
func (f *fixture) addSecret(a apps.App, lifetime time.Duration) (openid.Secret, string) {
	f.t.Helper()
	s, text, err := f.server.opts.Clients.CreateSecret(f.t.Context(), event.Origin{}, a, lifetime)
	if err != nil {
		f.t.Fatal(err)
	}
	return s, text
}

func (f *fixture) listSecrets(a apps.App) []openid.Secret {
	f.t.Helper()
	list, err := f.server.opts.Clients.ListSecrets(f.t.Context(), a.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

func TestAppOpenID_IsSetUpChangedAndRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	path := "/apps/" + app.ID
	setUp, ok := ada.get(path).Link("Set up OpenID Connect")
	if !ok || setUp != path+"/openid" {
		t.Fatalf("leads to %q", setUp)
	}
	page := ada.get(setUp)
	if page.status != http.StatusOK || page.Heading() != "Set up OpenID Connect for Wiki" || !strings.Contains(page.body, `value="confidential" required checked`) {
		t.Errorf("%d %s", page.status, page.Text())
	}
	if strings.Contains(page.body, "<details class=\"more\" open") {
		t.Error("what few clients need is open")
	}
	const callback, other = "https://wiki.example.com/callback", "https://wiki.example.com/other"
	a := ada.form(setUp, "kind", "confidential", "redirect_uris", callback+"\r\n"+other+"\r\n", "post_logout_redirect_uris", "", "backchannel_logout_uri", "", "algorithm", "RS256")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != path {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	c, err := f.server.opts.Clients.Get(t.Context(), app.ID)
	want := openid.Client{ID: app.ID, Algorithm: identity.RS256, RedirectURIs: []string{callback, other}, CreatedAt: f.clock.now(), UpdatedAt: f.clock.now()}
	if diff := cmp.Diff(want, c); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	page = ada.get(path)
	for _, text := range []string{"OpenID Connect is set up. Now create a client secret.", "Confidential, with a secret", callback, other, "There is no secret yet"} {
		if !strings.Contains(page.Text(), text) {
			t.Errorf("no %q: %s", text, page.Text())
		}
	}
	for _, value := range []string{"http://localhost:8080", "http://localhost:8080/.well-known/openid-configuration", app.ID} {
		if !strings.Contains(page.body, `value="`+value+`" readonly`) {
			t.Errorf("no %s to copy", value)
		}
	}

	created := c.CreatedAt
	f.clock.advance(time.Minute)
	if page = ada.get(setUp); page.Heading() != "OpenID Connect for Wiki" || !strings.Contains(page.body, callback+"\n"+other+"</textarea>") {
		t.Errorf("%s", page.body)
	}
	a = ada.form(setUp, "kind", "public", "redirect_uris", "app://callback", "post_logout_redirect_uris", "https://wiki.example.com/bye", "backchannel_logout_uri", "https://wiki.example.com/logout", "algorithm", "ES256")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	c, err = f.server.opts.Clients.Get(t.Context(), app.ID)
	want = openid.Client{
		ID: app.ID, Public: true, Algorithm: identity.ES256, RedirectURIs: []string{"app://callback"}, PostLogoutURIs: []string{"https://wiki.example.com/bye"},
		BackchannelLogout: "https://wiki.example.com/logout", CreatedAt: created, UpdatedAt: f.clock.now(),
	}
	if diff := cmp.Diff(want, c); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	page = ada.get(path)
	for _, text := range []string{"Saved the OpenID Connect settings of Wiki.", "Public, without a secret", "https://wiki.example.com/bye", "https://wiki.example.com/logout", "ES256"} {
		if !strings.Contains(page.Text(), text) {
			t.Errorf("no %q: %s", text, page.Text())
		}
	}
	if strings.Contains(page.Text(), "Create secret") {
		t.Error("a public client can get secrets")
	}
	if page = ada.get(setUp); !strings.Contains(page.body, `<details class="more" open`) {
		t.Error("what is set isn't open")
	}

	remove, _ := ada.get(path).Link("Remove OpenID Connect…")
	if page = ada.get(remove); page.Heading() != "Remove OpenID Connect from Wiki?" {
		t.Errorf("%d %s", page.status, page.Text())
	}
	if a = ada.form(remove); a.status != http.StatusSeeOther || a.header.Get("Location") != path {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if page = ada.get(path); !strings.Contains(page.Text(), "OpenID Connect was removed. Wiki can’t sign people in any more.") || !strings.Contains(page.Text(), "Set up OpenID Connect") {
		t.Errorf("%s", page.Text())
	}
	for _, method := range []string{"GET", "POST"} {
		if a := ada.send(method, remove, ""); a.status != http.StatusNotFound || a.Heading() != "This app doesn’t use OpenID Connect" {
			t.Errorf("%s, removed already: %d %s", method, a.status, a.Text())
		}
	}
}

func TestAppOpenID_KeepsWhatWasTypedInvalid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	fresh, existing := f.addApp("Wiki", "https://wiki.example.com"), f.addApp("Shop", "https://shop.example.com")
	f.saveClient(existing, openid.ClientInput{RedirectURIs: "https://shop.example.com/callback"})
	for _, row := range []struct {
		field, value, want string
	}{
		{"kind", "", "Choose where the app runs."},
		{"kind", "secret", "Choose where the app runs."},
		{"redirect_uris", "wiki", "Write each address in full, such as https://wiki.example.com/callback: wiki"},
		{"redirect_uris", "app://callback", "Only a public client can use an address that opens a program on a device: app://callback"},
		{"post_logout_redirect_uris", "https://*.example.com/", "Write each address in full, without *: https://*.example.com/"},
		{"backchannel_logout_uri", "wiki", "Write the address in full"},
		{"algorithm", "none", "Choose RS256 or ES256."},
	} {
		for _, app := range []apps.App{fresh, existing} {
			before := f.rows()
			typed := map[string]string{"kind": "confidential", "redirect_uris": "https://typed.example.com/callback", "algorithm": "RS256"}
			typed[row.field] = row.value
			var values []string
			for name, value := range typed {
				values = append(values, name, value)
			}
			a := ada.form("/apps/"+app.ID+"/openid", values...)
			if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), row.want) {
				t.Errorf("%s %q: %d, no %q: %s", row.field, row.value, a.status, row.want, a.Text())
			}
			if !strings.Contains(a.body, typed["redirect_uris"]+"</textarea>") {
				t.Errorf("%s %q: the addresses are lost", row.field, row.value)
			}
			if row.field == "backchannel_logout_uri" && !strings.Contains(a.body, `value="wiki"`) {
				t.Errorf("%q is lost", row.value)
			}
			if diff := cmp.Diff(before, f.rows()); diff != "" {
				t.Errorf("%s %q: the database has changed:\n%s", row.field, row.value, diff)
			}
		}
	}
}

func TestAppOpenID_IsUnavailableWithoutItsTable(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	f.saveClient(app, openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
	f.exec("ALTER TABLE client_secrets RENAME TO gone")
	f.exec("ALTER TABLE openid_clients RENAME TO gone_too")
	for _, path := range []string{"", "/openid", "/openid/remove", "/secrets/x/revoke"} {
		if a := ada.get("/apps/" + app.ID + path); a.status != http.StatusServiceUnavailable {
			t.Errorf("GET %q: %d %s", path, a.status, a.Text())
		}
	}
	for _, row := range [][]string{
		{"/openid", "kind", "confidential"}, {"/openid/remove"}, {"/secrets", "id", openid.NewSecretID(), "days", "0"}, {"/secrets/x/revoke"},
	} {
		if a := ada.form("/apps/"+app.ID+row[0], row[1:]...); a.status != http.StatusServiceUnavailable {
			t.Errorf("POST %q: %d %s", row[0], a.status, a.Text())
		}
	}
}

func TestAppOpenID_OfAnAppThatDoesNotExist(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for _, path := range []string{"/openid", "/openid/remove", "/secrets/x/revoke"} {
		if a := ada.get("/apps/x" + path); a.status != http.StatusNotFound || a.Heading() != "This app was removed" {
			t.Errorf("GET %s: %d %s", path, a.status, a.Text())
		}
	}
	for _, path := range []string{"/openid", "/openid/remove", "/secrets", "/secrets/x/revoke"} {
		if a := ada.form("/apps/x"+path, "kind", "public", "id", openid.NewSecretID(), "days", "0"); a.status != http.StatusNotFound || a.Heading() != "This app was removed" {
			t.Errorf("POST %s: %d %s", path, a.status, a.Text())
		}
	}
	app := f.addApp("Wiki", "https://wiki.example.com") // without a client
	if a := ada.form("/apps/"+app.ID+"/secrets", "id", openid.NewSecretID(), "days", "0"); a.status != http.StatusNotFound || a.Heading() != "This app doesn’t use OpenID Connect" {
		t.Errorf("a secret without a client: %d %s", a.status, a.Text())
	}
}

var secretPattern = regexp.MustCompile(`glcs_[A-Z2-7]{52}`)

func TestClientSecret_IsShownOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	f.saveClient(app, openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
	path, id := "/apps/"+app.ID, openid.NewSecretID()
	a := ada.form(path+"/secrets", "id", id, "days", "90")
	secret := secretPattern.FindString(a.body)
	if a.status != http.StatusOK || secret == "" {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if a.header.Get("Cache-Control") != "no-store, no-transform" {
		t.Errorf("Cache-Control: %s", a.header.Get("Cache-Control"))
	}
	settings := "OIDC_ISSUER=http://localhost:8080\nOIDC_CLIENT_ID=" + app.ID + "\nOIDC_CLIENT_SECRET=" + secret + "\n"
	hint := "…" + secret[len(secret)-4:]
	if !strings.Contains(a.body, settings) || !strings.Contains(a.body, `value="`+secret+`" readonly`) || !strings.Contains(a.Text(), "Secret "+hint+" created.") {
		t.Errorf("%s", a.body)
	}
	if !strings.Contains(a.Text(), hint+" created just now by ada@example.com · ends 30 May 2026, 12:00 UTC") {
		t.Errorf("it isn't listed: %s", a.Text())
	}
	if got := f.listSecrets(app); len(got) != 1 || got[0].ID != id || got[0].CreatedBy != ada.user.ID || !got[0].ExpiresAt.Equal(f.clock.now().Add(90*24*time.Hour)) {
		t.Errorf("%+v", got)
	}
	if strings.Contains(f.rows(), secret) || strings.Contains(f.log.String(), secret) {
		t.Error("the database or the log has the secret")
	}
	// Sent again, as by reloading.
	a = ada.form(path+"/secrets", "id", id, "days", "90")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != path || len(f.listSecrets(app)) != 1 {
		t.Errorf("reloaded: %d, leads to %s", a.status, a.header.Get("Location"))
	}
	page := ada.get(path)
	if secretPattern.MatchString(page.body) || !strings.Contains(page.Text(), "A secret is shown only once") || !strings.Contains(page.Text(), hint) {
		t.Errorf("the page: %s", page.Text())
	}
	for _, days := range []string{"", "31", "x"} {
		if a := ada.form(path+"/secrets", "id", openid.NewSecretID(), "days", days); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), "Choose one of these times.") {
			t.Errorf("%q days: %d %s", days, a.status, a.Text())
		}
	}
	if a := ada.form(path+"/secrets", "id", "x", "days", "0"); a.status != http.StatusBadRequest {
		t.Errorf("a damaged form: %d", a.status)
	}

	other := f.addApp("Other", "https://other.example.com")
	if a := ada.form("/apps/" + other.ID + "/secrets/" + id + "/revoke"); a.status != http.StatusNotFound {
		t.Errorf("as a secret of another app: %d", a.status)
	}
	if a := ada.get(path + "/secrets/" + id + "/revoke"); a.Heading() != "Revoke secret "+hint+"?" {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := ada.form(path + "/secrets/" + id + "/revoke"); a.status != http.StatusSeeOther || a.header.Get("Location") != path || len(f.listSecrets(app)) != 0 {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := ada.form(path + "/secrets/" + id + "/revoke"); a.status != http.StatusNotFound || a.Heading() != "Secret not found" {
		t.Errorf("revoked twice: %d %s", a.status, a.Text())
	}
}

func TestClientSecret_WarnsOfEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	f.saveClient(app, openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
	const (
		day     = 24 * time.Hour
		none    = "There is no secret yet, so Wiki can’t sign people in."
		allOver = "All secrets have ended, so Wiki can’t sign people in."
		soon    = "A secret ends soon. Create a new one"
	)
	wants := func(name, want, badge string) {
		t.Helper()
		text := ada.get("/apps/" + app.ID).Text()
		for _, warning := range []string{none, allOver, soon} {
			if strings.Contains(text, warning) != (warning == want) {
				t.Errorf("%s: wants %q: %s", name, want, text)
			}
		}
		for _, other := range []string{"Ends soon", "Ended"} {
			if strings.Contains(text, other+" ") != (other == badge) {
				t.Errorf("%s: wants the badge %q: %s", name, badge, text)
			}
		}
	}
	wants("without a secret", none, "")
	ends, _ := f.addSecret(app, 30*day)
	wants("30 days before its end", "", "")
	f.exec("UPDATE client_secrets SET expires_at = ? WHERE id = ?", f.clock.now().Add(14*day).Add(time.Microsecond).UnixMicro(), ends.ID)
	wants("a little more than 14 days before", "", "")
	f.exec("UPDATE client_secrets SET expires_at = ? WHERE id = ?", f.clock.now().Add(14*day).UnixMicro(), ends.ID)
	wants("14 days before", soon, "Ends soon")
	f.exec("UPDATE client_secrets SET expires_at = ? WHERE id = ?", f.clock.now().Add(time.Microsecond).UnixMicro(), ends.ID)
	wants("just before", soon, "Ends soon")
	f.exec("UPDATE client_secrets SET expires_at = ? WHERE id = ?", f.clock.now().UnixMicro(), ends.ID)
	wants("at its end", allOver, "Ended")
	f.addSecret(app, 0)
	wants("with another", "", "Ended")
}

func TestClientSecret_UpToFiveForConfidentialClients(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	in := openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"}
	f.saveClient(app, in)
	for range openid.MaxSecrets {
		f.addSecret(app, 0)
	}
	path := "/apps/" + app.ID
	if text := ada.get(path).Text(); !strings.Contains(text, "This app has the limit of 5 secrets.") || strings.Contains(text, "Create secret") {
		t.Errorf("%s", text)
	}
	if a := ada.form(path+"/secrets", "id", openid.NewSecretID(), "days", "0"); a.status != http.StatusConflict || a.Heading() != "Secret limit reached" {
		t.Errorf("one more: %d %s", a.status, a.Text())
	}
	in.Public = true
	f.saveClient(app, in)
	if a := ada.form(path+"/secrets", "id", openid.NewSecretID(), "days", "0"); a.status != http.StatusConflict || a.Heading() != "Public clients have no secrets" {
		t.Errorf("of a public client: %d %s", a.status, a.Text())
	}
	if text := ada.get(path).Text(); !strings.Contains(text, "A public client has no secrets, so these don’t work.") || !strings.Contains(text, "Revoke…") {
		t.Errorf("%s", text)
	}
}

func TestClientSecret_NamesItsCreator(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, gone := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Admin, "gone@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	f.saveClient(app, openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
	f.addSecret(app, 0)
	gone.form("/apps/"+app.ID+"/secrets", "id", openid.NewSecretID(), "days", "0")
	if text := ada.get("/apps/" + app.ID).Text(); !strings.Contains(text, "created just now by the command line · no end") || !strings.Contains(text, "by gone@example.com · no end") {
		t.Errorf("%s", text)
	}
	if a := ada.form("/users/" + gone.user.ID + "/remove"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	ada.get("/apps") // shows the message
	if a := ada.get("/apps/" + app.ID); a.status != http.StatusOK || strings.Contains(a.Text(), "gone@example.com") {
		t.Errorf("%d %s", a.status, a.Text())
	}
}

func TestActivity_ShowsChangesOfClients(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	path := "/apps/" + app.ID
	ada.form(path+"/openid", "kind", "confidential", "redirect_uris", "https://wiki.example.com/a")
	text := ada.get("/activity").Text()
	for _, want := range []string{"OpenID client changed: Wiki", "kind: confidential", "redirect addresses: https://wiki.example.com/a", "signature: RS256"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q: %s", want, text)
		}
	}
	ada.form(path+"/openid", "kind", "public", "redirect_uris", "https://wiki.example.com/a\nhttps://wiki.example.com/b")
	before := f.rows()
	ada.form(path+"/openid", "kind", "public", "redirect_uris", "https://wiki.example.com/a\nhttps://wiki.example.com/b")
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("saving the same changes the database:\n%s", diff)
	}
	text = ada.get("/activity").Text()
	for _, want := range []string{"kind: confidential → public", "redirect addresses: https://wiki.example.com/a → https://wiki.example.com/a, https://wiki.example.com/b"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q: %s", want, text)
		}
	}
	ada.form(path+"/openid", "kind", "confidential")
	created := ada.form(path+"/secrets", "id", openid.NewSecretID(), "days", "365")
	hint := secretPattern.FindString(created.body)[53:]
	ada.form(path + "/secrets/" + f.listSecrets(app)[0].ID + "/revoke")
	ada.form(path + "/openid/remove")
	text = ada.get("/activity").Text()
	for _, want := range []string{
		fmt.Sprintf("Client secret created: Wiki: …%s (until 2027-03-01)", hint), fmt.Sprintf("Client secret revoked: Wiki: …%s", hint), "OpenID client removed: Wiki",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q: %s", want, text)
		}
	}
}

func TestAppOpenID_IsFilledInForATool(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Charts", "https://charts.example.com", f.addGroup("Staff"))
	path := "/apps/" + app.ID
	page := ada.get(path + "/openid?tool=grafana")
	if !strings.Contains(page.body, "https://charts.example.com/login/generic_oauth</textarea>") || !strings.Contains(page.body, `value="grafana" selected`) || strings.Contains(page.Text(), "We don’t know where") {
		t.Errorf("%s", page.body)
	}
	for _, unknown := range []string{"", "x", `"><script>`} {
		if page := ada.get(path + "/openid?tool=" + url.QueryEscape(unknown)); page.status != http.StatusOK || strings.Contains(page.body, "example.com/login") {
			t.Errorf("%q: %d %s", unknown, page.status, page.Text())
		}
	}
	if page := ada.get(path + "/openid?tool=argocd"); !strings.Contains(page.body, `value="public" required checked`) {
		t.Errorf("a tool with a public client: %s", page.Text())
	}
	a := ada.form(path+"/openid", "tool", "grafana", "kind", "confidential", "redirect_uris", "https://charts.example.com/login/generic_oauth")
	if to := a.header.Get("Location"); a.status != http.StatusSeeOther || to != path+"?tool=grafana" {
		t.Fatalf("%d, leads to %q", a.status, to)
	}
	page = ada.get(path + "?tool=grafana")
	for _, want := range []string{"<details name=\"tool\" open>\n      <summary>Grafana", "client_id = " + app.ID, "client_secret = CLIENT_SECRET", `name="tool" value="grafana"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Count(page.body, "These settings are for a public client, and yours is confidential.") != 2 { // Argo CD and Home Assistant
		t.Errorf("%s", page.Text())
	}
	a = ada.form(path+"/secrets", "tool", "grafana", "id", openid.NewSecretID(), "days", "0")
	secret := secretPattern.FindString(a.body)
	if a.status != http.StatusOK || !strings.Contains(a.body, "client_secret = "+secret) || !strings.Contains(a.body, "<details name=\"tool\" open>\n      <summary>Grafana") {
		t.Errorf("%d %s", a.status, a.body)
	}

	nowhere := f.addApp("Nowhere", "")
	if page := ada.get("/apps/" + nowhere.ID + "/openid?tool=grafana"); !strings.Contains(page.Text(), "We don’t know where Nowhere is. Replace the addresses below with its own.") {
		t.Errorf("%s", page.Text())
	}
}

func TestNewApp_WaysToSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	const invalid, noAddress = "Enter the app’s address, such as https://wiki.example.com.", "For OpenID Connect alone, leave “Address”"
	for i, row := range []struct {
		way, url, upstream string
		want               string // what the page says, or where it leads, below the app
	}{
		{"proxy", "https://a.example.com", "", ""},
		{"proxy", "", "", invalid},
		{"openid", "", "", "/openid"},
		{"openid", "https://b.example.com", "", noAddress},
		{"openid", "", "http://127.0.0.1:3000", noAddress},
		{"both", "https://c.example.com", "", "/openid"},
		{"both", " ", "", invalid},
		{"", "https://d.example.com", "", ""},
	} {
		name := fmt.Sprint("App ", i)
		a := ada.form("/apps/new", "way", row.way, "name", name, "url", row.url, "upstream", row.upstream, "audience", "everyone")
		if row.want == invalid || row.want == noAddress {
			if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), row.want) || !strings.Contains(a.body, `value="`+name+`"`) ||
				!strings.Contains(a.body, `value="`+row.way+`" required checked`) {
				t.Errorf("%+v: %d %s", row, a.status, a.Text())
			}
			continue
		}
		to := a.header.Get("Location")
		if rest := strings.TrimPrefix(to, "/apps/"); a.status != http.StatusSeeOther || len(rest) != 36+len(row.want) || rest[36:] != row.want {
			t.Errorf("%+v: %d, leads to %q", row, a.status, to)
		}
	}
}
