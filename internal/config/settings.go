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
	{Name: "DATABASE_URL", Default: "sqlite:data/guestlist.db", mask: maskPassword, own: true, set: text(func(l *loader) *string { return &l.DatabaseURL }),
		Meaning: "mysql://user:password@host/database as PlanetScale shows it, a go-sql-driver DSN, or sqlite:PATH"},
	{Name: "STYTCH_PROJECT_ID", set: text(func(l *loader) *string { return &l.Stytch.ProjectID }),
		Meaning: "the Stytch project; without it and its secret, the local Stytch is used"},
	{Name: "STYTCH_SECRET", secret: true, set: text(func(l *loader) *string { return &l.Stytch.Secret }),
		Meaning: "the project's secret"},
	{Name: "STYTCH_WEBHOOK_SECRET", secret: true, set: setWebhookSecret,
		Meaning: "the signing secret (whsec_…) of the webhook to /webhooks/stytch; without it, webhooks are refused"},
	{Name: "STYTCH_PUBLIC_TOKEN", set: setPublicToken,
		Meaning: "the project's public token, which isn't secret; needed for GUESTLIST_OAUTH"},
	{Name: "STYTCH_PROJECT_ENV", Default: "from the project id", derive: projectEnv, set: choice(func(l *loader) *string { return &l.Stytch.Env }, "test", "live"),
		Meaning: "test or live; must agree with the project id"},
	{Name: "STYTCH_BASE_URL", Default: "from the environment", derive: unset, set: setStytchBaseURL,
		Meaning: "a custom domain at Stytch, or an emulator elsewhere"},
	{Name: "GUESTLIST_LOCAL_STYTCH", Default: "loopback only", derive: unset, set: boolean(func(l *loader) *bool { return &l.localStytch }),
		Meaning: "on lets the local Stytch serve a public address; needs SMTP_URL and an https GUESTLIST_BASE_URL"},
	{Name: "GUESTLIST_LOCAL_STYTCH_LIMITS", Default: "on", set: boolean(func(l *loader) *bool { return &l.LocalLimits }),
		Meaning: "off removes the limits on the local Stytch's emails and, in local mode, on sign-in links and attempts; for test suites"},
	{Name: "PORT", Default: "8080", own: true, set: setPort,
		Meaning: "the port to listen on, unless GUESTLIST_ADDR is set"},
	{Name: "GUESTLIST_ADDR", Default: "127.0.0.1:PORT with the local Stytch, else :PORT", derive: defaultAddr, own: true, set: setAddr,
		Meaning: "the address to listen on, host:port"},
	{Name: "GUESTLIST_BASE_URL", Default: "http://localhost:PORT", derive: defaultBaseURL, set: setBaseURL,
		Meaning: "the public address, optionally with a path; links and cookies follow from it"},
	{Name: "GUESTLIST_TRUSTED_PROXIES", Default: "none; fly on Fly", derive: defaultProxies, set: setProxies,
		Meaning: "proxies whose X-Forwarded-For is trusted: comma-separated addresses, networks and ranges, fly, or none"},
	{Name: "GUESTLIST_ADMINS", set: func(l *loader, text string) error { l.Admins = list(text); return nil },
		Meaning: "comma-separated addresses to invite as administrators at start; in local mode without it and SMTP_URL, the first person to sign in becomes administrator"},
	{Name: "GUESTLIST_ACCESS", Default: "invite", set: setAccess,
		Meaning: "who may sign in: invite (people on the list), domain:example.com,example.org (people with these addresses may join by themselves) or open (anyone)"},
	{Name: "GUESTLIST_APPS", set: setApps,
		Meaning: "comma-separated apps to create at start if they don't exist, open to everyone on the list: https://wiki.example.com -> http://127.0.0.1:3000, or only the address if another proxy passes requests on"},
	{Name: "GUESTLIST_COOKIE_KEYS", Default: "made once, kept in the database", derive: unset, secret: true, set: setCookieKeys,
		Meaning: "comma-separated secrets of at least 32 characters; the first signs and encrypts cookies, the others only open existing ones"},
	{Name: "COOKIE_NAME", Default: "__Host-guestlist on https (__Secure-guestlist under a path), guestlist on http", derive: defaultCookieName, set: setCookieName,
		Meaning: "the name of the session cookie; two Guestlists on one host need different names, even on different ports"},
	{Name: "GUESTLIST_SESSION_DURATION", Default: "168h", set: duration(func(l *loader) *time.Duration { return &l.SessionDuration }, 5*time.Minute, 527040*time.Minute, time.Minute),
		Meaning: "how long a session lasts, 5m to 8784h"},
	{Name: "GUESTLIST_LINK_DURATION", Default: "10m", set: duration(func(l *loader) *time.Duration { return &l.LinkDuration }, 5*time.Minute, maxLinkDuration, time.Minute),
		Meaning: "how long a sign-in link works, 5m to 168h"},
	{Name: "GUESTLIST_LINK_SAME_BROWSER", Default: "off", set: boolean(func(l *loader) *bool { return &l.LinkSameBrowser }),
		Meaning: "on makes a sign-in link work only in the browser that requested it"},
	{Name: "GUESTLIST_INVITE_DURATION", Default: "168h", set: duration(func(l *loader) *time.Duration { return &l.InviteDuration }, 5*time.Minute, maxLinkDuration, time.Minute),
		Meaning: "how long an invitation works, 5m to 168h"},
	{Name: "GUESTLIST_SESSION_RECHECK", Default: "5m", set: duration(func(l *loader) *time.Duration { return &l.SessionRecheck }, 0, time.Hour, time.Second),
		Meaning: "how often sessions are rechecked with Stytch, 0 to 1h"},
	{Name: "GUESTLIST_OAUTH", set: setOAuth,
		Meaning: "comma-separated providers whose accounts people may sign in with: google, github, microsoft"},
	{Name: "GUESTLIST_SECOND_FACTOR", Default: "off", set: choice(func(l *loader) *string { return &l.SecondFactor }, "off", "admins", "everyone"),
		Meaning: "who needs a second factor to sign in, such as a passkey or an authenticator app: off, admins or everyone"},
	{Name: "GUESTLIST_RECONCILE", Default: "report", set: choice(func(l *loader) *string { return &l.Reconcile }, "report", "apply", "off"),
		Meaning: "the daily comparison of the list with Stytch: report records differences, apply also fixes them, off skips it"},
	{Name: "GUESTLIST_EVENTS_KEEP", Default: "9600h", set: duration(func(l *loader) *time.Duration { return &l.EventsKeep }, 24*time.Hour, 100*365*24*time.Hour, time.Hour),
		Meaning: "how long the audit trail is kept, at least 24h; 9600h are 400 days"},
	{Name: "SMTP_URL", mask: maskPassword, set: setSMTPURL,
		Meaning: "the mail server for the local Stytch's emails, smtp://user:password@host:587 or smtps://…; with Stytch, only for notices about new API tokens, administrators, sign-in methods and access to apps"},
	{Name: "GUESTLIST_MAIL_FROM", Default: "Guestlist <guestlist@ the host of GUESTLIST_BASE_URL>", derive: defaultMailFrom, set: setMailFrom,
		Meaning: "the sender of these emails"},
	{Name: "GUESTLIST_LOG", Default: "text on a terminal, else json", derive: defaultLog, own: true, set: choice(func(l *loader) *string { return &l.Log }, "text", "json"),
		Meaning: "text or json"},
	{Name: "GUESTLIST_METRICS_ADDR", own: true, set: setMetricsAddr,
		Meaning: "host:port to serve /metrics for Prometheus and /debug/pprof/ for Go's tools; keep it private"},
	{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", mask: maskPassword, own: true, set: setTracesURL,
		Meaning: "where to send OpenTelemetry traces by OTLP over HTTP, such as http://localhost:4318"},
	{Name: "OTEL_EXPORTER_OTLP_HEADERS", secret: true, own: true, set: setTracesHeaders,
		Meaning: "comma-separated headers for it, such as a service's key: name=value"},
}
