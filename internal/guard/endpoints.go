package guard

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// The addresses that proxies ask, below the base URL's path and at the root.
const (
	forwardPath = "/guard/forward" // the request is in X-Forwarded-Method, -Proto, -Host and -Uri
	nginxPath   = "/guard/nginx"   // the request is in X-Original-URL and X-Original-Method
	envoyPath   = "/guard/envoy"   // the request has the visitor's host and method, and the path below this one
)

// checkTimeout limits the work on a request.
const checkTimeout = 10 * time.Second

// errMalformed is returned for a request that doesn't describe a visitor's.
var errMalformed = errors.New("a header that the proxy must set is missing, repeated or malformed")

// endpoint is an address that proxies ask.
type endpoint struct {
	route  string // for metrics and the log
	read   func(r *http.Request, below string) (Request, error)
	answer func(g *Guard, a Answer) Answer // may be nil
	// withhold adds headers to an answer 200 by which the proxy keeps Guestlist's tokens, which
	// programs have sent in a request, from the app. It may be nil.
	withhold func(answer, sent http.Header)
}

var endpoints = map[string]*endpoint{
	forwardPath: {route: forwardPath, read: readForwarded, withhold: returnAuthorization},
	nginxPath:   {route: nginxPath, read: readOriginal, answer: (*Guard).forNginx},
	envoyPath:   {route: envoyPath + "/", read: readEnvoy, withhold: removeTokens},
}

// Endpoints serves the addresses that proxies ask and passes all other requests to next. Only
// the path chooses the endpoint: visitors can send any header, and a proxy may add their query.
func (g *Guard) Endpoints(next http.Handler) http.Handler {
	observed := middleware.Observe(g.opts.Observer, g.opts.Proxies)
	asked := make(map[*endpoint]http.Handler, len(endpoints))
	for _, e := range endpoints {
		asked[e] = observed(g.serve(e))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, _ := g.find(r.RequestURI)
		if e == nil {
			next.ServeHTTP(w, r)
			return
		}
		asked[e].ServeHTTP(w, r)
	})
}

// find returns the endpoint at a request target and the rest of the target below it, or nil.
func (g *Guard) find(target string) (e *endpoint, below string) {
	if path := g.opts.BaseURL.Path; path != "" {
		if rest, found := strings.CutPrefix(target, path); found && strings.HasPrefix(rest, "/guard/") {
			target = rest
		}
	}
	if !strings.HasPrefix(target, "/guard/") {
		return nil, ""
	}
	if rest, found := strings.CutPrefix(target, envoyPath); found && strings.HasPrefix(rest, "/") {
		return endpoints[envoyPath], rest
	}
	path, _, _ := strings.Cut(target, "?")
	if path == envoyPath {
		return nil, ""
	}
	return endpoints[path], ""
}

// serve answers a proxy.
func (g *Guard) serve(e *endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		middleware.SetRoute(ctx, e.route)
		id := rand.Text()[:16]
		answer := g.ask(ctx, e, r, id)
		if e.answer != nil {
			answer = e.answer(g, answer)
		}
		if e.withhold != nil && answer.Allowed() {
			e.withhold(w.Header(), r.Header)
		}
		answer.Write(w)
		g.opts.Log.LogAttrs(ctx, slog.LevelInfo, "request",
			slog.String("method", r.Method), slog.String("path", e.route), slog.Int("status", answer.status),
			slog.Duration("duration", time.Since(begin)), slog.String("request_id", id))
	})
}

// ask decides about the request that a proxy describes.
func (g *Guard) ask(ctx context.Context, e *endpoint, r *http.Request, id string) (a Answer) {
	defer func() {
		if cause := recover(); cause != nil {
			g.log.ErrorContext(ctx, "panic", "cause", cause, "stack", string(debug.Stack()), "request_id", id)
			a = refuse(http.StatusInternalServerError, "internal error")
		}
	}()
	if !g.mayAsk(r) {
		g.untrusted.warn(g.log, g.opts.Now(), "a peer asked about access to an app and was refused: if it is your proxy, add its address to GUESTLIST_TRUSTED_PROXIES", "peer", r.RemoteAddr)
		return refuse(http.StatusForbidden, "this address is for proxies in GUESTLIST_TRUSTED_PROXIES")
	}
	_, below := g.find(r.RequestURI)
	described, err := e.read(r, below)
	if err != nil {
		g.malformed.warn(g.log, g.opts.Now(), "a proxy asked about access to an app without saying which request: see its configuration in docs/protect-a-tool.md", "path", e.route, "error", err)
		return refuse(http.StatusBadRequest, err.Error())
	}
	described.Header = r.Header
	described.Browser = session.Browser{Address: g.opts.Proxies.ClientIP(r), UserAgent: r.UserAgent(), RequestID: id}
	if aliases := identity.Aliases(r.Header); len(aliases) > 0 && described.path() != mePath {
		return refuse(http.StatusBadRequest, "this request has a header that an app could take for an identity: "+strings.Join(aliases, ", "))
	}
	return g.Check(ctx, described)
}

