package peers

import (
	"regexp"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/doctor"
)

// The doctor finds configurations with one mistake, and says in which part of the config it is.
func TestDoctor_FindsWrongConfigs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		start func(testing.TB, addresses, certificate, func(string) string)
		// The lines that match wrong are replaced.
		wrong, by     string
		check, action string
	}{
		{"Caddy doesn't ask", startCaddyWith, `(?s)\tforward_auth .*?\n\t\}\n`, "", "proxy", "docs/protect-a-tool.md"},
		{"Caddy doesn't overwrite a header", startCaddyWith, ` Remote-Email`, "", "identity", "copy_headers Remote-User Remote-Email"},
		{"Caddy trusts visitors", startCaddyWith, `uri /guard/forward\n`, "uri /guard/forward\n\t\theader_up X-Forwarded-For {header.X-Forwarded-For}\n", "visitor", "trusted_proxies"},
		{"Traefik doesn't ask", startTraefikWith, `(?m)^ +middlewares:\n +- guestlist\n`, "", "proxy", "docs/protect-a-tool.md"},
		{"Traefik doesn't overwrite a header", startTraefikWith, `(?m)^ +- Remote-Email\n`, "", "identity", "authResponseHeaders"},
		{"Traefik trusts visitors", startTraefikWith, `(?m)^( +)address: (":443"|http://\S+/guard/forward)\n`, "${1}address: $2\n${1}TRUST\n", "address", "trustForwardHeader"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			pattern, changed := regexp.MustCompile(row.wrong), false
			start := func(t testing.TB, to addresses, c certificate) {
				row.start(t, to, c, func(text string) string {
					edited := pattern.ReplaceAllString(text, row.by)
					trust := "forwardedHeaders: {insecure: true}"
					if strings.Contains(text, "/guard/forward") {
						trust = "trustForwardHeader: true"
					}
					changed = changed || edited != text
					return strings.ReplaceAll(edited, "TRUST", trust)
				})
			}
			w := newWorld(t, proxy{row.name, start}, settings{})
			if !changed {
				t.Fatal("nothing was changed")
			}
			app, err := w.site.App.Apps.Find(t.Context(), "Wiki")
			if err != nil {
				t.Fatal(err)
			}
			var found []diagnostic.Finding
			doctor.RunApp(t.Context(), doctor.AppOptions{
				App: app, BaseURL: w.site.Config.BaseURL, Upstream: "http://" + w.to.wiki, Token: w.appToken("Wiki"), Transport: w.certificate.transport(w.to.proxy),
			}, func(f diagnostic.Finding) { found = append(found, f) })
			for _, f := range found {
				if f.Check == row.check && (f.Status != diagnostic.Problem || !strings.Contains(f.Action, row.action)) {
					t.Errorf("%s: %s %s %q, want a problem and %q", f.Check, f.Status, f.Text, f.Action, row.action)
				}
			}
			if len(found) < 5 || t.Failed() {
				t.Errorf("%+v", found)
			}
		})
	}
}
