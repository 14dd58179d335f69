package doctor

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/guard"
	"github.com/guestlist/guestlist/internal/identity"
)

// reachesGuestlist checks that the proxy asks Guestlist about requests to the app.
func (c *appChecker) reachesGuestlist(ctx context.Context) diagnostic.Finding {
	r, a, ok, err := c.report(ctx, nil)
	if err != nil {
		return diagnostic.FromError(err, "Check DNS, the certificate and the proxy in front of the app.")
	}
	c.proxy = detectProxy(a.Header)
	if ok {
		if a.StatusCode == http.StatusOK {
			c.proxy = builtIn
		}
		c.baseline = r
		if r.Received.Scheme != c.App.Scheme {
			return diagnostic.Fail(c.fix().address, "The proxy at %s tells Guestlist that the scheme is %s.", c.App.URL(), r.Received.Scheme)
		}
		return diagnostic.Pass("Requests for %s are checked by Guestlist, asked by %s.", c.App.URL(), c.proxy.label())
	}
	switch {
	case a.StatusCode == http.StatusForbidden:
		return diagnostic.Fail("If Guestlist's log names the proxy, add its address to GUESTLIST_TRUSTED_PROXIES. Otherwise: "+c.fix().address,
			"Requests for %s are refused with 403: Guestlist doesn't trust the proxy that asks, or isn't told which request it is about.", c.App.URL())
	case a.StatusCode == http.StatusBadRequest:
		return diagnostic.Fail(c.fix().address, "The proxy at %s doesn't tell Guestlist which request it asks about.", c.App.URL())
	case a.StatusCode == http.StatusNotFound && strings.Contains(a.body, "no app has this address"):
		return diagnostic.Fail(c.fix().address, "The proxy at %s asks Guestlist about another host.", c.App.URL())
	case a.StatusCode >= http.StatusInternalServerError:
		return diagnostic.Fail("Check that Guestlist is running and that the proxy's config has its address; see the logs of both.",
			"Requests for %s are answered with %d: the proxy can't ask Guestlist.", c.App.URL(), a.StatusCode)
	}
	return diagnostic.Fail("Set the proxy up as described in docs/protect-a-tool.md. Until then, anyone can open the app.",
		"Requests for %s are answered without asking Guestlist (status %d).", c.App.URL(), a.StatusCode)
}

// requiresSignIn checks that the app's first page isn't shown without a credential.
func (c *appChecker) requiresSignIn(ctx context.Context) diagnostic.Finding {
	for _, accept := range []string{"text/html", "application/json"} {
		a, err := c.get(ctx, "/", http.Header{"Accept": {accept}})
		if err != nil {
			return diagnostic.FromError(err, "")
		}
		switch {
		case !a.isSuccess():
		case c.App.IsPublic("/"):
			return diagnostic.Pass("The first page is public, as the app's settings say.")
		default:
			return diagnostic.Fail(c.fix().check, "%s/ is open to anyone: it's answered with %d without signing in.", c.App.URL(), a.StatusCode)
		}
	}
	return diagnostic.Pass("Without signing in, the first page isn't shown.")
}

func (a answer) isSuccess() bool { return a.StatusCode >= 200 && a.StatusCode < 300 }

// keepsAddress checks that a visitor can't change which request Guestlist is asked about.
func (c *appChecker) keepsAddress(ctx context.Context) diagnostic.Finding {
	other := "http"
	if c.App.Scheme == "http" {
		other = "https"
	}
	host := c.marker + ".example"
	var believed []string
	for _, header := range [][2]string{
		{"X-Forwarded-Host", host}, {"X-Forwarded-Proto", other}, {"X-Forwarded-Uri", "/" + c.marker}, {"X-Forwarded-Method", "DELETE"},
		{"X-Forwarded-Prefix", "/" + c.marker}, {"X-Original-Url", other + "://" + host + "/" + c.marker}, {"X-Original-Method", "DELETE"},
		{"X-Rewrite-Url", "/" + c.marker}, {"Forwarded", "host=" + host + ";proto=" + other},
	} {
		r, _, ok, err := c.report(ctx, http.Header{header[0]: {header[1]}})
		if err != nil {
			return diagnostic.FromError(err, "")
		}
		if got, want := r.Received, c.baseline.Received; !ok || got.Scheme != want.Scheme || got.Host != want.Host || got.Method != want.Method || got.Path != want.Path {
			believed = append(believed, header[0])
		}
	}
	if len(believed) > 0 {
		return diagnostic.Fail(c.fix().address, "A visitor can change which page Guestlist is asked about with %s.", strings.Join(believed, ", "))
	}
	return diagnostic.Pass("Forged X-Forwarded-*, X-Original-URL and Forwarded headers change nothing.")
}

// forgedVisitor is an address for documentation, which no visitor has.
const forgedVisitor = "192.0.2.77"

// keepsVisitor checks that a visitor can't change the address that the audit trail shows.
func (c *appChecker) keepsVisitor(ctx context.Context) diagnostic.Finding {
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} {
		value := forgedVisitor
		if header == "Forwarded" {
			value = "for=" + forgedVisitor
		}
		r, _, ok, err := c.report(ctx, http.Header{header: {value}})
		if err != nil {
			return diagnostic.FromError(err, "")
		}
		if !ok || r.Received.Client != forgedVisitor {
			continue
		}
		if c.proxy == builtIn {
			return diagnostic.Warn("That is right for a proxy. If the machine where you run doctor isn't one, remove it from GUESTLIST_TRUSTED_PROXIES.",
				"Guestlist believes the address in %s, because it trusts this machine.", header)
		}
		if passed := r.Received.Headers[header]; passed != value { // the proxy has added this machine's, which is trusted
			continue
		}
		return diagnostic.Fail(c.fix().visitor, "A visitor can write any address into the audit log with %s.", header)
	}
	return diagnostic.Pass("Forged visitor addresses are not believed.")
}

