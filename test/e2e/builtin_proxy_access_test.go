package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// openSocket opens a WebSocket of the tool at an address, as the tool's page does.
func openSocket(t *testing.T, p *harness.Person, address string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	conn, res, err := websocket.Dial(t.Context(), address+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: p.Site.Transport, Jar: p.Jar}, HTTPHeader: http.Header{"Origin": {address}},
	})
	if err == nil {
		t.Cleanup(func() { conn.CloseNow() })
	}
	return conn, res, err
}

func echoes(t *testing.T, conn *websocket.Conn) error {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		return err
	}
	_, message, err := conn.Read(t.Context())
	if err == nil && string(message) != "hello" {
		err = fmt.Errorf("got %q", message)
	}
	return err
}

func TestBuiltInProxy_OpenWebSocketsEndWhenAccessEnds(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		tool, clock := harness.StartTool(t), harness.NewClock(harness.Noon)
		s := harness.Start(t, databaseURL, clock, "--guestlist-base-url=http://localhost:PORT", "--guestlist-local-stytch-limits=off")
		s.Transport = harness.LocalNames(t)
		ctx, groups := t.Context(), s.App.Groups
		boss := s.NewPerson("boss@example.com")
		boss.SignIn()
		staff, err := groups.Create(ctx, event.Origin{}, "Staff")
		if err != nil {
			t.Fatal(err)
		}
		address := "http://tool.localhost:" + s.Config.BaseURL.Port()
		app, err := s.App.Apps.Create(ctx, event.Origin{}, apps.Input{Name: "Tool", URL: address, Audience: "groups", GroupIDs: []string{staff.ID}, Upstream: tool.URL})
		if err != nil {
			t.Fatal(err)
		}
		must := func(v harness.View) error {
			if v.Status >= 400 {
				return fmt.Errorf("%d %s", v.Status, v.Body)
			}
			return nil
		}
		soon := clock.Now().Add(time.Hour)
		rows := []struct {
			name  string
			until time.Time
			end   func(p *harness.Person, id string) error // nil for someone who keeps access
		}{
			{"kept", time.Time{}, nil},
			{"removed", time.Time{}, func(_ *harness.Person, id string) error { return must(boss.CallAPI("DELETE", "/api/users/"+id, "")) }},
			{"suspended", time.Time{}, func(_ *harness.Person, id string) error {
				return must(boss.CallAPI("PATCH", "/api/users/"+id, `{"status":"suspended"}`))
			}},
			{"left", time.Time{}, func(_ *harness.Person, id string) error { return groups.Leave(ctx, event.Origin{}, staff.ID, id) }},
			{"ended", soon, func(*harness.Person, string) error { clock.Set(soon); return nil }},
			{"signedout", time.Time{}, func(p *harness.Person, _ string) error { return must(p.CallAPI("POST", "/api/logout", "")) }},
		}
		sockets := map[string]*websocket.Conn{}
		people := map[string]*harness.Person{}
		for _, row := range rows {
			email := row.name + "@example.com"
			boss.Invite(email)
			if err := groups.Join(ctx, event.Origin{}, staff.ID, s.UserID(t, email), row.until); err != nil {
				t.Fatal(err)
			}
			p := s.NewPerson(email)
			p.NextLink() // the invitation
			p.SignIn()
			harness.WantPage(t, p.Get(address+"/"), http.StatusOK, "The tool", "Hello "+email)
			conn, _, err := openSocket(t, p, address)
			if err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			if err := echoes(t, conn); err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			sockets[row.name], people[row.name] = conn, p
		}
		for _, row := range rows {
			if row.end == nil {
				continue
			}
			if err := row.end(people[row.name], s.UserID(t, row.name+"@example.com")); err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
		}
		harness.Eventually(t, "all but one WebSocket ended", func() bool { return tool.Sockets() == 1 })
		for _, row := range rows {
			conn := sockets[row.name]
			if row.end == nil {
				if err := echoes(t, conn); err != nil {
					t.Errorf("%s: %v", row.name, err)
				}
				continue
			}
			if _, _, err := conn.Read(ctx); err == nil {
				t.Errorf("%s: a message came", row.name)
			}
			if _, res, err := openSocket(t, people[row.name], address); err == nil || res == nil || res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusForbidden {
				t.Errorf("%s, opened again: %v, %v", row.name, res, err)
			}
		}
		if _, err := s.App.Apps.Switch(ctx, event.Origin{}, app.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, _, err := sockets["kept"].Read(ctx); err == nil {
			t.Error("a message came after the app was switched off")
		}
		if _, err := s.App.Apps.Switch(ctx, event.Origin{}, app.ID, true); err != nil {
			t.Fatal(err)
		}
		if sockets["kept"], _, err = openSocket(t, people["kept"], address); err != nil {
			t.Fatalf("after the app was switched on: %v", err)
		}
		if err := s.App.Apps.Remove(ctx, event.Origin{}, app.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := sockets["kept"].Read(ctx); err == nil {
			t.Error("a message came after the app was removed")
		}
	})
}

func TestBuiltInProxy_StopsWithOpenStreams(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	upstream := harness.AcceptConnections(t, "127.0.0.1:0", func(c net.Conn) {
		reader := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			switch r.URL.Path {
			case "/ws":
				fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
				_, _ = io.Copy(c, reader)
				return
			case "/events":
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
				_, _ = io.Copy(io.Discard, reader)
				return
			case "/slow":
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
				<-release
				fmt.Fprint(c, "there")
			default:
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<h1>Tool</h1>")
			}
		}
	})
	addr := harness.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	p := &protected{url: "http://tool.localhost:" + port}
	p.Process = harness.Launch(t, harness.BuildProgram(t), "--guestlist-addr="+addr, "--guestlist-apps="+p.url+" -> http://"+upstream.String())
	p.Transport = harness.LocalNames(t)
	ada := p.NewPerson("ada@example.com")
	p.enter(t, ada, "/")
	open := func(path string, header ...string) *http.Response {
		r := ada.NewRequest("GET", p.url+path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := (&http.Client{Transport: p.Transport, Jar: ada.Jar}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res
	}
	socket := open("/ws", "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	events, slow := open("/events"), open("/slow")
	if socket.StatusCode != http.StatusSwitchingProtocols || events.StatusCode != http.StatusOK || slow.StatusCode != http.StatusOK {
		t.Fatalf("%d, %d, %d", socket.StatusCode, events.StatusCode, slow.StatusCode)
	}
	begin := time.Now()
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if n, err := socket.Body.Read(make([]byte, 1)); err == nil {
		t.Errorf("the WebSocket sent %d bytes", n)
	}
	if text, err := io.ReadAll(events.Body); err == nil {
		t.Errorf("the event stream ended as if it were complete: %q", text)
	}
	close(release)
	if text, err := io.ReadAll(slow.Body); err != nil || string(text) != "hellothere" {
		t.Errorf("the response in progress: %q, %v", text, err)
	}
	if err := p.Cmd.Wait(); err != nil || time.Since(begin) > 7*time.Second {
		t.Errorf("stopped after %v: %v", time.Since(begin), err)
	}
	if text := p.Log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, `"ERROR"`) {
		t.Errorf("the log says: %s", text)
	}
}
