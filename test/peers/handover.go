package peers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/test/harness"
)

// step follows a redirect of a navigation, to any of the hosts.
func (p *person) step(location string) reply {
	p.T.Helper()
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		p.T.Fatalf("a redirect leads to %q", location)
	}
	return p.send(navigation, u.Host, u.RequestURI())
}

// begin opens a page of an app without a credential and returns the address of the sign-in.
func (p *person) begin(host, target string) (enter string) {
	p.T.Helper()
	r := p.send(navigation, host, target)
	if !isRedirect(r.status) || !strings.HasPrefix(r.to(), enterURL) {
		p.T.Fatalf("%s: got %d to %q, want a redirect to sign in", clip(target), r.status, clip(r.to()))
	}
	return r.to()
}

// callback opens the address of a sign-in as a signed-in person, and returns the address at the app
// that it leads to.
func (p *person) callback(enter string) string {
	p.T.Helper()
	r := p.step(enter)
	if !isRedirect(r.status) || !strings.Contains(r.to(), "/.guestlist/callback") {
		p.T.Fatalf("got %d to %q, want a redirect to the app: %s", r.status, clip(r.to()), clip(r.body))
	}
	return r.to()
}

// wantStartAgain checks that a navigation, whose redirects are followed, ends at a page that offers to
// start again, and that no tool was reached.
func wantStartAgain(t *testing.T, w *world, p *person, location, target string) harness.View {
	t.Helper()
	v := p.Get(location)
	if _, found := v.Link("Start again"); !found || v.Status < 400 || v.Status >= 500 {
		t.Errorf("got %d at %s without “Start again”: %s", v.Status, clip(v.Path), clip(v.Text()))
	}
	wantNotReached(t, w, target)
	return v
}