// aliases are names that some tools take for an identity header.
var aliases = []string{"Remote_User", "Remote.User", "REMOTE_EMAIL", "Remote_Groups", "X_Guestlist_Jwt", "X.Guestlist.Jwt"}

// refusesAliases checks that no request with a header similar to an identity header is let in.
func (c *appChecker) refusesAliases(ctx context.Context) diagnostic.Finding {
	var received []string
	for _, alias := range aliases {
		forged := http.Header{alias: {c.marker}}
		r, _, ok, err := c.report(ctx, forged)
		if err != nil {
			return diagnostic.FromError(err, "")
		}
		reached := ok && slices.Contains(headerValues(r), c.marker)
		if reached {
			received = append(received, alias)
		}
		for _, path := range c.paths() {
			a, err := c.getWithToken(ctx, path, forged)
			if err != nil {
				return diagnostic.FromError(err, "")
			}
			if strings.Contains(a.body, c.marker) || reached && c.proxy != builtIn && a.isSuccess() {
				return diagnostic.Fail(c.fix().identity, "A visitor's %s reaches the tool at %s, which may take it for an identity.", alias, path)
			}
		}
	}
	switch {
	case len(received) == 0:
		return diagnostic.Pass("Headers such as Remote_User don't get past %s.", c.proxy.label())
	case c.proxy == builtIn:
		return diagnostic.Pass("Headers such as %s are removed.", received[0])
	}
	return diagnostic.Pass("Requests with headers such as %s are refused.", received[0])
}

func headerValues(r guard.Report) []string {
	var values []string
	for _, value := range r.Received.Headers {
		values = append(values, value)
	}
	return values
}

// paths returns paths of the app that the tool answers: one for each public path and, if there
// is an app token, the first page.
func (c *appChecker) paths() []string {
	var paths []string
	if c.Token != "" {
		paths = append(paths, "/")
	}
	for _, pattern := range c.App.PublicPaths {
		paths = append(paths, strings.TrimSuffix(pattern, "*"))
	}
	return paths[:min(len(paths), 5)]
}

// getWithToken sends a request as a program with the app token, if there is one.
func (c *appChecker) getWithToken(ctx context.Context, path string, h http.Header) (answer, error) {
	h = h.Clone()
	if c.Token != "" {
		h.Set(guard.TokenHeader, c.Token)
	}
	return c.get(ctx, path, h)
}

// overwritesIdentity checks that forged identity headers don't reach the tool. That can be
// seen only if the tool's answer shows the headers that it received.
func (c *appChecker) overwritesIdentity(ctx context.Context) diagnostic.Finding {
	const visible = "X-Doctor"
	shown := false
	for _, path := range c.paths() {
		for _, name := range identity.HeaderNames {
			a, err := c.getWithToken(ctx, path, http.Header{name: {c.marker}, visible: {c.marker + "-visible"}})
			if err != nil {
				return diagnostic.FromError(err, "")
			}
			text := strings.ReplaceAll(a.body, c.marker+"-visible", "")
			shown = shown || a.isSuccess() && text != a.body
			if strings.Contains(text, c.marker) {
				return diagnostic.Fail(c.fix().identity, "A visitor's %s reaches the tool at %s. The tool would take the visitor for someone else.", name, path)
			}
		}
	}
	if !shown {
		return diagnostic.Skip("Not seen: whether forged identity headers reach the tool. Run doctor with --token-file while a tool " +
			"that shows its request headers is in the tool's place; see docs/protect-a-tool.md.")
	}
	return diagnostic.Pass("Forged identity headers don't reach the tool.")
}

// hidesUpstream checks that the tool can't be reached around the proxy from other machines.
func (c *appChecker) hidesUpstream(ctx context.Context) diagnostic.Finding {
	upstream := c.Upstream
	if upstream == "" {
		upstream = c.App.Upstream
	}
	u, err := url.Parse(upstream)
	if upstream == "" || err != nil || u.Host == "" {
		return diagnostic.Skip("Not checked: whether the tool can be reached around the proxy. Give its address with --upstream.")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if address, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !address.IsLoopback()) {
		return diagnostic.Skip("Not checked: make sure that only the proxy can connect to %s. Whoever else can is not asked to sign in.", upstream)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return diagnostic.FromError(err, "")
	}
	for _, a := range addresses {
		network, err := netip.ParsePrefix(a.String())
		if err != nil || network.Addr().IsLoopback() || network.Addr().IsLinkLocalUnicast() {
			continue
		}
		direct := net.JoinHostPort(network.Addr().String(), port)
		dialer := net.Dialer{Timeout: time.Second}
		if conn, err := dialer.DialContext(ctx, "tcp", direct); err == nil {
			conn.Close()
			return diagnostic.Fail("Let the tool listen on 127.0.0.1, or block the port.",
				"The tool at %s also listens on %s, where other machines may reach it without signing in.", upstream, direct)
		}
	}
	return diagnostic.Pass("The tool at %s listens on this machine only.", upstream)
}
