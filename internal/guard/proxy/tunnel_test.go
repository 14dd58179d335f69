package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// echo is an application with a WebSocket that returns each message.
func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat"}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(-1)
	for {
		kind, message, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if string(message) == "bye" {
			conn.Close(websocket.StatusNormalClosure, "bye")
			return
		}
		if err := conn.Write(r.Context(), kind, message); err != nil {
			return
		}
	}
}

func (s *site) openWebSocket() *websocket.Conn {
	s.t.Helper()
	conn, res, err := websocket.Dial(s.t.Context(), s.url+"/ws", &websocket.DialOptions{
		HTTPHeader:   http.Header{"Origin": {"https://wiki.example.com"}, "Cookie": {"guestlist-app=secret; a=1"}},
		Subprotocols: []string{"chat"}, CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		s.t.Fatalf("%v, %v", err, res)
	}
	s.t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(-1)
	return conn
}

func exchangeMessage(ctx context.Context, conn *websocket.Conn, message []byte) error {
	if err := conn.Write(ctx, websocket.MessageBinary, message); err != nil {
		return err
	}
	_, back, err := conn.Read(ctx)
	if err == nil && !bytes.Equal(back, message) {
		err = fmt.Errorf("%d bytes came back of %d", len(back), len(message))
	}
	return err
}

func TestWebSocket_MessagesOfAllSizes(t *testing.T) {
	t.Parallel()
	s := start(t, echo)
	conn := s.openWebSocket()
	if conn.Subprotocol() != "chat" {
		t.Errorf("subprotocol %q", conn.Subprotocol())
	}
	for _, size := range []int{0, 1, 125, 126, 500, 511, 512, 513, 1 << 15, 1<<15 + 512, 65535, 65536, 5 << 20} {
		message, _ := io.ReadAll(io.LimitReader(&pattern{at: size}, int64(size)))
		if err := exchangeMessage(t.Context(), conn, message); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
	}
	time.Sleep(longerThanLimits) // the listener's limits would close it
	if err := exchangeMessage(t.Context(), conn, []byte("still here")); err != nil {
		t.Error(err)
	}
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("bye")); err != nil {
		t.Fatal(err)
	}
	_, _, err := conn.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("the app's close frame doesn't arrive: %v", err)
	}
}

func TestWebSocket_ManyAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, echo)
	var all sync.WaitGroup
	for i := range 50 {
		conn := s.openWebSocket()
		all.Go(func() {
			for size := range 20 {
				if err := exchangeMessage(t.Context(), conn, bytes.Repeat([]byte{byte(i)}, size*700)); err != nil {
					t.Errorf("%d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestWebSocket_MessageSentBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly answer")
		_, _ = io.Copy(conn, buffered)
	})
	conn, reader := s.dial()
	fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: wiki.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly message")
	if res, err := http.ReadResponse(reader, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", res, err)
	}
	const want = "early answerearly message"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWebSocket_UpgradeCarriesTheIdentityAndNoCredential(t *testing.T) {
	t.Parallel()
	var header atomic.Pointer[http.Header]
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		header.Store(&r.Header)
		w.Header()["Set-Cookie"] = []string{"guestlist-app=x", "b=2"}
		echo(w, r)
	})
	conn, res, err := websocket.Dial(t.Context(), s.url, &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {"guestlist-app=secret; a=1"}, "Remote_user": {"root"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	h := *header.Load()
	if h.Get("Remote-User") != "ada" || h["Remote_user"] != nil || h.Get("Cookie") != "a=1" || h.Get("X-Forwarded-Proto") != "https" {
		t.Errorf("the app sees %v", h)
	}
	if got := res.Header["Set-Cookie"]; len(got) != 1 || got[0] != "b=2" {
		t.Errorf("the visitor gets %q", got)
	}
}

func TestWebSocket_RefusalOfTheAppIsPassedOn(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "not today", http.StatusForbidden) })
	_, res, err := websocket.Dial(t.Context(), s.url, nil)
	if err == nil || res == nil || res.StatusCode != http.StatusForbidden {
		t.Fatalf("%v, %v", res, err)
	}
	if body, _ := io.ReadAll(res.Body); string(body) != "not today\n" {
		t.Errorf("%q", body)
	}
}

func TestUpgrade_OnlyWebSocketsArePassedOn(t *testing.T) {
	t.Parallel()
	var upgrade atomic.Value
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		upgrade.Store(r.Header.Get("Upgrade") + r.Header.Get("Connection") + r.Header.Get("Http2-Settings"))
		fmt.Fprint(w, "plain")
	})
	for _, row := range []struct{ name, request string }{
		{"h2c", "GET / HTTP/1.1\nHost: wiki.example.com\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\n\n"},
		{"two protocols", "GET / HTTP/1.1\nHost: wiki.example.com\nConnection: Upgrade\nUpgrade: websocket, h2c\n\n"},
		{"TLS", "OPTIONS / HTTP/1.1\nHost: wiki.example.com\nConnection: Upgrade\nUpgrade: TLS/1.0\n\n"},
		{"a WebSocket by POST", "POST / HTTP/1.1\nHost: wiki.example.com\nConnection: Upgrade\nUpgrade: websocket\nContent-Length: 0\n\n"},
		{"a WebSocket with a body", "GET / HTTP/1.1\nHost: wiki.example.com\nConnection: Upgrade\nUpgrade: websocket\nContent-Length: 1\n\nx"},
		{"Upgrade alone", "GET / HTTP/1.1\nHost: wiki.example.com\nUpgrade: websocket\n\n"},
	} {
		res, err := s.raw(row.request)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK || string(body) != "plain" || upgrade.Load() != "" {
			t.Errorf("%s: %d %q, the app sees %q", row.name, res.StatusCode, body, upgrade.Load())
		}
	}
}

