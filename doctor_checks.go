package main

import (
	"context"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytch"
)

// installation is the installation that doctor looks at.
type installation struct {
	cfg     config.Config
	invalid []config.Problem
	now     func() time.Time

	database *store.Inspector // found by the check of it; nil: there is no file yet
	project  stytch.Project   // found by the check of Stytch
}

func (p *installation) close() {
	if p.database != nil {
		p.database.Close()
	}
}

// checks are all there are, in the order in which they are told: first what the others
// go by.
func (p *installation) checks() []diagnostic.Check {
	atStytch := []string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_PROJECT_ENV", "STYTCH_BASE_URL", "GUESTLIST_LOCAL_STYTCH"}
	checks := append(p.settings(),
		p.check("database", nil, p.checkDatabase, "DATABASE_URL"),
		p.check("migrations", databaseChecks, p.migrations),
		p.check("writing", databaseChecks, p.checkWritable),
		p.check("database_clock", databaseChecks, p.databaseClock),
		p.check("instances", databaseChecks, p.instances),
		p.check("administrators", databaseChecks, p.administrators, append(atStytch, "GUESTLIST_ADMINS", "GUESTLIST_BASE_URL")...),
		p.check("stytch", nil, p.checkStytch, atStytch...),
	)
	if !p.cfg.LocalStytch {
		reached := []string{"stytch"}
		checks = append(checks,
			p.check("stytch_clock", reached, p.stytchClock),
			p.check("redirect_url", reached, p.redirectURL, "GUESTLIST_BASE_URL"),
		)
	}
	checks = append(checks,
		p.check("base_url", nil, p.checkPublicURL, "GUESTLIST_BASE_URL"),
		p.check("cookies", nil, p.cookies, "GUESTLIST_COOKIE_KEYS", "COOKIE_NAME", "GUESTLIST_BASE_URL"),
	)
	if p.cfg.SMTPURL != "" || p.isInvalid("SMTP_URL") {
		checks = append(checks, p.check("smtp", nil, p.smtp, append(atStytch, "SMTP_URL", "GUESTLIST_MAIL_FROM")...))
	}
	return checks
}

var databaseChecks = []string{"database"}

// check makes a check that is skipped where one of the settings it goes by can't be right.
func (p *installation) check(name string, after []string, look func(context.Context) diagnostic.Finding, settings ...string) diagnostic.Check {
	return diagnostic.Check{Name: name, After: after, Look: func(ctx context.Context) diagnostic.Finding {
		for _, setting := range settings {
			if p.isInvalid(setting) {
				return diagnostic.Skip("Not looked at, for %s can't be relied on.", setting)
			}
		}
		return look(ctx)
	}}
}

func (p *installation) isInvalid(setting string) bool {
	return slices.ContainsFunc(p.invalid, func(w config.Problem) bool { return slices.Contains(w.Settings, setting) })
}

// settings are a line for each that can't be right, or one for all.
func (p *installation) settings() []diagnostic.Check {
	says := func(f diagnostic.Finding) diagnostic.Check {
		return diagnostic.Check{Name: "settings", Look: func(context.Context) diagnostic.Finding { return f }}
	}
	if len(p.invalid) > 0 {
		var checks []diagnostic.Check
		for _, w := range p.invalid {
			checks = append(checks, says(diagnostic.Fail("", "%s", fault.Sentence(w.Err.Error()))))
		}
		return checks
	}
	mode := "login is by Stytch"
	switch {
	case p.cfg.LocalMode():
		mode = "local mode, for this machine alone"
	case p.cfg.LocalStytch:
		mode = "login is by the local Stytch, for the public"
	}
	return []diagnostic.Check{says(diagnostic.Pass("Each can be right; %s.", mode))}
}
