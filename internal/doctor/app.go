package doctor

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/guard"
)

// AppOptions say which app to check.
type AppOptions struct {
	App       apps.App
	BaseURL   *url.URL          // Guestlist's own
	Upstream  string            // where the proxy finds the tool; may be empty if it isn't known
	Token     string            // an app token, to see what the tool receives; may be empty
	Transport http.RoundTripper // nil is the default
}

// RunApp sends requests to an app through its proxy and calls report with each finding, in a
// fixed order. The requests carry what a visitor could forge: identity headers, headers with
// similar names, and addresses. They change nothing.
func RunApp(ctx context.Context, o AppOptions, report func(diagnostic.Finding)) {
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	c := &appChecker{
		AppOptions: o, marker: "forged-" + strings.ToLower(rand.Text()[:10]),
		client: &http.Client{
			Transport:     o.Transport,
			Timeout:       checkTimeout / 2,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	reached := []string{"proxy"}
	diagnostic.Run(ctx, []diagnostic.Check{
		{Name: "proxy", Look: c.reachesGuestlist},
		{Name: "sign_in", After: reached, Look: c.requiresSignIn},
		{Name: "address", After: reached, Look: c.keepsAddress},
		{Name: "visitor", After: reached, Look: c.keepsVisitor},
		{Name: "aliases", After: reached, Look: c.refusesAliases},
		{Name: "identity", After: reached, Look: c.overwritesIdentity},
		{Name: "upstream", Look: c.hidesUpstream},
	}, checkTimeout, report)
}

// appChecker holds what the checks of an app examine.
type appChecker struct {
	AppOptions
	client *http.Client
	marker string // part of every forged value

	// Set by reachesGuestlist.
	baseline guard.Report
	proxy    proxyKind
}

// answer is a response from an app's address.
type answer struct {
	*http.Response
	body string
}

// maxAnswer is how much of a response is searched for forged values.
const maxAnswer = 1 << 20

// get sends a request to a path of the app, with these headers.
func (c *appChecker) get(ctx context.Context, path string, h http.Header) (answer, error) {
	return c.fetch(ctx, c.App.URL()+path, h)
}

func (c *appChecker) fetch(ctx context.Context, address string, h http.Header) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	r.Header = h.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Header["Accept"] == nil {
		r.Header["Accept"] = []string{"application/json"}
	}
	resp, err := c.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return answer{resp, string(body)}, err
}

// mePath is the path at which the guard reports what it has received.
const mePath = apps.OwnPath + "me"

// report returns what Guestlist receives of a request with these headers, and the app's
// response. ok is false if the response isn't a report. The built-in proxy answers with a
// report; other proxies pass on a redirect to one.
func (c *appChecker) report(ctx context.Context, h http.Header) (r guard.Report, a answer, ok bool, err error) {
	a, err = c.get(ctx, mePath, h)
	if err != nil {
		return r, a, false, err
	}
	text := a.body
	if location, redirected := strings.CutPrefix(a.Header.Get("Location"), c.BaseURL.String()+guard.ReportPath+"?"); redirected {
		shown, err := c.fetch(ctx, c.BaseURL.String()+guard.ReportPath+"?"+location, nil)
		if err != nil {
			return r, a, false, err
		}
		text = shown.body
	} else if a.StatusCode != http.StatusOK {
		return r, a, false, nil
	}
	err = json.Unmarshal([]byte(text), &r)
	return r, a, err == nil && r.App == c.App.ID, nil
}
