package config

import (
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"
)

// Settings shared by several rows.
var (
	atStytch = []string{"STYTCH_PROJECT_ID=project-test-1", "STYTCH_SECRET=secret-test-hush"}
	standing = []string{"GUESTLIST_LOCAL_STYTCH=on", "SMTP_URL=smtp://mail.example.com:587", "GUESTLIST_BASE_URL=https://example.com"}
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// with returns a copy of base with more settings.
func with(base []string, more ...string) []string {
	return append(append([]string{}, base...), more...)
}

// given parses flags.
func given(t testing.TB, args ...string) map[string]string {
	t.Helper()
	settings := map[string]string{}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags, settings)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return settings
}

// writeDotEnv returns the path of a .env file that other users can't write.
func writeDotEnv(t testing.TB, content string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, ".env")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// local returns the Config without any settings.
func local() Config {
	return Config{
		DatabaseURL: "sqlite:data/guestlist.db",
		LocalStytch: true, LocalLimits: true,
		BaseURL: &url.URL{Scheme: "http", Host: "localhost:8080"}, Addr: "127.0.0.1:8080",
		CookieName:      "guestlist",
		SessionDuration: 168 * time.Hour, LinkDuration: 10 * time.Minute,
		InviteDuration: 168 * time.Hour, SessionRecheck: 5 * time.Minute, SecondFactor: "off", EventsKeep: 9600 * time.Hour,
		Reconcile: "report", Log: "json",
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	cloud := func(c *Config) {
		c.LocalStytch, c.Addr = false, ":8080"
		c.Stytch = Stytch{ProjectID: "project-test-1", Secret: "secret-test-hush", Env: "test"}
	}
	public := func(c *Config) {
		c.BaseURL = &url.URL{Scheme: "https", Host: "example.com"}
		c.CookieName = "__Host-guestlist"
	}
	standalone := func(c *Config) {
		public(c)
		c.Addr, c.SMTPURL, c.MailFrom = ":8080", "smtp://mail.example.com:587", "Guestlist <guestlist@example.com>"
	}
	rows := []struct {
		name    string
		args    []string
		environ []string
		dotenv  string
		want    func(c *Config) // changes the result of local
	}{
		{name: "nothing set is local mode", want: func(c *Config) {}},

		{name: "a flag overrides the environment and .env", args: []string{"--guestlist-log=text"}, environ: []string{"GUESTLIST_LOG=json"},
			dotenv: "GUESTLIST_LOG=json", want: func(c *Config) { c.Log = "text" }},
		{name: "the environment overrides .env", environ: []string{"GUESTLIST_LOG=text"}, dotenv: "GUESTLIST_LOG=json",
			want: func(c *Config) { c.Log = "text" }},
		{name: ".env overrides the default", dotenv: "# a comment\nGUESTLIST_LOG='text'\n", want: func(c *Config) { c.Log = "text" }},
		{name: "an empty value in the environment overrides .env and selects the default", environ: []string{"GUESTLIST_LOG="},
			dotenv: "GUESTLIST_LOG=text", want: func(c *Config) {}},
		{name: "space around a value is dropped", environ: []string{"GUESTLIST_LOG= text\n"}, want: func(c *Config) { c.Log = "text" }},
		{name: "other names are ignored", environ: []string{"HOME=/root", "GUEST=1"}, dotenv: "OTHER=1", want: func(c *Config) {}},
		{name: "names for tests are ignored", environ: []string{"GUESTLIST_TEST_MYSQL_DSN=root@/"}, want: func(c *Config) {}},

		{name: "the daily comparison may fix", environ: []string{"GUESTLIST_RECONCILE=apply"}, want: func(c *Config) { c.Reconcile = "apply" }},
		{name: "a webhook secret", environ: with(atStytch, "STYTCH_WEBHOOK_SECRET="+webhookSecret), want: func(c *Config) {
			cloud(c)
			c.Stytch.WebhookSecret = webhookSecret
		}},

		{name: "Stytch credentials select cloud mode", environ: atStytch, want: cloud},
		{name: "PORT", environ: with(atStytch, "PORT=3000"), want: func(c *Config) {
			cloud(c)
			c.Addr, c.BaseURL.Host = ":3000", "localhost:3000"
		}},
		{name: "GUESTLIST_ADDR overrides PORT", environ: with(atStytch, "PORT=3000", "GUESTLIST_ADDR=10.0.0.1:4000"), want: func(c *Config) {
			cloud(c)
			c.Addr, c.BaseURL.Host = "10.0.0.1:4000", "localhost:4000"
		}},
		{name: "a live project", environ: []string{"STYTCH_PROJECT_ID=project-live-1", "STYTCH_SECRET=hush"}, want: func(c *Config) {
			cloud(c)
			c.Stytch = Stytch{ProjectID: "project-live-1", Secret: "hush", Env: "live"}
		}},
		{name: "an emulator on this machine may use http", environ: with(atStytch, "STYTCH_BASE_URL=http://localhost:8080/", "STYTCH_PROJECT_ENV=test"), want: func(c *Config) {
			cloud(c)
			c.Stytch.BaseURL = "http://localhost:8080"
		}},
		{name: "a public address has the strictest cookie", environ: with(atStytch, "GUESTLIST_BASE_URL=https://Example.com:443/"), want: func(c *Config) {
			cloud(c)
			public(c)
		}},
		{name: "a path has a less strict cookie", environ: with(atStytch, "GUESTLIST_BASE_URL=https://example.com:8443/people/"), want: func(c *Config) {
			cloud(c)
			public(c)
			c.BaseURL.Host, c.BaseURL.Path, c.CookieName = "example.com:8443", "/people", "__Secure-guestlist"
		}},
		{name: "Fly's proxy is trusted on Fly", environ: with(atStytch, "FLY_APP_NAME=guestlist", "GUESTLIST_BASE_URL=https://example.com"), want: func(c *Config) {
			cloud(c)
			public(c)
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
			c.ClientIPHeader = "Fly-Client-IP"
		}},
		{name: "another proxy on Fly", environ: with(atStytch, "FLY_APP_NAME=guestlist", "GUESTLIST_BASE_URL=https://example.com",
			"GUESTLIST_TRUSTED_PROXIES=10.1.2.3/8, ::ffff:192.0.2.1,2001:db8::1"), want: func(c *Config) {
			cloud(c)
			public(c)
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::1/128")}
		}},

		{name: "the local Stytch serves the public", environ: standing, want: standalone},
		{name: "the local Stytch behind a proxy on this machine", environ: with(standing, "GUESTLIST_ADDR=127.0.0.1:9000", "GUESTLIST_TRUSTED_PROXIES=127.0.0.1",
			"GUESTLIST_MAIL_FROM=The door <door@example.org>"), want: func(c *Config) {
			standalone(c)
			c.Addr, c.MailFrom = "127.0.0.1:9000", "The door <door@example.org>"
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		}},
		{name: "the local Stytch is private without a public address", environ: []string{"GUESTLIST_LOCAL_STYTCH=on"}, want: func(c *Config) {}},

		{name: "all other settings", environ: []string{
			"DATABASE_URL=mysql://user:pass@db.example.com/guestlist?sslaccept=strict", "GUESTLIST_ADMINS=ada@example.com, ,grace@example.com",
			"GUESTLIST_ACCESS=domain:Example.com,xn--bcher-kva.example", "COOKIE_NAME=door",
			"GUESTLIST_COOKIE_KEYS=0123456789abcdef0123456789abcdef,fedcba9876543210fedcba9876543210",
			"GUESTLIST_SESSION_DURATION=527040m", "GUESTLIST_LINK_DURATION=5m", "GUESTLIST_LINK_SAME_BROWSER=on",
			"GUESTLIST_INVITE_DURATION=24h", "GUESTLIST_SESSION_RECHECK=0", "GUESTLIST_LOCAL_STYTCH_LIMITS=off",
			"GUESTLIST_APPS=https://wiki.example.com -> http://127.0.0.1:3000, https://chat.example.com,http://tool.localhost:8080->http://[::1]:80",
		}, want: func(c *Config) {
			c.Apps = []AppSetting{
				{URL: "https://wiki.example.com", Upstream: "http://127.0.0.1:3000"}, {URL: "https://chat.example.com"},
				{URL: "http://tool.localhost:8080", Upstream: "http://[::1]:80"},
			}
			c.DatabaseURL = "mysql://user:pass@db.example.com/guestlist?sslaccept=strict"
			c.Admins = []string{"ada@example.com", "grace@example.com"}
			c.Access = Access{Domains: []string{"example.com", "xn--bcher-kva.example"}}
			c.CookieName, c.CookieKeys = "door", []string{"0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"}
			c.SessionDuration, c.LinkDuration, c.InviteDuration, c.SessionRecheck = 8784*time.Hour, 5*time.Minute, 24*time.Hour, 0
			c.LinkSameBrowser, c.LocalLimits = true, false
		}},
		{name: "metrics and traces", environ: []string{"GUESTLIST_METRICS_ADDR=:9090",
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://Collector:4318/", "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Basic%20aHVzaA==, x-team=door"}, want: func(c *Config) {
			c.MetricsAddr, c.TracesURL = ":9090", "http://collector:4318"
			c.TracesHeaders = map[string]string{"Authorization": "Basic aHVzaA==", "x-team": "door"}
		}},
		{name: "open access", environ: []string{"GUESTLIST_ACCESS=open"}, want: func(c *Config) { c.Access.Open = true }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := Load(Sources{Flags: given(t, row.args...), Environ: row.environ, DotEnv: writeDotEnv(t, row.dotenv)})
			if err != nil {
				t.Fatal(err)
			}
			want := local()
			row.want(&want)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoad_Terminal(t *testing.T) {
	t.Parallel()
	got, err := Load(Sources{Terminal: true, DotEnv: filepath.Join(t.TempDir(), "missing")})
	if err != nil {
		t.Fatal(err)
	}
	if got.Log != "text" {
		t.Errorf("log is %s, want text", got.Log)
	}
}

func TestLocalMode(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name                  string
		environ               []string
		localMode, firstAdmin bool
	}{
		{"nothing set", nil, true, true},
		{"administrators are named", []string{"GUESTLIST_ADMINS=ada@example.com"}, true, false},
		{"the local Stytch may serve the public, but does not", []string{"GUESTLIST_LOCAL_STYTCH=on"}, true, true},
		{"another name of this machine", []string{"GUESTLIST_BASE_URL=http://guestlist.localhost:8080"}, true, true},
		{"the local Stytch serves the public", standing, false, false},
		{"the local Stytch serves the public through a proxy", with(standing, "GUESTLIST_ADDR=127.0.0.1:8080"), false, false},
		{"Stytch on this machine", with(atStytch, "GUESTLIST_ADDR=127.0.0.1:8080"), false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c, err := Load(Sources{Environ: row.environ})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.LocalMode(); got != row.localMode {
				t.Errorf("LocalMode is %t", got)
			}
			if got := c.FirstAdmin(); got != row.firstAdmin {
				t.Errorf("FirstAdmin is %t", got)
			}
		})
	}
}
