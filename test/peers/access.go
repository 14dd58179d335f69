package peers

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/guestlist/guestlist/test/harness"
)

// behaviour is what every proxy must do.
type behaviour struct {
	name string
	run  func(t *testing.T, w *world)
}

// isRedirect reports whether a status is one that leads elsewhere with GET.
func isRedirect(status int) bool { return status == http.StatusFound || status == http.StatusSeeOther }

// enterURL is where a browser goes to sign in to an app.
const enterURL = "https://" + peopleHost + "/enter?t="

// wantSignIn checks that a page request without a credential was sent to sign in.
func wantSignIn(t *testing.T, w *world, r reply, target string) {
	t.Helper()
	if !isRedirect(r.status) || !strings.HasPrefix(r.to(), enterURL) {
		t.Errorf("%s: got %d to %q, want a redirect to sign in: %s", clip(target), r.status, clip(r.to()), clip(r.body))
	}
	wantNotReached(t, w, target)
}

// wantNoAccess checks that a request was refused without a redirect.
func wantNoAccess(t *testing.T, w *world, r reply, target string, statuses ...int) {
	t.Helper()
	matched := false
	for _, status := range statuses {
		matched = matched || r.status == status
	}
	if !matched || r.to() != "" {
		t.Errorf("%s: got %d to %q, want %d: %s", clip(target), r.status, clip(r.to()), statuses, clip(r.body))
	}
	wantNotReached(t, w, target)
}

// wantNotReached checks that no request with the target has reached a tool.
func wantNotReached(t *testing.T, w *world, target string) {
	t.Helper()
	for _, got := range w.reached(target) {
		t.Errorf("%s reached the %s: %s %s with the identity %q", clip(target), got.Tool, got.Method, clip(got.Target), identityOf(got))
	}
}

// wantReached checks that exactly one request with the query of target has reached the tool, and
// returns it. Traefik resolves escapes in paths.
func wantReached(t *testing.T, w *world, app *tool, r reply, target string) received {
	t.Helper()
	got := w.reached(target[strings.Index(target, "?"):])
	if len(got) != 1 || got[0].Tool != app.name {
		t.Fatalf("%s: %d requests reached a tool, want one at %s; status %d to %q: %s", clip(target), len(got), app.name, r.status, clip(r.to()), clip(r.body))
	}
	return got[0]
}

