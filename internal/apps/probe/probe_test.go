package probe

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
)

var people = &url.URL{Scheme: "https", Host: "people.example.com"}

// app returns an app at the address of a test server.
func app(t *testing.T, address string) apps.App {
	t.Helper()
	scheme, host, err := apps.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	return apps.App{ID: "app-1", Name: "Wiki", Scheme: scheme, Host: host}
}

func TestRun_JudgesTheResponse(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		status int
		header []string
		body   string
		want   Finding
	}{
		{"Guestlist, as a page", 303, []string{"Location", "https://people.example.com/enter/report?r=x"}, "", Reached},
		{"Guestlist, as the proxy", 200, nil, `{"app":"app-1","decision":"not_signed_in","user":null}`, Reached},
		{"a report about another app", 200, nil, `{"app":"app-2"}`, NotGuestlist},
		{"a proxy that doesn't say what it asks about", 400, nil, "", BadRequest},
		{"Guestlist, to a program", 401, []string{"X-Guestlist-Sign-In", "https://people.example.com/enter?t=x"}, "", Reached},
		{"Guestlist, by nginx", 302, []string{"Location", "https://people.example.com/enter?t=x"}, "", Reached},
		{"another Guestlist", 401, []string{"X-Guestlist-Sign-In", "https://people.example.org/enter?t=x"}, "", NotGuestlist},
		{"a host that begins like it", 302, []string{"Location", "https://people.example.com.evil.example/enter?t=x"}, "", Redirected},
		{"the app itself", 200, nil, "", NotGuestlist},
		{"the app itself, without such a page", 404, nil, "", NotGuestlist},
		{"another sign-in", 401, nil, "", NotGuestlist},
		{"a redirect to https", 301, []string{"Location", "https://wiki.example.com/"}, "", Redirected},
		{"Guestlist's own page", 308, []string{"Location", "https://people.example.com/.guestlist/me"}, "", HostLost},
		{"a proxy that can't reach Guestlist", 500, nil, "", ProxyFailed},
		{"a bad gateway", 502, nil, "", ProxyFailed},
		{"a proxy that isn't trusted", 403, nil, "", NotAllowed},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != "GET" || r.URL.Path != path || r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" {
				t.Errorf("%s: asked %s %s with %v", row.name, r.Method, r.URL, r.Header)
			}
			for i := 0; i < len(row.header); i += 2 {
				w.Header().Set(row.header[i], row.header[i+1])
			}
			w.WriteHeader(row.status)
			io.WriteString(w, row.body)
		}))
		if got := Run(t.Context(), app(t, s.URL), people); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
		s.Close()
	}
}

func TestRun_FollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer inside.Close()
	s := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	defer s.Close()
	if got := Run(t.Context(), app(t, s.URL), people); got != Redirected || visits.Load() != 0 {
		t.Errorf("%s, %d visits of the target", got, visits.Load())
	}
}

func TestRun_ReportsFaultsOfTheNetwork(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(plain.URL, "http://"))
	for _, row := range []struct {
		name, address string
		want          Finding
	}{
		{"nothing listens", "http://" + closed.Addr().String(), Refused},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), NotHTTPS},
		{"an unknown certificate", untrusted.URL, Certificate},
		{"the metadata service of a cloud", "http://169.254.169.254", Forbidden},
		{"the same, written as IPv6", "http://[::ffff:169.254.169.254]", Forbidden},
		{"a link-local address", "http://[fe80::1]", Forbidden},
		{"the metadata service of another cloud", "http://100.100.100.200", Forbidden},
		{"a metadata service in a network with IPv6 only", "http://[64:ff9b::a9fe:a9fe]", Forbidden},
		{"no address", "http://0.0.0.0:" + port, Forbidden},
		{"a name below localhost", "http://wiki.localhost:" + port, NotGuestlist},
	} {
		if got := Run(t.Context(), app(t, row.address), people); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

func TestMessage_SaysWhatToDo(t *testing.T) {
	t.Parallel()
	a := app(t, "https://wiki.example.com")
	seen := map[string]Finding{}
	for _, f := range []Finding{
		Reached, NoAddress, Forbidden, Refused, TimedOut, Certificate, NotHTTPS, Unreachable, Redirected, HostLost, BadRequest, ProxyFailed, NotAllowed, NotGuestlist,
	} {
		text := f.Message(a)
		if other, found := seen[text]; found {
			t.Errorf("%s and %s have one message", f, other)
		}
		seen[text] = f
		if f != Reached && !strings.HasSuffix(text, "Then test again.") {
			t.Errorf("%s: no next step: %s", f, text)
		}
	}
}
