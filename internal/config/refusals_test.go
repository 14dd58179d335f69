package config

import "testing"

func TestLoad_Refusals(t *testing.T) {
	t.Parallel()
	const lower = "must be from 5m to 168h in whole minutes, such as 1h30m, not "
	const badApps = "GUESTLIST_APPS must be comma-separated apps such as https://wiki.example.com -> http://127.0.0.1:3000, or https://wiki.example.com if another proxy passes requests on"
	rows := []struct {
		name    string
		environ []string
		dotenv  string
		want    string
	}{
		{name: "an unknown name in the environment", environ: []string{"GUESTLIST_ADMIN=ada@example.com"},
			want: `GUESTLIST_ADMIN (environment) is not a setting; run "guestlist help" for a list`},
		{name: "an unknown name in .env", dotenv: "GUESTLIST_SECRET=hush",
			want: `GUESTLIST_SECRET (.env) is not a setting; run "guestlist help" for a list`},

		{name: "a webhook secret without a project", environ: []string{"STYTCH_WEBHOOK_SECRET=" + webhookSecret},
			want: "STYTCH_PROJECT_ID and STYTCH_SECRET must be set, because STYTCH_WEBHOOK_SECRET is set"},
		{name: "a webhook secret without its beginning", environ: with(atStytch, "STYTCH_WEBHOOK_SECRET=MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
			want: "STYTCH_WEBHOOK_SECRET must be the signing secret that the Stytch dashboard shows, which begins with whsec_"},
		{name: "a webhook secret that was cut", environ: with(atStytch, "STYTCH_WEBHOOK_SECRET=whsec_MfKQ"),
			want: "STYTCH_WEBHOOK_SECRET must be the signing secret that the Stytch dashboard shows, which begins with whsec_"},
		{name: "a public token without a project", environ: []string{"STYTCH_PUBLIC_TOKEN=public-token-test-1"},
			want: "STYTCH_PROJECT_ID and STYTCH_SECRET must be set, because STYTCH_PUBLIC_TOKEN is set"},
		{name: "the secret as the public token", environ: with(atStytch, "STYTCH_PUBLIC_TOKEN=secret-test-hush"),
			want: "STYTCH_PUBLIC_TOKEN must be the public token that the Stytch dashboard shows, which begins with public-token-test- or public-token-live-"},
		{name: "the public token of the other environment", environ: with(atStytch, "STYTCH_PUBLIC_TOKEN=public-token-live-1", "GUESTLIST_OAUTH=google"),
			want: "STYTCH_PUBLIC_TOKEN must be that of the test environment, as STYTCH_PROJECT_ID is"},
		{name: "providers without a public token", environ: with(atStytch, "GUESTLIST_OAUTH=google"),
			want: "STYTCH_PUBLIC_TOKEN must be set, because GUESTLIST_OAUTH is set: sign-ins with other accounts begin with it"},
		{name: "a provider that isn't offered", environ: []string{"GUESTLIST_OAUTH=google, gitlab"},
			want: `GUESTLIST_OAUTH must be comma-separated providers out of google, github and microsoft, not "gitlab"`},
		{name: "providers that the local Stytch would play for the public", environ: []string{"GUESTLIST_OAUTH=google", "GUESTLIST_LOCAL_STYTCH=on", "GUESTLIST_BASE_URL=https://example.com", "SMTP_URL=smtp://mail.example.com"},
			want: "GUESTLIST_OAUTH requires STYTCH_PROJECT_ID and STYTCH_SECRET: the local Stytch only pretends to be other providers, so anyone could sign in as anyone"},
		{name: "metrics without a port", environ: []string{"GUESTLIST_METRICS_ADDR=127.0.0.1"},
			want: `GUESTLIST_METRICS_ADDR must be host:port, such as 127.0.0.1:9090 or :9090, not "127.0.0.1"`},
		{name: "traces by a scheme that is none", environ: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4317"},
			want: "OTEL_EXPORTER_OTLP_ENDPOINT must be the URL of an OTLP receiver over HTTP, such as http://localhost:4318, without /v1/traces"},
		{name: "a header that is none", environ: []string{"OTEL_EXPORTER_OTLP_HEADERS=x-key hush"},
			want: "OTEL_EXPORTER_OTLP_HEADERS must be comma-separated name=value pairs, with special characters in values as %XX"},
		{name: "a comparison in other words", environ: []string{"GUESTLIST_RECONCILE=on"},
			want: `GUESTLIST_RECONCILE must be report, apply or off, not "on"`},
		{name: "a project id without its secret", environ: []string{"STYTCH_PROJECT_ID=project-test-1"},
			want: "STYTCH_SECRET must be set, because STYTCH_PROJECT_ID is set"},
		{name: "a secret without its project id", environ: []string{"STYTCH_SECRET=hush"},
			want: "STYTCH_PROJECT_ID must be set, because STYTCH_SECRET is set"},
		{name: "an environment without a project", environ: []string{"STYTCH_PROJECT_ENV=live"},
			want: "STYTCH_PROJECT_ID and STYTCH_SECRET must be set, because STYTCH_PROJECT_ENV is set"},
		{name: "a base URL without a project", environ: []string{"STYTCH_BASE_URL=https://login.example.com"},
			want: "STYTCH_PROJECT_ID and STYTCH_SECRET must be set, because STYTCH_BASE_URL is set"},
		{name: "an id that isn't Stytch's", environ: []string{"STYTCH_PROJECT_ID=my-project", "STYTCH_SECRET=hush"},
			want: "STYTCH_PROJECT_ID must begin with project-test- or project-live-, as the Stytch dashboard shows it"},
		{name: "live for a test project", environ: with(atStytch, "STYTCH_PROJECT_ENV=live"),
			want: "STYTCH_PROJECT_ENV is live, but STYTCH_PROJECT_ID belongs to the other environment"},
		{name: "an environment that does not exist", environ: with(atStytch, "STYTCH_PROJECT_ENV=prod"),
			want: `STYTCH_PROJECT_ENV must be test or live, not "prod"`},
		{name: "Stytch over plain http", environ: with(atStytch, "STYTCH_BASE_URL=http://login.example.com"),
			want: "STYTCH_BASE_URL must be an https URL such as https://login.example.com (http is allowed on this machine only)"},
		{name: "Stytch and the local Stytch for the public at once", environ: with(atStytch, "GUESTLIST_LOCAL_STYTCH=on"),
			want: "GUESTLIST_LOCAL_STYTCH can't be on if STYTCH_PROJECT_ID and STYTCH_SECRET are set: use one or the other"},

		{name: "the local Stytch off loopback", environ: []string{"GUESTLIST_ADDR=:8080"},
			want: `STYTCH_PROJECT_ID and STYTCH_SECRET, or GUESTLIST_LOCAL_STYTCH=on, must be set to serve other machines (GUESTLIST_ADDR is ":8080", GUESTLIST_BASE_URL "http://localhost:8080")`},
		{name: "the local Stytch off loopback by a host name", environ: []string{"GUESTLIST_ADDR=door.example.com:8080"},
			want: `STYTCH_PROJECT_ID and STYTCH_SECRET, or GUESTLIST_LOCAL_STYTCH=on, must be set to serve other machines (GUESTLIST_ADDR is "door.example.com:8080", GUESTLIST_BASE_URL "http://localhost:8080")`},
		{name: "the local Stytch behind a public address", environ: []string{"GUESTLIST_ADDR=127.0.0.1:8080", "GUESTLIST_BASE_URL=https://example.com"},
			want: `STYTCH_PROJECT_ID and STYTCH_SECRET, or GUESTLIST_LOCAL_STYTCH=on, must be set to serve other machines (GUESTLIST_ADDR is "127.0.0.1:8080", GUESTLIST_BASE_URL "https://example.com")`},
		{name: "the local Stytch for the public without mail", environ: []string{"GUESTLIST_LOCAL_STYTCH=on", "GUESTLIST_BASE_URL=https://example.com"},
			want: "SMTP_URL must be set if GUESTLIST_LOCAL_STYTCH serves a public address: sign-in links are sent by email"},
		{name: "the local Stytch for the public without a public address", environ: []string{"GUESTLIST_LOCAL_STYTCH=on", "GUESTLIST_ADDR=:8080", "SMTP_URL=smtp://mail.example.com"},
			want: `GUESTLIST_BASE_URL must be the public https address if GUESTLIST_LOCAL_STYTCH is on and GUESTLIST_ADDR is ":8080"`},
		{name: "a public address on plain http", environ: with(atStytch, "GUESTLIST_BASE_URL=http://example.com"),
			want: `GUESTLIST_BASE_URL must begin with https:// unless it is on this machine, not "http://example.com"`},
		{name: "Fly without a public address", environ: with(atStytch, "FLY_APP_NAME=guestlist"),
			want: "GUESTLIST_BASE_URL must be set on Fly to the public address, such as https://guestlist.fly.dev"},

		{name: "an app without a scheme", environ: []string{"GUESTLIST_APPS=wiki.example.com -> http://127.0.0.1:3000"}, want: badApps},
		{name: "an app without an address", environ: []string{"GUESTLIST_APPS=-> http://127.0.0.1:3000"}, want: badApps},
		{name: "an app with an arrow to nothing", environ: []string{"GUESTLIST_APPS=https://wiki.example.com ->"}, want: badApps},
		{name: "an app with an upstream of another scheme", environ: []string{"GUESTLIST_APPS=https://wiki.example.com -> 127.0.0.1:3000"}, want: badApps},
		{name: "an app with a password", environ: []string{"GUESTLIST_APPS=https://wiki.example.com -> http://user:hush@127.0.0.1:3000"}, want: badApps},
		{name: "an app with the arrow the other way", environ: []string{"GUESTLIST_APPS=https://a.example.com -> http://127.0.0.1:3000, http://127.0.0.1:3001 <- https://wiki.example.com, -"}, want: badApps},

		{name: "a strict cookie name on http", environ: []string{"COOKIE_NAME=__Secure-door"},
			want: `COOKIE_NAME "__Secure-door" requires an https GUESTLIST_BASE_URL`},
		{name: "the strictest cookie name under a path", environ: with(atStytch, "COOKIE_NAME=__host-door", "GUESTLIST_BASE_URL=https://example.com/people"),
			want: `COOKIE_NAME "__host-door" requires a GUESTLIST_BASE_URL without a path`},
		{name: "a cookie name with a space", environ: []string{"COOKIE_NAME=the door"},
			want: `COOKIE_NAME must consist of letters, digits, - and _, not "the door"`},
		{name: "a short cookie key", environ: []string{"GUESTLIST_COOKIE_KEYS=0123456789abcdef0123456789abcdef,hush"},
			want: "GUESTLIST_COOKIE_KEYS must be keys of at least 32 characters, but key 2 has 4; create one with `openssl rand -hex 32`"},
		{name: "a cookie key that was typed", environ: []string{"GUESTLIST_COOKIE_KEYS=changemechangemechangemechangeme"},
			want: "GUESTLIST_COOKIE_KEYS must be random keys, but key 1 repeats a few characters; create one with `openssl rand -hex 32`"},
		{name: "cookie keys without a key", environ: []string{"GUESTLIST_COOKIE_KEYS=,"},
			want: "GUESTLIST_COOKIE_KEYS must be comma-separated keys of at least 32 characters"},

		{name: "an address without a port", environ: []string{"GUESTLIST_ADDR=localhost"},
			want: `GUESTLIST_ADDR must be host:port, such as 127.0.0.1:8080 or :8080, not "localhost"`},
		{name: "a port by name", environ: []string{"PORT=http"}, want: `PORT must be a number from 0 to 65535, not "http"`},
		{name: "a proxy by name", environ: []string{"GUESTLIST_TRUSTED_PROXIES=10.0.0.1,proxy"},
			want: `GUESTLIST_TRUSTED_PROXIES must be comma-separated addresses, networks and ranges such as 10.0.0.1,10.1.0.0/16,10.2.0.1-10.2.0.9, fly, or none, not "proxy"`},
		{name: "access in other words", environ: []string{"GUESTLIST_ACCESS=everyone"},
			want: `GUESTLIST_ACCESS must be invite, open or domain:example.com, not "everyone"`},
		{name: "a domain that isn't one", environ: []string{"GUESTLIST_ACCESS=domain:example.com,@example.org"},
			want: `GUESTLIST_ACCESS must list domains such as example.com, international ones in xn-- form, not "@example.org"`},
		{name: "a switch in other words", environ: []string{"GUESTLIST_LINK_SAME_BROWSER=true"},
			want: `GUESTLIST_LINK_SAME_BROWSER must be on or off, not "true"`},
		{name: "another log", environ: []string{"GUESTLIST_LOG=xml"}, want: `GUESTLIST_LOG must be text or json, not "xml"`},
		{name: "a duration in no unit", environ: []string{"GUESTLIST_LINK_DURATION=10"}, want: "GUESTLIST_LINK_DURATION " + lower + `"10"`},
		{name: "a link shorter than Stytch has", environ: []string{"GUESTLIST_LINK_DURATION=4m"}, want: "GUESTLIST_LINK_DURATION " + lower + `"4m"`},
		{name: "an invitation longer than Stytch has", environ: []string{"GUESTLIST_INVITE_DURATION=169h"}, want: "GUESTLIST_INVITE_DURATION " + lower + `"169h"`},
		{name: "a duration of half minutes", environ: []string{"GUESTLIST_LINK_DURATION=5m30s"}, want: "GUESTLIST_LINK_DURATION " + lower + `"5m30s"`},
		{name: "a session longer than Stytch has", environ: []string{"GUESTLIST_SESSION_DURATION=527041m"},
			want: `GUESTLIST_SESSION_DURATION must be from 5m to 8784h in whole minutes, such as 1h30m, not "527041m"`},
		{name: "a check that may be days old", environ: []string{"GUESTLIST_SESSION_RECHECK=48h"},
			want: `GUESTLIST_SESSION_RECHECK must be from 0s to 1h in whole seconds, such as 1h30m, not "48h"`},
		{name: "a mail server by another scheme", environ: []string{"SMTP_URL=imap://user:hush@mail.example.com"},
			want: "SMTP_URL must be smtp://user:password@host:587 or smtps://user:password@host:465, with special characters in the user and password as %XX"},
		{name: "two senders", environ: []string{"GUESTLIST_MAIL_FROM=a@example.com, b@example.com"},
			want: `GUESTLIST_MAIL_FROM must be one ASCII address, such as Guestlist <guestlist@example.com>, not "a@example.com, b@example.com"`},
		{name: "a sender that needs more than ASCII", environ: []string{"GUESTLIST_MAIL_FROM=Tür <tür@example.com>"},
			want: `GUESTLIST_MAIL_FROM must be one ASCII address, such as Guestlist <guestlist@example.com>, not "Tür <tür@example.com>"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(Sources{Environ: row.environ, DotEnv: writeDotEnv(t, row.dotenv)})
			if err == nil || err.Error() != row.want {
				t.Errorf("error:\n%v\nwant:\n%s", err, row.want)
			}
		})
	}
}

func TestLoad_InvalidBaseURL(t *testing.T) {
	t.Parallel()
	const want = "GUESTLIST_BASE_URL must be a URL such as https://example.com or https://example.com/people, with an ASCII host"
	for _, text := range []string{
		"example.com", "//example.com", "ftp://example.com", "https:example.com", "https://", "https://:443", "https://exa mple.com",
		"https://user:hush@example.com", "https://example.com?x=1", "https://example.com/?", "https://example.com/#", "https://bücher.example",
		"https://example.com:99999", "https://example.com/a/../b", "https://example.com/a//b", "https://example.com/%61", "https://example.com/a b",
		"https://-example.com", "https://example..com", "https://[fe80::1%25eth0]/", "https://example.com\\people",
	} {
		if _, err := Load(Sources{Environ: with(atStytch, "GUESTLIST_BASE_URL="+text)}); err == nil || err.Error() != want {
			t.Errorf("%s: error is %v", text, err)
		}
	}
}