var accessRows = []behaviour{
	{"no session: pages lead to sign-in", func(t *testing.T, w *world) {
		for _, k := range []kind{navigation, oldBrowser, headPage} {
			target := probe("/page")
			r := w.visitor().send(k, wikiHost, target)
			wantSignIn(t, w, r, target)
			cookies := (&http.Response{Header: r.header}).Cookies()
			if len(cookies) != 1 {
				t.Fatalf("%s: %d cookies are set, want 1: %q", k.name, len(cookies), r.header["Set-Cookie"])
			}
			c := cookies[0]
			if c.Name != "__Host-guestlist-app" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
				t.Errorf("%s: the cookie is %s", k.name, c.Raw)
			}
		}
	}},
	{"no session: programs get 401", func(t *testing.T, w *world) {
		for _, k := range programs {
			target := probe("/ws")
			r := w.visitor().send(k, wikiHost, target)
			wantNoAccess(t, w, r, target, http.StatusUnauthorized)
			if to := r.header.Get("X-Guestlist-Sign-In"); !strings.HasPrefix(to, "https://"+peopleHost+"/") {
				t.Errorf("%s: X-Guestlist-Sign-In is %q", k.name, to)
			}
			var body map[string]any
			if err := json.Unmarshal([]byte(r.body), &body); w.proxy != "nginx" && err != nil { // nginx replaces the body
				t.Errorf("%s: the body isn't JSON: %s", k.name, clip(r.body))
			}
		}
	}},
	{"sign in from a deep link, and come back to it", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		target := probe("/deep/link")
		got := p.enter(wikiHost, target)
		wantIdentity(t, p, got)
	}},
	{"session: every kind of request reaches the tool with the identity", func(t *testing.T, w *world) {
		p := w.signedIn()
		for _, k := range []kind{navigation, oldBrowser, headPage, frame, fetch, fetchHTML, xhr, formPost, preflight, command} {
			target := probe("/any")
			r := p.send(k, wikiHost, target)
			if r.status != http.StatusOK {
				t.Errorf("%s: got %d to %q: %s", k.name, r.status, r.to(), clip(r.body))
			}
			got := wantReached(t, w, w.wiki, r, target)
			wantIdentity(t, p, got)
			if got.Method != k.method || got.Target != target || got.Size != int64(len(k.body())) {
				t.Errorf("%s: the tool received %s %s and %d bytes", k.name, got.Method, got.Target, got.Size)
			}
		}
	}},
	{"session: WebSocket", func(t *testing.T, w *world) {
		p := w.signedIn()
		target := probe("/ws")
		c, answer, err := websocket.Dial(t.Context(), "wss://"+wikiHost+target, &websocket.DialOptions{HTTPClient: p.client(), HTTPHeader: http.Header{"Origin": {"https://" + wikiHost}}})
		if err != nil {
			t.Fatalf("not upgraded: %v, %+v", err, answer)
		}
		defer c.CloseNow()
		wantIdentity(t, p, wantReached(t, w, w.wiki, reply{}, target))
		for _, message := range []string{"first", "second"} {
			if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(t.Context()); string(got) != message || err != nil {
				t.Errorf("sent %q, received %q, %v", message, got, err)
			}
		}
	}},
	{"session: server-sent events arrive at once", func(t *testing.T, w *world) {
		p := w.signedIn()
		target := probe("/events")
		conn, answer := p.open(events, wikiHost, target)
		defer conn.Close()
		first := make([]byte, len("data: wiki\n\n"))
		if n, err := answer.Body.Read(first); answer.StatusCode != http.StatusOK || err != nil || !strings.HasPrefix("data: wiki\n\n", string(first[:n])) {
			t.Errorf("status %d, read %q, %v", answer.StatusCode, first[:n], err)
		}
	}},
	{"another group: refused, with the account", func(t *testing.T, w *world) {
		p := w.member()
		target := probe("/other-group")
		v := p.signInAt(p.Get("https://" + wikiHost + target))
		wantRefusalPage(t, w, p, v, target)
		wantRefused(t, w, p, http.StatusUnauthorized, http.StatusForbidden)
		p.enter(boardHost, probe("/everyone"))
	}},
	{"membership over: refused on the next request", func(t *testing.T, w *world) {
		p := w.writer(w.clock.Now().Add(time.Minute))
		p.enter(wikiHost, probe("/before"))
		w.clock.Advance(time.Minute)
		target := probe("/after")
		wantRefusalPage(t, w, p, p.Get("https://"+wikiHost+target), target)
		wantRefused(t, w, p, http.StatusUnauthorized, http.StatusForbidden)
		if err := w.site.App.Groups.Join(t.Context(), operator, w.writers, p.id(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		p.enter(wikiHost, probe("/renewed"))
	}},
	{"removed from the group: refused on the next request", func(t *testing.T, w *world) {
		p := w.signedIn()
		if err := w.site.App.Groups.Leave(t.Context(), operator, w.writers, p.id()); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, w, p, http.StatusUnauthorized, http.StatusForbidden)
	}},
	{"suspended while a page is open: refused on the next request", func(t *testing.T, w *world) {
		p := w.signedIn()
		w.changeUser(p, "suspend")
		wantRefused(t, w, p, http.StatusUnauthorized, http.StatusForbidden)
		target := probe("/suspended")
		if v := p.Get("https://" + wikiHost + target); v.Status == http.StatusOK && v.Heading() != "Sign in" {
			t.Errorf("a suspended person gets %d %q", v.Status, v.Heading())
		}
		wantNotReached(t, w, target)
	}},
	{"removed from the list while a page is open: refused on the next request", func(t *testing.T, w *world) {
		p := w.signedIn()
		w.changeUser(p, "remove")
		wantRefused(t, w, p, http.StatusUnauthorized)
	}},
	{"signed out elsewhere: refused on the next request", func(t *testing.T, w *world) {
		p := w.signedIn()
		p.enter(boardHost, probe("/both"))
		if v := p.Post("/signout"); v.Status != http.StatusOK {
			t.Fatalf("not signed out: %d %s", v.Status, v.Text())
		}
		wantRefused(t, w, p, http.StatusUnauthorized)
		target := probe("/board")
		wantNoAccess(t, w, p.send(fetch, boardHost, target), target, http.StatusUnauthorized)
	}},
	{"two apps on two domains: one sign-in, and a credential for each", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		p.enter(wikiHost, probe("/first"))
		target := probe("/second")
		v := p.Get("https://" + boardHost + target) // without signing in again
		p.wantTool(v, boardHost, target)
		credentials := map[string]string{}
		for _, host := range []string{wikiHost, boardHost} {
			credentials[host] = p.appCookie(host)
		}
		if credentials[wikiHost] == credentials[boardHost] {
			t.Error("both apps have the same credential")
		}
		target = probe("/stolen")
		r := w.visitor().send(fetch, wikiHost, target, "Cookie", "__Host-guestlist-app="+credentials[boardHost])
		wantNoAccess(t, w, r, target, http.StatusUnauthorized)
		if session, held := p.SessionCookie(); held {
			target = probe("/session-cookie")
			r := w.visitor().send(fetch, wikiHost, target, "Cookie", "__Host-guestlist-app="+session+"; __Host-guestlist="+session+"; guestlist="+session)
			wantNoAccess(t, w, r, target, http.StatusUnauthorized)
		}
	}},
}

