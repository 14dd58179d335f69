package peers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

var pathRows = []behaviour{
	{"public paths are open to everyone", func(t *testing.T, w *world) {
		signedIn := w.signedIn()
		for _, path := range []string{"/health", "/public/", "/public/a/b.css", "/public/%E2%82%AC", "/%70ublic/a", "/h%65alth"} {
			for _, k := range []kind{navigation, fetch, headPage, formPost, preflight, command} {
				target := probe(path)
				r := w.visitor().send(k, wikiHost, target)
				if got := wantReached(t, w, w.wiki, r, target); len(identityOf(got)) > 0 || r.status != http.StatusOK {
					t.Errorf("%s %s: status %d, identity %q", k.name, path, r.status, identityOf(got))
				}
			}
			target := probe(path)
			r := signedIn.send(navigation, wikiHost, target)
			wantIdentity(t, signedIn, wantReached(t, w, w.wiki, r, target))
		}
		conn, answer := w.visitor().open(socket, wikiHost, probe("/public/ws"))
		conn.Close()
		if answer.StatusCode != http.StatusOK { // the tool has no WebSocket there
			t.Errorf("a WebSocket on a public path: %s", answer.Status)
		}
	}},
	{"public paths open nothing else", func(t *testing.T, w *world) {
		for _, path := range []string{
			"/", "/healthz", "/health/", "/Health", "/public", "/publicx", "/PUBLIC/x", "/a/public/x", "/a/health",
			"/public/../secret", "/public/./../secret", "/public/%2e%2e/secret", "/public/%2E./secret", "/public/..%2fsecret", "/public%2f..%2fsecret",
			"/public/%252e%252e/secret", "/public/..%5csecret", "/public/..\\secret", "/public/..;/secret", "/public;/../secret", "/secret/..;/public/x",
			"/secret%2f..%2fpublic%2fx", "/secret%00/public/x", "/public/%00", "/secret%3f/public/x", "/secret%23/public/x", "//secret/public/x", "/secret/%2e%2e%2fpublic/x",
			"/./secret", "/public/%zz", "/public/%", "/%2fpublic/x",
		} {
			target := probe(path)
			for _, k := range []kind{fetch, navigation} {
				w.visitor().send(k, wikiHost, target)
				for _, got := range w.reached(target[strings.Index(target, "?"):]) {
					if !strings.HasPrefix(got.Target, "/public/") || strings.ContainsAny(got.Target, `%\;`) || strings.Contains(got.Target, "..") {
						t.Errorf("%s %s reached the tool without a session, as %s", k.name, path, got.Target)
					}
				}
			}
		}
		for _, target := range []string{"/secret?/public/x&", "/secret?next=/health&", "/secret?x=/public/../&"} {
			target += unique()
			wantNoAccess(t, w, w.visitor().send(fetch, wikiHost, target), target, http.StatusUnauthorized)
		}
	}},
	{"paths reach the tool as they were sent", func(t *testing.T, w *world) {
		p := w.signedIn()
		for _, path := range []string{"/", "/a%20b", "/~user", "/%E2%82%AC", "/a;b=c", "/a+b", "/a:b@c,d!e*f(g)", "/100%25", "/a/"} {
			target := probe(path) + "&q=%2F..%2F&r=%26+%C3%A4&s=a=b"
			r := p.send(fetch, wikiHost, target)
			if got := w.wiki.saw(target); len(got) != 1 || r.status != http.StatusOK {
				t.Errorf("%s: status %d, the tool received %+v", path, r.status, w.wiki.saw(target[strings.Index(target, "?"):]))
			}
		}
		// Proxies may refuse these, or resolve them.
		for _, path := range []string{"/%7Euser", "/a%2Fb", "/a//b", "/a/./b", "/a/../b", "/a/%2e%2e/b", "/a%5Cb", "/a%3Fb", "/a%23b"} {
			target := probe(path)
			r := p.send(fetch, wikiHost, target)
			if r.status != http.StatusOK && r.status != http.StatusBadRequest {
				t.Errorf("%s: status %d to %q", path, r.status, r.to())
			}
		}
	}},
	{"other ways to write the host", func(t *testing.T, w *world) {
		p := w.signedIn()
		for _, host := range []string{"WIKI.EXAMPLE.COM", "Wiki.Example.Com", "wiki.example.com.", "WIKI.EXAMPLE.COM.", "wiki.example.com:443", "wiki.example.com.:443"} {
			target := probe("/host")
			w.visitor().send(fetch, wikiHost, target, "Host", host)
			wantNotReached(t, w, target)
			r := p.send(fetch, wikiHost, target, "Host", host)
			if got := w.reached(target); len(got) > 0 {
				wantIdentity(t, p, wantReached(t, w, w.wiki, r, target))
			} else if strings.EqualFold(host, wikiHost) { // at the others, a proxy may have no app
				t.Errorf("%s: status %d to %q", host, r.status, r.to())
			}
		}
	}},
	{"other hosts are no app", func(t *testing.T, w *world) {
		p := w.member() // may open the board only
		p.signIn()
		p.enter(boardHost, probe("/"))
		cookie := "__Host-guestlist-app=" + p.appCookie(boardHost)
		for _, host := range []string{
			"evil.example.com", "wiki.example.com.evil.org", "xwiki.example.com", "wiki.example.com:8443", "wiki.example.com:8443x", "wiki.example.com@" + boardHost,
			boardHost + "@wiki.example.com", wikiHost + "," + boardHost, boardHost + ", " + wikiHost, wikiHost + ":443," + boardHost + ":443", wikiHost + " " + boardHost, wikiHost + "/" + boardHost,
			wikiHost + "#" + boardHost, wikiHost + "\t", boardHost + "?" + wikiHost,
			"wiki%2eexample.com", "wiki.example.com%00", peopleHost + ".", "127.0.0.1", "[::1]", "localhost",
		} {
			target := probe("/host")
			for _, k := range []kind{fetch, navigation} {
				r := w.visitor().send(k, wikiHost, target, "Host", host, "Cookie", cookie)
				wantNotReached(t, w, target)
				if to := r.to(); to != "" && !strings.HasPrefix(to, "https://"+peopleHost+"/") && !strings.HasPrefix(to, "/") {
					t.Errorf("%s leads to %s", host, to)
				}
			}
		}
	}},
	{"a return path of 2 KB is kept", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		target := probe("/long") + "&a=%C3%A4%2F&b="
		target += strings.Repeat("x", 2000-len(target))
		p.enter(wikiHost, target)
	}},
	{"a return path of 10 KB leads to the app, or is too long for the proxy", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		target := probe("/long") + "&b=" + strings.Repeat("x", 10<<10)
		r := p.send(navigation, wikiHost, target)
		if r.status == http.StatusRequestURITooLong {
			return
		}
		wantSignIn(t, w, r, target)
		v := p.signInAt(p.Get(r.to()))
		p.wantTool(v, wikiHost, "/")
		if r := p.send(navigation, wikiHost, target); r.status != http.StatusOK {
			t.Errorf("with a session: status %d", r.status)
		}
	}},
	{"a return path never leads to another host", func(t *testing.T, w *world) {
		for _, path := range []string{"//evil.example.net/x", "/\\evil.example.net/x", "///evil.example.net", "/%5Cevil.example.net", "/.//evil.example.net", "/%09/evil.example.net"} {
			p := w.writer(time.Time{})
			p.signIn()
			to := "https://" + wikiHost
			r := p.send(navigation, wikiHost, probe(path))
			for range 5 {
				if !isRedirect(r.status) {
					break
				}
				u, err := url.Parse(r.to())
				if err != nil {
					t.Fatalf("%s leads to %q", path, r.to())
				}
				base, _ := url.Parse(to)
				u = base.ResolveReference(u)
				if u.Host != wikiHost && u.Host != peopleHost {
					t.Errorf("%s leads to %s", path, r.to())
					break
				}
				to = "https://" + u.Host
				r = p.send(navigation, u.Host, u.RequestURI())
			}
		}
	}},
}
