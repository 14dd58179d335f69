// Package harness has what tests of the whole program share: instances, people with
// browsers and mailboxes, proxies whose network can fail, and servers that mails and traces
// are sent to. Everything it starts ends with the test.
package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/cli"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/httpserver"
)

// Noon is the time at which most tests begin.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// Clock is a clock that stands still until it is moved, or the system's.
type Clock struct {
	micros atomic.Int64
	system bool
}

// SystemClock returns the system's clock, for tests with programs that compare times with it. It can't
// be moved.
func SystemClock() *Clock { return &Clock{system: true} }

// NewClock returns a clock that shows t.
func NewClock(t time.Time) *Clock {
	c := &Clock{}
	c.Set(t)
	return c
}

// Now returns the time, in UTC with microseconds.
func (c *Clock) Now() time.Time {
	if c.system {
		return time.Now().UTC().Truncate(time.Microsecond)
	}
	return time.UnixMicro(c.micros.Load()).UTC()
}

// Set moves the clock to t.
func (c *Clock) Set(t time.Time) { c.micros.Store(t.UnixMicro()) }

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// Site is a running instance, in this process unless it belongs to a Process.
type Site struct {
	T          testing.TB
	App        *app.App          // nil in a Process
	Host       string            // scheme and host of requests; http even if the base URL is https, as behind a TLS proxy
	URL        string            // Host with the path of the base URL
	Transport  http.RoundTripper // of browsers; nil for the default
	Config     config.Config
	flags      []string // the settings in Config
	Clock      *Clock   // nil in a Process
	Log        *Log
	DevKeyFunc func() string // returns the key of the developer pages; nil to ask App
	Close      func()        // ends the instance; called at the end of the test
}

// StartFunc starts an instance: Start, or a function that starts one behind a proxy.
type StartFunc func(t testing.TB, databaseURL string, c *Clock, flags ...string) *Site

// Start runs an instance on a database until the end of the test. It listens on a free port
// unless a flag sets another; PORT in a flag is replaced by the port. At the end, the log
// and the audit trail are checked for secrets.
func Start(t testing.TB, databaseURL string, c *Clock, flags ...string) *Site {
	t.Helper()
	s, err := TryStart(t, databaseURL, c, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// StartWithDemo is Start with the demo app, which guestlist serve starts in local mode.
func StartWithDemo(t testing.TB, databaseURL string, c *Clock, flags ...string) *Site {
	t.Helper()
	s, err := tryStart(t, databaseURL, c, true, flags)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TryStart is Start for goroutines other than the test's.
func TryStart(t testing.TB, databaseURL string, c *Clock, flags ...string) (*Site, error) {
	return tryStart(t, databaseURL, c, false, flags)
}

// listen listens on an address on which an instance may have been listening a moment ago. A
// program that another test is about to execute keeps the closed socket until it runs.
func listen(addr string) (net.Listener, error) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		listener, err := net.Listen("tcp", addr)
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return listener, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func tryStart(t testing.TB, databaseURL string, c *Clock, demo bool, flags []string) (*Site, error) {
	addr := "127.0.0.1:0"
	for _, flag := range flags {
		if value, ok := strings.CutPrefix(flag, "--guestlist-addr="); ok {
			addr = value
		}
	}
	listener, err := listen(addr)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	args := append([]string{"--database-url=" + databaseURL, "--guestlist-addr=127.0.0.1:" + port}, flags...)
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "PORT", port)
	}
	s := &Site{T: t, Clock: c, Log: &Log{}, flags: args}
	if s.Config, err = LoadConfig(args); err != nil {
		return nil, err
	}
	app, err := app.Open(t.Context(), s.Config, app.Options{
		Now: c.Now, Log: slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug})), Demo: demo,
	})
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("open: %w", err)
	}
	s.App, s.Host = app, "http://"+s.Config.BaseURL.Host
	s.URL = s.Host + s.Config.BaseURL.Path
	server := httpserver.New(app.Handler, slog.New(slog.DiscardHandler))
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(listener) // until it is closed
	}()
	s.Close = sync.OnceFunc(func() {
		server.Close()
		<-served
		s.checkAuditTrail()
		if err := app.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		s.Log.check(t)
	})
	t.Cleanup(s.Close)
	return s, nil
}

// LoadConfig returns the configuration that consists of these flags.
func LoadConfig(args []string) (config.Config, error) {
	given := map[string]string{}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags, given)
	if err := flags.Parse(args); err != nil {
		return config.Config{}, err
	}
	return config.Load(config.Sources{Flags: given})
}

// Invocation returns a command with the site's settings and clock.
func (s *Site) Invocation(out io.Writer, args ...string) cli.Invocation {
	return cli.Invocation{
		Args: append(args, s.flags...), Stdin: strings.NewReader(""), Stdout: out, Stderr: io.Discard, Now: s.Clock.Now,
	}
}

