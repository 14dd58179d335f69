package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// Each of these tests is about a vulnerability of other programs that protect apps. What real
// proxies do with the answers is tested in test/peers.

// eachProxy runs a test behind each proxy.
func eachProxy(t *testing.T, test func(t *testing.T, g *guarded, via harness.Asker)) {
	t.Helper()
	t.Parallel()
	g := newGuarded(t, testdb.SQLite(t))
	for _, via := range harness.Askers {
		t.Run(via.Name, func(t *testing.T) {
			scoped := *g
			scoped.t = t
			test(t, &scoped, via)
		})
	}
}

// wantClosed checks that requests without a credential, and those of a person who may not open the
// wiki, don't pass.
func wantClosed(t *testing.T, g *guarded, via harness.Asker, eve *harness.Person, path string, headers ...string) {
	t.Helper()
	for _, p := range []*harness.Person{harness.NewVisitor(g.Site), eve} {
		for _, method := range []string{"GET", "POST"} {
			if v := fetch(p, via, method, wikiURL+path, headers...); v.Status < 400 || v.Header.Get("Remote-User") != "" {
				t.Errorf("%s %s %q: %d", method, path, headers, v.Status)
			}
		}
	}
}

// eveOf returns a person who has opened the board and may not open the wiki.
func (g *guarded) eveOf(via harness.Asker) *harness.Person {
	g.t.Helper()
	eve := g.person("eve."+addressOf(via), false)
	eve.SignIn()
	g.wantPassed(eve, eve.OpenApp(via, boardURL+"/"))
	eve.Jar.SetCookies(address(g.t, wikiURL), eve.Jar.Cookies(address(g.t, boardURL))) // as if it were the wiki's
	return eve
}

// Authelia CVE-2026-48794, tinyauth CVE-2026-77560, heimdall CVE-2026-42273.
func TestAdvisory_HostInAnotherCase(t *testing.T) {
	eachProxy(t, func(t *testing.T, g *guarded, via harness.Asker) {
		ada, eve := g.signedIn(addressOf(via), via), g.eveOf(via)
		for _, host := range []string{"WIKI.EXAMPLE.COM", "Wiki.example.com", "wiki.example.com.", "WIKI.example.com.:443", "wiki.example.com:443"} {
			for p, status := range map[*harness.Person]int{ada: http.StatusOK, eve: http.StatusUnauthorized, harness.NewVisitor(g.Site): http.StatusUnauthorized} {
				r := p.NewRequest("GET", wikiURL+"/page", nil)
				r.Header.Set("Sec-Fetch-Mode", "cors")
				r.Host = host
				if v := p.SendVia(via, r); v.Status != status {
					t.Errorf("%s: %d, want %d", host, v.Status, status)
				}
			}
		}
		for _, host := range []string{"wiki.example.com:8443", "xwiki.example.com", "example.com", "wiki.example.com.evil.example", "wiki.example.com@evil.example", "127.0.0.1", "localhost"} {
			r := ada.NewRequest("GET", wikiURL+"/health", nil)
			r.Host = host
			if v := ada.SendVia(via, r); v.Status != http.StatusNotFound && v.Status != http.StatusForbidden && v.Status != http.StatusBadRequest {
				t.Errorf("%s: %d", host, v.Status)
			}
		}
	})
}

// Caddy CVE-2026-30851.
func TestAdvisory_ForgedIdentityOnPublicPaths(t *testing.T) {
	eachProxy(t, func(t *testing.T, g *guarded, via harness.Asker) {
		for _, name := range []string{"Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "X-Guestlist-Jwt"} {
			v := fetch(harness.NewVisitor(g.Site), via, "GET", wikiURL+"/public/a", name, "forged")
			if v.Status != http.StatusOK || v.Header.Get(name) != "" {
				t.Errorf("%s: %d %q", name, v.Status, v.Header.Get(name))
			}
		}
	})
}

// Caddy GHSA-f59h-q822-g45g, Traefik GHSA-x677-9fxg-v5c5.
func TestAdvisory_AliasesOfIdentityHeaders(t *testing.T) {
	eachProxy(t, func(t *testing.T, g *guarded, via harness.Asker) {
		ada := g.signedIn(addressOf(via), via)
		for _, alias := range []string{"Remote_User", "Remote.User", "REMOTE_EMAIL", "RemoteGroups", "Remote_Name", "X_Guestlist_Jwt", "X.Guestlist.Jwt", "X-Guestlist_Jwt"} {
			for _, path := range []string{"/page", "/public/a"} {
				if v := fetch(ada, via, "GET", wikiURL+path, alias, "forged"); v.Status != http.StatusBadRequest && v.Status != http.StatusForbidden {
					t.Errorf("%s at %s: %d", alias, path, v.Status)
				}
			}
		}
		g.wantPassed(ada, fetch(ada, via, "GET", wikiURL+"/page", "X-Remote-User", "the app's own"))
	})
}

