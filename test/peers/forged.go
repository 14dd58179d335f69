package peers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// identityHeaders are those that tools read.
var identityHeaders = []string{"Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "X-Guestlist-Jwt"}

// aliases returns names that some tools can't tell from a header.
func aliases(name string) []string {
	return []string{strings.ReplaceAll(name, "-", "_"), strings.ReplaceAll(name, "-", "."), strings.ToUpper(strings.ReplaceAll(name, "-", "_")), strings.Replace(name, "-", "", 1), name + "_", "_" + name}
}

var forgedRows = []behaviour{
	{"forged identity headers are replaced", func(t *testing.T, w *world) {
		p := w.signedIn()
		for _, name := range identityHeaders {
			for _, forged := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
				target := probe("/forged")
				r := p.send(fetch, wikiHost, target, forged, "eve", forged, "mallory")
				if got := w.reached(target); len(got) > 0 || r.status/100 == 2 {
					wantIdentity(t, p, wantReached(t, w, w.wiki, r, target))
				}
			}
		}
	}},
	{"forged identity headers are removed from public paths", func(t *testing.T, w *world) {
		for _, name := range identityHeaders {
			target := probe("/public/forged")
			r := w.visitor().send(fetch, wikiHost, target, name, "eve")
			if got := wantReached(t, w, w.wiki, r, target); len(identityOf(got)) > 0 {
				t.Errorf("%s: a stranger has the identity %q", name, identityOf(got))
			}
		}
	}},
	{"aliases of identity headers don't reach the tool", func(t *testing.T, w *world) {
		p := w.signedIn()
		for _, name := range identityHeaders {
			for _, alias := range aliases(name) {
				for _, path := range []string{"/alias", "/public/alias"} {
					target := probe(path)
					p.send(fetch, wikiHost, target, alias, "eve")
					for _, got := range w.reached(target) {
						for _, values := range got.Header {
							if slices.Contains(values, "eve") {
								t.Errorf("%s at %s reached the tool: %q", alias, path, got.Header)
							}
						}
					}
				}
			}
		}
	}},
	{"forged headers about the request open nothing", func(t *testing.T, w *world) {
		signedIn := w.member() // to the board only
		signedIn.signIn()
		signedIn.enter(boardHost, probe("/"))
		boardCookie := "__Host-guestlist-app=" + signedIn.appCookie(boardHost)
		for _, forged := range [][]string{
			{"X-Forwarded-Uri", "/public/x"},
			{"X-Forwarded-Uri", "/health"},
			{"X-Forwarded-Host", boardHost},
			{"X-Forwarded-Host", boardHost, "X-Forwarded-Uri", "/public/x", "X-Forwarded-Proto", "https", "X-Forwarded-Method", "GET"},
			{"X-Forwarded-Host", wikiHost + ", " + boardHost},
			{"X-Original-URL", "https://" + wikiHost + "/public/x"},
			{"X-Original-URL", "https://" + boardHost + "/", "X-Original-Method", "GET"},
			{"X-Original-Uri", "/public/x"},
			{"X-Rewrite-Url", "/public/x"},
			{"X-Forwarded-Prefix", "/public"},
			{"X-Forwarded-Path", "/public/x"},
			{"X-Forwarded-Method", "OPTIONS"},
			{"X-HTTP-Method-Override", "OPTIONS"},
			{"X-Forwarded-Server", boardHost, "X-Forwarded-Port", "443"},
			{"X-Forwarded-For", "127.0.0.1", "X-Real-Ip", "127.0.0.1"},
			{"Forwarded", `for=127.0.0.1;host="` + boardHost + `";proto=https`},
			{"X-Host", boardHost},
			{"User-Agent", "kube-probe/1.30"},
			{"User-Agent", "GoogleHC/1.0"},
		} {
			for _, cookie := range []string{"", boardCookie} {
				target := probe("/secret")
				r := w.visitor().send(fetch, wikiHost, target, append(forged, "Cookie", cookie)...)
				wantNotReached(t, w, target)
				if r.status < 400 {
					t.Errorf("%q: status %d to %q", forged, r.status, r.to())
				}
			}
		}
	}},
	{"another host in the request line opens nothing", func(t *testing.T, w *world) {
		p := w.member() // may open the board only
		p.signIn()
		p.enter(boardHost, probe("/"))
		cookie := "__Host-guestlist-app=" + p.appCookie(boardHost)
		for _, hosts := range [][2]string{{wikiHost, boardHost}, {boardHost, wikiHost}} {
			target := probe("/secret")
			w.visitor().send(fetch, wikiHost, "https://"+hosts[0]+target, "Host", hosts[1], "Cookie", cookie)
			if got := w.wiki.saw(target); len(got) > 0 {
				t.Errorf("the wiki was reached with %s in the request line and %s as host: %+v", hosts[0], hosts[1], got)
			}
		}
		target := probe("/secret")
		w.visitor().send(fetch, boardHost, target, "Host", wikiHost, "Cookie", cookie) // other than the TLS name
		if got := w.wiki.saw(target); len(got) > 0 {
			t.Errorf("the wiki was reached on a connection for the board: %+v", got)
		}
	}},
	{"the Connection header doesn't drop the identity", func(t *testing.T, w *world) {
		p := w.signedIn()
		for _, name := range identityHeaders {
			target := probe("/dropped")
			r := p.send(fetch, wikiHost, target, "Connection", "close, "+name)
			if len(w.reached(target)) > 0 || r.status/100 == 2 {
				got := wantReached(t, w, w.wiki, r, target)
				wantIdentity(t, p, got)
				if strings.Contains(strings.ToLower(got.Header.Get("Connection")), strings.ToLower(name)) {
					t.Errorf("the tool is asked to drop %s", name)
				}
			}
		}
	}},
	{"a request with two hosts is refused", func(t *testing.T, w *world) {
		p := w.member()
		p.signIn()
		p.enter(boardHost, probe("/"))
		target := probe("/secret")
		r := w.visitor().send(fetch, wikiHost, target, "Host", boardHost, "host", wikiHost, "Cookie", "__Host-guestlist-app="+p.appCookie(boardHost))
		wantNotReached(t, w, target)
		if r.status < 400 {
			t.Errorf("status %d", r.status)
		}
	}},
	{"an invented or ended credential is none", func(t *testing.T, w *world) {
		p := w.signedIn()
		ended := p.appCookie(wikiHost)
		if v := p.Post("/signout"); v.Status != http.StatusOK {
			t.Fatalf("not signed out: %d", v.Status)
		}
		for _, value := range []string{"x", strings.Repeat("A", 52), strings.Repeat("A", 3000), "%00", `"quoted"`, ended} {
			target := probe("/secret")
			cookie := "__Host-guestlist-app=" + value
			wantNoAccess(t, w, w.visitor().send(fetch, wikiHost, target, "Cookie", cookie), target, http.StatusUnauthorized)
			target = probe("/secret")
			wantSignIn(t, w, w.visitor().send(navigation, wikiHost, target, "Cookie", cookie), target)
		}
	}},
	{"the tool sees no cookie of Guestlist's own", func(t *testing.T, w *world) {
		p := w.signedIn()
		session, held := p.SessionCookie()
		if !held {
			t.Fatal("no session")
		}
		target := probe("/cookies")
		r := p.send(fetch, wikiHost, target, "Cookie", "mine=1; __Host-guestlist-app="+p.appCookie(wikiHost)+"; theirs=2")
		got := wantReached(t, w, w.wiki, r, target)
		cookies := got.Header.Get("Cookie")
		if strings.Contains(cookies, session) || !strings.Contains(cookies, "mine=1") || !strings.Contains(cookies, "theirs=2") {
			t.Errorf("the tool received the cookies %q", cookies)
		}
		if w.proxy == "builtin" && strings.Contains(cookies, "guestlist") {
			t.Errorf("the built-in proxy passes on %q", cookies)
		}
	}},
	{"programs with an app token", func(t *testing.T, w *world) {
		token := w.appToken("Wiki")
		for _, sent := range [][]string{
			{"X-Guestlist-Token", token},
			{"Authorization", "Bearer " + token},
			{"Authorization", "bearer  " + token},
			{"X-Guestlist-Token", token, "Authorization", "Bearer " + token},
		} {
			target := probe("/program")
			r := w.visitor().send(command, wikiHost, target, sent...)
			got := wantReached(t, w, w.wiki, r, target)
			if strings.Contains(fmt.Sprint(got.Header), token) || got.Header["X-Guestlist-Token"] != nil || got.Header["Authorization"] != nil {
				t.Errorf("the tool received %q of %q", got.Header, sent)
			}
		}
		target := probe("/program")
		r := w.visitor().send(command, wikiHost, target, "X-Guestlist-Token", token, "Authorization", "Bearer of-the-tool")
		if got := wantReached(t, w, w.wiki, r, target); got.Header.Get("Authorization") != "Bearer of-the-tool" {
			t.Errorf("the tool received %q beside a token", got.Header["Authorization"])
		}
		target = probe("/program")
		wantNoAccess(t, w, w.visitor().send(command, boardHost, target, "X-Guestlist-Token", token), target, http.StatusUnauthorized)
		target = probe("/program")
		wantNoAccess(t, w, w.visitor().send(command, wikiHost, target, "X-Guestlist-Token", token+"x"), target, http.StatusUnauthorized)
	}},
}
