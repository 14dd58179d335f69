package config

import (
	"strings"
	"time"
)

// Setting is one thing that can be set, by its name in the environment or in
// .env, or by its flag.
type Setting struct {
	Name    string
	Default string // the value, empty for none; or in words how it follows from others
	Meaning string // one line for whoever sets it

	secret bool
	own    bool                        // each instance may have its own
	mask   func(text string) string    // shows what isn't secret in it; nil shows all, or nothing if secret
	derive func(l *loader) string      // the default that Default says in words
	set    func(*loader, string) error // parses a value that isn't empty
}

// Flag returns the name of the flag, without dashes: GUESTLIST_ADDR has guestlist-addr.
func (s Setting) Flag() string {
	return strings.ToLower(strings.ReplaceAll(s.Name, "_", "-"))
}

// fallback returns the value if none is given.
func (s Setting) fallback(l *loader) string {
	if s.derive != nil {
		return s.derive(l)
	}
	return s.Default
}

// Settings are all there are. A default may follow from settings that are given
// and from the defaults of rows above it.
var Settings = []Setting{
	{
		Name: "DATABASE_URL", Default: "sqlite:data/guestlist.db",
		Meaning: "mysql://user:password@host/database as PlanetScale hands it out, a go-sql-driver DSN, or sqlite:PATH",
		mask:    maskPassword, own: true,
		set: text(func(l *loader) *string { return &l.DatabaseURL }),
	},
	{
		Name:    "STYTCH_PROJECT_ID",
		Meaning: "the project at Stytch; without it and its secret a local stand-in is used",
		set:     text(func(l *loader) *string { return &l.Stytch.ProjectID }),
	},
	{
		Name:    "STYTCH_SECRET",
		Meaning: "the project's secret", secret: true,
		set: text(func(l *loader) *string { return &l.Stytch.Secret }),
	},
	{
		Name:    "STYTCH_WEBHOOK_SECRET",
		Meaning: "the signing secret, whsec_…, of the webhook to /webhooks/stytch; without it none is taken", secret: true,
		set: setWebhookSecret,
	},
	{
		Name: "STYTCH_PROJECT_ENV", Default: "from the project id", derive: projectEnv,
		Meaning: "test or live; must agree with the project id",
		set:     choice(func(l *loader) *string { return &l.Stytch.Env }, "test", "live"),
	},
	{
		Name: "STYTCH_BASE_URL", Default: "from the environment", derive: unset,
		Meaning: "a custom domain at Stytch, or a stand-in elsewhere",
		set:     setStytchBaseURL,
	},
	{
		Name: "GUESTLIST_LOCAL_STYTCH", Default: "loopback only", derive: unset,
		Meaning: "on: the local stand-in may serve the public; needs SMTP_URL and an https GUESTLIST_BASE_URL",
		set:     boolean(func(l *loader) *bool { return &l.localStytch }),
	},
	{
		Name: "GUESTLIST_LOCAL_STYTCH_LIMITS", Default: "on",
		Meaning: "off: no limits on the stand-in's mails and, on this machine, on links and tries; for test suites",
		set:     boolean(func(l *loader) *bool { return &l.LocalLimits }),
	},
	{
		Name: "PORT", Default: "8080",
		Meaning: "the port of GUESTLIST_ADDR, where that is not set", own: true,
		set: setPort,
	},
	{
		Name: "GUESTLIST_ADDR", Default: "127.0.0.1:PORT with the local stand-in, else :PORT", derive: defaultAddr,
		Meaning: "where to listen, host:port", own: true,
		set: setAddr,
	},
	{
		Name: "GUESTLIST_BASE_URL", Default: "http://localhost:PORT", derive: defaultBaseURL,
		Meaning: "the public address, perhaps with a path; links and cookies follow from it",
		set:     setBaseURL,
	},
	{
		Name: "GUESTLIST_TRUSTED_PROXIES", Default: "none; fly on Fly", derive: defaultProxies,
		Meaning: "whose word on the client's address is believed: addresses, networks and ranges with commas between, fly, or none",
		set:     setProxies,
	},
	{
		Name:    "GUESTLIST_ADMINS",
		Meaning: "addresses, with commas between, that are invited as administrators at start; unset in local mode without SMTP_URL: the first to sign in becomes one",
		set:     func(l *loader, text string) error { l.Admins = list(text); return nil },
	},
	{
		Name: "GUESTLIST_ACCESS", Default: "invite",
		Meaning: "invite: only people on the list; domain:example.com,example.org: these may join by themselves; open: anyone",
		set:     setAccess,
	},
	{
		Name: "GUESTLIST_COOKIE_KEYS", Default: "made once, kept in the database", derive: unset,
		Meaning: "secrets of 32 characters or more, with commas between; the first signs and encrypts, the rest open old cookies", secret: true,
		set: setCookieKeys,
	},
	{
		Name: "COOKIE_NAME", Default: "__Host-guestlist on https (__Secure-guestlist under a path), guestlist on http", derive: defaultCookieName,
		Meaning: "the name of the session cookie; two Guestlists at one host, on whatever ports, need different ones",
		set:     setCookieName,
	},
	{
		Name: "GUESTLIST_SESSION_DURATION", Default: "168h",
		Meaning: "how long a session lasts, 5m to 8784h",
		set:     duration(func(l *loader) *time.Duration { return &l.SessionDuration }, 5*time.Minute, 527040*time.Minute, time.Minute),
	},
	{
		Name: "GUESTLIST_LINK_DURATION", Default: "10m",
		Meaning: "how long a sign-in link works, 5m to 168h",
		set:     duration(func(l *loader) *time.Duration { return &l.LinkDuration }, 5*time.Minute, 168*time.Hour, time.Minute),
	},
	{
		Name: "GUESTLIST_LINK_SAME_BROWSER", Default: "off",
		Meaning: "on: a sign-in link works only in the browser that asked for it",
		set:     boolean(func(l *loader) *bool { return &l.LinkSameBrowser }),
	},
	{
		Name: "GUESTLIST_INVITE_DURATION", Default: "168h",
		Meaning: "how long an invitation works, 5m to 168h",
		set:     duration(func(l *loader) *time.Duration { return &l.InviteDuration }, 5*time.Minute, 168*time.Hour, time.Minute),
	},
	{
		Name: "GUESTLIST_SESSION_RECHECK", Default: "5m",
		Meaning: "how old a check of a session with Stytch may be before it is made again, 0 to 1h",
		set:     duration(func(l *loader) *time.Duration { return &l.SessionRecheck }, 0, time.Hour, time.Second),
	},
	{
		Name: "GUESTLIST_RECONCILE", Default: "report",
		Meaning: "once a day the list is compared with Stytch; report: what differs is told; apply: and mended; off: it is not compared",
		set:     choice(func(l *loader) *string { return &l.Reconcile }, "report", "apply", "off"),
	},
	{
		Name: "GUESTLIST_EVENTS_KEEP", Default: "9600h",
		Meaning: "how long the audit trail is kept, 24h or more; 9600h are 400 days",
		set:     duration(func(l *loader) *time.Duration { return &l.EventsKeep }, 24*time.Hour, 100*365*24*time.Hour, time.Hour),
	},
	{
		Name:    "SMTP_URL",
		Meaning: "smtp://user:password@host:587 or smtps://…, by which the stand-in's mails are sent; beside Stytch, only notices of new API tokens and administrators", mask: maskPassword,
		set: setSMTPURL,
	},
	{
		Name: "GUESTLIST_MAIL_FROM", Default: "Guestlist <guestlist@ the host of GUESTLIST_BASE_URL>", derive: defaultMailFrom,
		Meaning: "the sender of the mails that SMTP_URL sends",
		set:     setMailFrom,
	},
	{
		Name: "GUESTLIST_LOG", Default: "text on a terminal, else json", derive: defaultLog,
		Meaning: "text or json", own: true,
		set: choice(func(l *loader) *string { return &l.Log }, "text", "json"),
	},
	{
		Name:    "GUESTLIST_METRICS_ADDR",
		Meaning: "where Prometheus finds /metrics, and Go's tools /debug/pprof/, host:port; unset: nowhere", own: true,
		set: setMetricsAddr,
	},
	{
		Name:    "OTEL_EXPORTER_OTLP_ENDPOINT",
		Meaning: "where OpenTelemetry traces are sent by OTLP over HTTP, such as http://localhost:4318; unset: nowhere", mask: maskPassword, own: true,
		set: setTracesURL,
	},
	{
		Name:    "OTEL_EXPORTER_OTLP_HEADERS",
		Meaning: "headers for that, such as the key of a service: name=value, with commas between", secret: true, own: true,
		set: setTracesHeaders,
	},
}
