package resilience

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// impatient sets the timeout of a statement to one second instead of five.
func impatient(cfg *mysql.Config) { cfg.ReadTimeout = time.Second }

// Not parallel: it counts the goroutines of the process.
func TestDatabaseHang_RequestsEndInTime(t *testing.T) {
	wire := harness.NewMySQLProxy(t, testdb.MySQL(t), impatient)
	s := harness.Start(t, wire.DSN, harness.NewClock(harness.Noon))
	ada, grace := s.NewPerson("ada@example.com"), s.NewPerson("grace@example.com")
	ada.SignIn()
	ada.Invite(grace.Email)
	link := grace.NextLink()
	press := grace.ContinueRequest(link)
	goroutines := func() int {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine()
	}
	base := goroutines()

	wire.Hang(true)
	kinds := []struct {
		name string
		who  *harness.Person
		make func() *http.Request
	}{
		{"a page", ada, func() *http.Request { return ada.NewRequest("GET", s.URL+"/users", nil) }},
		{"the API", ada, func() *http.Request { return ada.NewRequest("GET", s.URL+"/api/users", nil) }},
		{"a change", ada, func() *http.Request { return ada.FormRequest("/users", "email=joan@example.com") }},
		{"asking for a link", grace, func() *http.Request { return grace.FormRequest("/signin", "email=grace@example.com") }},
		{"following one", grace, func() *http.Request { return press.Clone(t.Context()) }},
		{"signing out", ada, func() *http.Request { return ada.FormRequest("/signout", "") }},
		{"the state", ada, func() *http.Request { return ada.NewRequest("GET", s.URL+"/readyz", nil) }},
		{"a call of the local Stytch", ada, func() *http.Request { return ada.NewRequest("GET", s.URL+"/dev/inbox", nil) }},
	}
	const each = 12 // in total three times the number of connections
	harness.Concurrently(each*len(kinds), func(i int) {
		kind := kinds[i%len(kinds)]
		r := kind.make()
		if kind.name == "following one" {
			r.Body, _ = press.GetBody()
		}
		begin := time.Now()
		v, err := kind.who.Try(r, harness.NoRedirects)
		if took := time.Since(begin); err != nil || v.Status != http.StatusServiceUnavailable || took > 9*time.Second {
			t.Errorf("%s: %d after %v, %v", kind.name, v.Status, took, err)
		}
		if strings.Contains(v.Body, "connection") || strings.Contains(v.Body, "mysql") {
			t.Errorf("%s shows what the driver says: %s", kind.name, v.Body)
		}
	})

	// All resources are released, and requests succeed once the connections opened during
	// the outage have timed out.
	wire.Hang(false)
	begin := time.Now()
	harness.Eventually(t, "readiness", func() bool {
		s.Clock.Advance(time.Second) // readiness is cached for a second
		return ada.Get("/readyz").Status == http.StatusOK
	})
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("ready again after %v", took)
	}
	harness.WantPage(t, grace.PressContinue(grace.OpenLink(link)), 200, "My apps", "grace@example.com")
	harness.Concurrently(100, func(int) {
		if got := ada.TryOutcome(ada.NewRequest("GET", s.URL+"/api/users", nil)); got.Status != http.StatusOK {
			t.Errorf("afterwards: %v", got)
		}
	})
	harness.Eventually(t, "as few goroutines as before", func() bool { return goroutines() <= base+3*32 }) // the pool is full: one goroutine for each connection, two in the proxy
}

func TestDatabaseHang_ProgramStopsInTime(t *testing.T) {
	t.Parallel()
	wire := harness.NewMySQLProxy(t, testdb.MySQL(t), impatient)
	addr := harness.FreeAddr(t)
	ctx, stop := context.WithCancel(t.Context())
	var stdout, log harness.Log
	ended := make(chan error, 1)
	go func() {
		ended <- harness.RunCommand(ctx, []string{"--guestlist-addr=" + addr, "--database-url=" + wire.DSN}, nil, nil, &stdout, &log)
	}()
	harness.Eventually(t, "the program serving", func() bool { return strings.Contains(stdout.String(), addr[strings.Index(addr, ":"):]) })
	wire.Hang(true)
	answered := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + addr + "/readyz")
		if err != nil {
			answered <- 0
			return
		}
		res.Body.Close()
		answered <- res.StatusCode
	}()
	begin := time.Now()
	harness.Eventually(t, "a waiting request", func() bool { return wire.Silent.Load() > 0 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 9*time.Second {
		t.Errorf("it took %v", took)
	}
	if status := <-answered; status != http.StatusServiceUnavailable {
		t.Errorf("who waited got %d", status)
	}
}
