package main

import (
	"context"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/doctor"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytch"
)

// patient is the installation that doctor looks at.
type patient struct {
	cfg   config.Config
	wrong []config.Wrong
	now   func() time.Time

	database *store.Look    // found by the check of it; nil: there is no file yet
	project  stytch.Project // found by the check of Stytch
}

func (p *patient) close() {
	if p.database != nil {
		p.database.Close()
	}
}

// checks are all there are, in the order in which they are told: first what the others
// go by.
func (p *patient) checks() []doctor.Check {
	atStytch := []string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_PROJECT_ENV", "STYTCH_BASE_URL", "GUESTLIST_LOCAL_STYTCH"}
	checks := append(p.settings(),
		p.check("database", nil, p.reachDatabase, "DATABASE_URL"),
		p.check("migrations", database, p.migrations),
		p.check("writing", database, p.writing),
		p.check("database_clock", database, p.databaseClock),
		p.check("instances", database, p.instances),
		p.check("administrators", database, p.administrators, append(atStytch, "GUESTLIST_ADMINS", "GUESTLIST_BASE_URL")...),
		p.check("stytch", nil, p.reachStytch, atStytch...),
	)
	if !p.cfg.LocalStytch {
		reached := []string{"stytch"}
		checks = append(checks,
			p.check("stytch_clock", reached, p.stytchClock),
			p.check("redirect_url", reached, p.redirectURL, "GUESTLIST_BASE_URL"),
		)
	}
	checks = append(checks,
		p.check("base_url", nil, p.baseURL, "GUESTLIST_BASE_URL"),
		p.check("cookies", nil, p.cookies, "GUESTLIST_COOKIE_KEYS", "COOKIE_NAME", "GUESTLIST_BASE_URL"),
	)
	if p.cfg.SMTPURL != "" || p.isWrong("SMTP_URL") {
		checks = append(checks, p.check("smtp", nil, p.smtp, append(atStytch, "SMTP_URL", "GUESTLIST_MAIL_FROM")...))
	}
	return checks
}

var database = []string{"database"}

// check makes a check that is skipped where one of the settings it goes by can't be right.
func (p *patient) check(name string, after []string, look func(context.Context) doctor.Finding, settings ...string) doctor.Check {
	return doctor.Check{Name: name, After: after, Look: func(ctx context.Context) doctor.Finding {
		for _, setting := range settings {
			if p.isWrong(setting) {
				return doctor.Skip("Not looked at, for %s can't be relied on.", setting)
			}
		}
		return look(ctx)
	}}
}

func (p *patient) isWrong(setting string) bool {
	return slices.ContainsFunc(p.wrong, func(w config.Wrong) bool { return slices.Contains(w.Settings, setting) })
}

// settings are a line for each that can't be right, or one for all.
func (p *patient) settings() []doctor.Check {
	says := func(f doctor.Finding) doctor.Check {
		return doctor.Check{Name: "settings", Look: func(context.Context) doctor.Finding { return f }}
	}
	if len(p.wrong) > 0 {
		var checks []doctor.Check
		for _, w := range p.wrong {
			checks = append(checks, says(doctor.Wrong("", "%s", fault.Sentence(w.Err.Error()))))
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
	return []doctor.Check{says(doctor.Fine("Each can be right; %s.", mode))}
}
