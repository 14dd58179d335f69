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
		f := diagnostic.FromError(err, "Look at GUESTLIST_BASE_URL.")
		if fault.IsUnreachable(err) {
			return c.unreachableFinding(ctx, f.Text)
		}
		return f
	case r.IsStarting():
		return diagnostic.Warn("Look again in a minute; its log says what it waits for.", "An instance is starting at %s.", base)
	case r.HasStarted():
		return c.instanceFinding(r)
	case r.Code == http.StatusBadGateway || r.Code == http.StatusServiceUnavailable || r.Code == http.StatusGatewayTimeout:
		return c.unreachableFinding(ctx, "A proxy answers that nobody does.")
	case r.Code >= 300 && r.Code < 400:
		return diagnostic.Fail("Set GUESTLIST_BASE_URL to where the program is, letter by letter.", "%s leads elsewhere.", base)
	}
	return diagnostic.Fail("See where the name and the proxy lead; a path in GUESTLIST_BASE_URL must lead to the program, too.",
		"What answers at %s is not Guestlist (status %d).", base, r.Code)
}

// certificateMinLifetime is how long a certificate should be good for: what renews them by
// itself does so earlier.
const certificateMinLifetime = 7 * 24 * time.Hour

// instanceFinding is the finding of an instance at the public address.
func (c *checker) instanceFinding(r healthcheck.Response) diagnostic.Finding {
	base := c.cfg.BaseURL.String()
	switch {
	case r.Database == string(fault.ReadOnly), r.Database == string(fault.DiskFull):
		return diagnostic.Fail("Nobody can sign in there, and nothing can be changed. Its log says more.", "An instance answers at %s, and its database can't be written: %s.", base, r.Database)
	case r.Database != "ok":
		return diagnostic.Warn("Its log says why.", "An instance answers at %s, and can't reach its database.", base)
	case r.Stytch != "ok":
		return diagnostic.Warn("Its log says why.", "An instance answers at %s, and can't reach Stytch.", base)
	case r.TLS != nil && r.TLS.PeerCertificates[0].NotAfter.Sub(c.now()) < certificateMinLifetime:
		return diagnostic.Warn("Have it renewed.", "An instance answers at %s, by a certificate that ends on %s.", base, r.TLS.PeerCertificates[0].NotAfter.Format("2 January 2006"))
	case !c.cfg.LocalStytch && c.cfg.BaseURL.Scheme == "http": // which the settings allow on this machine alone
		return diagnostic.Warn("Set GUESTLIST_BASE_URL to the public https address, unless all who sign in do so on this machine.", "An instance answers at %s, where others find their own machine.", base)
	}
	return diagnostic.Pass("An instance answers at %s.", base)
}

// unreachableFinding is the finding that no instance is at the public address: wrong if there is one
// on this machine.
func (c *checker) unreachableFinding(ctx context.Context, reason string) diagnostic.Finding {
	if r, err := healthcheck.CheckLocal(ctx, c.cfg, "/readyz"); err == nil && (r.HasStarted() || r.IsStarting()) {
		return diagnostic.Fail("Have its name and the proxy lead to it.", "An instance serves at GUESTLIST_ADDR, but not at %s. %s", c.cfg.BaseURL, reason)
	}
	return diagnostic.Warn("If one should, look at its log; else look again when it does.", "No instance serves at %s now. %s", c.cfg.BaseURL, reason)
}

func (c *checker) cookies(context.Context) diagnostic.Finding {
	keys := "their key is in the database, for all instances"
	if n := len(c.cfg.CookieKeys); n > 0 {
		keys = "their keys are set, and every instance needs the same"
	}
	name := strings.ToLower(c.cfg.CookieName)
	switch {
	case c.cfg.BaseURL.Scheme != "https":
		return diagnostic.Pass("They go without encryption, for the base URL is on this machine; %s.", keys)
	case !strings.HasPrefix(name, "__host-") && !strings.HasPrefix(name, "__secure-"):
		return diagnostic.Warn("Leave COOKIE_NAME out, or have it begin with __Host- (__Secure- below a path).",
			"They are Secure, but %s is a name that other hosts of the domain can set; %s.", c.cfg.CookieName, keys)
	}
	return diagnostic.Pass("They are Secure, and named %s; %s.", c.cfg.CookieName, keys)
}

func (c *checker) smtp(ctx context.Context) diagnostic.Finding {
	if err := mail.CheckSMTP(ctx, c.cfg.SMTPURL, c.cfg.MailFrom); err != nil {
		return diagnostic.FromError(err, "Look at SMTP_URL and GUESTLIST_MAIL_FROM.")
	}
	return diagnostic.Pass("The mail server takes the connection, and the login if there is one; no mail was sent.")
}
