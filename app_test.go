package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/cli"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/httpserver"
)

// noon is when most tests begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// clock stands still until it is moved.
type clock struct{ micros atomic.Int64 }

func newClock(t time.Time) *clock {
	c := &clock{}
	c.micros.Store(t.UnixMicro())
	return c
}

func (c *clock) now() time.Time { return time.UnixMicro(c.micros.Load()).UTC() }

func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// site is one running instance of the product: all of it but main.
type site struct {
	t     testing.TB
	app   *app.App
	host  string            // of the base URL, spoken to by plain http as from a proxy that ends the encryption
	url   string            // host, and the base URL's path
	by    http.RoundTripper // how browsers reach it; nil: as ever
	cfg   config.Config
	flags []string // the settings of cfg
	clock *clock
	log   *logged
	dev   func() string // returns the key of its developer pages; nil where app knows it
	close func()        // ends it and waits until it has; called by itself at the end of the test
}

// starter is start, or what starts an instance elsewhere than at the root of its
// host.
type starter func(t testing.TB, databaseURL string, c *clock, flags ...string) *site

// start runs an instance on a database, on a port of its own unless a flag says
// otherwise; PORT in a flag stands for it. What the instance wrote to its log is
// looked through for secrets at the end of the test.
func start(t testing.TB, databaseURL string, c *clock, flags ...string) *site {
	t.Helper()
	s, err := tryStart(t, databaseURL, c, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tryStart is start for other goroutines than the test's own.
func tryStart(t testing.TB, databaseURL string, c *clock, flags ...string) (*site, error) {
	addr := "127.0.0.1:0"
	for _, flag := range flags {
		if given, ok := strings.CutPrefix(flag, "--guestlist-addr="); ok {
			addr = given
		}
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	args := append([]string{"--database-url=" + databaseURL, "--guestlist-addr=127.0.0.1:" + port}, flags...)
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "PORT", port)
	}
	s := &site{t: t, clock: c, log: &logged{}, flags: args}
	if s.cfg, err = load(args); err != nil {
		return nil, err
	}
	app, err := app.Open(t.Context(), s.cfg, app.Options{
		Now: c.now, Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("open: %w", err)
	}
	s.app, s.host = app, "http://"+s.cfg.BaseURL.Host
	s.url = s.host + s.cfg.BaseURL.Path
	server := httpserver.New(app.Handler, slog.New(slog.DiscardHandler))
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(listener) // until it is closed
	}()
	s.close = sync.OnceFunc(func() {
		server.Close()
		<-served
		s.checkTrail()
		if err := app.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		s.log.check(t)
	})
	t.Cleanup(s.close)
	return s, nil
}

// load returns what is in force with these flags and nothing else.
func load(args []string) (config.Config, error) {
	given := map[string]string{}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags, given)
	if err := flags.Parse(args); err != nil {
		return config.Config{}, err
	}
	return config.Load(config.Sources{Flags: given})
}

// invocation is the call of a command with the site's settings, by its clock.
func (s *site) invocation(out io.Writer, args ...string) cli.Invocation {
	return cli.Invocation{
		Args: append(args, s.flags...), Stdin: strings.NewReader(""), Stdout: out, Stderr: io.Discard, Now: s.clock.now,
	}
}

// command runs a command with the site's settings, by its clock, and returns its output.
func (s *site) command(args ...string) (string, error) {
	var out bytes.Buffer
	err := cli.Run(s.t.Context(), s.invocation(&out, args...))
	return out.String(), err
}

// run executes a command line.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return cli.Run(ctx, cli.Invocation{Args: args, Env: environ, Stdin: stdin, Stdout: stdout, Stderr: stderr})
}

// key returns the key of the developer pages; empty where Stytch is the real one.
func (s *site) key() string {
	if s.dev != nil {
		return s.dev()
	}
	return s.app.DevKey()
}

// devPage is the address of a developer page, with its key.
func (s *site) devPage(path string) string { return path + "?key=" + s.key() }

// another starts one more instance on the same database and clock.
func (s *site) another(flags ...string) *site {
	s.t.Helper()
	return start(s.t, s.cfg.DatabaseURL, s.clock, flags...)
}

// logged keeps an instance's log, and the secrets that must not be in it.
type logged struct {
	mu      sync.Mutex
	text    bytes.Buffer
	secrets []string
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// secret notes what must never be in the log.
func (l *logged) secret(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.secrets, text) {
		l.secrets = append(l.secrets, text)
	}
}

func (l *logged) check(t testing.TB) {
	text := l.String()
	for _, secret := range l.secrets {
		if secret != "" && strings.Contains(text, secret) {
			t.Errorf("the log holds a secret: %q", secret)
		}
	}
	if at := strings.Index(text, "@example."); at >= 0 {
		t.Errorf("the log holds an address: %s", text[max(0, at-100):at+20])
	}
	if strings.Contains(text, "panic") {
		t.Errorf("something panicked:\n%s", text)
	}
}

// checkTrail looks through the audit trail for what must not be in it.
func (s *site) checkTrail() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	for _, secret := range s.log.secrets {
		holds := "%" + secret + "%"
		var n int
		if err := s.app.Store.Reader().QueryRowContext(
			context.Background(), "SELECT COUNT(*) FROM events WHERE reason LIKE ? OR changes LIKE ? OR user_agent LIKE ?", holds, holds, holds,
		).Scan(&n); err != nil || secret != "" && n > 0 {
			s.t.Errorf("the audit trail holds a secret: %q, %v", secret, err)
			return
		}
	}
}

// count asks the database for a number.
func (s *site) count(query string, args ...any) int {
	s.t.Helper()
	var n int
	if err := s.app.Store.Reader().QueryRowContext(s.t.Context(), query, args...).Scan(&n); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// atOnce runs fn n times at the same moment and returns when all are done.
func atOnce(n int, fn func(i int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-begin
			fn(i)
		})
	}
	close(begin)
	all.Wait()
}

// eventually waits until what a person looks at again and again is there.
func eventually(t testing.TB, what string, seen func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !seen() {
		select {
		case <-deadline:
			t.Fatalf("never seen: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
