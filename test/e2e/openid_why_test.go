package e2e

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestWhy_SaysHowAnAppSignsPeopleIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		site, client, ada := startWithClient(t, databaseURL, openid.ClientInput{})
		if out, err := site.Command("users", "invite", "grace@example.com", "--role", "admin"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		admin := site.NewPerson("grace@example.com")
		admin.SignIn()
		site.AddApp("Docs", "https://docs.example.com")
		other := site.AddClient(site.AddAppWith(apps.Input{Name: "Wiki 2"}), openid.ClientInput{RedirectURIs: "https://other.example.com/callback"})

		ask := func(app string) apps.ExplanationJSON {
			t.Helper()
			v := admin.CallAPI("GET", "/api/why?"+url.Values{"email": {"ada@example.com"}, "app": {app}}.Encode(), "")
			var answer apps.DiagnosisJSON
			if err := json.Unmarshal([]byte(v.Body), &answer); err != nil || v.Status != 200 || answer.App == nil {
				t.Fatalf("%d %s", v.Status, v.Body)
			}
			got := *answer.App
			got.ID, got.Name, got.Decision, got.Text, got.Action = "", "", "", "", ""
			return got
		}
		show := func(app string) harness.View {
			t.Helper()
			return admin.Post("/why", "email", "ada@example.com", "app", app)
		}
		both := []string{"forward_auth", "openid"}
		want := func(app string, want apps.ExplanationJSON) {
			t.Helper()
			want.CanOpen = true
			if diff := cmp.Diff(want, ask(app)); diff != "" {
				t.Errorf("%s: %s", app, diff)
			}
		}
		want("Docs", apps.ExplanationJSON{Uses: []string{"forward_auth"}})
		want("Wiki", apps.ExplanationJSON{Uses: both})
		harness.WantPage(t, show(client.App.ID), 200, "Sign-in help", "signs people in with OpenID Connect, and Guestlist checks requests to https://wiki.example.com", "The activity log has no sign-in of theirs.")

		first := site.Clock.Now().UTC()
		code := client.Authorize(ada).Get("code")
		tokensOf(t, client.Redeem(code))
		want("Wiki", apps.ExplanationJSON{Uses: both, SignedInAt: &first})
		want("Wiki 2", apps.ExplanationJSON{Uses: []string{"openid"}}) // the other app's sign-in isn't its own
		_ = other

		site.Clock.Advance(time.Minute)
		ended := site.Clock.Now().UTC()
		wantOAuthError(t, client.Redeem(code), 400, "invalid_grant")
		want("Wiki", apps.ExplanationJSON{Uses: both, SignedInAt: &first, EndedAt: &ended, EndedBecause: "a code was used twice"})
		harness.WantPage(t, show(client.App.ID), 200, "Sign-in help", "They last signed in to it that way on "+humanize.FormatTime(first)+".",
			"That ended on "+humanize.FormatTime(ended)+": a code was used twice.")

		site.Clock.Advance(time.Minute)
		again := site.Clock.Now().UTC()
		tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
		want("Wiki", apps.ExplanationJSON{Uses: both, SignedInAt: &again})
	})
}
