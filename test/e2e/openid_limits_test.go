package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// An app that asks again and again, because it doesn't keep its sign-ins, is stopped for a minute.
func TestOpenID_SignInLoopIsStopped(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		other := site.AddClient(site.AddApp("Other", "https://other.example.com", "staff"), openid.ClientInput{RedirectURIs: client.RedirectURI})
		const most = 100
		for i := range most {
			if answer := client.Authorize(ada); answer.Get("code") == "" {
				t.Fatalf("request %d: %v", i+1, answer)
			}
		}
		for _, at := range []*harness.Site{site, site.Replica()} {
			v := ada.DoOnce(ada.NewRequest(http.MethodGet, at.URL+client.AuthorizePath(), nil))
			if v.Status != http.StatusTooManyRequests || v.Header.Get("Retry-After") == "" || !strings.Contains(v.Text(), "Signing in keeps starting over") {
				t.Errorf("%d %s", v.Status, v.Text())
			}
		}
		if answer := client.Authorize(ada, "prompt", "none"); answer.Get("error") != "temporarily_unavailable" {
			t.Errorf("without pages: %v", answer)
		}
		if n := site.Count("SELECT COUNT(*) FROM grants"); n != most {
			t.Errorf("%d grants", n)
		}
		if answer := other.Authorize(ada); answer.Get("code") == "" {
			t.Errorf("another app: %v", answer)
		}
		site.Clock.Advance(time.Minute)
		tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
	})
}

// A grant whose code isn't redeemed is deleted a day after its code has expired, and any other a day after its session.
func TestOpenID_UnusedGrantsAreDeletedSoon(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		client.Authorize(ada)
		tokens := tokensOf(t, client.Redeem(client.Authorize(ada, "scope", "openid offline_access").Get("code")))
		grantsAfter := func(wait time.Duration) int {
			t.Helper()
			site.Clock.Advance(wait)
			if _, err := site.App.Store.DeleteExpiredGrants(t.Context(), site.Clock.Now()); err != nil {
				t.Fatal(err)
			}
			return site.Count("SELECT COUNT(*) FROM grants")
		}
		if n := grantsAfter(24 * time.Hour); n != 2 {
			t.Errorf("within a day: %d grants", n)
		}
		if n := grantsAfter(time.Minute); n != 1 {
			t.Errorf("after a day: %d grants", n)
		}
		tokensOf(t, client.Renew(tokens.RefreshToken))
		if n := grantsAfter(365 * 24 * time.Hour); n != 0 {
			t.Errorf("after the session: %d grants", n)
		}
	})
}
