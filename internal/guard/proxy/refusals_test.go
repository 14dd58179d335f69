package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestServe_MalformedRequestsDontReachTheApp(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	s := start(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1) })
	const host = "Host: wiki.example.com\n"
	for _, row := range []struct {
		name, request string
		status        int
	}{
		{"two lengths", "POST / HTTP/1.1\n" + host + "Content-Length: 3\nContent-Length: 4\n\nabc", 400},
		{"a list of lengths", "POST / HTTP/1.1\n" + host + "Content-Length: 3, 4\n\nabc", 400},
		{"a signed length", "POST / HTTP/1.1\n" + host + "Content-Length: +3\n\nabc", 400},
		{"an unknown transfer coding", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: xchunked\n\n0\n\n", 501},
		{"two transfer codings", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: gzip, chunked\n\n0\n\n", 501},
		{"two Transfer-Encoding headers", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: chunked\nTransfer-Encoding: identity\n\n0\n\n", 501},
		{"a vertical tab in the coding", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: \vchunked\n\n0\n\n", 400},
		{"a space before the colon", "POST / HTTP/1.1\n" + host + "Transfer-Encoding : chunked\n\n0\n\n", 400},
		{"a space in a name", "GET / HTTP/1.1\n" + host + "Remote User: root\n\n", 400},
		{"a null in a value", "GET / HTTP/1.1\n" + host + "X-A: a\x00b\n\n", 400},
		{"no host", "GET / HTTP/1.1\n\n", 400},
		{"two hosts", "GET / HTTP/1.1\n" + host + "Host: people.example.com\n\n", 400},
		{"a space in the host", "GET / HTTP/1.1\nHost: wiki.example.com people.example.com\n\n", 400},
		{"a space in the target", "GET /a b HTTP/1.1\n" + host + "\n", 400},
		{"another protocol", "GET / HTTP/3.0\n" + host + "\n", 505},
		{"the target *", "GET * HTTP/1.1\n" + host + "\n", 400},
		{"CONNECT", "CONNECT 127.0.0.1:22 HTTP/1.1\n" + host + "\n", 405},
		{"TRACE", "TRACE / HTTP/1.1\n" + host + "\n", 405},
		{"an upgrade in another script", "GET / HTTP/1.1\n" + host + "Connection: Upgrade\nUpgrade: webſocket\n\n", 400},
		{"very long headers", "GET / HTTP/1.1\n" + host + "X-A: " + strings.Repeat("a", 64<<10) + "\n\n", 431},
	} {
		res, err := s.raw(row.request)
		if err != nil || res.StatusCode != row.status {
			t.Errorf("%s: %v, %v; want %d", row.name, res, err, row.status)
		}
	}
	if n := requests.Load(); n > 0 {
		t.Errorf("%d requests reached the app", n)
	}
}

// TestServe_AmbiguousRequestsArriveWithOneMeaning sends requests that Go accepts. The app
// must see them as Go does.
func TestServe_AmbiguousRequestsArriveWithOneMeaning(t *testing.T) {
	t.Parallel()
	head := make(chan string, 10)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			n, _ := conn.Read(buf)
			head <- string(buf[:n])
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			conn.Close()
		}
	}()
	s := startAt(t, "http://"+listener.Addr().String())
	for _, row := range []struct{ name, request, has, hasNot string }{
		{"a length and chunks", "POST / HTTP/1.1\nHost: wiki.example.com\nContent-Length: 40\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n", "Transfer-Encoding: chunked", "Content-Length"},
		{"the same length twice", "POST / HTTP/1.1\nHost: wiki.example.com\nContent-Length: 3\nContent-Length: 3\n\nabc", "Content-Length: 3\r\n", "Content-Length: 3\r\nContent-Length"},
		{"an absolute target with another host", "GET http://people.example.com/x HTTP/1.1\nHost: wiki.example.com\n\n", "GET /x HTTP/1.1\r\nHost: wiki.example.com\r\n", "people.example.com/x"},
		{"a folded header", "GET / HTTP/1.1\nHost: wiki.example.com\nX-A: a\n b\n\n", "X-A: a b\r\n", "\n b"},
	} {
		res, err := s.raw(row.request)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %v, %v", row.name, res, err)
			continue
		}
		if text := <-head; !strings.Contains(text, row.has) || strings.Contains(text, row.hasNot) {
			t.Errorf("%s: the app gets %q", row.name, text)
		}
	}
}

