package config

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// usesLocalStytch reports whether Stytch's place is taken by the local stand-in.
func (l *loader) usesLocalStytch() bool {
	return l.Stytch.ProjectID == "" && l.Stytch.Secret == ""
}

// rule is about settings that may not stand together.
type rule struct {
	settings []string
	check    func(*loader) error
}

var rules = []rule{
	{[]string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_PROJECT_ENV", "STYTCH_BASE_URL", "STYTCH_WEBHOOK_SECRET", "GUESTLIST_LOCAL_STYTCH"}, (*loader).checkStytch},
	{[]string{"GUESTLIST_BASE_URL"}, (*loader).checkBaseURL},
	{[]string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "GUESTLIST_LOCAL_STYTCH", "GUESTLIST_ADDR", "GUESTLIST_BASE_URL", "SMTP_URL"}, (*loader).checkStandIn},
	{[]string{"COOKIE_NAME", "GUESTLIST_BASE_URL"}, (*loader).checkCookieName},
	{[]string{"STYTCH_SECRET", "STYTCH_BASE_URL"}, notLedElsewhere("STYTCH_SECRET", "STYTCH_BASE_URL")},
	{[]string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT"}, notLedElsewhere("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT")},
}

// check finishes the Config, and holds the settings to the rules: those of which
// each by itself can be right.
func (l *loader) check() {
	l.LocalStytch = l.usesLocalStytch()
	for _, r := range rules {
		if l.valid(r.settings) {
			if err := r.check(l); err != nil {
				l.addError(err, r.settings...)
			}
		}
	}
}

// checkStytch wants all of a project at Stytch, or nothing.
func (l *loader) checkStytch() error {
	s := l.Stytch
	switch {
	case s.ProjectID == "" && s.Secret != "":
		return errors.New("STYTCH_PROJECT_ID is missing: STYTCH_SECRET is set, and needs it")
	case s.ProjectID != "" && s.Secret == "":
		return errors.New("STYTCH_SECRET is missing: STYTCH_PROJECT_ID is set, and needs it")
	case s.ProjectID == "" && s.BaseURL != "":
		return errors.New("STYTCH_PROJECT_ID and STYTCH_SECRET are missing: STYTCH_BASE_URL is set, and needs them")
	case s.ProjectID == "" && s.Env != "":
		return errors.New("STYTCH_PROJECT_ID and STYTCH_SECRET are missing: STYTCH_PROJECT_ENV is set, and needs them")
	case s.ProjectID == "" && s.WebhookSecret != "":
		return errors.New("STYTCH_PROJECT_ID and STYTCH_SECRET are missing: STYTCH_WEBHOOK_SECRET is set, and needs them")
	case s.ProjectID == "":
		return nil
	case l.localStytch:
		return errors.New("GUESTLIST_LOCAL_STYTCH must not be on while STYTCH_PROJECT_ID and STYTCH_SECRET are set: it is one or the other")
	case !strings.HasPrefix(s.ProjectID, "project-test-") && !strings.HasPrefix(s.ProjectID, "project-live-"):
		return errors.New("STYTCH_PROJECT_ID must begin with project-test- or project-live-, as the Stytch dashboard shows it")
	case !strings.HasPrefix(s.ProjectID, "project-"+s.Env+"-"):
		return fmt.Errorf("STYTCH_PROJECT_ENV is %s, but STYTCH_PROJECT_ID is of the other environment", s.Env)
	}
	return nil
}

func (l *loader) checkBaseURL() error {
	local := isLocalName(l.BaseURL.Hostname())
	switch {
	case !local && l.BaseURL.Scheme != "https":
		return fmt.Errorf("GUESTLIST_BASE_URL must begin with https:// unless it is on this machine, and is %q", l.BaseURL)
	case local && l.fly && !l.LocalStytch: // else links would lead people to their own machine
		return errors.New("GUESTLIST_BASE_URL must be set on Fly, to the public address such as https://guestlist.fly.dev")
	}
	return nil
}

// checkStandIn keeps the stand-in from the public unless it is made for it: what
// it mails is else shown to anyone who asks.
func (l *loader) checkStandIn() error {
	host, _, _ := net.SplitHostPort(l.Addr)
	private := isLocalName(host) && isLocalName(l.BaseURL.Hostname())
	switch {
	case !l.LocalStytch || private:
		return nil
	case !l.localStytch:
		return fmt.Errorf("STYTCH_PROJECT_ID and STYTCH_SECRET must be set, or GUESTLIST_LOCAL_STYTCH=on, to serve more than this machine (GUESTLIST_ADDR is %q, GUESTLIST_BASE_URL %q)", l.Addr, l.BaseURL)
	case isLocalName(l.BaseURL.Hostname()):
		return fmt.Errorf("GUESTLIST_BASE_URL must be the public https address where GUESTLIST_LOCAL_STYTCH is on and GUESTLIST_ADDR is %q", l.Addr)
	case l.SMTPURL == "":
		return errors.New("SMTP_URL must be set where GUESTLIST_LOCAL_STYTCH serves the public, for there is no other way to get a link")
	}
	return nil
}

// checkCookieName holds to the rules of browsers, which drop such a cookie in silence.
func (l *loader) checkCookieName() error {
	name, https := strings.ToLower(l.CookieName), l.BaseURL.Scheme == "https"
	host, secure := strings.HasPrefix(name, "__host-"), strings.HasPrefix(name, "__secure-")
	switch {
	case (host || secure) && !https:
		return fmt.Errorf("COOKIE_NAME %q needs an https GUESTLIST_BASE_URL", l.CookieName)
	case host && l.BaseURL.Path != "":
		return fmt.Errorf("COOKIE_NAME %q needs a GUESTLIST_BASE_URL without a path", l.CookieName)
	}
	return nil
}

// notLedElsewhere keeps a .env file from choosing where a secret is sent that it does
// not hold: whoever could write the file would be sent the secret.
func notLedElsewhere(secret, address string) func(*loader) error {
	return func(l *loader) error {
		from := l.values[secret].source
		if l.values[address].source != fromDotEnv || from == fromDotEnv || from == fromDefault {
			return nil
		}
		return fmt.Errorf("%s is set in .env, and %s is not (%s): a .env file may not say where a secret goes that it doesn't hold; set both in one place", address, secret, from)
	}
}
