// Package config reads flags, the environment and .env into one validated [Config].
// [Settings] lists the settings; parse.go and network.go validate each by itself, rules.go
// those that depend on each other. Errors are one sentence that names the setting and the
// expected value, and contain no secrets. The package reads nothing but its [Sources].
package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"
)

// Config is the configuration in use.
type Config struct {
	DatabaseURL string // mysql://…, a go-sql-driver DSN or sqlite:PATH, as given
	Stytch      Stytch // the zero value if LocalStytch
	LocalStytch bool   // the local Stytch is used
	LocalLimits bool   // the local Stytch applies Stytch's limits

	BaseURL        *url.URL // scheme, host and a path without a slash at its end
	Addr           string   // host:port to listen on
	TrustedProxies []netip.Prefix
	ClientIPHeader string // header in which they name the client; "" means X-Forwarded-For

	Admins          []string // as given
	Access          Access
	Apps            []AppSetting // to create at start
	CookieKeys      []string     // newest first; if empty, a key is kept in the database
	CookieName      string
	SessionDuration time.Duration // whole minutes, as are the next two
	LinkDuration    time.Duration
	InviteDuration  time.Duration
	LinkSameBrowser bool // a sign-in link works only in the browser that requested it
	SessionRecheck  time.Duration
	OAuth           []string      // providers whose accounts people may sign in with: "google", "github", "microsoft"
	SecondFactor    string        // "off", "admins" or "everyone"
	EventsKeep      time.Duration // age at which audit events are deleted
	Reconcile       string        // "report", "apply" or "off"

	SMTPURL  string // smtp://… or smtps://…; may be empty
	MailFrom string // one address, optionally with a name; empty without SMTPURL
	Log      string // "text" or "json"

	MetricsAddr   string            // host:port to serve metrics on; "" disables them
	TracesURL     string            // OTLP base URL, without /v1/traces; "" disables traces
	TracesHeaders map[string]string // sent with every request to TracesURL

	Warnings []string // sentences about how settings were given

	values map[string]value // by setting name
}

// Stytch identifies a Stytch project.
type Stytch struct {
	ProjectID     string
	Secret        string
	WebhookSecret string // whsec_<base64>; "" disables webhooks
	PublicToken   string // not secret; may be empty without Config.OAuth
	Env           string // "test" or "live"
	BaseURL       string // without a slash at its end; "" means Stytch's API for Env
}

// AppSetting is an app of GUESTLIST_APPS, as given.
type AppSetting struct {
	URL      string
	Upstream string // empty if another proxy serves the app
}

// String returns the app as it is written in the setting.
func (a AppSetting) String() string {
	if a.Upstream == "" {
		return a.URL
	}
	return a.URL + " -> " + a.Upstream
}

// Access describes who may join without an invitation. The zero value allows no one.
type Access struct {
	Open    bool     // anyone
	Domains []string // people with addresses in these domains, which are in lower-case ASCII
}

// LocalMode reports whether the local Stytch serves this machine only. Its inbox and its
// API are available only then.
func (c Config) LocalMode() bool {
	return c.LocalStytch && isLocalName(c.BaseURL.Hostname())
}

// FirstAdmin reports whether the first person to sign in becomes administrator. It is false
// if emails leave this machine, because anyone who reaches the sign-in page could be first.
func (c Config) FirstAdmin() bool {
	return c.LocalMode() && c.SMTPURL == "" && len(c.Admins) == 0
}

// MailsNotices reports whether notices are emailed, such as about a new API token, a new
// administrator or a removed passkey.
// Stytch can't send texts of other programs, so with Stytch a mail server is required.
func (c Config) MailsNotices() bool { return c.LocalStytch || c.SMTPURL != "" }

// ListenerURL returns the http URL of the listener for a browser on this machine, without
// a slash at its end; it is for local mode. It has the host name of BaseURL if that leads
// to the listener, because cookies belong to a host name, and else the listen address.
func (c Config) ListenerURL() string {
	_, port, _ := net.SplitHostPort(c.Addr) // validated by setAddr
	basePort := c.BaseURL.Port()
	if basePort == "" {
		basePort = "80"
	}
	if c.BaseURL.Scheme == "http" && basePort == port {
		return "http://" + c.BaseURL.Host
	}
	return "http://" + c.Addr
}

// Listeners returns the addresses that the program listens on, as host:port.
func (c Config) Listeners() []string {
	listeners := []string{c.Addr}
	if c.MetricsAddr != "" {
		listeners = append(listeners, c.MetricsAddr)
	}
	return listeners
}

// Load reads and validates the settings. Flags take precedence over the environment, and
// that over .env. An empty value selects the default. The error is that of the first problem.
func Load(from Sources) (Config, error) {
	cfg, problems := LoadAll(from)
	if len(problems) > 0 {
		return Config{}, problems[0].Err
	}
	return cfg, nil
}

// Problem is an invalid setting, or a combination of settings that is invalid.
type Problem struct {
	Settings []string // those whose values are unreliable; empty for an unknown name
	Err      error    // one sentence
}

// LoadAll is like Load but returns all problems, and the Config without the invalid values.
func LoadAll(from Sources) (Config, []Problem) {
	l := &loader{fly: from.environ()["FLY_APP_NAME"] != "", terminal: from.Terminal}
	l.values = from.merge(l)
	// Given values first, because defaults may depend on any of them.
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
	return l.Config, l.problems
}
