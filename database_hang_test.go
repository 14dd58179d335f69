package main

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/testdb"
)

// impatient has a statement wait a second and not five.
func impatient(cfg *mysql.Config) { cfg.ReadTimeout = time.Second }

// Not parallel: it counts the goroutines of the process.
func TestEveryRequestEndsInTimeWhileTheDatabaseHangs(t *testing.T) {
	wire := newWire(t, testdb.MySQL(t), impatient)
	s := start(t, wire.dsn, newClock(noon))
	ada, grace := s.person("ada@example.com"), s.person("grace@example.com")
	ada.signsIn()
	ada.invites(grace.email)
	link := grace.newMail()
	press := grace.press(link)
	goroutines := func() int {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine()
	}
	base := goroutines()

	wire.hang(true)
	kinds := []struct {
		name string
		who  *person
		make func() *http.Request
	}{
		{"a page", ada, func() *http.Request { return ada.request("GET", s.url+"/users", nil) }},
		{"the API", ada, func() *http.Request { return ada.request("GET", s.url+"/api/users", nil) }},
		{"a change", ada, func() *http.Request { return ada.form("/users", "email=joan@example.com") }},
		{"asking for a link", grace, func() *http.Request { return grace.form("/signin", "email=grace@example.com") }},
		{"following one", grace, func() *http.Request { return press.Clone(t.Context()) }},
		{"signing out", ada, func() *http.Request { return ada.form("/signout", "") }},
		{"the state", ada, func() *http.Request { return ada.request("GET", s.url+"/readyz", nil) }},
		{"a call of the local Stytch", ada, func() *http.Request { return ada.request("GET", s.url+"/dev/inbox", nil) }},
	}
	const each = 12 // three times as many in all as there are connections
	atOnce(each*len(kinds), func(i int) {
		kind := kinds[i%len(kinds)]
		r := kind.make()
		if kind.name == "following one" {
			r.Body, _ = press.GetBody()
		}
		begin := time.Now()
		v, err := kind.who.try(r, followNothing)
		if took := time.Since(begin); err != nil || v.status != http.StatusServiceUnavailable || took > 9*time.Second {
			t.Errorf("%s: %d after %v, %v", kind.name, v.status, took, err)
		}
		if strings.Contains(v.body, "connection") || strings.Contains(v.body, "mysql") {
			t.Errorf("%s shows what the driver says: %s", kind.name, v.body)
		}
	})

	// All that was held is let go, and it works again as soon as the connections
	// that were begun meanwhile are given up.
	wire.hang(false)
	begin := time.Now()
	eventually(t, "readiness", func() bool {
		s.clock.advance(time.Second) // each look is kept for that
		return ada.get("/readyz").status == http.StatusOK
	})
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("ready again after %v", took)
	}
	wants(t, grace.continues(grace.opens(link)), 200, "grace@example.com")
	atOnce(100, func(int) {
		if got := ada.tries(ada.request("GET", s.url+"/api/users", nil)); got.status != http.StatusOK {
			t.Errorf("afterwards: %v", got)
		}
	})
	eventually(t, "as few goroutines as before", func() bool { return goroutines() <= base+3*32 }) // the pool is full now: one for each of its connections, two for the wire's
}

func TestTheProgramStopsInTimeWhileTheDatabaseHangs(t *testing.T) {
	t.Parallel()
	wire := newWire(t, testdb.MySQL(t), impatient)
	addr := freeAddr(t)
	ctx, stop := context.WithCancel(t.Context())
	var stdout, log logged
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--guestlist-addr=" + addr, "--database-url=" + wire.dsn}, nil, nil, &stdout, &log)
	}()
	eventually(t, "the program serving", func() bool { return strings.Contains(stdout.String(), addr[strings.Index(addr, ":"):]) })
	wire.hang(true)
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
	eventually(t, "somebody waiting", func() bool { return wire.silent.Load() > 0 })
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
