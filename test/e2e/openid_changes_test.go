package e2e

import (
	"fmt"
	"net/http"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// signedInToApp is a person who has signed in to an app, with the tokens of one sign-in and the
// unused code of another.
type signedInToApp struct {
	*harness.Person
	client harness.Client
	id     string // of the person
	group  string // id of the group that opens the app
	tokens openid.TokenResponse
	code   string
}

// Every change takes effect on the next use of a code or token, on every instance.
func TestOpenID_EveryChangeTakesEffectAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site := harness.Start(t, url, harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
		other := site.Replica("--guestlist-local-stytch-limits=off") // changes are made here
		boss := site.NewPerson("boss@example.com")
		boss.SignIn()
		boss = boss.At(other)
		ctx, by := t.Context(), event.Origin{}
		post := func(path string, values ...string) {
			t.Helper()
			if v := boss.Post(path, values...); v.Status != http.StatusOK || strings.Contains(v.Heading(), "Confirm") {
				t.Fatalf("%s: %d %s", path, v.Status, v.Text())
			}
		}
		const keepsClient, removesClient = "invalid_grant", "invalid_client"
		for n, change := range []struct {
			name  string
			apply func(p *signedInToApp)
			want  string // error at the token endpoint
		}{
			{"suspended", func(p *signedInToApp) { post("/users/" + p.id + "/suspend") }, keepsClient},
			{"removed", func(p *signedInToApp) { post("/users/" + p.id + "/remove") }, keepsClient},
			{"signed out", func(p *signedInToApp) { post("/users/" + p.id + "/signout") }, keepsClient},
			{"signs out", func(p *signedInToApp) { p.At(other).Post("/signout") }, keepsClient},
			{"signs out everywhere", func(p *signedInToApp) { p.At(other).Post("/profile/signout", "session", "all") }, keepsClient},
			{"leaves the group", func(p *signedInToApp) { post("/users/" + p.id + "/groups/" + p.group + "/leave") }, keepsClient},
			{"the group is removed", func(p *signedInToApp) { post("/groups/" + p.group + "/remove") }, keepsClient},
			{"the membership ends", func(p *signedInToApp) {
				harness.Must(t, other.App.Groups.Join(ctx, by, p.group, p.id, site.Clock.Now().Add(time.Second)))
				site.Clock.Advance(time.Second)
			}, keepsClient},
			{"the app opens to another group", func(p *signedInToApp) {
				g, err := other.App.Groups.Create(ctx, by, "others of "+p.client.App.Name)
				harness.Must(t, err)
				if v := boss.CallAPI("PATCH", "/api/apps/"+p.client.App.ID, fmt.Sprintf(`{"groups":[%q]}`, g.ID)); v.Status != http.StatusOK {
					t.Fatalf("%d %s", v.Status, v.Body)
				}
			}, keepsClient},
			{"the app is switched off", func(p *signedInToApp) { post("/apps/" + p.client.App.ID + "/off") }, keepsClient},
			{"the app is removed", func(p *signedInToApp) { post("/apps/" + p.client.App.ID + "/remove") }, removesClient},
			{"the client is removed", func(p *signedInToApp) { harness.Must(t, other.App.Clients.Remove(ctx, by, p.client.App)) }, removesClient},
			{"the client is removed and added again", func(p *signedInToApp) {
				harness.Must(t, other.App.Clients.Remove(ctx, by, p.client.App))
				site.Clock.Advance(time.Microsecond)
				again := other.AddClient(p.client.App, openid.ClientInput{RedirectURIs: p.client.RedirectURI})
				p.client.Secret = again.Secret
			}, keepsClient},
		} {
			p := newSignedIn(t, site, n)
			bystander := newSignedIn(t, site, n+100)
			change.apply(p)
			for _, at := range []*harness.Site{site, other} {
				c := p.client.At(at)
				for request, v := range map[string]harness.View{"redeem": c.Redeem(p.code), "refresh": c.Renew(p.tokens.RefreshToken)} {
					if v.Status/100 != 4 || !strings.Contains(v.Body, `"`+change.want+`"`) {
						t.Errorf("%s: %s: %d %s", change.name, request, v.Status, v.Body)
					}
				}
				if v := c.UserInfo(at, p.tokens.AccessToken); v.Status != http.StatusUnauthorized || !strings.Contains(v.Body, `"invalid_token"`) {
					t.Errorf("%s: userinfo: %d %s", change.name, v.Status, v.Body)
				}
				for _, token := range []string{p.tokens.AccessToken, p.tokens.RefreshToken} {
					if v := c.Ask(at, openid.IntrospectPath, neturl.Values{"token": {token}}); strings.Contains(v.Body, `"active":true`) || strings.Contains(v.Body, "sub") {
						t.Errorf("%s: introspection: %d %s", change.name, v.Status, v.Body)
					}
				}
				again := change.name == "the client is removed and added again" // for which there are new codes
				if v := c.Visit(p.At(at)); !again && strings.Contains(v.Header.Get("Location"), "code=") {
					t.Errorf("%s: another code: %s", change.name, v.Header.Get("Location"))
				}
				if v := bystander.client.UserInfo(at, bystander.tokens.AccessToken); v.Status != http.StatusOK {
					t.Errorf("%s: another user and app: %d %s", change.name, v.Status, v.Body)
				}
			}
		}
	})
}

