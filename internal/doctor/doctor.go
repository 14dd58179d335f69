// Package doctor checks an installation: settings, database, Stytch, mail, public address and
// OpenID Connect, and the way to its apps. It changes nothing.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/stytch"
)

// checkTimeout is how long each check may take.
const checkTimeout = 10 * time.Second

// Options say what to check.
type Options struct {
	Config  config.Config
	Invalid []config.Problem // problems of the settings; checks that depend on them are skipped
	Now     func() time.Time

	// Stytch returns the options of a client of the configured Stytch. It is called only
	// if the settings that it reads are valid.
	Stytch func(cfg config.Config, now func() time.Time) stytch.Options
}

// Run runs all checks at once and calls report with each finding, in a fixed order.
func Run(ctx context.Context, o Options, report func(diagnostic.Finding)) {
	c := &checker{cfg: o.Config, invalid: append(o.Invalid, invalidAdmins(o.Config.Admins)...), now: o.Now}
	c.options = func() stytch.Options { return o.Stytch(o.Config, o.Now) }
	defer c.close()
	diagnostic.Run(ctx, c.checks(), checkTimeout, report)
}

// invalidAdmins returns a problem for each invalid address of GUESTLIST_ADMINS. The
// problems name positions, not addresses.
func invalidAdmins(addresses []string) []config.Problem {
	var problems []config.Problem
	for i, address := range addresses {
		if _, err := directory.ParseEmail(address); err != nil {
			problems = append(problems, config.Problem{
				Settings: []string{"GUESTLIST_ADMINS"},
				Err:      fmt.Errorf("GUESTLIST_ADMINS must be comma-separated email addresses, and number %d isn't one", i+1),
			})
		}
	}
	return problems
}

// checker holds what the checks examine.
type checker struct {
	cfg     config.Config
	invalid []config.Problem
	now     func() time.Time
	options func() stytch.Options

	database *inspect.Inspector // set by the database check; nil if there is no file yet
	project  stytch.Project     // set by the Stytch check
}

func (c *checker) close() {
	if c.database != nil {
		c.database.Close()
	}
}

// checks returns all checks in the order of the report: those that others depend on come
// first.
func (c *checker) checks() []diagnostic.Check {
	atStytch := []string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_PROJECT_ENV", "STYTCH_BASE_URL", "GUESTLIST_LOCAL_STYTCH"}
	checks := append(c.settings(),
		c.check("database", nil, c.checkDatabase, "DATABASE_URL"),
		c.check("migrations", databaseChecks, c.migrations),
		c.check("writing", databaseChecks, c.checkWritable),
		c.check("database_clock", databaseChecks, c.databaseClock),
		c.check("instances", databaseChecks, c.instances),
		c.check("administrators", databaseChecks, c.administrators, append(atStytch, "GUESTLIST_ADMINS", "GUESTLIST_BASE_URL")...),
		c.check("stytch", nil, c.checkStytch, atStytch...),
	)
	if !c.cfg.LocalStytch {
		reached := []string{"stytch"}
		checks = append(checks,
			c.check("stytch_clock", reached, c.stytchClock),
			c.check("redirect_url", reached, c.redirectURL, "GUESTLIST_BASE_URL"),
		)
		if len(c.cfg.OAuth) > 0 {
			checks = append(checks, c.check("oauth", reached, c.oauth, "GUESTLIST_OAUTH", "STYTCH_PUBLIC_TOKEN", "GUESTLIST_BASE_URL"))
		}
	}
	checks = append(checks,
		c.check("base_url", nil, c.checkPublicURL, "GUESTLIST_BASE_URL"),
		c.check("cookies", nil, c.cookies, "GUESTLIST_COOKIE_KEYS", "COOKIE_NAME", "GUESTLIST_BASE_URL"),
		c.check("openid", databaseChecks, c.checkIssuer, "GUESTLIST_BASE_URL"),
		c.check("client_secrets", databaseChecks, c.clientSecrets),
	)
	if c.cfg.SMTPURL != "" || c.isInvalid("SMTP_URL") {
		checks = append(checks, c.check("smtp", nil, c.smtp, append(atStytch, "SMTP_URL", "GUESTLIST_MAIL_FROM")...))
	}
	return checks
}

var databaseChecks = []string{"database"}

// check returns a check that is skipped if one of the settings it reads is invalid.
func (c *checker) check(name string, after []string, run func(context.Context) diagnostic.Finding, settings ...string) diagnostic.Check {
	return diagnostic.Check{Name: name, After: after, Look: func(ctx context.Context) diagnostic.Finding {
		for _, setting := range settings {
			if c.isInvalid(setting) {
				return diagnostic.Skip("Not checked: %s isn't valid.", setting)
			}
		}
		return run(ctx)
	}}
}

func (c *checker) isInvalid(setting string) bool {
	return slices.ContainsFunc(c.invalid, func(w config.Problem) bool { return slices.Contains(w.Settings, setting) })
}

// settings returns a check for each invalid setting, or one if all are valid.
func (c *checker) settings() []diagnostic.Check {
	says := func(f diagnostic.Finding) diagnostic.Check {
		return diagnostic.Check{Name: "settings", Look: func(context.Context) diagnostic.Finding { return f }}
	}
	if len(c.invalid) > 0 {
		var checks []diagnostic.Check
		for _, w := range c.invalid {
			checks = append(checks, says(diagnostic.Fail("", "%s", fault.Sentence(w.Err.Error()))))
		}
		return checks
	}
	mode := "sign-in through Stytch"
	switch {
	case c.cfg.LocalMode():
		mode = "local mode, for this machine only"
	case c.cfg.LocalStytch:
		mode = "sign-in through the local Stytch, open to the network"
	}
	return []diagnostic.Check{says(diagnostic.Pass("All settings are valid: %s.", mode))}
}
