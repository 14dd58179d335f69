package httpserver_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/httpserver"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestServer_SlowClientsAreDisconnected(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	server := httpserver.New(s.App.Handler, slog.New(slog.DiscardHandler))
	for _, timeout := range []*time.Duration{&server.ReadHeaderTimeout, &server.ReadTimeout, &server.WriteTimeout, &server.IdleTimeout} {
		if *timeout < time.Second || *timeout > 2*time.Minute {
			t.Errorf("a client may take %v", *timeout)
		}
		*timeout /= 40
	}
	var came, open atomic.Int64
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			came.Add(1)
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })

	// Each client writes until it is disconnected; the rest is sent byte by byte.
	const crowd = 50
	slow := []struct{ name, atOnce, then string }{
		{"the header", "GET / HTTP/1.1\r\nHost: " + s.Config.BaseURL.Host + "\r\nX-Slow: ", "a"},
		{"the body", "POST /signin HTTP/1.1\r\nHost: " + s.Config.BaseURL.Host + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n", "a"},
		{"nothing", "", ""},
		{"nothing after a good request", "GET /healthz HTTP/1.1\r\nHost: " + s.Config.BaseURL.Host + "\r\n\r\n", ""},
		{"requests, and doesn't read the answers", strings.Repeat("GET / HTTP/1.1\r\nHost: "+s.Config.BaseURL.Host+"\r\n\r\n", 5000), ""},
	}
	for i := range crowd {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		client := slow[i%len(slow)]
		go func() {
			_, err := io.WriteString(conn, client.atOnce)
			for err == nil && client.then != "" {
				time.Sleep(20 * time.Millisecond)
				_, err = io.WriteString(conn, client.then)
			}
		}()
	}
	harness.Eventually(t, "all of them", func() bool { return came.Load() == crowd }) // the first may be disconnected by now
	for i := range 10 {
		r := ada.NewRequest("GET", fmt.Sprint("http://", listener.Addr(), "/profile"), nil)
		r.Host = s.Config.BaseURL.Host
		value, _ := ada.SessionCookie()
		r.Header.Set("Cookie", s.Config.CookieName+"="+value)
		if v, err := harness.NewVisitor(s).Try(r, harness.NoRedirects); err != nil || v.Status != http.StatusOK {
			t.Errorf("request %d beside them: %d, %v", i, v.Status, err)
		}
	}
	harness.Eventually(t, "all of them cut off", func() bool { return open.Load() == 0 })
}