// changeUser suspends or removes a person, as the administrator does.
func (w *world) changeUser(p *person, change string) {
	w.t.Helper()
	if v := w.admin.Post("/users/"+p.id()+"/"+change, "reason", ""); v.Status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", change, v.Status, v.Text())
	}
}

// wantIdentity checks that a request has the person's identity, and no other.
func wantIdentity(t *testing.T, p *person, got received) {
	t.Helper()
	if got.Header.Get("Remote-Email") != p.Email || got.Header.Get("Remote-Name") != "Zo%C3%AB Person" && got.Header.Get("Remote-Name") != "Zo%C3%AB%20Person" || got.Header.Get("Remote-Groups") != "Writers" {
		t.Errorf("the identity is %q", identityOf(got))
	}
	if got.Header.Get("Remote-User") == "" || strings.Count(got.Header.Get("X-Guestlist-Jwt"), ".") != 2 {
		t.Errorf("the handle or the token is missing: %q", identityOf(got))
	}
	for name, values := range identityOf(got) {
		if len(values) != 1 {
			t.Errorf("%s has the values %q", name, values)
		}
	}
}

// identityOf returns the headers of a request that tools could take for an identity.
func identityOf(got received) http.Header {
	found := http.Header{}
	for name, values := range got.Header {
		letters := strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(name))
		if strings.HasPrefix(letters, "remote") || strings.HasPrefix(letters, "xguestlist") {
			found[name] = values
		}
	}
	return found
}

// wantRefusalPage checks that a page says that the person may not open the wiki.
func wantRefusalPage(t *testing.T, w *world, p *person, v harness.View, target string) {
	t.Helper()
	if v.Status != http.StatusForbidden || !strings.Contains(v.Text(), p.Email) {
		t.Errorf("got %d at %s, want 403 with the account: %s", v.Status, clip(v.Path), clip(v.Text()))
	}
	wantNotReached(t, w, target)
}

// wantRefused checks that programs of the person are refused by the wiki.
func wantRefused(t *testing.T, w *world, p *person, statuses ...int) {
	t.Helper()
	for _, k := range programs {
		target := probe("/ws")
		wantNoAccess(t, w, p.send(k, wikiHost, target), target, statuses...)
	}
}

// appCookie returns the value of the browser's credential for an app.
func (p *person) appCookie(host string) string {
	p.T.Helper()
	for _, c := range p.Jar.Cookies(urlOf(host)) {
		if c.Name == "__Host-guestlist-app" {
			return c.Value
		}
	}
	p.T.Fatalf("no credential for %s", host)
	return ""
}
