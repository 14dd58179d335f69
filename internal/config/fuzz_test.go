package config

import (
	"strings"
	"testing"
)

// FuzzLoad sets one setting to any text next to secrets, and checks the invariants of every
// Config and error.
func FuzzLoad(f *testing.F) {
	for i := range Settings {
		for _, text := range []string{"", "on", "5m", "project-live-x", "https://example.com/people", "smtp://u:p@h:1", "domain:a.b", "10.0.0.0/8,::1", "[::1]:80", "A <a@b.c>"} {
			f.Add(uint(i), text, true, "PORT=1")
			f.Add(uint(i), text, false, `GUESTLIST_LOCAL_STYTCH="on"`)
		}
	}
	const hush = "hush-0123456789-hush-0123456789-hush"
	f.Fuzz(func(t *testing.T, setting uint, text string, atStytch bool, dotenv string) {
		s := Settings[setting%uint(len(Settings))]
		environ := []string{"GUESTLIST_COOKIE_KEYS=" + hush, "DATABASE_URL=mysql://user:" + hush + "@db/x", "SMTP_URL=smtp://user:" + hush + "@mail.example.com"}
		if atStytch {
			environ = append(environ, "STYTCH_PROJECT_ID=project-test-1", "STYTCH_SECRET="+hush)
		}
		c, err := Load(Sources{
			Flags: given(t, "--"+s.Flag()+"="+text), Environ: environ,
			DotEnv: writeDotEnv(t, dotenv),
		})
		if err != nil {
			if strings.Contains(err.Error(), hush) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("the error contains a secret or several lines: %v", err)
			}
			return
		}
		var b strings.Builder
		if err := c.Print(&b); err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.Contains(b.String(), hush):
			t.Errorf("Print shows a secret:\n%s", b.String())
		case strings.HasSuffix(c.BaseURL.String(), "/"):
			t.Errorf("base URL ends in a slash: %s", c.BaseURL)
		case c.BaseURL.Scheme != "https" && !isLocalName(c.BaseURL.Hostname()):
			t.Errorf("public base URL without TLS: %s", c.BaseURL)
		case c.LocalMode() && !strings.HasPrefix(c.Addr, "127.") && !strings.HasPrefix(c.Addr, "[") && !strings.Contains(c.Addr, "localhost:"):
			t.Errorf("local mode listens on %s", c.Addr)
		case c.LocalStytch && !c.LocalMode() && c.SMTPURL == "":
			t.Error("the local Stytch serves the public without mail")
		case c.LocalStytch == (c.Stytch != Stytch{}):
			t.Errorf("LocalStytch is %t beside %+v", c.LocalStytch, c.Stytch)
		}
	})
}
