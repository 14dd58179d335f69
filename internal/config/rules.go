package config

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// rule checks settings that depend on each other.
type rule struct {
	settings []string
	check    func(*loader) error
}

var rules = []rule{
	{[]string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_PROJECT_ENV", "STYTCH_BASE_URL", "STYTCH_WEBHOOK_SECRET", "STYTCH_PUBLIC_TOKEN", "GUESTLIST_LOCAL_STYTCH"}, (*loader).checkStytch},
	{[]string{"GUESTLIST_BASE_URL"}, (*loader).checkBaseURL},
	{[]string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "GUESTLIST_LOCAL_STYTCH", "GUESTLIST_ADDR", "GUESTLIST_BASE_URL", "SMTP_URL"}, (*loader).checkLocalStytch},
	{[]string{"GUESTLIST_OAUTH", "STYTCH_PUBLIC_TOKEN", "STYTCH_PROJECT_ID", "STYTCH_SECRET", "GUESTLIST_BASE_URL"}, (*loader).checkOAuth},
	{[]string{"COOKIE_NAME", "GUESTLIST_BASE_URL"}, (*loader).checkCookieName},
	{[]string{"STYTCH_SECRET", "STYTCH_BASE_URL"}, notRedirected("STYTCH_SECRET", "STYTCH_BASE_URL")},
	{[]string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT"}, notRedirected("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT")},
}

// check completes the Config and applies the rules whose settings are valid by themselves.
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

func (l *loader) usesLocalStytch() bool {
	return l.Stytch.ProjectID == "" && l.Stytch.Secret == ""
}

// checkStytch requires a complete Stytch project or none.
func (l *loader) checkStytch() error {
	s := l.Stytch
	switch {
	case s.ProjectID == "" && s.Secret != "":
		return errors.New("STYTCH_PROJECT_ID must be set, because STYTCH_SECRET is set")
	case s.ProjectID != "" && s.Secret == "":
		return errors.New("STYTCH_SECRET must be set, because STYTCH_PROJECT_ID is set")
	case s.ProjectID == "":
		for _, other := range []struct{ name, value string }{
			{"STYTCH_BASE_URL", s.BaseURL}, {"STYTCH_PROJECT_ENV", s.Env}, {"STYTCH_WEBHOOK_SECRET", s.WebhookSecret},
			{"STYTCH_PUBLIC_TOKEN", s.PublicToken},
		} {
			if other.value != "" {
				return fmt.Errorf("STYTCH_PROJECT_ID and STYTCH_SECRET must be set, because %s is set", other.name)
			}
		}
		return nil
	case l.localStytch:
		return errors.New("GUESTLIST_LOCAL_STYTCH can't be on if STYTCH_PROJECT_ID and STYTCH_SECRET are set: use one or the other")
	case !strings.HasPrefix(s.ProjectID, "project-test-") && !strings.HasPrefix(s.ProjectID, "project-live-"):
		return errors.New("STYTCH_PROJECT_ID must begin with project-test- or project-live-, as the Stytch dashboard shows it")
	case !strings.HasPrefix(s.ProjectID, "project-"+s.Env+"-"):
		return fmt.Errorf("STYTCH_PROJECT_ENV is %s, but STYTCH_PROJECT_ID belongs to the other environment", s.Env)
	case s.PublicToken != "" && !strings.HasPrefix(s.PublicToken, "public-token-"+s.Env+"-"):
		return fmt.Errorf("STYTCH_PUBLIC_TOKEN must be that of the %s environment, as STYTCH_PROJECT_ID is", s.Env)
	}
	return nil
}

func (l *loader) checkBaseURL() error {
	local := isLocalName(l.BaseURL.Hostname())
	switch {
	case !local && l.BaseURL.Scheme != "https":
		return fmt.Errorf("GUESTLIST_BASE_URL must begin with https:// unless it is on this machine, not %q", l.BaseURL)
	case local && l.fly && !l.LocalStytch: // links would lead people to their own machine
		return errors.New("GUESTLIST_BASE_URL must be set on Fly to the public address, such as https://guestlist.fly.dev")
	}
	return nil
}

// checkLocalStytch keeps the local Stytch private unless it is configured for the public,
// because its emails would be shown to anyone.
func (l *loader) checkLocalStytch() error {
	host, _, _ := net.SplitHostPort(l.Addr)
	private := isLocalName(host) && isLocalName(l.BaseURL.Hostname())
	switch {
	case !l.LocalStytch || private:
		return nil
	case !l.localStytch:
		return fmt.Errorf("STYTCH_PROJECT_ID and STYTCH_SECRET, or GUESTLIST_LOCAL_STYTCH=on, must be set to serve other machines (GUESTLIST_ADDR is %q, GUESTLIST_BASE_URL %q)", l.Addr, l.BaseURL)
	case isLocalName(l.BaseURL.Hostname()):
		return fmt.Errorf("GUESTLIST_BASE_URL must be the public https address if GUESTLIST_LOCAL_STYTCH is on and GUESTLIST_ADDR is %q", l.Addr)
	case l.SMTPURL == "":
		return errors.New("SMTP_URL must be set if GUESTLIST_LOCAL_STYTCH serves a public address: sign-in links are sent by email")
	}
	return nil
}

// checkOAuth requires what a sign-in with another account needs.
func (l *loader) checkOAuth() error {
	switch {
	case len(l.OAuth) == 0 || l.LocalMode():
		return nil
	case l.LocalStytch:
		return errors.New("GUESTLIST_OAUTH requires STYTCH_PROJECT_ID and STYTCH_SECRET: the local Stytch only pretends to be other providers, so anyone could sign in as anyone")
	case l.Stytch.PublicToken == "":
		return errors.New("STYTCH_PUBLIC_TOKEN must be set, because GUESTLIST_OAUTH is set: sign-ins with other accounts begin with it")
	}
	return nil
}

// checkCookieName applies the rules of browsers, which silently drop a cookie that breaks them.
func (l *loader) checkCookieName() error {
	name := strings.ToLower(l.CookieName)
	host := strings.HasPrefix(name, "__host-")
	switch {
	case (host || strings.HasPrefix(name, "__secure-")) && l.BaseURL.Scheme != "https":
		return fmt.Errorf("COOKIE_NAME %q requires an https GUESTLIST_BASE_URL", l.CookieName)
	case host && l.BaseURL.Path != "":
		return fmt.Errorf("COOKIE_NAME %q requires a GUESTLIST_BASE_URL without a path", l.CookieName)
	}
	return nil
}

// notRedirected returns a check that a .env file doesn't set the address to which a secret
// from elsewhere is sent: anyone who can write the file would get the secret.
func notRedirected(secret, address string) func(*loader) error {
	return func(l *loader) error {
		from := l.values[secret].source
		if l.values[address].source != fromDotEnv || from == fromDotEnv || from == fromDefault {
			return nil
		}
		return fmt.Errorf("%s is set in .env, but %s isn't (%s): a .env file can't redirect a secret that it doesn't contain; set both in one place", address, secret, from)
	}
}
