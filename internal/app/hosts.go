package app

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/guard"
	"github.com/guestlist/guestlist/internal/guard/proxy"
	"github.com/guestlist/guestlist/internal/netutil"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// checkTimeout limits the time in which access to an app is checked.
const checkTimeout = 10 * time.Second

// hosts sends each request to Guestlist's own pages or to the app that has its host.
//
// Guestlist has always answered under other names of its machine, too: load balancers check
// its health by IP address, and some proxies don't pass on the host. So only a name that
// could be an app's is refused, and only once there are apps.
type hosts struct {
	guard   *guard.Guard
	proxy   *proxy.Proxy
	pages   http.Handler
	proxies middleware.Proxies
	observe func(http.Handler) http.Handler
	hasApps func(context.Context) bool // apps with an address
	// upstreamOf returns where to send the requests of an app, or nil if another proxy does that.
	upstreamOf func(apps.App) *url.URL
	baseURL    *url.URL
	ownHost    string // canonical
	localMode  bool
	log        *slog.Logger
}

func (h *hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, ok := apps.ParseHost(h.baseURL.Scheme, r.Host)
	switch {
	case !ok, host == h.ownHost && h.isOwnPath(r.URL.Path), isIPOrLoopback(host) && h.isHealthCheck(r):
		h.pages.ServeHTTP(w, r)
		return
	}
	request := guard.FromRequest(r, h.baseURL.Scheme, session.Browser{
		Address: h.proxies.ClientIP(r), UserAgent: r.UserAgent(), RequestID: rand.Text()[:16],
	})
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	answer := h.guard.Check(ctx, request)
	cancel()
	isKnown := answer.Access.App.ID != ""
	switch {
	case !isKnown && h.isOwn(r, host, answer):
		h.pages.ServeHTTP(w, r)
	case answer.UnknownHost():
		h.log.DebugContext(r.Context(), "request for a host without an app", "host", host)
		h.guard.WriteProblem(w, r, h.unknownHost())
	case !answer.Allowed():
		h.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			middleware.SetRoute(r.Context(), "app")
			answer.Write(w)
		})).ServeHTTP(w, r)
	case h.upstreamOf(answer.Access.App) == nil:
		h.guard.WriteProblem(w, r, noUpstream(answer.Access.App))
	default:
		h.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			middleware.SetRoute(r.Context(), "app")
			h.proxy.Serve(w, r, h.target(request, answer))
		})).ServeHTTP(w, r)
	}
}

// isOwn reports whether a request for a host without an app goes to the pages. If the
// database is out of reach, it isn't known whether there is an app.
func (h *hosts) isOwn(r *http.Request, host string, answer guard.Answer) bool {
	switch {
	case isAlias(host):
		return true
	case !answer.UnknownHost():
		return false
	}
	return host == h.ownHost || h.isHealthCheck(r) || !h.hasApps(r.Context())
}

// isOwnPath reports whether a path of Guestlist's own host is Guestlist's. Without a path in
// the base URL, all are.
func (h *hosts) isOwnPath(path string) bool {
	base := h.baseURL.Path
	if base == "" || path == base || strings.HasPrefix(path, base+"/") {
		return true
	}
	return h.localMode && (strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/v1/"))
}

func (h *hosts) isHealthCheck(r *http.Request) bool {
	path, found := strings.CutPrefix(r.URL.Path, h.baseURL.Path)
	return found && (path == "/healthz" || path == "/readyz")
}

func isIPOrLoopback(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(hostname(host), "[]"))
	return err == nil || netutil.IsLoopback(host)
}

// hostname returns a canonical host without its port.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}