func TestServe_UpstreamProblems(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	selfSigned := httptest.NewUnstartedServer(nil)
	selfSigned.Config.ErrorLog = log.New(io.Discard, "", 0)
	selfSigned.StartTLS()
	t.Cleanup(selfSigned.Close)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server notices the end of the connection
		<-r.Context().Done()
	}))
	t.Cleanup(hanging.Close)
	t.Cleanup(hanging.CloseClientConnections)
	rude := listenAndSay(t, "")
	gibberish := listenAndSay(t, "SSH-2.0-OpenSSH\r\n")
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for _, row := range []struct {
		name, upstream string
		status         int
		json, text     string
	}{
		{"nothing listens", closed.URL, 502, "app unreachable", "Wiki isn’t answering"},
		{"no such name", "http://nothing.invalid", 502, "app unreachable", "Wiki isn’t answering"},
		{"it hangs up", rude, 502, "app unreachable", "It may be restarting."},
		{"it speaks another protocol", gibberish, 502, "app unreachable", "It may be restarting."},
		{"it doesn't answer", hanging.URL, 504, "app timed out", "Wiki is taking too long"},
		{"its certificate is unknown", selfSigned.URL, 502, "app's certificate is invalid", "check its certificate"},
		{"it doesn't speak TLS", strings.Replace(plain.URL, "http:", "https:", 1), 502, "app's certificate is invalid", "check its certificate"},
		{"a metadata address", "http://169.254.169.254", 502, "app's upstream is not allowed", "an address that we don’t connect to"},
		{"a link-local address", "http://[fe80::1%25lo]:80", 502, "app's upstream is not allowed", "an address that we don’t connect to"},
		{"a metadata address as IPv6", "http://[::ffff:169.254.169.254]", 502, "app's upstream is not allowed", "an address that we don’t connect to"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := startAt(t, row.upstream, func(o *options) { o.Timeouts.Response = 300 * time.Millisecond })
			a := s.do("GET", "/", http.Header{"Accept": {"text/html"}}, nil)
			if a.StatusCode != row.status || !strings.Contains(a.body, row.text) || !strings.Contains(a.body, "still signed in") || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("the page: %d %v %s", a.StatusCode, a.Header, a.body)
			}
			a = s.do("GET", "/", nil, nil)
			if want := fmt.Sprintf("{%q:%q}\n", "error", row.json); a.StatusCode != row.status || a.body != want {
				t.Errorf("for programs: %d %s, want %s", a.StatusCode, a.body, want)
			}
			a = s.do("POST", "/", http.Header{"Accept": {"text/html"}}, strings.NewReader("x"))
			if !strings.Contains(a.body, "before you repeat it") {
				t.Errorf("after a POST: %s", a.body)
			}
			if !strings.Contains(s.log.String(), "an app didn't answer") {
				t.Errorf("the log says %q", s.log)
			}
		})
	}
}

// listenAndSay starts a server that answers every connection with text and closes it.
func listenAndSay(t *testing.T, text string) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, text)
			conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestServe_RefusedAddressesAreCheckedAfterResolving(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	t.Cleanup(app.Close)
	named := strings.Replace(app.URL, "127.0.0.1", "localhost", 1)
	s := startAt(t, named, func(o *options) {
		o.Refuse = func(addr netip.AddrPort) error {
			if addr.Addr().IsLoopback() && strings.HasSuffix(app.URL, fmt.Sprint(":", addr.Port())) {
				return errors.New("this is Guestlist itself")
			}
			return nil
		}
	})
	if a := s.do("GET", "/", nil, nil); a.StatusCode != http.StatusBadGateway || requests.Load() > 0 {
		t.Errorf("%d, %d requests", a.StatusCode, requests.Load())
	}
	if !strings.Contains(s.log.String(), "this is Guestlist itself") {
		t.Errorf("the log says %q", s.log)
	}
}

func TestServe_Loops(t *testing.T) {
	t.Parallel()
	s := start(t, showRequest)
	for value, want := range map[string]int{
		"guestlist-people.example.com": 508, "other, guestlist-people.example.com; v=1": 508,
		"guestlist-people.example.org": 200, "other": 200,
	} {
		if a := s.do("GET", "/", http.Header{"Cdn-Loop": {value}}, nil); a.StatusCode != want {
			t.Errorf("%q: %d %s", value, a.StatusCode, a.body)
		}
	}
}

func TestServe_BrokenUploadIsNotTheAppsFault(t *testing.T) {
	t.Parallel()
	s := start(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	res, err := s.raw("POST / HTTP/1.1\nHost: wiki.example.com\nTransfer-Encoding: chunked\n\nnot a chunk\n")
	if err != nil || res.StatusCode != http.StatusBadRequest {
		t.Errorf("%v, %v", res, err)
	}
	if text := s.log.String(); text != "" {
		t.Errorf("the log says: %s", text)
	}
}
