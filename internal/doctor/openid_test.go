package doctor_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// providers is a server with a provider at each of some paths, most of which are broken.
func providers(t *testing.T) string {
	t.Helper()
	var url string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, document, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		issuer, keys := url+"/"+kind, `{"keys":[{"kid":"1"}]}`
		switch kind {
		case "other-issuer":
			issuer = "https://people.example.com"
		case "slash":
			issuer += "/"
		case "no-keys":
			keys = `{"keys":[]}`
		case "page":
			io.WriteString(w, "<html>Welcome</html>")
			return
		case "nothing":
			http.NotFound(w, r)
			return
		}
		switch document {
		case ".well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuer, url+"/"+kind+"/keys")
		case "keys":
			io.WriteString(w, keys)
		default:
			io.WriteString(w, `{"status":"ok","database":"ok","stytch":"ok"}`)
		}
	}))
	t.Cleanup(s.Close)
	url = local(s.URL)
	return url
}

func TestDoctor_ChecksTheIssuer(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		site := harness.Start(t, databaseURL, harness.NewClock(time.Now()))
		other := providers(t)
		env := func(base string) []string {
			return []string{"DATABASE_URL=" + databaseURL, "GUESTLIST_ADDR=" + site.Config.Addr, "GUESTLIST_BASE_URL=" + base}
		}
		if found := runDoctor(t, env(other+"/nothing"), time.Now); found["openid"] != "" || found["client_secrets"] != "" {
			t.Errorf("without clients: %q", found)
		}
		site.AddClient(site.AddApp("Wiki", "https://wiki.example.com"), openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
		for _, row := range []struct{ base, want string }{
			{site.URL, ""},
			{other + "/right", ""},
			{other + "/other-issuer", "problem The instance at " + other + "/other-issuer calls itself https://people.example.com, so apps refuse it."},
			{other + "/slash", "problem The instance at " + other + "/slash calls itself " + other + "/slash/, so apps refuse it."},
			{other + "/no-keys", "problem " + other + "/no-keys/keys has no keys (status 200), so apps can't verify who signs in."},
			{other + "/page", "problem " + other + "/page/.well-known/openid-configuration doesn't describe Guestlist (status 200), so apps can't sign people in."},
			{other + "/nothing", "problem " + other + "/nothing/.well-known/openid-configuration doesn't describe Guestlist (status 404), so apps can't sign people in."},
			{"http://localhost:1", "skipped Not checked: no instance answers at http://localhost:1."},
		} {
			if found := runDoctor(t, env(row.base), time.Now)["openid"]; found != row.want {
				t.Errorf("%s: %q, want %q", row.base, found, row.want)
			}
		}
	})
}

func TestDoctor_ReportsSecretsThatEnd(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		begin := time.Now()
		site := harness.Start(t, databaseURL, harness.NewClock(begin))
		env := []string{"DATABASE_URL=" + databaseURL, "GUESTLIST_ADDR=" + site.Config.Addr, "GUESTLIST_BASE_URL=" + site.URL}
		day := func(n int) string { return begin.Add(time.Duration(n) * 24 * time.Hour).UTC().Format("2 January 2006") }
		app := site.AddApp("Wiki", "https://wiki.example.com")
		site.AddClient(app, openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"}) // with a secret that has no end
		var hints []string
		add := func(days int) {
			s, _, err := site.App.Clients.CreateSecret(t.Context(), event.Origin{}, app, time.Duration(days)*24*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			hints = append(hints, s.Hint)
		}
		found := func(days int) string {
			return runDoctor(t, env, func() time.Time { return time.Now().Add(time.Duration(days) * 24 * time.Hour) })["client_secrets"]
		}
		const is = "warning A secret of an OpenID Connect client has ended or ends soon: "
		add(20)
		if got := found(0); got != "" {
			t.Errorf("20 days before: %q", got)
		}
		if got, want := found(7), fmt.Sprintf("%s…%s of Wiki ends on %s.", is, hints[0], day(20)); got != want {
			t.Errorf("13 days before: %q, want %q", got, want)
		}
		if got, want := found(21), fmt.Sprintf("%s…%s of Wiki ended on %s.", is, hints[0], day(20)); got != want {
			t.Errorf("a day after: %q, want %q", got, want)
		}
		add(23)
		add(22)
		if got, want := found(21), fmt.Sprintf("%s…%s of Wiki ended on %s; …%s of Wiki ends on %s; …%s of Wiki ends on %s.", is, hints[0], day(20), hints[2], day(22), hints[1], day(23)); got != want {
			t.Errorf("three: %q, want %q", got, want)
		}
		add(24)
		if got := found(21); !strings.HasSuffix(got, "; and more.") || strings.Contains(got, hints[3]) {
			t.Errorf("four: %q", got)
		}
	})
}
