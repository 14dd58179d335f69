package config

import (
	"strings"
	"time"
)

// Setting is one setting, given by its name in the environment or in .env, or by its flag.
type Setting struct {
	Name    string
	Default string // the value, a description of a derived value, or "" for none
	Meaning string // one line for the help

	secret bool
	own    bool                        // instances of one installation may have different values
	mask   func(text string) string    // hides the secret part of a value; nil shows all of it, or nothing if secret
	derive func(l *loader) string      // computes the default that Default describes; may be nil
	set    func(*loader, string) error // parses a value that isn't empty
}

// Flag returns the name of the flag without dashes: guestlist-addr for GUESTLIST_ADDR.
func (s Setting) Flag() string {
	return strings.ToLower(strings.ReplaceAll(s.Name, "_", "-"))
}

// fallback returns the default value.
func (s Setting) fallback(l *loader) string {
	if s.derive != nil {
		return s.derive(l)
	}
	return s.Default
}

const maxLinkDuration = 168 * time.Hour // Stytch's limit

// Settings lists all settings. A default may depend on given settings and on the defaults of
// earlier rows.
var Settings = []Setting{
	{Name: "DATABASE_URL", Default: "sqlite:data/guestlist.db", mask: maskPassword, own: true,
		Meaning: "mysql://user:password@host/database as PlanetScale shows it, a go-sql-driver DSN, or sqlite:PATH",
		set:     text(func(l *loader) *string { return &l.DatabaseURL })},
	{Name: "STYTCH_PROJECT_ID",
		Meaning: "the Stytch project; without it and its secret, the local Stytch is used",
		set:     text(func(l *loader) *string { return &l.Stytch.ProjectID })},
	{Name: "STYTCH_SECRET", secret: true,
		Meaning: "the project's secret",
		set:     text(func(l *loader) *string { return &l.Stytch.Secret })},
	{Name: "STYTCH_WEBHOOK_SECRET", secret: true,
		Meaning: "the signing secret (whsec_…) of the webhook to /webhooks/stytch; without it, webhooks are refused",
		set:     setWebhookSecret},
	{Name: "STYTCH_PROJECT_ENV", Default: "from the project id", derive: projectEnv,
		Meaning: "test or live; must agree with the project id",
		set:     choice(func(l *loader) *string { return &l.Stytch.Env }, "test", "live")},
	{Name: "STYTCH_BASE_URL", Default: "from the environment", derive: unset,
		Meaning: "a custom domain at Stytch, or an emulator elsewhere",
		set:     setStytchBaseURL},
	{Name: "GUESTLIST_LOCAL_STYTCH", Default: "loopback only", derive: unset,
		Meaning: "on lets the local Stytch serve a public address; needs SMTP_URL and an https GUESTLIST_BASE_URL",
		set:     boolean(func(l *loader) *bool { return &l.localStytch })},
	{Name: "GUESTLIST_LOCAL_STYTCH_LIMITS", Default: "on",
		Meaning: "off removes the limits on the local Stytch's emails and, in local mode, on sign-in links and attempts; for test suites",
		set:     boolean(func(l *loader) *bool { return &l.LocalLimits })},
	{Name: "PORT", Default: "8080", own: true,
		Meaning: "the port to listen on, unless GUESTLIST_ADDR is set",
		set:     setPort},
	{Name: "GUESTLIST_ADDR", Default: "127.0.0.1:PORT with the local Stytch, else :PORT", derive: defaultAddr, own: true,
		Meaning: "the address to listen on, host:port",
		set:     setAddr},
	{Name: "GUESTLIST_BASE_URL", Default: "http://localhost:PORT", derive: defaultBaseURL,
		Meaning: "the public address, optionally with a path; links and cookies follow from it",
		set:     setBaseURL},
	{Name: "GUESTLIST_TRUSTED_PROXIES", Default: "none; fly on Fly", derive: defaultProxies,
		Meaning: "proxies whose X-Forwarded-For is trusted: comma-separated addresses, networks and ranges, fly, or none",
		set:     setProxies},
	{Name: "GUESTLIST_ADMINS",
		Meaning: "comma-separated addresses to invite as administrators at start; in local mode without it and SMTP_URL, the first person to sign in becomes administrator",
		set:     func(l *loader, text string) error { l.Admins = list(text); return nil }},
	{Name: "GUESTLIST_ACCESS", Default: "invite",
		Meaning: "who may sign in: invite (people on the list), domain:example.com,example.org (people with these addresses may join by themselves) or open (anyone)",
		set:     setAccess},
	{Name: "GUESTLIST_COOKIE_KEYS", Default: "made once, kept in the database", derive: unset, secret: true,
		Meaning: "comma-separated secrets of at least 32 characters; the first signs and encrypts cookies, the others only open existing ones",
		set:     setCookieKeys},
	{Name: "COOKIE_NAME", Default: "__Host-guestlist on https (__Secure-guestlist under a path), guestlist on http", derive: defaultCookieName,
		Meaning: "the name of the session cookie; two Guestlists on one host need different names, even on different ports",
		set:     setCookieName},
	{Name: "GUESTLIST_SESSION_DURATION", Default: "168h",
		Meaning: "how long a session lasts, 5m to 8784h",
		set:     duration(func(l *loader) *time.Duration { return &l.SessionDuration }, 5*time.Minute, 527040*time.Minute, time.Minute)},
	{Name: "GUESTLIST_LINK_DURATION", Default: "10m",
		Meaning: "how long a sign-in link works, 5m to 168h",
		set:     duration(func(l *loader) *time.Duration { return &l.LinkDuration }, 5*time.Minute, maxLinkDuration, time.Minute)},
	{Name: "GUESTLIST_LINK_SAME_BROWSER", Default: "off",
		Meaning: "on makes a sign-in link work only in the browser that requested it",
		set:     boolean(func(l *loader) *bool { return &l.LinkSameBrowser })},
	{Name: "GUESTLIST_INVITE_DURATION", Default: "168h",
		Meaning: "how long an invitation works, 5m to 168h",
		set:     duration(func(l *loader) *time.Duration { return &l.InviteDuration }, 5*time.Minute, maxLinkDuration, time.Minute)},
	{Name: "GUESTLIST_SESSION_RECHECK", Default: "5m",
		Meaning: "how often sessions are rechecked with Stytch, 0 to 1h",
		set:     duration(func(l *loader) *time.Duration { return &l.SessionRecheck }, 0, time.Hour, time.Second)},
	{Name: "GUESTLIST_RECONCILE", Default: "report",
		Meaning: "the daily comparison of the list with Stytch: report records differences, apply also fixes them, off skips it",
		set:     choice(func(l *loader) *string { return &l.Reconcile }, "report", "apply", "off")},
	{Name: "GUESTLIST_EVENTS_KEEP", Default: "9600h",
		Meaning: "how long the audit trail is kept, at least 24h; 9600h are 400 days",
		set:     duration(func(l *loader) *time.Duration { return &l.EventsKeep }, 24*time.Hour, 100*365*24*time.Hour, time.Hour)},
	{Name: "SMTP_URL", mask: maskPassword,
		Meaning: "the mail server for the local Stytch's emails, smtp://user:password@host:587 or smtps://…; with Stytch, only for notices about new API tokens and administrators",
		set:     setSMTPURL},
	{Name: "GUESTLIST_MAIL_FROM", Default: "Guestlist <guestlist@ the host of GUESTLIST_BASE_URL>", derive: defaultMailFrom,
		Meaning: "the sender of these emails",
		set:     setMailFrom},
	{Name: "GUESTLIST_LOG", Default: "text on a terminal, else json", derive: defaultLog, own: true,
		Meaning: "text or json",
		set:     choice(func(l *loader) *string { return &l.Log }, "text", "json")},
	{Name: "GUESTLIST_METRICS_ADDR", own: true,
		Meaning: "host:port to serve /metrics for Prometheus and /debug/pprof/ for Go's tools; keep it private",
		set:     setMetricsAddr},
	{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", mask: maskPassword, own: true,
		Meaning: "where to send OpenTelemetry traces by OTLP over HTTP, such as http://localhost:4318",
		set:     setTracesURL},
	{Name: "OTEL_EXPORTER_OTLP_HEADERS", secret: true, own: true,
		Meaning: "comma-separated headers for it, such as a service's key: name=value",
		set:     setTracesHeaders},
}
