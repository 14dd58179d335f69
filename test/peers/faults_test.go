package peers

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// faultRows have a world of their own each.
var faultRows = []behaviour{
	{"Guestlist down: refused, and let in again afterwards", func(t *testing.T, w *world) {
		p := w.signedIn()
		w.site.Close()
		if w.proxy != "builtin" { // which is Guestlist itself
			wantDown(t, w, p)
		}
		w.restart(0)
		p.enter(wikiHost, probe("/back"))
	}},
	{"Guestlist restarted between the steps", func(t *testing.T, w *world) {
		p := w.writer(time.Time{})
		target := probe("/restarted")
		enter := p.begin(wikiHost, target)
		w.restart(0)
		page := p.Get(enter)
		w.restart(0)
		p.signInAt(page) // in the meantime, other tabs
		w.restart(0)
		target = probe("/restarted")
		callback := p.inApp(boardHost, target)
		w.restart(0)
		p.wantTool(p.Get(callback), boardHost, target)
		w.restart(0)
		p.enter(boardHost, probe("/still"))
		p.enter(wikiHost, probe("/still"))
	}},
	{"clocks of two instances five minutes apart", func(t *testing.T, w *world) {
		for _, ahead := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
			p := w.writer(time.Time{})
			p.signIn()
			for _, host := range []string{wikiHost, boardHost} {
				target := probe("/skewed")
				enter := p.begin(host, target)
				w.restart(ahead)
				callback := p.callback(enter)
				w.restart(-ahead)
				v := p.Get(callback)
				if _, found := v.Link("Start again"); found { // the code is over for this instance
					v = p.Get("https://" + host + target)
				}
				p.wantTool(v, host, target)
				w.restart(ahead)
				p.enter(host, probe("/ahead"))
				w.restart(-ahead)
				p.enter(host, probe("/behind"))
			}
		}
	}},
}

// HAProxy continues with a request if the script for it fails.
func TestHAProxy_FailingScriptLetsNothingThrough(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]string{
		"an error":              "error('failed')",
		"less than it was told": "return",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, proxy{"haproxy", func(t testing.TB, to addresses, c certificate) {
				startHAProxyWith(t, to, c, func(script string) string {
					return strings.Replace(script, "local answer =", "do "+failure+" end\n  local answer =", 1)
				})
			}}, settings{})
			target := probe("/failing")
			if r := w.admin.send(fetch, wikiHost, target); r.status != http.StatusServiceUnavailable {
				t.Errorf("got %d: %s", r.status, clip(r.body))
			}
			wantNotReached(t, w, target)
		})
	}
}

func TestFaults_BehindEveryProxy(t *testing.T) {
	t.Parallel()
	for _, p := range proxies {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for _, row := range faultRows {
				t.Run(row.name, func(t *testing.T) { row.run(t, newWorld(t, p, settings{})) })
			}
			t.Run("database down: refused, and let in again afterwards", func(t *testing.T) {
				wire := harness.NewMySQLProxy(t, testdb.MySQL(t), nil)
				w := newWorld(t, p, settings{databaseURL: wire.DSN})
				member := w.signedIn()
				wire.RefuseConnections()
				wire.CutAll()
				wantDown(t, w, member)
				wire.AcceptConnections()
				member.enter(wikiHost, probe("/back"))
			})
		})
	}
}

// wantDown checks that nothing reaches a tool while access can't be checked, and that the status says
// that the server has failed.
func wantDown(t *testing.T, w *world, p *person) {
	t.Helper()
	for _, k := range []kind{navigation, fetch, socket, formPost} {
		target := probe("/down")
		if k.name == fetch.name {
			target = probe("/health") // a public path
		}
		r := p.send(k, wikiHost, target)
		if r.status < 500 {
			t.Errorf("%s %s: got %d to %q: %s", k.name, target, r.status, r.to(), clip(r.body))
		}
		wantNotReached(t, w, target)
	}
}

// inApp begins to open a page of an app as a signed-in person and returns the address of the callback.
func (p *person) inApp(host, target string) string {
	p.T.Helper()
	return p.callback(p.begin(host, target))
}

// restart ends Guestlist and starts it again, with a clock that is ahead of the last one by skew.
func (w *world) restart(skew time.Duration) {
	w.t.Helper()
	w.site.Close()
	w.clock.Advance(skew)
	databaseURL := w.site.Config.DatabaseURL
	started := w.startSite(databaseURL, w.clock)
	*w.site = *started
}
