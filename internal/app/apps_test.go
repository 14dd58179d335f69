package app

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/config"
)

func TestParseApps(t *testing.T) {
	t.Parallel()
	cfg := config.Config{BaseURL: &url.URL{Scheme: "https", Host: "people.example.com"}, Addr: "127.0.0.1:8080"}
	cfg.Apps = []config.AppSetting{
		{URL: "https://Wiki.example.com", Upstream: "http://127.0.0.1:3000"}, {URL: "https://www.example.com"},
		{URL: "http://localhost:3000"}, {URL: "https://192.0.2.1:8443"}, {URL: "https://bücher.example"},
	}
	inputs, err := ParseApps(cfg)
	want := []apps.Input{
		{Name: "Wiki", URL: "https://Wiki.example.com", Upstream: "http://127.0.0.1:3000", Audience: "everyone"},
		{Name: "www.example.com", URL: "https://www.example.com", Audience: "everyone"},
		{Name: "localhost:3000", URL: "http://localhost:3000", Audience: "everyone"},
		{Name: "192.0.2.1:8443", URL: "https://192.0.2.1:8443", Audience: "everyone"},
		{Name: "xn--bcher-kva.example", URL: "https://bücher.example", Audience: "everyone"},
	}
	if diff := cmp.Diff(want, inputs); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

func TestParseApps_Refused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		apps []config.AppSetting
		want string
	}{
		{"a path", []config.AppSetting{{URL: "https://wiki.example.com/x"}}, `GUESTLIST_APPS can't have the app "https://wiki.example.com/x": Write the address as https://wiki.example.com, without a path.`},
		{"Guestlist's own host", []config.AppSetting{{URL: "https://people.example.com"}}, `GUESTLIST_APPS can't have the app "https://people.example.com": This is Guestlist’s own address. Give the app a host of its own, or set GUESTLIST_BASE_URL to a path below this one, such as https://people.example.com/people.`},
		{"Guestlist as the upstream", []config.AppSetting{{URL: "https://wiki.example.com", Upstream: "http://127.0.0.1:8080"}}, "GUESTLIST_APPS can't pass on requests for https://wiki.example.com as written after ->: This is Guestlist itself. Write where the app listens."},
		{"a password", []config.AppSetting{{URL: "https://wiki.example.com", Upstream: "http://user:hush@127.0.0.1:3000"}}, "GUESTLIST_APPS can't pass on requests for https://wiki.example.com as written after ->: Leave out the user name and password."},
		{"one host twice", []config.AppSetting{{URL: "https://wiki.example.com"}, {URL: "https://WIKI.example.com:443"}}, "GUESTLIST_APPS names wiki.example.com twice"},
	} {
		cfg := config.Config{BaseURL: &url.URL{Scheme: "https", Host: "people.example.com"}, Addr: "127.0.0.1:8080", Apps: row.apps}
		if _, err := ParseApps(cfg); err == nil || err.Error() != row.want {
			t.Errorf("%s:\n%v\nwant:\n%s", row.name, err, row.want)
		}
	}
}
