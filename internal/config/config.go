// Package config turns flags, environment and .env into one checked [Config],
// once, before anything is opened. Each setting is a row of [Settings]; what one
// may be is in parse.go, which of them may stand together is in rules.go. Every
// error is one sentence that names the setting and what it should be, and holds
// no secret. The package reads its [Sources] and the .env file, nothing else.
package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"
)

// Config is what is in force.
type Config struct {
	DatabaseURL string // mysql://…, a go-sql-driver DSN or sqlite:PATH, as typed
	Stytch      Stytch // the zero value while LocalStytch
	LocalStytch bool   // the stand-in is used, in place of Stytch
	LocalLimits bool   // the stand-in keeps Stytch's limits

	BaseURL        *url.URL // scheme, host and a path that is empty or has no slash at its end
	Addr           string   // host:port to listen on
	TrustedProxies []netip.Prefix
	ClientIPHeader string // what they name the client in; empty means X-Forwarded-For

	Admins          []string // as typed
	Access          Access
	CookieKeys      []string // newest first; none means one that is kept in the database
	CookieName      string
	SessionDuration time.Duration // whole minutes, as the next two
	LinkDuration    time.Duration
	InviteDuration  time.Duration
	LinkSameBrowser bool // a sign-in link works only where it was asked for
	SessionRecheck  time.Duration
	EventsKeep      time.Duration // of the audit trail
	Reconcile       string        // "report", "apply" or "off"

	SMTPURL  string // smtp:// or smtps://, or empty
	MailFrom string // one address, perhaps with a name; empty without SMTPURL
	Log      string // "text" or "json"

	MetricsAddr   string            // host:port where metrics are; empty means none
	TracesURL     string            // of an OTLP receiver, to which /v1/traces is added; empty means no traces
	TracesHeaders map[string]string // with every request there

	Warnings []string // sentences about how the settings were given

	values map[string]value // by setting, for Print
}

// Stytch is a project at Stytch.
type Stytch struct {
	ProjectID     string
	Secret        string
	WebhookSecret string // whsec_<base64>; empty means that no webhooks are taken
	Env           string // "test" or "live"
	BaseURL       string // without a slash at its end; empty means Stytch's own of Env
}

// Access says who may join without an invitation; the zero value is nobody.
type Access struct {
	Open    bool     // anyone
	Domains []string // those with an address there; lower-cased, ASCII
}

// LocalMode reports whether the stand-in serves this machine alone. Only then
// are its mails and its API shown to whoever asks.
func (c Config) LocalMode() bool {
	return c.LocalStytch && isLocalName(c.BaseURL.Hostname())
}

// FirstAdmin reports whether the first person to sign in becomes administrator.
// Where mail leaves this machine, anyone who reaches the sign-in page could be that
// person, so it holds only while all mail stays in the inbox.
func (c Config) FirstAdmin() bool {
	return c.LocalMode() && c.SMTPURL == "" && len(c.Admins) == 0
}

// MailsNotices reports whether people are mailed notices of new API tokens and
// administrators. Stytch has no call that mails a text of ours, so beside it a mail
// server is needed.
func (c Config) MailsNotices() bool { return c.LocalStytch || c.SMTPURL != "" }

// ListenerURL returns, in local mode, the plain http address by which a browser on
// this machine reaches the listener itself, without a slash at its end: under the host name of
// the base URL where that leads to the listener, because cookies belong to a name,
// else under the address that the program listens on.
func (c Config) ListenerURL() string {
	_, port, _ := net.SplitHostPort(c.Addr) // which was checked when it was set
	basePort := c.BaseURL.Port()
	if basePort == "" {
		basePort = "80"
	}
	if c.BaseURL.Scheme == "http" && basePort == port {
		return "http://" + c.BaseURL.Host
	}
	return "http://" + c.Addr
}

// Load reads and checks the settings. What a flag says counts before the
// environment, and that before .env. An empty value counts as none: it brings
// back the default.
func Load(from Sources) (Config, error) {
	cfg, wrong := LoadAll(from)
	if len(wrong) > 0 {
		return Config{}, wrong[0].Err
	}
	return cfg, nil
}

// Problem is a setting that can't be right, or several that can't stand together.
type Problem struct {
	Settings []string // what can't be relied on for it; none for a name that is no setting
	Err      error    // the sentence
}

// LoadAll is Load for whoever wants to know of all that is wrong, and what is in force
// apart from that. In the Config, a setting that can't be right counts as not given.
func LoadAll(from Sources) (Config, []Problem) {
	l := &loader{fly: from.lookup("FLY_APP_NAME") != "", terminal: from.Terminal}
	l.values = from.merge(l)
	// All that was given comes first, as a default may follow from any of it.
	for _, s := range Settings {
		if v := l.values[s.Name]; v.text != "" {
			if err := s.set(l, v.text); err != nil {
				l.addError(fmt.Errorf("%s %w", s.Name, err), s.Name)
				delete(l.values, s.Name)
			}
		}
	}
	for _, s := range Settings {
		if l.values[s.Name].text != "" {
			continue
		}
		text := s.fallback(l)
		if text != "" {
			if err := s.set(l, text); err != nil {
				l.addError(fmt.Errorf("%s by default %w", s.Name, err), s.Name)
			}
		}
		l.values[s.Name] = value{text, fromDefault}
	}
	l.check()
	return l.Config, l.wrong
}
