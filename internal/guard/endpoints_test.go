package guard

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestEndpoints_AreChosenByPathOnly(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"https://people.example.com", "https://tool.example.com/people"} {
		u, _ := url.Parse(base)
		g := &Guard{opts: Options{BaseURL: u}}
		for target, want := range map[string]string{
			"/guard/forward": forwardPath, "/guard/forward?x=/guard/nginx": forwardPath, "/guard/nginx": nginxPath, "/guard/nginx?": nginxPath,
			"/guard/envoy/": envoyPath, "/guard/envoy/a/b?c": envoyPath, "/guard/envoy//a": envoyPath,
			"/guard/envoy": "", "/guard/envoy?x": "", "/guard/": "", "/guard": "", "/guard/forward/": "", "/guard/forward/x": "", "/guard/forwardx": "", "/guard/other": "",
			"//guard/forward": "", "/x/../guard/forward": "", "/guard%2fforward": "", "/GUARD/forward": "", "/guard/./forward": "", "http://people.example.com/guard/forward": "", "": "", "*": "",
			"/other/guard/forward": "",
		} {
			for _, prefix := range []string{"", u.Path} {
				e, _ := g.find(prefix + target)
				if want == "" && e != nil && prefix+target != forwardPath || want != "" && e != endpoints[want] {
					t.Errorf("%s%s: %+v, want %q", prefix, target, e, want)
				}
			}
		}
	}
}

func TestEndpoints_ReadTheVisitorsRequest(t *testing.T) {
	t.Parallel()
	const https, host = "X-Forwarded-Proto", "X-Forwarded-Host"
	forwarded := []string{https, "https", host, "wiki.example.com", "X-Forwarded-Uri", "/a%2Fb?c=d", "X-Forwarded-Method", "POST"}
	without := func(name string) []string {
		var kept []string
		for i := 0; i < len(forwarded); i += 2 {
			if forwarded[i] != name {
				kept = append(kept, forwarded[i], forwarded[i+1])
			}
		}
		return kept
	}
	with := func(headers []string, more ...string) []string {
		return append(append([]string{}, headers...), more...)
	}
	want := Request{Scheme: "https", Host: "wiki.example.com", Method: "POST", Target: "/a%2Fb?c=d"}
	visited := func(method, scheme string) Request {
		r := want
		r.Method, r.Scheme = method, scheme
		return r
	}
	original := []string{"X-Original-URL", "https://wiki.example.com/a%2Fb?c=d", "X-Original-Method", "POST"}
	for _, row := range []struct {
		name, target string
		headers      []string
		want         Request // zero: refused
	}{
		{"forward", forwardPath, forwarded, want},
		{"forward, with headers of other proxies", forwardPath, with(forwarded, "X-Original-URL", "https://other.example/public", "X-Original-Method", "GET", "Forwarded", "host=other.example", "X-Forwarded-Prefix", "/public"), want},
		{"forward, with the visitor's query", forwardPath + "?host=other.example&uri=/public", forwarded, want},
		{"forward, a WebSocket", forwardPath, with(without(https), https, "wss"), want},
		{"forward, http", forwardPath, with(without(https), https, "http"), visited("POST", "http")},
		{"forward without a scheme", forwardPath, without(https), Request{}},
		{"forward without a host", forwardPath, without(host), Request{}},
		{"forward without a target", forwardPath, without("X-Forwarded-Uri"), Request{}},
		{"forward without a method", forwardPath, without("X-Forwarded-Method"), Request{}},
		{"forward with two hosts", forwardPath, with(forwarded, host, "other.example"), Request{}},
		{"forward with two targets", forwardPath, with(forwarded, "X-Forwarded-Uri", "/public"), Request{}},
		{"forward with two methods", forwardPath, with(forwarded, "X-Forwarded-Method", "GET"), Request{}},
		{"forward with two schemes", forwardPath, with(forwarded, https, "http"), Request{}},
		{"forward with another scheme", forwardPath, with(without(https), https, "ftp"), Request{}},
		{"forward asked like nginx", forwardPath, original, Request{}},

		{"nginx", nginxPath, original, want},
		{"nginx, with headers of other proxies", nginxPath, with(original, "X-Forwarded-Uri", "/public", host, "other.example", https, "http"), want},
		{"nginx without a method", nginxPath, original[:2], visited("GET", "https")},
		{"nginx with two URLs", nginxPath, with(original, "X-Original-URL", "https://other.example/"), Request{}},
		{"nginx with two methods", nginxPath, with(original, "X-Original-Method", "GET"), Request{}},
		{"nginx without a scheme", nginxPath, []string{"X-Original-URL", "wiki.example.com/"}, Request{}},
		{"nginx without a path", nginxPath, []string{"X-Original-URL", "https://wiki.example.com"}, Request{}},
		{"nginx with another scheme", nginxPath, []string{"X-Original-URL", "ftp://wiki.example.com/"}, Request{}},
		{"nginx with an empty URL", nginxPath, []string{"X-Original-URL", ""}, Request{}},
		{"nginx asked like Caddy", nginxPath, forwarded, Request{}},

		{"Envoy", envoyPath + "/a%2Fb?c=d", []string{https, "https"}, want},
		{"Envoy, with headers of other proxies", envoyPath + "/a%2Fb?c=d", with(original, https, "https", host, "other.example", "X-Forwarded-Uri", "/public", "X-Original-Path", "/public"), want},
		{"Envoy without a scheme", envoyPath + "/a%2Fb?c=d", nil, want},
		{"Envoy with two schemes", envoyPath + "/a%2Fb?c=d", []string{https, "https", https, "http"}, Request{}},
	} {
		r := httptest.NewRequest("POST", "http://wiki.example.com"+row.target, nil)
		r.RequestURI = row.target
		r.Header = header(row.headers...)
		g := &Guard{opts: Options{BaseURL: &url.URL{}}}
		e, below := g.find(row.target)
		got, err := e.read(r, below)
		if (err != nil) != (row.want.Host == "") || err == nil && (got.Scheme != row.want.Scheme || got.Host != row.want.Host || got.Method != row.want.Method || got.Target != row.want.Target) {
			t.Errorf("%s: %+v, %v; want %+v", row.name, got, err, row.want)
		}
	}
}

