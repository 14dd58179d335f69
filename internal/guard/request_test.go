package guard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// header returns a header from pairs of names and values.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestRequest_IsPage(t *testing.T) {
	t.Parallel()
	const html = "text/html,application/xhtml+xml,*/*;q=0.8"
	navigation := []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Accept", html}
	with := func(more ...string) []string { return append(append([]string{}, navigation...), more...) }
	for name, row := range map[string]struct {
		method  string
		headers []string
		want    bool
	}{
		"a navigation":                        {"GET", navigation, true},
		"HEAD":                                {"HEAD", navigation, true},
		"without a destination":               {"GET", []string{"Sec-Fetch-Mode", "navigate"}, true},
		"an older browser":                    {"GET", []string{"Accept", html}, true},
		"an older browser in capitals":        {"GET", []string{"Accept", "TEXT/HTML"}, true},
		"a form":                              {"POST", navigation, false},
		"PUT":                                 {"PUT", navigation, false},
		"OPTIONS":                             {"OPTIONS", navigation, false},
		"no headers":                          {"GET", nil, false},
		"curl":                                {"GET", []string{"Accept", "*/*"}, false},
		"a frame":                             {"GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", "Accept", html}, false},
		"an image":                            {"GET", []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, false},
		"fetch for HTML":                      {"GET", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Accept", "text/html"}, false},
		"a mode alone":                        {"GET", []string{"Sec-Fetch-Mode", "cors", "Accept", html}, false},
		"a destination alone":                 {"GET", []string{"Sec-Fetch-Dest", "document", "Accept", html}, false},
		"XMLHttpRequest":                      {"GET", with("X-Requested-With", "XMLHttpRequest"), false},
		"an older XMLHttpRequest":             {"GET", []string{"X-Requested-With", "XMLHttpRequest", "Accept", html}, false},
		"a WebSocket":                         {"GET", with("Sec-WebSocket-Key", "x"), false},
		"a WebSocket without Upgrade":         {"GET", []string{"Sec-Websocket-Key", "x", "Accept", html}, false},
		"an event stream":                     {"GET", []string{"Accept", "text/event-stream"}, false},
		"an event stream that accepts HTML":   {"GET", []string{"Accept", "text/event-stream, text/html"}, false},
		"an event stream of a newer browser":  {"GET", []string{"Accept", "text/event-stream", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, false},
		"a health check":                      {"GET", []string{"User-Agent", "GoogleHC/1.0"}, false},
		"a preflight":                         {"OPTIONS", []string{"Origin", "https://x.example", "Access-Control-Request-Method", "GET"}, false},
		"a method in another case":            {"get", navigation, false},
		"an upgrade to something else":        {"GET", with("Upgrade", "h2c", "Connection", "Upgrade"), true},
		"an emptied header of XMLHttpRequest": {"GET", with("X-Requested-With", ""), false},
	} {
		if got := (Request{Method: row.method, Header: header(row.headers...)}).isPage(); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReadCredential(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("A", 52), strings.Repeat("B", 52)
	token := "guestlist_app_" + strings.Repeat("C", 52)
	for name, row := range map[string]struct {
		headers []string
		want    credential
	}{
		"nothing":                        {nil, credential{plain: true}},
		"a secure cookie":                {[]string{"Cookie", "x=1; __Host-guestlist-app=" + a + "; y=2"}, credential{cookie: a}},
		"a plain cookie":                 {[]string{"Cookie", "guestlist-app=" + a}, credential{cookie: a, plain: true}},
		"both":                           {[]string{"Cookie", "guestlist-app=" + b + "; __Host-guestlist-app=" + a}, credential{cookie: a}},
		"two plain ones":                 {[]string{"Cookie", "guestlist-app=" + a + "; guestlist-app=" + b}, credential{cookie: a, plain: true}},
		"two headers":                    {[]string{"Cookie", "x=1", "Cookie", "__Host-guestlist-app=" + a}, credential{cookie: a}},
		"no spaces":                      {[]string{"Cookie", "x=1;__Host-guestlist-app=" + a}, credential{cookie: a}},
		"a malformed one first":          {[]string{"Cookie", "__Host-guestlist-app=x; __Host-guestlist-app=" + a}, credential{cookie: a}},
		"quoted":                         {[]string{"Cookie", `__Host-guestlist-app="` + a + `"`}, credential{plain: true}},
		"too short":                      {[]string{"Cookie", "__Host-guestlist-app=" + a[1:]}, credential{plain: true}},
		"lower case":                     {[]string{"Cookie", "__Host-guestlist-app=" + strings.ToLower(a)}, credential{plain: true}},
		"a name in another case":         {[]string{"Cookie", "__host-guestlist-app=" + a}, credential{plain: true}},
		"the name of another":            {[]string{"Cookie", "x__Host-guestlist-app=" + a + "; guestlist-app2=" + a}, credential{plain: true}},
		"Guestlist's own cookie":         {[]string{"Cookie", "__Host-guestlist=" + a}, credential{plain: true}},
		"a nameless cookie":              {[]string{"Cookie", "=__Host-guestlist-app=" + a}, credential{plain: true}},
		"a token":                        {[]string{"X-Guestlist-Token", token, "Cookie", "guestlist-app=" + a}, credential{token: token}},
		"a bearer token":                 {[]string{"Authorization", "Bearer " + token}, credential{token: token}},
		"a bearer token in another case": {[]string{"Authorization", "bearer  " + token}, credential{token: token}},
		"the app's own bearer token":     {[]string{"Authorization", "Bearer xyz", "Cookie", "__Host-guestlist-app=" + a}, credential{cookie: a}},
		"an API token":                   {[]string{"Authorization", "Bearer guestlist_abc"}, credential{plain: true}},
		"another scheme":                 {[]string{"Authorization", "Basic " + token}, credential{plain: true}},
		"two tokens are none":            {[]string{"X-Guestlist-Token", token, "X-Guestlist-Token", token}, credential{token: token + "?"}},
		"an empty token with a cookie":   {[]string{"X-Guestlist-Token", "", "Cookie", "__Host-guestlist-app=" + a}, credential{cookie: a}},
	} {
		if got := readCredential(header(row.headers...)); got != row.want {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
	}
}

func TestReadCredential_AllocatesNothing(t *testing.T) {
	h := header("Cookie", "a=1; b=2; __Host-guestlist-app="+strings.Repeat("A", 52)+"; c=3", "Authorization", "Basic x")
	if n := testing.AllocsPerRun(100, func() { readCredential(h) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFromRequest_Target(t *testing.T) {
	t.Parallel()
	for requested, want := range map[string]string{
		"/a%2Fb/../c?d=%20e":            "/a%2Fb/../c?d=%20e",
		"//evil.example/x":              "//evil.example/x",
		"http://wiki.example.com/a%2Fb": "/a%2Fb",
		"http://wiki.example.com?x":     "?x",
		"/?":                            "/?",
	} {
		r := httptest.NewRequest("GET", requested, nil)
		if got := FromRequest(r, "https", Request{}.Browser).Target; got != want {
			t.Errorf("%s: %q, want %q", requested, got, want)
		}
	}
}
