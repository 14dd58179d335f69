package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrint(t *testing.T) {
	t.Parallel()
	c, err := Load(Sources{
		Flags:   given(t, "--database-url", "mysql://user:hush@db.example.com/guestlist"),
		Environ: with(atStytch, "GUESTLIST_BASE_URL=https://example.com", "STYTCH_WEBHOOK_SECRET="+webhookSecret, "STYTCH_PUBLIC_TOKEN=public-token-test-1", "GUESTLIST_OAUTH=google,github"),
		DotEnv:  writeDotEnv(t, "GUESTLIST_COOKIE_KEYS=0123456789abcdef0123456789abcdef"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := c.Print(&got); err != nil {
		t.Fatal(err)
	}
	want := `
DATABASE_URL                  mysql://user:********@db.example.com/guestlist  flag
STYTCH_PROJECT_ID             project-test-1                                  environment
STYTCH_SECRET                 ********                                        environment
STYTCH_WEBHOOK_SECRET         ********                                        environment
STYTCH_PUBLIC_TOKEN           public-token-test-1                             environment
STYTCH_PROJECT_ENV            test                                            default
STYTCH_BASE_URL               (unset)                                         default
GUESTLIST_LOCAL_STYTCH        (unset)                                         default
GUESTLIST_LOCAL_STYTCH_LIMITS on                                              default
PORT                          8080                                            default
GUESTLIST_ADDR                :8080                                           default
GUESTLIST_BASE_URL            https://example.com                             environment
GUESTLIST_TRUSTED_PROXIES     none                                            default
GUESTLIST_ADMINS              (unset)                                         default
GUESTLIST_ACCESS              invite                                          default
GUESTLIST_APPS                (unset)                                         default
GUESTLIST_COOKIE_KEYS         ********                                        .env
COOKIE_NAME                   __Host-guestlist                                default
GUESTLIST_SESSION_DURATION    168h                                            default
GUESTLIST_LINK_DURATION       10m                                             default
GUESTLIST_LINK_SAME_BROWSER   off                                             default
GUESTLIST_INVITE_DURATION     168h                                            default
GUESTLIST_SESSION_RECHECK     5m                                              default
GUESTLIST_OAUTH               google,github                                   environment
GUESTLIST_SECOND_FACTOR       off                                             default
GUESTLIST_RECONCILE           report                                          default
GUESTLIST_EVENTS_KEEP         9600h                                           default
SMTP_URL                      (unset)                                         default
GUESTLIST_MAIL_FROM           (unset)                                         default
GUESTLIST_LOG                 json                                            default
GUESTLIST_METRICS_ADDR        (unset)                                         default
OTEL_EXPORTER_OTLP_ENDPOINT   (unset)                                         default
OTEL_EXPORTER_OTLP_HEADERS    (unset)                                         default
`
	if diff := cmp.Diff(fields(want), fields(got.String())); diff != "" {
		t.Error(diff)
	}
}

// fields splits a table into lines and words, whatever its columns' widths.
func fields(table string) [][]string {
	var lines [][]string
	for line := range strings.Lines(strings.TrimSpace(table)) {
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

func TestMaskPassword(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"a URL", "mysql://user:hush@db.example.com/x?sslaccept=strict", "mysql://user:********@db.example.com/x?sslaccept=strict"},
		{"a DSN", "user:hush@tcp(db.example.com:3306)/x", "user:********@tcp(db.example.com:3306)/x"},
		{"a password with @, : and /", "mysql://user:h@u:s/h@db.example.com/x", "mysql://user:********@db.example.com/x"},
		{"no password", "root@tcp(127.0.0.1:3306)/x", "root@tcp(127.0.0.1:3306)/x"},
		{"no user", "smtp://mail.example.com:587", "smtp://mail.example.com:587"},
		{"a file", "sqlite:data/guestlist.db", "sqlite:data/guestlist.db"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := maskPassword(row.text); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Usage(&b); err != nil {
		t.Fatal(err)
	}
	for _, s := range Settings {
		if want := "--" + s.Flag() + ", " + s.Name + " (default: "; !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestSharedValues_SecretsAreApart(t *testing.T) {
	t.Parallel()
	c, err := Load(Sources{Environ: with(atStytch, "SMTP_URL=smtp://user:hush@mail.example.com", "GUESTLIST_COOKIE_KEYS=hush-0123456789abcdef0123456789abcdef",
		"STYTCH_WEBHOOK_SECRET="+webhookSecret, "DATABASE_URL=mysql://user:hush@db.example.com/x", "OTEL_EXPORTER_OTLP_HEADERS=key=hush")})
	if err != nil {
		t.Fatal(err)
	}
	plain, secret := c.SharedValues()
	for name, value := range plain {
		if strings.Contains(value, "hush") || strings.Contains(value, "whsec_") {
			t.Errorf("%s is not secret: %s", name, value)
		}
	}
	want := map[string]string{
		"STYTCH_SECRET": "secret-test-hush", "STYTCH_WEBHOOK_SECRET": webhookSecret,
		"GUESTLIST_COOKIE_KEYS": "hush-0123456789abcdef0123456789abcdef", "SMTP_URL": "smtp://user:hush@mail.example.com",
	}
	if diff := cmp.Diff(want, secret); diff != "" {
		t.Error(diff)
	}
}
