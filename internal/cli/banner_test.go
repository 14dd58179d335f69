package cli

import (
	"net"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/guestlist/guestlist/internal/config"
)

func TestBanner_InboxURL(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, want string
		flags      []string
	}{
		{"by itself", "http://localhost:8080", nil},
		{"another port", "http://localhost:9000", []string{"--port=9000"}},
		{"an address", "http://127.0.0.1:9000", []string{"--guestlist-addr=127.0.0.1:9000", "--guestlist-base-url=http://127.0.0.1:9000"}},
		{"below a path", "http://localhost:9000", []string{"--port=9000", "--guestlist-base-url=http://localhost:9000/people"}},
		{"behind a proxy with TLS", "http://127.0.0.1:9000", []string{"--guestlist-addr=127.0.0.1:9000", "--guestlist-base-url=https://localhost/people"}},
		{"behind a proxy", "http://[::1]:9000", []string{"--guestlist-addr=[::1]:9000", "--guestlist-base-url=http://localhost"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			given := map[string]string{}
			flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
			config.AddFlags(flags, given)
			if err := flags.Parse(row.flags); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Load(config.Sources{Flags: given})
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			printBanner(&out, cfg, &net.TCPAddr{}, "abc", "")
			if want := row.want + "/dev/inbox?key=abc\n"; !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%s", want, &out)
			}
		})
	}
}

func TestBanner_DemoApp(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	for _, demoURL := range []string{"http://demo.localhost:8080", ""} {
		var out strings.Builder
		printBanner(&out, cfg, &net.TCPAddr{}, "abc", demoURL)
		if strings.Contains(out.String(), "  Demo app:   http://demo.localhost:8080\n") != (demoURL != "") || strings.Contains(out.String(), "Open the demo app") != (demoURL != "") {
			t.Errorf("with %q:\n%s", demoURL, &out)
		}
	}
}

func TestBanner_Apps(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(config.Sources{Environ: []string{"GUESTLIST_APPS=http://tool.localhost:8080->http://127.0.0.1:3000, http://wiki.localhost:8080"}})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	printBanner(&out, cfg, &net.TCPAddr{}, "abc", "")
	if want := "  App:        http://tool.localhost:8080 -> http://127.0.0.1:3000\n  App:        http://wiki.localhost:8080\n"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, &out)
	}
}