// isAlias reports whether a host is one under which a proxy or a monitor on a private network
// may ask for Guestlist: an IP address, a name without a domain, or one that only a cluster or
// a cloud's network has.
func isAlias(host string) bool {
	name := hostname(host)
	if isIPOrLoopback(host) || !strings.Contains(name, ".") {
		return true
	}
	for _, suffix := range []string{".internal", ".svc", ".cluster.local"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

func (h *hosts) unknownHost() guard.Problem {
	return guard.Problem{
		Status: http.StatusNotFound, Title: "No app at this address",
		Text:    "No app is set up here. Check the address. If you’re an administrator, add the app with exactly this host.",
		Message: "no app has this address", Label: "Go to your apps", Href: h.baseURL.String() + "/apps",
	}
}

func noUpstream(app apps.App) guard.Problem {
	return guard.Problem{
		Status: http.StatusNotFound, Title: app.Name + " isn’t connected yet",
		Text:    "Requests for " + app.Host + " arrive here, but the app has no upstream to pass them on to. An administrator can add one, or let another proxy answer them.",
		Message: "the app has no upstream",
	}
}

// errUnknown means that access could not be rechecked.
var errUnknown = errors.New("access can't be checked at the moment")

// target returns where to pass on a request that may pass.
func (h *hosts) target(request guard.Request, answer guard.Answer) proxy.Target {
	app, userID := answer.Access.App, answer.Access.User.ID
	// An open WebSocket keeps this request.
	recheck := request
	recheck.Header = http.Header{}
	for _, name := range []string{"Cookie", "Authorization", guard.TokenHeader} {
		if values := request.Header[name]; values != nil {
			recheck.Header[name] = values
		}
	}
	return proxy.Target{
		Name: app.Name, URL: &url.URL{Scheme: app.Scheme, Host: app.Host}, Upstream: h.upstreamOf(app), Identity: answer.Identity,
		Recheck: func(ctx context.Context) (bool, error) {
			now := h.guard.Check(ctx, recheck)
			switch {
			case now.Allowed():
				return now.Access.User.ID == userID && now.Access.App.Upstream == app.Upstream, nil
			case now.Status() >= http.StatusInternalServerError:
				return false, errUnknown
			}
			return false, nil
		},
	}
}

// newHosts returns the outermost handler. pages serves Guestlist's own host.
func (a *App) newHosts(g *guard.Guard, pages http.Handler) *hosts {
	proxies := middleware.Proxies{Trusted: a.cfg.TrustedProxies, Header: a.cfg.ClientIPHeader}
	var observer middleware.RequestObserver
	if a.telemetry != nil {
		observer = a.telemetry.ObserveRequest
	}
	own, _ := apps.ParseHost(a.cfg.BaseURL.Scheme, a.cfg.BaseURL.Host)
	return &hosts{
		guard: g, proxy: a.proxy, pages: pages, proxies: proxies, observe: middleware.Observe(observer, proxies),
		hasApps: a.hasApps, upstreamOf: a.upstreamOf, baseURL: a.cfg.BaseURL, ownHost: own, localMode: a.cfg.LocalMode(), log: a.log,
	}
}

// newProxy returns the proxy to the apps' upstreams.
func (a *App) newProxy(g *guard.Guard, cookies *session.Cookies) *proxy.Proxy {
	proxies := middleware.Proxies{Trusted: a.cfg.TrustedProxies, Header: a.cfg.ClientIPHeader}
	return proxy.New(proxy.Options{
		ClientIP: proxies.ClientIP,
		Cookies:  append(cookies.Names(), guard.CookieName("http"), guard.CookieName("https")),
		Refuse: func(addr netip.AddrPort) error {
			if netutil.ListensOn(a.cfg.Listeners(), addr) {
				return errors.New("this is Guestlist itself")
			}
			return nil
		},
		WriteError: func(w http.ResponseWriter, r *http.Request, p proxy.Problem) {
			problem := guard.Problem{Status: p.Status, Title: p.Title, Text: p.Text, Message: p.Error}
			if p.Retry && r.Method == http.MethodGet {
				problem.Label, problem.Href = "Try again", r.URL.RequestURI()
			}
			g.WriteProblem(w, r, problem)
		},
		Installation: a.cfg.BaseURL.Hostname(), Timeouts: proxy.DefaultTimeouts, Log: a.log,
	})
}

// hasApps reports whether there are apps with an address. It reports false if that is unknown.
func (a *App) hasApps(ctx context.Context) bool {
	const page = 20 // usually the first has one
	for after := ""; ; {
		some, err := a.Store.ListApps(ctx, after, page)
		switch {
		case err != nil:
			return false
		case slices.ContainsFunc(some, apps.App.HasAddress):
			return true
		case len(some) < page:
			return false
		}
		after = some[len(some)-1].Key()
	}
}

// upstreamOf returns the upstream of an app, or nil if it has none.
func (a *App) upstreamOf(app apps.App) *url.URL {
	switch {
	case app.Upstream != "":
		scheme, host, _ := strings.Cut(app.Upstream, "://")
		return &url.URL{Scheme: scheme, Host: host}
	case a.demo != nil && a.demo.id == app.ID:
		return a.demo.upstream
	}
	return nil
}
