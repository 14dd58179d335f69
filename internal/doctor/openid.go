package doctor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/openid"
)

// noClients is the finding if no app uses OpenID Connect.
func noClients() diagnostic.Finding { return diagnostic.Pass("No app uses OpenID Connect.") }

// countClients returns the number of OpenID Connect clients.
func (c *checker) countClients(ctx context.Context) (int, error) {
	if c.database == nil {
		return 0, nil
	}
	return c.database.CountClients(ctx)
}

// checkIssuer checks that clients can use the public address as the issuer: that it describes itself as they expect,
// and has keys.
func (c *checker) checkIssuer(ctx context.Context) diagnostic.Finding {
	n, err := c.countClients(ctx)
	if err != nil {
		return diagnostic.FromError(err, "")
	}
	if n == 0 {
		return noClients()
	}
	base := c.cfg.BaseURL.String()
	var provider struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	status, err := fetchJSON(ctx, base+openid.DiscoveryPath, &provider)
	switch {
	case fault.IsUnreachable(err):
		return diagnostic.Skip("Not checked: no instance answers at %s.", base)
	case err != nil:
		return diagnostic.FromError(err, "Check GUESTLIST_BASE_URL and the reverse proxy.")
	case status != http.StatusOK || provider.Issuer == "":
		return diagnostic.Fail("Have the reverse proxy pass on /.well-known/ below the base URL, too.",
			"%s/.well-known/openid-configuration doesn't describe Guestlist (status %d), so apps can't sign people in.", base, status)
	case provider.Issuer != base:
		return diagnostic.Fail("Set GUESTLIST_BASE_URL to the same address on every instance, and in the apps.",
			"The instance at %s calls itself %s, so apps refuse it.", base, provider.Issuer)
	}
	var keys struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	status, err = fetchJSON(ctx, provider.JWKSURI, &keys)
	switch {
	case err != nil:
		return diagnostic.FromError(err, "Check the reverse proxy.")
	case status != http.StatusOK || len(keys.Keys) == 0:
		return diagnostic.Fail("Have the reverse proxy pass on /.well-known/jwks.json, and see the instance's log.",
			"%s has no keys (status %d), so apps can't verify who signs in.", provider.JWKSURI, status)
	}
	return diagnostic.Pass("%s is the issuer for %s and has %s.", base, humanize.Plural(n, "app"), humanize.Plural(len(keys.Keys), "key"))
}

// maxMetadata is how much of a description is read, in bytes.
const maxMetadata = 64 << 10

// fetchJSON requests a URL, without following redirects, and decodes the response into v unless it is something else.
func fetchJSON(ctx context.Context, url string, v any) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	r.Close = true
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMetadata))
	if err != nil {
		return resp.StatusCode, err
	}
	_ = json.Unmarshal(body, v) // what isn't JSON leaves v empty
	return resp.StatusCode, nil
}

// maxSecretsNamed is how many secrets are named.
const maxSecretsNamed = 3

// clientSecrets checks whether secrets of clients have ended or end soon.
func (c *checker) clientSecrets(ctx context.Context) diagnostic.Finding {
	n, err := c.countClients(ctx)
	if err != nil {
		return diagnostic.FromError(err, "")
	}
	if n == 0 {
		return noClients()
	}
	now := c.now()
	ending, err := c.database.EndingSecrets(ctx, now.Add(openid.SecretNotice), maxSecretsNamed+1)
	if err != nil {
		return diagnostic.FromError(err, "")
	}
	if len(ending) == 0 {
		return diagnostic.Pass("None has ended or ends within 14 days.")
	}
	var named []string
	for _, s := range ending[:min(len(ending), maxSecretsNamed)] {
		verb := "ends"
		if !now.Before(s.Ends) {
			verb = "ended"
		}
		named = append(named, fmt.Sprintf("…%s of %s %s on %s", s.Hint, s.App, verb, s.Ends.Format("2 January 2006")))
	}
	text := strings.Join(named, "; ")
	if len(ending) > maxSecretsNamed {
		text += "; and more"
	}
	return diagnostic.Warn("Replace it: guestlist apps secret APP makes a new one for the app's settings. Then revoke the old one with guestlist apps revoke-secret.",
		"A secret of an OpenID Connect client has ended or ends soon: %s.", text)
}
