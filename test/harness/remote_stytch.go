package harness

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

// RemoteStytch stands in for the real Stytch: the local Stytch of another instance, reached
// over a network that can fail.
type RemoteStytch struct {
	T    testing.TB
	Site *Site
	Env  map[string]string // the output of config --stytch-env
	Addr string

	server *http.Server
	fault  atomic.Pointer[Interceptor]
}

// Interceptor responds to a request, or passes it on.
type Interceptor func(w http.ResponseWriter, r *http.Request, pass http.Handler)

// NeverAnswer is an Interceptor that never responds.
func NeverAnswer(w http.ResponseWriter, r *http.Request, pass http.Handler) { <-r.Context().Done() }

// NewRemoteStytch starts a remote Stytch.
func NewRemoteStytch(t testing.TB, c *Clock) *RemoteStytch {
	t.Helper()
	r := &RemoteStytch{T: t, Site: Start(t, testdb.SQLite(t), c, "--guestlist-local-stytch-limits=off"), Addr: "127.0.0.1:0"}
	r.Env = StytchEnv(t, r.Site)
	r.Up()
	t.Cleanup(r.Down)
	return r
}

// StytchEnv returns the output of config --stytch-env as a map.
func StytchEnv(t testing.TB, s *Site) map[string]string {
	t.Helper()
	out, err := s.Command("config", "--stytch-env")
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

// Flags returns the flags that make an instance use this Stytch, with ada@example.com as
// administrator.
func (r *RemoteStytch) Flags(more ...string) []string {
	return append([]string{
		"--stytch-project-id=" + r.Env["STYTCH_PROJECT_ID"], "--stytch-secret=" + r.Env["STYTCH_SECRET"],
		"--stytch-base-url=http://" + r.Addr, "--guestlist-admins=ada@example.com",
	}, more...)
}

// NewPerson returns a person with a new browser, who uses an instance with this Stytch.
func (r *RemoteStytch) NewPerson(s *Site, email string) *Person {
	p := s.NewPerson(email)
	p.MailSite = r.Site
	return p
}

// Up opens the port.
func (r *RemoteStytch) Up() {
	r.T.Helper()
	listener, err := net.Listen("tcp", r.Addr)
	if err != nil {
		r.T.Fatal(err)
	}
	r.Addr = listener.Addr().String()
	target, err := url.Parse(r.Site.URL)
	if err != nil {
		r.T.Fatal(err)
	}
	pass := &httputil.ReverseProxy{
		Rewrite:  func(p *httputil.ProxyRequest) { p.SetURL(target) }, // without X-Forwarded headers, as a cable
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

// Down closes the port and all connections.
func (r *RemoteStytch) Down() { r.server.Close() }

// SetFault makes the interceptor handle every request; nil restores the network.
func (r *RemoteStytch) SetFault(f Interceptor) {
	if f == nil {
		r.fault.Store(nil)
		return
	}
	r.fault.Store(&f)
}
