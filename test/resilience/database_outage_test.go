package resilience

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestStart_WaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	wire := harness.NewMySQLProxy(t, testdb.MySQL(t), nil)
	wire.RefuseConnections()
	addr := harness.FreeAddr(t)
	ctx, stop := context.WithCancel(t.Context())
	var stdout, log harness.Log
	ended := make(chan error, 1)
	go func() {
		ended <- harness.RunCommand(ctx, []string{"--guestlist-addr=" + addr, "--database-url=" + wire.DSN}, nil, nil, &stdout, &log)
	}()
	status := func(path string) int {
		res, err := http.Get("http://" + addr + path)
		if err != nil {
			return 0
		}
		res.Body.Close()
		return res.StatusCode
	}
	harness.Eventually(t, "a sign of life", func() bool { return status("/healthz") == http.StatusOK })
	for _, path := range []string{"/readyz", "/api/session"} { // the second waits up to the startup timeout
		if got := status(path); got != http.StatusServiceUnavailable {
			t.Errorf("%s while it waits: %d", path, got)
		}
	}
	harness.Eventually(t, "a word in the log", func() bool { return strings.Contains(log.String(), "waiting for the database") })
	// A request just before the start has finished is served.
	early, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	fmt.Fprintf(early, "GET / HTTP/1.1\r\nHost: localhost%s\r\n\r\n", addr[strings.LastIndex(addr, ":"):])
	wire.AcceptConnections()
	if answer, err := http.ReadResponse(bufio.NewReader(early), nil); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("who came just before it had started got %v, %v", answer, err)
	}
	harness.Eventually(t, "readiness", func() bool { return status("/readyz") == http.StatusOK })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStart_InterruptedAnswersWaitingRequests(t *testing.T) {
	t.Parallel()
	wire := harness.NewMySQLProxy(t, testdb.MySQL(t), nil)
	wire.RefuseConnections()
	addr := harness.FreeAddr(t)
	ctx, stop := context.WithCancel(t.Context())
	var stdout, log harness.Log
	ended := make(chan error, 1)
	go func() {
		ended <- harness.RunCommand(ctx, []string{"--guestlist-addr=" + addr, "--database-url=" + wire.DSN}, nil, nil, &stdout, &log)
	}()
	harness.Eventually(t, "a word in the log", func() bool { return strings.Contains(log.String(), "waiting for the database") })
	early, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	fmt.Fprintf(early, "GET / HTTP/1.1\r\nHost: localhost%s\r\n\r\n", addr[strings.LastIndex(addr, ":"):])
	res, err := http.Get("http://" + addr + "/healthz") // later requests are accepted later
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

func TestDatabaseOutage_ConnectionCutDuringARequest(t *testing.T) {
	t.Parallel()
	wire := harness.NewMySQLProxy(t, testdb.MySQL(t), nil)
	s := harness.Start(t, wire.DSN, harness.NewClock(harness.Noon))
	ada, grace := s.NewPerson("ada@example.com"), "grace@example.com"
	ada.SignIn()
	ada.Invite(grace)
	id := harness.UserIDOf(ada, grace)
	for _, r := range []struct {
		name, method, path, body string
		at                       string // cut at the statement with this text
		after                    bool   // after the server has received it
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
			wire.CutAt(r.at, r.after)
			if v := ada.CallAPI(r.method, r.path, r.body); v.Status != r.status {
				t.Errorf("%d %s", v.Status, v.Body)
			}
			if wire.CutPending() {
				t.Error("no such statement was sent")
			}
		})
	}
	// Each change took effect once, and is recorded once.
	for name, want := range map[string]int{"one": 1, "two": 1, "three": 0, "four": 1} {
		if n := s.Count("SELECT COUNT(*) FROM events WHERE kind = 'user_edited' AND changes LIKE ?", `%"new":"`+name+`"%`); n != want {
			t.Errorf("%s is on record %d times, want %d", name, n, want)
		}
	}
}

// TestDatabaseOutage_SignInWorksAfterwards uses a valid link while the tables of the
// local Stytch are unavailable, and again afterwards. The clock stands still, so nothing may
// depend on waiting.
func TestDatabaseOutage_SignInWorksAfterwards(t *testing.T) {
	t.Parallel()
	wire := harness.NewMySQLProxy(t, testdb.MySQL(t), nil)
	s := harness.Start(t, wire.DSN, harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
	ada := s.NewPerson("ada@example.com")
	ada.RequestLink()
	link := ada.NextLink()
	wire.RefuseAt("stytch_", 1040, 100_000)
	for range 10 {
		if got := ada.TryOutcome(ada.ContinueRequest(link)); got.Status != http.StatusServiceUnavailable {
			t.Fatalf("while the database is out of connections: %v", got)
		}
	}
	wire.RefuseAt("", 0, 0)
	if got := ada.TryOutcome(ada.ContinueRequest(link)); got.Status != http.StatusSeeOther && got.Status != http.StatusOK {
		t.Errorf("when it is back: %v", got)
	}
	if v := ada.Get("/profile"); v.Status != http.StatusOK {
		t.Errorf("not signed in: %d", v.Status)
	}
}
