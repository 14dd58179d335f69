package doctor

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/healthcheck"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

func (c *checker) checkPublicURL(ctx context.Context) diagnostic.Finding {
	base := c.cfg.BaseURL.String()
	outside, cancel := context.WithTimeout(ctx, checkTimeout*2/3) // the rest is for the local instance
	defer cancel()
	r, err := healthcheck.Check(outside, http.DefaultTransport, base+"/readyz")
	switch {
	case err != nil:
		f := diagnostic.FromError(err, "Check GUESTLIST_BASE_URL.")
		if fault.IsUnreachable(err) {
			return c.unreachableFinding(ctx, f.Text)
		}
		return f
	case r.IsStarting():
		return diagnostic.Warn("Run doctor again in a minute; the instance's log says what it's waiting for.", "An instance is starting at %s.", base)
	case r.HasStarted():
		return c.instanceFinding(r)
	case r.Code == http.StatusBadGateway || r.Code == http.StatusServiceUnavailable || r.Code == http.StatusGatewayTimeout:
		return c.unreachableFinding(ctx, "A proxy answers that it can't reach one.")
	case r.Code >= 300 && r.Code < 400:
		return diagnostic.Fail("Set GUESTLIST_BASE_URL to exactly the address Guestlist is reached at.", "%s redirects elsewhere.", base)
	}
	return diagnostic.Fail("Check DNS and the reverse proxy; a path in GUESTLIST_BASE_URL must be forwarded too.",
		"%s is served by another program (status %d).", base, r.Code)
}

// certificateMinLifetime is how long the certificate must remain valid. Automatic renewal
// happens earlier.
const certificateMinLifetime = 7 * 24 * time.Hour

// instanceFinding returns the finding for an instance at the public address.
func (c *checker) instanceFinding(r healthcheck.Response) diagnostic.Finding {
	base := c.cfg.BaseURL.String()
	switch {
	case r.Database == string(fault.ReadOnly), r.Database == string(fault.DiskFull):
		return diagnostic.Fail("No one can sign in there and nothing can be changed. See its log.", "An instance runs at %s, but its database can't be written to: %s.", base, r.Database)
	case r.Database != "ok":
		return diagnostic.Warn("See its log.", "An instance runs at %s, but can't reach its database.", base)
	case r.Stytch != "ok":
		return diagnostic.Warn("See its log.", "An instance runs at %s, but can't reach Stytch.", base)
	case r.TLS != nil && r.TLS.PeerCertificates[0].NotAfter.Sub(c.now()) < certificateMinLifetime:
		return diagnostic.Warn("Renew the certificate.", "An instance runs at %s, but its certificate expires on %s.", base, r.TLS.PeerCertificates[0].NotAfter.Format("2 January 2006"))
	case !c.cfg.LocalStytch && c.cfg.BaseURL.Scheme == "http": // the settings allow http only on this machine
		return diagnostic.Warn("Set GUESTLIST_BASE_URL to the public https address, unless everyone signs in on this machine.", "An instance runs at %s, which other machines can't reach.", base)
	}
	return diagnostic.Pass("An instance runs at %s.", base)
}

// unreachableFinding returns the finding for no instance at the public address. It is a
// problem if one runs on this machine.
func (c *checker) unreachableFinding(ctx context.Context, reason string) diagnostic.Finding {
	if r, err := healthcheck.CheckLocal(ctx, c.cfg, "/readyz"); err == nil && (r.HasStarted() || r.IsStarting()) {
		return diagnostic.Fail("Point DNS and the reverse proxy to it.", "An instance runs at GUESTLIST_ADDR, but isn't reachable at %s. %s", c.cfg.BaseURL, reason)
	}
	return diagnostic.Warn("If one should be running, see its log.", "No instance is running at %s. %s", c.cfg.BaseURL, reason)
}

func (c *checker) cookies(context.Context) diagnostic.Finding {
	keys := "the key is in the database, shared by all instances"
	if n := len(c.cfg.CookieKeys); n > 0 {
		keys = "the keys are in the settings, and every instance needs the same ones"
	}
	name := strings.ToLower(c.cfg.CookieName)
	switch {
	case c.cfg.BaseURL.Scheme != "https":
		return diagnostic.Pass("Sent without TLS, because the base URL is on this machine; %s.", keys)
	case !strings.HasPrefix(name, "__host-") && !strings.HasPrefix(name, "__secure-"):
		return diagnostic.Warn("Unset COOKIE_NAME, or start it with __Host- (__Secure- below a path).",
			"Secure, but other hosts of the domain can set a cookie named %s; %s.", c.cfg.CookieName, keys)
	}
	return diagnostic.Pass("Secure, named %s; %s.", c.cfg.CookieName, keys)
}

func (c *checker) smtp(ctx context.Context) diagnostic.Finding {
	if err := mail.CheckSMTP(ctx, c.cfg.SMTPURL, c.cfg.MailFrom); err != nil {
		return diagnostic.FromError(err, "Check SMTP_URL and GUESTLIST_MAIL_FROM.")
	}
	return diagnostic.Pass("The mail server accepts the connection and the login; no email was sent.")
}