func TestUpgrade_AppThatSwitchesUnasked(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		protocol := strings.TrimPrefix(r.URL.Path, "/")
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol)
	})
	for _, request := range []string{
		"GET /websocket HTTP/1.1\nHost: wiki.example.com\n\n",
		"GET /h2c HTTP/1.1\nHost: wiki.example.com\nConnection: Upgrade\nUpgrade: websocket\n\n",
	} {
		if res, err := s.raw(request); err != nil || res.StatusCode != http.StatusBadGateway {
			t.Errorf("%q: %v, %v", request, res, err)
		}
	}
}

// access is a Recheck that a test changes.
type access struct {
	checks  atomic.Int64
	removed atomic.Bool
	unknown atomic.Bool
}

func (a *access) check(context.Context) (bool, error) {
	a.checks.Add(1)
	if a.unknown.Load() {
		return false, errors.New("database out of reach")
	}
	return !a.removed.Load(), nil
}

func (a *access) often(o *options) {
	o.target.Recheck = a.check
	o.Timeouts.Recheck = 20 * time.Millisecond
}

func TestRecheck_LostAccessEndsWebSocketsAndResponses(t *testing.T) {
	t.Parallel()
	var a access
	ended := make(chan struct{})
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			echo(w, r)
			return
		}
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(ended)
	}, a.often)
	conn := s.openWebSocket()
	r, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+"/events", nil)
	res, err := s.client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	eventually(t, "several checks", func() bool { return a.checks.Load() > 10 })
	if err := exchangeMessage(t.Context(), conn, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	a.removed.Store(true)
	if _, _, err := conn.Read(t.Context()); err == nil {
		t.Error("a message came")
	}
	if _, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Error("the response ended as if it were complete")
	}
	<-ended
	if text := s.log.String(); text != "" {
		t.Errorf("the log says: %s", text)
	}
}

func TestRecheck_UnknownAccessEndsAfterSeveralChecks(t *testing.T) {
	t.Parallel()
	var a access
	s := start(t, echo, a.often)
	conn := s.openWebSocket()
	a.unknown.Store(true)
	eventually(t, "two checks", func() bool { return a.checks.Load() >= 2 })
	a.unknown.Store(false)
	seen := a.checks.Load()
	eventually(t, "more checks", func() bool { return a.checks.Load() >= seen+3 })
	if err := exchangeMessage(t.Context(), conn, []byte("still here")); err != nil {
		t.Fatalf("a short outage ended it: %v", err)
	}
	a.unknown.Store(true)
	if _, _, err := conn.Read(t.Context()); err == nil {
		t.Error("a message came")
	}
}

func TestRecheck_EndsWithTheStream(t *testing.T) {
	t.Parallel()
	var a access
	s := start(t, echo, a.often)
	conn := s.openWebSocket()
	conn.Close(websocket.StatusNormalClosure, "")
	s.do("GET", "/", nil, nil)
	if open := s.proxy.Open(); open != 0 {
		eventually(t, "no open streams", func() bool { return s.proxy.Open() == 0 })
	}
	seen := a.checks.Load()
	time.Sleep(100 * time.Millisecond)
	if now := a.checks.Load(); now > seen+1 {
		t.Errorf("%d checks after the end", now-seen)
	}
}

func TestClose_EndsWebSocketsAndRefusesRequests(t *testing.T) {
	t.Parallel()
	s := start(t, echo)
	conn := s.openWebSocket()
	s.proxy.Close()
	if _, _, err := conn.Read(t.Context()); err == nil {
		t.Error("a message came")
	}
	if a := s.do("GET", "/", nil, nil); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
}

func TestEndStreams_LetsOtherResponsesFinish(t *testing.T) {
	t.Parallel()
	finish := make(chan struct{})
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ws":
			echo(w, r)
		case "/events":
			w.Header().Set("Content-Type", "Text/Event-Stream; charset=utf-8")
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			_, _ = io.WriteString(w, "begun")
			w.(http.Flusher).Flush()
			<-finish
			_, _ = io.WriteString(w, " finished")
		}
	})
	conn := s.openWebSocket()
	responses := map[string]*http.Response{}
	for _, path := range []string{"/events", "/page"} {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
		res, err := s.client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		responses[path] = res
	}
	s.proxy.EndStreams()
	if _, _, err := conn.Read(t.Context()); err == nil {
		t.Error("the WebSocket is open")
	}
	if _, err := io.Copy(io.Discard, responses["/events"].Body); err == nil {
		t.Error("the event stream ended as if it were complete")
	}
	close(finish)
	if body, err := io.ReadAll(responses["/page"].Body); err != nil || string(body) != "begun finished" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestWebSocket_EndOfEitherSideEndsTheOther(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		echo(w, r)
		ended <- struct{}{}
	})
	s.openWebSocket().CloseNow()
	<-ended
	eventually(t, "no open streams", func() bool { return s.proxy.Open() == 0 })
}
