package e2e

import (
	"net/http"
	"testing"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestOpenID_SwitchedOff(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		tokens := tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
		code := client.Authorize(ada).Get("code")
		other := site.StartAnother() // the app is switched here
		switchApp := func(on bool) {
			t.Helper()
			_, err := other.App.Apps.Switch(t.Context(), event.Origin{}, client.App.ID, on)
			harness.Must(t, err)
		}
		switchApp(false)
		v := client.Visit(ada)
		harness.WantPage(t, v, http.StatusForbidden, "Wiki is switched off", ada.Email)
		if href, found := v.Link("Go to your apps"); !found || href != "/apps" {
			t.Errorf("leads to %q: %s", href, v.Text())
		}
		for _, never := range []string{"Request access", "Switch account"} {
			if _, found := v.Link(never); found {
				t.Errorf("has the link %q", never)
			}
		}
		if v := client.UserInfo(site, tokens.AccessToken); v.Status != http.StatusForbidden && v.Status != http.StatusUnauthorized {
			t.Errorf("user info: %d %s", v.Status, v.Body)
		}
		if v := client.Redeem(code); v.Status != http.StatusBadRequest {
			t.Errorf("a code from before: %d %s", v.Status, v.Body)
		}
		switchApp(true)
		tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
	})
}