// mayAsk reports whether the peer is a proxy that may ask.
func (g *Guard) mayAsk(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	address := peer.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(g.opts.Peers, func(p netip.Prefix) bool { return p.Contains(address) })
}

// forNginx adapts an answer for nginx.
func (g *Guard) forNginx(a Answer) Answer { return a.forNginx(g.enterURL) }

// readForwarded reads a request as Caddy, Traefik and HAProxy describe it.
func readForwarded(r *http.Request, _ string) (Request, error) {
	scheme, ok := parseScheme(r.Header["X-Forwarded-Proto"])
	host, target, method := r.Header["X-Forwarded-Host"], r.Header["X-Forwarded-Uri"], r.Header["X-Forwarded-Method"]
	if !ok || len(host) != 1 || len(target) != 1 || len(method) != 1 {
		return Request{}, errMalformed
	}
	return Request{Scheme: scheme, Host: host[0], Target: target[0], Method: method[0]}, nil
}

// returnAuthorization repeats the Authorization header unless it has a token of Guestlist. Proxies
// replace headers of the request by those of the answer, as they do with the identity.
func returnAuthorization(answer, sent http.Header) {
	if values := sent["Authorization"]; len(values) > 0 && !slices.ContainsFunc(values, token.IsBearer) {
		answer["Authorization"] = values
	}
}

// removeTokens names the headers that Envoy removes. See headers_to_remove in
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/auth/v3/external_auth.proto.
func removeTokens(answer, sent http.Header) {
	names := TokenHeader
	if slices.ContainsFunc(sent["Authorization"], token.IsBearer) {
		names += ", Authorization"
	}
	answer.Set("X-Envoy-Auth-Headers-To-Remove", names)
}

// readOriginal reads a request as nginx describes it. The method is GET if it isn't given.
func readOriginal(r *http.Request, _ string) (Request, error) {
	address, method := r.Header["X-Original-Url"], r.Header["X-Original-Method"]
	if len(address) != 1 || len(method) > 1 {
		return Request{}, errMalformed
	}
	name, rest, found := strings.Cut(address[0], "://")
	scheme, ok := parseScheme([]string{name})
	slash := strings.IndexByte(rest, '/')
	if !found || !ok || slash < 0 {
		return Request{}, errMalformed
	}
	described := Request{Scheme: scheme, Host: rest[:slash], Target: rest[slash:], Method: http.MethodGet}
	if len(method) == 1 {
		described.Method = method[0]
	}
	return described, nil
}

// readEnvoy reads a request as Envoy's HTTP service for authorization describes it. Envoy sets
// X-Forwarded-Proto.
func readEnvoy(r *http.Request, below string) (Request, error) {
	scheme := "https"
	if values := r.Header["X-Forwarded-Proto"]; len(values) > 0 {
		var ok bool
		if scheme, ok = parseScheme(values); !ok {
			return Request{}, errMalformed
		}
	}
	return Request{Scheme: scheme, Host: r.Host, Target: below, Method: r.Method}, nil
}

// parseScheme returns the scheme of the only value. Some proxies name that of a WebSocket.
func parseScheme(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	switch values[0] {
	case "http", "ws":
		return "http", true
	case "https", "wss":
		return "https", true
	}
	return "", false
}

// warnings limits how often the log has a sentence that a peer can cause. The zero value is
// ready.
type warnings struct{ lastAt atomic.Int64 }

// warn logs the sentence, at most once a minute.
func (l *warnings) warn(log *slog.Logger, now time.Time, sentence string, args ...any) {
	last := l.lastAt.Load()
	if since := now.Sub(time.UnixMicro(last)); since >= 0 && since < time.Minute || !l.lastAt.CompareAndSwap(last, now.UnixMicro()) {
		return
	}
	log.Warn(sentence, args...)
}