// Command runs a command with the site's settings and clock, and returns its output.
func (s *Site) Command(args ...string) (string, error) {
	var out bytes.Buffer
	err := cli.Run(s.T.Context(), s.Invocation(&out, args...))
	return out.String(), err
}

// RunCommand runs a command.
func RunCommand(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return cli.Run(ctx, cli.Invocation{Args: args, Env: environ, Stdin: stdin, Stdout: stdout, Stderr: stderr})
}

// DevKey returns the key of the developer pages, or "" with the real Stytch.
func (s *Site) DevKey() string {
	if s.DevKeyFunc != nil {
		return s.DevKeyFunc()
	}
	return s.App.DevKey()
}

// DevPage returns the path of a developer page with its key.
func (s *Site) DevPage(path string) string { return path + "?key=" + s.DevKey() }

// StartAnother starts another instance with the same database and clock. If it has the same base URL,
// its requests are sent to its own address all the same.
func (s *Site) StartAnother(flags ...string) *Site {
	s.T.Helper()
	other := Start(s.T, s.Config.DatabaseURL, s.Clock, flags...)
	if other.Config.BaseURL.Scheme == "http" && other.Config.BaseURL.Host == s.Config.BaseURL.Host {
		transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, other.Config.Addr)
		}}
		s.T.Cleanup(transport.CloseIdleConnections)
		other.Transport = transport
	}
	return other
}

// Replica starts another instance of the same service, as behind a load balancer.
func (s *Site) Replica(flags ...string) *Site {
	s.T.Helper()
	return s.StartAnother(append([]string{"--guestlist-base-url=" + s.Config.BaseURL.String()}, flags...)...)
}

// Log collects output, and the secrets that must not be in it.
type Log struct {
	mu      sync.Mutex
	text    bytes.Buffer
	Secrets []string
}

// Write adds output.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns the output so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// AddSecret adds a text that must not appear in the log.
func (l *Log) AddSecret(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.Secrets, text) {
		l.Secrets = append(l.Secrets, text)
	}
}

// check fails the test if the log has a secret, an email address or a panic.
func (l *Log) check(t testing.TB) {
	text := l.String()
	for _, secret := range l.Secrets {
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

// checkAuditTrail fails the test if the audit trail has a secret.
func (s *Site) checkAuditTrail() {
	s.Log.mu.Lock()
	defer s.Log.mu.Unlock()
	for _, secret := range s.Log.Secrets {
		holds := "%" + secret + "%"
		var n int
		if err := s.App.Store.Reader().QueryRowContext(
			context.Background(), "SELECT COUNT(*) FROM events WHERE reason LIKE ? OR changes LIKE ? OR user_agent LIKE ?", holds, holds, holds,
		).Scan(&n); err != nil || secret != "" && n > 0 {
			s.T.Errorf("the audit trail holds a secret: %q, %v", secret, err)
			return
		}
	}
}

// Count returns the number that a query of the database returns.
func (s *Site) Count(query string, args ...any) int {
	s.T.Helper()
	var n int
	if err := s.App.Store.Reader().QueryRowContext(s.T.Context(), query, args...).Scan(&n); err != nil {
		s.T.Fatalf("%s: %v", query, err)
	}
	return n
}

// Concurrently calls fn n times at the same moment, with 0 to n-1, and returns when all
// calls have returned.
func Concurrently(n int, fn func(i int)) {
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

// Eventually calls seen until it returns true. It fails the test after two minutes; what
// names the condition.
func Eventually(t testing.TB, what string, seen func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for !seen() {
		select {
		case <-deadline:
			t.Fatalf("never seen: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// CookieKey and AnotherKey are valid cookie keys.
const (
	CookieKey  = "one key of thirty-two characters or more"
	AnotherKey = "another key that is just as long as the first"
)

// SetFaults activates faults of the local Stytch, given as JSON.
func (s *Site) SetFaults(body string) {
	s.T.Helper()
	if v := NewVisitor(s).CallAPI("PUT", "/dev/faults.json", body); v.Status != http.StatusOK {
		s.T.Fatalf("%s: %d %s", body, v.Status, v.Body)
	}
}

// UserID returns the ID of the user with an email address.
func (s *Site) UserID(t *testing.T, address string) string {
	t.Helper()
	email, err := directory.ParseEmail(address)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.App.Store.GetUserByEmail(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

// Must fails the test if err is not nil.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// DatabaseProblem returns the first problem of the database in the JSON report of doctor,
// or "".
func DatabaseProblem(t *testing.T, report []byte) string {
	t.Helper()
	var found struct{ Findings []diagnostic.Finding }
	if err := json.Unmarshal(report, &found); err != nil {
		t.Fatalf("%v: %s", err, report)
	}
	for _, f := range found.Findings {
		if f.Status == diagnostic.Problem && (f.Check == "database" || f.Check == "writing") {
			return f.Text + " " + f.Action
		}
	}
	return ""
}