func TestEndpoints_RefuseOtherPeers(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	now := noon
	g := New(Options{
		BaseURL: &url.URL{Scheme: "https", Host: "people.example.com"}, Peers: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fdaa::/16")},
		Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	ask := func(peer, target string) int {
		r := httptest.NewRequest("GET", target, nil)
		r.RemoteAddr = peer
		w := httptest.NewRecorder()
		g.Endpoints(next).ServeHTTP(w, r)
		return w.Code
	}
	for peer, allowed := range map[string]bool{
		"10.1.2.3:5": true, "[::ffff:10.1.2.3]:5": true, "[fdaa::1]:5": true,
		"10.2.0.1:5": false, "127.0.0.1:5": false, "[::1]:5": false, "[fdab::1]:5": false, "@": false, "": false, "10.1.2.3": false,
	} {
		if status := ask(peer, "/guard/forward"); allowed != (status == http.StatusBadRequest) || !allowed && status != http.StatusForbidden {
			t.Errorf("from %s: %d", peer, status)
		}
	}
	if n := strings.Count(log.String(), "GUESTLIST_TRUSTED_PROXIES"); n != 1 {
		t.Errorf("%d sentences in the log: %s", n, log.String())
	}
	now = now.Add(time.Minute)
	ask("192.0.2.9:1", "/guard/forward")
	if n := strings.Count(log.String(), "GUESTLIST_TRUSTED_PROXIES"); n != 2 || !strings.Contains(log.String(), "192.0.2.9") {
		t.Errorf("a minute later, %d sentences: %s", n, log.String())
	}
	if got := ask("192.0.2.9:1", "/guard/other"); got != http.StatusTeapot {
		t.Errorf("another path: %d", got)
	}
}

func TestEndpoints_WithholdTokensFromApps(t *testing.T) {
	t.Parallel()
	const replaced, removed = "Authorization", "X-Envoy-Auth-Headers-To-Remove"
	for _, row := range []struct {
		name, path string
		sent       []string
		replaced   []string
		removed    string
	}{
		{"the tool's own", forwardPath, []string{replaced, "Basic YTpi"}, []string{"Basic YTpi"}, ""},
		{"the tool's own bearer token", forwardPath, []string{replaced, "Bearer eyJ"}, []string{"Bearer eyJ"}, ""},
		{"none", forwardPath, nil, nil, ""},
		{"an app token", forwardPath, []string{replaced, "Bearer guestlist_app_x"}, nil, ""},
		{"an app token, written otherwise", forwardPath, []string{replaced, "bEARER   guestlist_app_x"}, nil, ""},
		{"an API token", forwardPath, []string{replaced, "Bearer guestlist_x"}, nil, ""},
		{"an app token in second place", forwardPath, []string{replaced, "Basic YTpi", replaced, "Bearer guestlist_app_x"}, nil, ""},
		{"the tool's own, Envoy", envoyPath, []string{replaced, "Basic YTpi"}, nil, "X-Guestlist-Token"},
		{"none, Envoy", envoyPath, nil, nil, "X-Guestlist-Token"},
		{"an app token, Envoy", envoyPath, []string{replaced, "Bearer guestlist_app_x"}, nil, "X-Guestlist-Token, Authorization"},
		{"an app token in second place, Envoy", envoyPath, []string{replaced, "Basic YTpi", replaced, "Bearer guestlist_app_x"}, nil, "X-Guestlist-Token, Authorization"},
	} {
		answer := http.Header{}
		endpoints[row.path].withhold(answer, header(row.sent...))
		if !slices.Equal(answer[replaced], row.replaced) || answer.Get(removed) != row.removed {
			t.Errorf("%s: %v", row.name, answer)
		}
	}
}
