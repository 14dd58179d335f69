package proxy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seen is a request as the application sees it.
type seen struct {
	Method, Host, Target string
	Header               http.Header
}

// showRequest answers with the request.
func showRequest(w http.ResponseWriter, r *http.Request) {
	_ = json.NewEncoder(w).Encode(seen{r.Method, r.Host, r.RequestURI, r.Header})
}

func (a answer) seen(t *testing.T) seen {
	t.Helper()
	var s seen
	if err := json.Unmarshal([]byte(a.body), &s); err != nil {
		t.Fatalf("%d: %v: %s", a.StatusCode, err, a.body)
	}
	return s
}

func TestServe_AppSeesTheRequestAndTheIdentity(t *testing.T) {
	t.Parallel()
	s := start(t, showRequest)
	got := s.do("GET", "/a%2Fb/?q=1;2&x=%zz", http.Header{
		"Accept": {"text/html"}, "Accept-Encoding": {"br"}, "User-Agent": {"Firefox"}, "Referer": {"https://wiki.example.com/"},
		"Authorization": {"Bearer of the app"}, "Cookie": {"app=1; theme=dark"}, "X-Custom": {"kept"},
	}, nil).seen(t)
	want := seen{"GET", "wiki.example.com", "/a%2Fb/?q=1;2&x=%zz", http.Header{
		"Accept": {"text/html"}, "Accept-Encoding": {"br"}, "User-Agent": {"Firefox"}, "Referer": {"https://wiki.example.com/"},
		"Authorization": {"Bearer of the app"}, "Cookie": {"app=1; theme=dark"}, "X-Custom": {"kept"},
		"Remote-User": {"ada"}, "X-Guestlist-Jwt": {"signed"},
		"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Host": {"wiki.example.com"}, "X-Forwarded-Proto": {"https"}, "X-Real-Ip": {"203.0.113.9"},
		"Forwarded": {`for=203.0.113.9;host="wiki.example.com";proto=https`}, "Cdn-Loop": {"guestlist-people.example.com"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestServe_RequestTargetIsKept(t *testing.T) {
	t.Parallel()
	s := start(t, showRequest)
	for _, target := range []string{"/", "//double//slash", "/a/../b", "/%2e%2e/x", "/a;b=c", "/?", "/?a=b&&c", "/%E4%B8%96", "/a%20b?c%20d", "/a%00b", "/x?url=http://example.com/?a=b", "/guard/forward", "/healthz"} {
		conn, reader := s.dial()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: wiki.example.com\r\n\r\n", target)
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		var got seen
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil || got.Target != target {
			t.Errorf("%s: the app sees %q, %d, %v", target, got.Target, res.StatusCode, err)
		}
	}
}

func TestServe_HeadersThatOnlyGuestlistSetsAreRemoved(t *testing.T) {
	t.Parallel()
	s := start(t, showRequest)
	for _, name := range []string{
		"Remote-User", "remote-user", "REMOTE-USER", "Remote_User", "Remote.User", "Remote-Email", "Remote_Name", "Remote-Groups", "Remote-Anything", "RemoteUser", "Remote__User", "_Remote-User", "Remote-User-",
		"X-Guestlist-Jwt", "X_Guestlist_Jwt", "X.Guestlist.Jwt", "X-Guestlist_Jwt", "X-Guestlist-Token", "x_guestlist_token", "X-Guestlist-Anything",
		"Forwarded", "X-Forwarded-For", "X_Forwarded_For", "X.Forwarded.Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Uri", "X-Forwarded-Server", "X-Forwarded-Groups", "X-Forwarded-Access-Token",
		"X-Real-Ip", "X_Real_Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fly-Client-Ip", "X-Cluster-Client-Ip",
		"X-Original-Url", "X-Original-Uri", "X-Original-Method", "X-Original-Host", "X-Rewrite-Url", "X-Auth-Request-User", "X-Remote-User", "X-Webauth-User", "Proxy",
	} {
		res, err := s.raw("GET / HTTP/1.1\nHost: wiki.example.com\n" + name + ": forged\nX-Custom: kept\n\n")
		if err != nil {
			t.Fatal(err)
		}
		var got seen
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for header, values := range got.Header {
			if strings.Contains(strings.Join(values, " "), "forged") {
				t.Errorf("%s reaches the app as %s", name, header)
			}
		}
		if got.Header.Get("Remote-User") != "ada" || got.Header.Get("X-Custom") != "kept" {
			t.Errorf("%s: the app sees %v", name, got.Header)
		}
	}
}

func TestServe_ConnectionCannotRemoveTheIdentity(t *testing.T) {
	t.Parallel()
	s := start(t, showRequest)
	res, err := s.raw("GET / HTTP/1.1\nHost: wiki.example.com\nConnection: Remote-User, X-Guestlist-Jwt, X-Forwarded-For, X-Hop, close\nX-Hop: 1\nKeep-Alive: 5\nProxy-Authorization: secret\nProxy-Connection: x\nTe: trailers, deflate\n\n")
	if err != nil {
		t.Fatal(err)
	}
	var got seen
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Remote-User": "ada", "X-Guestlist-Jwt": "signed", "X-Forwarded-For": "203.0.113.9",
		"X-Hop": "", "Connection": "", "Keep-Alive": "", "Proxy-Authorization": "", "Proxy-Connection": "", "Te": "trailers", "Accept-Encoding": "", "User-Agent": "",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
}

func TestServe_VisitorsWithoutSessionHaveNoIdentity(t *testing.T) {
	t.Parallel()
	s := start(t, showRequest, func(o *options) { o.target.Identity = nil })
	got := s.do("GET", "/", http.Header{"Remote-User": {"root"}, "X-Guestlist-Jwt": {"forged"}}, nil).seen(t)
	if got.Header.Get("Remote-User") != "" || got.Header.Get("X-Guestlist-Jwt") != "" {
		t.Errorf("the app sees %v", got.Header)
	}
}

func TestServe_ForwardedDescribesIPv6AndPorts(t *testing.T) {
	t.Parallel()
	s := start(t, showRequest, func(o *options) {
		o.ClientIP = func(*http.Request) string { return "2001:db8::1" }
		o.target.URL = parse(t, "http://wiki.example.com:8080")
	})
	got := s.do("GET", "/", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, nil).seen(t)
	if got.Host != "wiki.example.com:8080" || got.Header.Get("X-Forwarded-For") != "2001:db8::1" || got.Header.Get("Forwarded") != `for="[2001:db8::1]";host="wiki.example.com:8080";proto=http` {
		t.Errorf("the app sees %+v", got)
	}
}

func TestServe_CredentialsOfGuestlistAreRemoved(t *testing.T) {
	t.Parallel()
	s := start(t, showRequest)
	for _, row := range []struct {
		name, header, sent, want string
	}{
		{"only the app's cookies", "Cookie", "a=1; b=2", "a=1; b=2"},
		{"ours in front", "Cookie", "__Host-guestlist-app=secret; a=1", "a=1"},
		{"ours at the end", "Cookie", "a=1;  b=\"2\" ; __Host-guestlist=secret", `a=1; b="2"`},
		{"only ours", "Cookie", "__Host-guestlist-app=secret", ""},
		{"ours twice, with other cases and spaces", "Cookie", "__HOST-guestlist=secret;\t__Host-guestlist-known =secret;a=1;guestlist-app=secret", "a=1"},
		{"similar names", "Cookie", "guestlist-apple=1; __Host-guestlist-x=2; xguestlist-app=3", "guestlist-apple=1; __Host-guestlist-x=2; xguestlist-app=3"},
		{"the value of a cookie without a name", "Cookie", "=guestlist-app=secret; a=1", "a=1"},
		{"no value", "Cookie", "a=1; guestlist-app", "a=1"},
		{"ours in quotes", "Cookie", `a="x; guestlist-app=secret"; b=1`, `a="x; b=1`},
		{"a token of Guestlist", "Authorization", "Bearer guestlist_secret", ""},
		{"a token of Guestlist in another case", "Authorization", "bEARER  guestlist_secret", ""},
		{"a token of Guestlist, written otherwise", "Authorization", "bEARER  guestlist_app_secret", ""},
		{"the app's token", "Authorization", "Bearer eyJ", "Bearer eyJ"},
		{"the app's password", "Authorization", "Basic Z3Vlc3RsaXN0Xw==", "Basic Z3Vlc3RsaXN0Xw=="},
		{"a token for the app", "X-Guestlist-Token", "guestlist_secret", ""},
	} {
		got := s.do("GET", "/", http.Header{row.header: {row.sent}}, nil).seen(t)
		if value := strings.Join(got.Header[row.header], " | "); value != row.want {
			t.Errorf("%s: the app sees %q, want %q", row.name, value, row.want)
		}
	}
	got := s.do("GET", "/", http.Header{"Cookie": {"a=1", "guestlist-app=secret", "b=2"}}, nil).seen(t)
	if diff := cmp.Diff([]string{"a=1", "b=2"}, got.Header["Cookie"]); diff != "" {
		t.Errorf("several lines: %s", diff)
	}
}

func TestServe_AppsCannotSetOurCookies(t *testing.T) {
	t.Parallel()
	set := []string{
		"a=1; Path=/; HttpOnly", "guestlist-app=x", "__HOST-Guestlist-App=x; Secure", " guestlist-app =x", "=guestlist-app=x", "__Host-guestlist=; Max-Age=0", "guestlist-apple=1",
	}
	want := []string{"a=1; Path=/; HttpOnly", "guestlist-apple=1"}
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"] = set
		if r.URL.Path == "/hints" {
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Set-Cookie")
		}
		w.Header().Set("X-Custom", "kept")
		w.Header().Set("Content-Security-Policy", "the app's")
	})
	a := s.do("GET", "/", nil, nil)
	if diff := cmp.Diff(want, a.Header["Set-Cookie"]); diff != "" {
		t.Error(diff)
	}
	if a.Header.Get("X-Custom") != "kept" || a.Header.Get("Content-Security-Policy") != "the app's" {
		t.Errorf("headers: %v", a.Header)
	}
	res, err := s.raw("GET /hints HTTP/1.1\nHost: wiki.example.com\n\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, res.Header["Set-Cookie"]); res.StatusCode != http.StatusEarlyHints || diff != "" {
		t.Errorf("%d %s", res.StatusCode, diff)
	}
}

func TestServe_ResponsesHaveOnlyTheAppsHeaders(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.Header().Set("Content-Encoding", "br")
		w.Header().Set("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
		w.Write([]byte("compressed by the app"))
	})
	a := s.do("GET", "/", nil, nil)
	want := http.Header{"Content-Encoding": {"br"}, "Date": {"Thu, 01 Jan 2026 00:00:00 GMT"}, "Content-Length": {"21"}, "Content-Type": {"text/plain; charset=utf-8"}}
	want.Del("Content-Type") // Go doesn't guess the type of encoded content
	if diff := cmp.Diff(want, a.Header); diff != "" || a.body != "compressed by the app" {
		t.Errorf("%q %s", a.body, diff)
	}
}