var handoverRows = []behaviour{
	{"three tabs at once, before signing in", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		var targets, enters []string
		for range 3 {
			targets = append(targets, probe("/tab"))
			enters = append(enters, p.begin(wikiHost, targets[len(targets)-1]))
		}
		p.wantTool(p.signInAt(p.Get(enters[1])), wikiHost, targets[1])
		for _, i := range []int{0, 2} {
			p.wantTool(p.Get(enters[i]), wikiHost, targets[i])
		}
	}},
	{"three tabs at once, after signing in", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		p.signIn()
		targets := []string{probe("/tab"), probe("/tab"), probe("/tab")}
		var callbacks []string
		for _, target := range targets {
			callbacks = append(callbacks, p.begin(wikiHost, target))
		}
		for i := range callbacks { // all have a code before the first one is redeemed
			callbacks[i] = p.callback(callbacks[i])
		}
		for _, i := range []int{2, 0, 1} {
			p.wantTool(p.Get(callbacks[i]), wikiHost, targets[i])
		}
	}},
	{"three tabs at the same moment", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		p.signIn()
		targets := []string{probe("/tab"), probe("/tab"), probe("/tab")}
		views := make([]harness.View, len(targets))
		errs := make([]error, len(targets))
		harness.Concurrently(len(targets), func(i int) {
			var r *http.Request
			if r, errs[i] = http.NewRequestWithContext(t.Context(), "GET", "https://"+wikiHost+targets[i], nil); errs[i] == nil {
				r.Header.Set("Sec-Fetch-Mode", "navigate")
				views[i], errs[i] = p.Try(r, nil)
			}
		})
		for i, target := range targets {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			p.wantTool(views[i], wikiHost, target)
		}
	}},
	{"twenty pages of one session, one after another, without a loop", func(t *testing.T, w *world) {
		p := w.signedIn()
		for range 20 {
			p.enter(wikiHost, probe("/again"))
		}
	}},
	{"a browser that keeps no cookie gets a page, not a loop", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		p.signIn()
		to := "https://" + wikiHost + probe("/loop")
		for hop := 0; ; hop++ {
			u, _ := url.Parse(to)
			var more []string
			if u.Host == wikiHost {
				more = []string{"Cookie", ""}
			}
			r := p.send(navigation, u.Host, u.RequestURI(), more...)
			if !isRedirect(r.status) {
				if r.status < 400 || r.status >= 500 {
					t.Errorf("it ends with %d: %s", r.status, clip(r.body))
				}
				break
			}
			if hop > 20 {
				t.Fatalf("still redirected, to %s", clip(r.to()))
			}
			to = r.to()
		}
	}},
	{"an expired hand-over starts again", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		target := probe("/expired")
		enter := p.begin(wikiHost, target)
		w.clock.Advance(11 * time.Minute)
		v := wantStartAgain(t, w, p, enter, target)
		again, _ := v.Link("Start again")
		p.wantTool(p.signInAt(p.Get(again)), wikiHost, target)
	}},
	{"an expired code starts again", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		p.signIn()
		target := probe("/expired")
		callback := p.callback(p.begin(wikiHost, target))
		w.clock.Advance(time.Minute + time.Second)
		wantStartAgain(t, w, p, callback, target)
		p.enter(wikiHost, target)
	}},
	{"a code works once", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		p.signIn()
		target := probe("/replayed")
		callback := p.callback(p.begin(wikiHost, target))
		other := p.inNewBrowser()
		cookie := p.appCookie(wikiHost)
		p.wantTool(p.Get(callback), wikiHost, target)

		wantStartAgain(t, w, other, callback, "no tool")
		u, _ := url.Parse(callback)
		r := other.send(navigation, u.Host, u.RequestURI(), "Cookie", "__Host-guestlist-app="+cookie) // the one from before
		if r.status/100 == 2 {
			t.Errorf("the code was redeemed twice: %d", r.status)
		}
		target = probe("/replayed")
		wantNoAccess(t, w, other.send(fetch, wikiHost, target), target, http.StatusUnauthorized)
		wantNoAccess(t, w, other.send(fetch, wikiHost, target, "Cookie", "__Host-guestlist-app="+cookie), target, http.StatusUnauthorized)
	}},
	{"a code works in its browser only", func(t *testing.T, w *world) {
		attacker, victim := w.writer(time.Time{}), w.writer(time.Time{})
		attacker.signIn()
		victim.begin(wikiHost, probe("/victim")) // has a pending cookie of its own
		target := probe("/planted")
		callback := attacker.callback(attacker.begin(wikiHost, target))
		if v := victim.Get(callback); v.Heading() != "Sign in" { // the victim may go on as themselves
			if _, found := v.Link("Start again"); !found || v.Status < 400 {
				t.Errorf("got %d at %s: %s", v.Status, clip(v.Path), clip(v.Text()))
			}
		}
		wantNotReached(t, w, target)
		wantNoAccess(t, w, victim.send(fetch, wikiHost, target), target, http.StatusUnauthorized)
		attacker.wantTool(attacker.Get(callback), wikiHost, target) // it wasn't used up
	}},
	{"a hand-over that another browser began gives that browser nothing", func(t *testing.T, w *world) {
		attacker, victim := w.visitor(), w.writer(time.Time{})
		target := probe("/planted")
		enter := attacker.begin(wikiHost, target)
		victim.signIn()
		wantStartAgain(t, w, victim, enter, target)
		wantNoAccess(t, w, attacker.send(fetch, wikiHost, target), target, http.StatusUnauthorized)
	}},
	{"a code of another app is refused", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		p.signIn()
		target := probe("/swapped")
		callback := p.callback(p.begin(wikiHost, target))
		p.begin(boardHost, probe("/swapped"))
		swapped := strings.Replace(callback, wikiHost, boardHost, 1)
		wantStartAgain(t, w, p, swapped, target)
		target = probe("/swapped")
		wantNoAccess(t, w, p.send(fetch, boardHost, target), target, http.StatusUnauthorized)
	}},
	{"a bad hand-over or code starts again", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		p.signIn()
		enter := p.begin(wikiHost, probe("/tampered"))
		for _, bad := range []string{enterURL, enterURL + "x", enter[:len(enter)-1], enter + "x", flip(enter), enterURL + strings.Repeat("A", 5000), strings.TrimSuffix(enterURL, "?t="), enterURL + "%00%ff"} {
			v := p.Get(bad)
			if v.Status < 400 || v.Status >= 500 {
				t.Errorf("%s: got %d at %s: %s", clip(bad), v.Status, clip(v.Path), clip(v.Text()))
			}
		}
		callback := p.callback(enter)
		for _, bad := range []string{flip(callback), callback + "x", callback[:len(callback)-1], callback[:strings.Index(callback, "?")], callback[:strings.Index(callback, "=")+1]} {
			wantStartAgain(t, w, p, bad, "/tampered")
		}
		p.Get(callback) // nothing of that was spent
		p.enter(wikiHost, probe("/tampered-not"))
	}},
	{"the refusal page offers to switch accounts, and signing out ends every app", func(t *testing.T, w *world) {
		p := w.signedIn()
		p.enter(boardHost, probe("/"))
		v := p.Get("https://" + wikiHost + "/.guestlist/signout")
		if form, found := v.Form("Sign out"); found { // the page asks first
			_ = form
			v = p.Submit(v, "Sign out")
		}
		if v.Status >= 400 {
			t.Fatalf("got %d at %s: %s", v.Status, v.Path, clip(v.Text()))
		}
		for _, host := range []string{wikiHost, boardHost} {
			target := probe("/signed-out")
			wantNoAccess(t, w, p.send(fetch, host, target), target, http.StatusUnauthorized)
		}
	}},
}

// flip returns an address whose last character but three is another.
func flip(address string) string {
	b := []byte(address)
	i := len(b) - 4
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}
