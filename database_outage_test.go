package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestTheProgramWaitsForItsDatabaseAndSaysSo(t *testing.T) {
	t.Parallel()
	wire := newWire(t, testdb.MySQL(t), nil)
	wire.refuse()
	addr := freeAddr(t)
	ctx, stop := context.WithCancel(t.Context())
	var stdout, log logged
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--guestlist-addr=" + addr, "--database-url=" + wire.dsn}, nil, nil, &stdout, &log)
	}()
	status := func(path string) int {
		res, err := http.Get("http://" + addr + path)
		if err != nil {
			return 0
		}
		res.Body.Close()
		return res.StatusCode
	}
	eventually(t, "a sign of life", func() bool { return status("/healthz") == http.StatusOK })
	for _, path := range []string{"/readyz", "/api/session"} { // the second waits as long as anybody does
		if got := status(path); got != http.StatusServiceUnavailable {
			t.Errorf("%s while it waits: %d", path, got)
		}
	}
	eventually(t, "a word in the log", func() bool { return strings.Contains(log.String(), "waiting for the database") })
	// Who comes just before it has started is let in.
	early, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	fmt.Fprintf(early, "GET / HTTP/1.1\r\nHost: localhost%s\r\n\r\n", addr[strings.LastIndex(addr, ":"):])
	wire.accept()
	if answer, err := http.ReadResponse(bufio.NewReader(early), nil); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("who came just before it had started got %v, %v", answer, err)
	}
	eventually(t, "readiness", func() bool { return status("/readyz") == http.StatusOK })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestWhoWaitsForTheStartIsAnsweredWhenItIsCalledOff(t *testing.T) {
	t.Parallel()
	wire := newWire(t, testdb.MySQL(t), nil)
	wire.refuse()
	addr := freeAddr(t)
	ctx, stop := context.WithCancel(t.Context())
	var stdout, log logged
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--guestlist-addr=" + addr, "--database-url=" + wire.dsn}, nil, nil, &stdout, &log)
	}()
	eventually(t, "a word in the log", func() bool { return strings.Contains(log.String(), "waiting for the database") })
	early, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	fmt.Fprintf(early, "GET / HTTP/1.1\r\nHost: localhost%s\r\n\r\n", addr[strings.LastIndex(addr, ":"):])
	res, err := http.Get("http://" + addr + "/healthz") // who comes later is let in later
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	stop()
	if answer, err := http.ReadResponse(bufio.NewReader(early), nil); err != nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("who waited got %v, %v", answer, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAConnectionCutInTheMiddle(t *testing.T) {
	t.Parallel()
	wire := newWire(t, testdb.MySQL(t), nil)
	s := start(t, wire.dsn, newClock(noon))
	ada, grace := s.person("ada@example.com"), "grace@example.com"
	ada.signsIn()
	ada.invites(grace)
	id := idOf(ada, grace)
	for _, r := range []struct {
		name, method, path, body string
		at                       string // of the statement that is cut
		after                    bool   // the server has had it, and the answer is lost
		status                   int
	}{
		{"of a read is made good", "GET", "/api/session", "", "FROM sessions s JOIN users", false, 200},
		{"of a read whose answer was lost is made good", "GET", "/api/users", "", "ORDER BY name_key, id", true, 200},
		{"before the first change of a transaction is made good", "PATCH", "/api/users/" + id, `{"name":"one"}`, "UPDATE settings", false, 200},
		{"after a change of a transaction is made good", "PATCH", "/api/users/" + id, `{"name":"two"}`, "INSERT INTO events", true, 200},
		{"before the commit is told as unknown", "PATCH", "/api/users/" + id, `{"name":"three"}`, "COMMIT", false, 503},
		{"after the commit is told as unknown", "PATCH", "/api/users/" + id, `{"name":"four"}`, "COMMIT", true, 503},
	} {
		t.Run(r.name, func(t *testing.T) {
			wire.cutAt(r.at, r.after)
			if v := ada.calls(r.method, r.path, r.body); v.status != r.status {
				t.Errorf("%d %s", v.status, v.body)
			}
			if wire.isSet() {
				t.Error("no such statement was sent")
			}
		})
	}
	// Each change that took effect did so once, and is on record once.
	for name, want := range map[string]int{"one": 1, "two": 1, "three": 0, "four": 1} {
		if n := s.count("SELECT COUNT(*) FROM events WHERE kind = 'user_edited' AND changes LIKE ?", `%"new":"`+name+`"%`); n != want {
			t.Errorf("%s is on record %d times, want %d", name, n, want)
		}
	}
}

// TestDatabaseOutage_SignInWorksAsSoonAsItIsOver comes with a good link while the tables of
// the local Stytch can't be had, and again when they can. The clock stands still: nothing
// may have to be waited for.
func TestDatabaseOutage_SignInWorksAsSoonAsItIsOver(t *testing.T) {
	t.Parallel()
	wire := newWire(t, testdb.MySQL(t), nil)
	s := start(t, wire.dsn, newClock(noon), "--guestlist-local-stytch-limits=off")
	ada := s.person("ada@example.com")
	ada.asks()
	link := ada.newMail()
	wire.refuseAt("stytch_", 1040, 100_000)
	for range 10 {
		if got := ada.tries(ada.press(link)); got.status != http.StatusServiceUnavailable {
			t.Fatalf("while the database is out of connections: %v", got)
		}
	}
	wire.refuseAt("", 0, 0)
	if got := ada.tries(ada.press(link)); got.status != http.StatusSeeOther && got.status != http.StatusOK {
		t.Errorf("when it is back: %v", got)
	}
	if v := ada.get("/profile"); v.status != http.StatusOK {
		t.Errorf("not signed in: %d", v.status)
	}
}