// oauth2-proxy CVE-2026-40575.
func TestAdvisory_ForgedForwardedURI(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, testdb.SQLite(t))
	for _, via := range harness.Askers {
		eve := g.eveOf(via)
		for _, headers := range [][]string{
			{"X-Forwarded-Uri", "/public/a"}, {"X-Original-URL", wikiURL + "/public/a"}, {"X-Original-URL", boardURL + "/"}, {"X-Original-Uri", "/public/a"},
			{"X-Forwarded-Host", "board.example.org"}, {"X-Forwarded-Method", "OPTIONS"}, {"X-Original-Method", "OPTIONS"}, {"X-Forwarded-Path", "/public/a"}, {"X-Rewrite-Url", "/public/a"},
		} {
			if strings.HasPrefix(headers[0], "X-Original") && via.Name == "nginx" || strings.HasPrefix(headers[0], "X-Forwarded") && via.Name == "Caddy" {
				continue // the proxy replaces it
			}
			wantClosed(t, g, via, eve, "/secret", headers...)
		}
	}
	// A proxy that adds its header to the visitor's, instead of replacing it.
	for _, row := range []struct{ path, name, value, forged string }{
		{"/guard/forward", "X-Forwarded-Uri", "/secret", "/public/a"}, {"/guard/nginx", "X-Original-URL", wikiURL + "/secret", wikiURL + "/public/a"},
	} {
		for _, values := range [][]string{{row.forged, row.value}, {row.value, row.forged}} {
			p := harness.NewVisitor(g.Site)
			r := p.NewRequest("GET", g.URL+row.path, nil)
			r.Header.Set("X-Forwarded-Method", "GET")
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("X-Forwarded-Host", "wiki.example.com")
			r.Header[http.CanonicalHeaderKey(row.name)] = values
			if v := p.DoOnce(r); v.Status != http.StatusBadRequest && v.Status != http.StatusForbidden {
				t.Errorf("%s with %q: %d", row.path, values, v.Status)
			}
		}
	}
}

// Traefik CVE-2026-35051.
func TestAdvisory_ForwardedPrefix(t *testing.T) {
	eachProxy(t, func(t *testing.T, g *guarded, via harness.Asker) {
		eve := g.eveOf(via)
		for _, prefix := range []string{"/public", "/public/", "/health", "/public/..", "//"} {
			wantClosed(t, g, via, eve, "/secret", "X-Forwarded-Prefix", prefix)
			wantClosed(t, g, via, eve, "/", "X-Forwarded-Prefix", prefix)
		}
	})
}

// oauth2-proxy GHSA-7rh7-c77v-6434, CVE-2026-41059.
func TestAdvisory_PublicRuleMatchesQueryOrFragment(t *testing.T) {
	eachProxy(t, func(t *testing.T, g *guarded, via harness.Asker) {
		eve := g.eveOf(via)
		for _, path := range []string{"/secret?/public/a", "/secret?x=/health", "/secret?/health", "/secret%3f/public/a", "/secret%23/public/a", "/public/%23/../secret", "/secret;/public/a"} {
			wantClosed(t, g, via, eve, path)
		}
	})
}

// oauth2-proxy CVE-2026-34457.
func TestAdvisory_HealthCheckUserAgent(t *testing.T) {
	eachProxy(t, func(t *testing.T, g *guarded, via harness.Asker) {
		eve := g.eveOf(via)
		for _, agent := range []string{"GoogleHC/1.0", "kube-probe/1.30", "ELB-HealthChecker/2.0", "Consul Health Check", ""} {
			wantClosed(t, g, via, eve, "/secret", "User-Agent", agent)
			wantClosed(t, g, via, eve, "/", "User-Agent", agent)
		}
	})
}

// Caddy#7941.
func TestAdvisory_EncodedSlash(t *testing.T) {
	eachProxy(t, func(t *testing.T, g *guarded, via harness.Asker) {
		eve := g.eveOf(via)
		for _, path := range []string{"/public%2Fa", "/public/..%2Fsecret", "/public%2f..%2fsecret", "/secret%2f..%2fpublic%2fa", "/public/%5c..%5csecret", "/public/%252e%252e/secret", "/public/%00", "/public//secret"} {
			wantClosed(t, g, via, eve, path)
		}
	})
}

// traefik#12657.
func TestAdvisory_ForwardedHeader(t *testing.T) {
	eachProxy(t, func(t *testing.T, g *guarded, via harness.Asker) {
		eve := g.eveOf(via)
		for _, forwarded := range []string{`for=127.0.0.1;host="board.example.org";proto=https`, `host=wiki.example.com;for="[::1]"`, `for=127.0.0.1;path="/public/a"`} {
			wantClosed(t, g, via, eve, "/secret", "Forwarded", forwarded)
		}
	})
}

// oauth2-proxy GHSA-c5c4-8r6x-56w3.
func TestAdvisory_TwoAtSignsInAnAddress(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, testdb.SQLite(t), "--guestlist-access=domain:example.com")
	for _, bad := range []string{"eve@evil.example@example.com", "eve@example.com@evil.example", `"eve@evil.example"@example.com`, "eve@evil.example,eve@example.com", "eve@evil.example eve@example.com", "eve%40evil.example@example.com@x"} {
		if email, err := directory.ParseEmail(bad); err == nil && strings.Count(email.Normalized, "@") != 1 {
			t.Errorf("%s is %s", bad, email.Normalized)
		}
		before := g.Count("SELECT COUNT(*) FROM stytch_mails")
		v := harness.NewVisitor(g.Site).Post("/signin", "email", bad)
		if after := g.Count("SELECT COUNT(*) FROM stytch_mails"); v.Status != http.StatusUnprocessableEntity || after != before {
			t.Errorf("%s: %d, %d mails", bad, v.Status, after-before)
		}
	}
}