func newSignedIn(t *testing.T, site *harness.Site, n int) *signedInToApp {
	t.Helper()
	ctx, by := t.Context(), event.Origin{}
	name := fmt.Sprintf("app%d", n)
	p := &signedInToApp{Person: site.NewPerson(name + "@example.com")}
	_, err := site.App.Directory.Add(ctx, directory.Actor{}, directory.UserInput{Email: p.Email})
	harness.Must(t, err)
	p.SignIn()
	p.client = site.AddClient(site.AddApp(name, "https://"+name+".example.com", "of "+name), openid.ClientInput{RedirectURIs: "https://" + name + ".example.com/callback"})
	g, err := site.App.Groups.Find(ctx, "of "+name)
	harness.Must(t, err)
	p.id, p.group = site.UserID(t, p.Email), g.ID
	harness.Must(t, site.App.Groups.Join(ctx, by, p.group, p.id, time.Time{}))
	p.tokens = tokensOf(t, p.client.Redeem(p.client.Authorize(p.Person).Get("code")))
	p.code = p.client.Authorize(p.Person).Get("code")
	return p
}

// A user whom the rules of an app refuse sees a page that says so, the refusal is recorded, and there
// is no code.
func TestOpenID_UserWhoMayNotOpenTheApp(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, _ := startWithClient(t, url, openid.ClientInput{})
		boss := signInAdmin(site) // isn't in the group either
		refusals := func() int {
			return site.Count("SELECT COUNT(*) FROM events WHERE kind = ?", string(event.AppRefused))
		}
		v := client.Visit(boss)
		harness.WantPage(t, v, http.StatusForbidden, "You can’t open Wiki")
		if v.Header.Get("Location") != "" || v.Header.Get("Refresh") != "" || refusals() != 1 {
			t.Errorf("%v, %d refusals", v.Header, refusals())
		}
		if _, err := site.App.Apps.Switch(t.Context(), event.Origin{}, client.App.ID, false); err != nil {
			t.Fatal(err)
		}
		site.Join("staff", boss.Email)
		if v := client.Visit(boss); v.Header.Get("Location") != "" || v.Status/100 == 2 {
			t.Errorf("switched off: %d %v", v.Status, v.Header)
		}
		if n := site.Count("SELECT COUNT(*) FROM grants"); n != 0 {
			t.Errorf("%d grants", n)
		}
		if _, err := site.App.Apps.Switch(t.Context(), event.Origin{}, client.App.ID, true); err != nil {
			t.Fatal(err)
		}
		if client.Authorize(boss).Get("code") == "" {
			t.Error("no code")
		}
	})
}
