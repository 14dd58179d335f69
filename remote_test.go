package main

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

// remote is a Stytch elsewhere: another instance's local one, reached by socket
// over a network that can fail.
type remote struct {
	t    testing.TB
	site *site
	env  map[string]string // what config --stytch-env printed
	addr string

	server *http.Server
	fault  atomic.Pointer[interception]
}

// interception answers a request in place of the network, or has it passed on.
type interception func(w http.ResponseWriter, r *http.Request, pass http.Handler)

// hang never answers.
func hang(w http.ResponseWriter, r *http.Request, pass http.Handler) { <-r.Context().Done() }

// newRemote starts a Stytch elsewhere.
func newRemote(t testing.TB, c *clock) *remote {
	t.Helper()
	r := &remote{t: t, site: start(t, testdb.SQLite(t), c, "--guestlist-local-stytch-limits=off"), addr: "127.0.0.1:0"}
	r.env = stytchEnv(t, r.site)
	r.up()
	t.Cleanup(r.down)
	return r
}

// stytchEnv is what the command prints for other programs, as a map.
func stytchEnv(t testing.TB, s *site) map[string]string {
	t.Helper()
	out, err := s.command("config", "--stytch-env")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		env[name] = value
	}
	return env
}

// flags make an instance use this Stytch. Nobody is on its list but ada.
func (r *remote) flags(more ...string) []string {
	return append([]string{
		"--stytch-project-id=" + r.env["STYTCH_PROJECT_ID"], "--stytch-secret=" + r.env["STYTCH_SECRET"],
		"--stytch-base-url=http://" + r.addr, "--guestlist-admins=ada@example.com",
	}, more...)
}

// person returns somebody who uses an instance with this Stytch, and has a fresh
// browser.
func (r *remote) person(s *site, email string) *person {
	p := s.person(email)
	p.mails = r.site
	return p
}

// up opens the port.
func (r *remote) up() {
	r.t.Helper()
	listener, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.addr = listener.Addr().String()
	target, err := url.Parse(r.site.url)
	if err != nil {
		r.t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{
		Rewrite:  func(p *httputil.ProxyRequest) { p.SetURL(target) }, // leaves no trace, as a cable does
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	r.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if f := r.fault.Load(); f != nil {
			(*f)(w, req, pass)
			return
		}
		pass.ServeHTTP(w, req)
	})}
	server := r.server
	go server.Serve(listener) // until it is closed
}

// down closes the port and all connections.
func (r *remote) down() { r.server.Close() }

// fails has every request met by the fault; nil mends the network.
func (r *remote) fails(f interception) {
	if f == nil {
		r.fault.Store(nil)
		return
	}
	r.fault.Store(&f)
}
