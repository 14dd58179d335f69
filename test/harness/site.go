package harness

import (
	"bytes"
	"context"
	"encoding/json"
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
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/httpserver"
)

// Noon is when most tests begin.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// Clock stands still until it is moved.
type Clock struct{ Micros atomic.Int64 }

func NewClock(t time.Time) *Clock {
	c := &Clock{}
	c.Micros.Store(t.UnixMicro())
	return c
}

func (c *Clock) Now() time.Time { return time.UnixMicro(c.Micros.Load()).UTC() }

func (c *Clock) Advance(d time.Duration) { c.Micros.Add(d.Microseconds()) }

// Site is one running instance of the product: all of it but main.
type Site struct {
	T          testing.TB
	App        *app.App
	Host       string            // of the base URL, spoken to by plain http as from a proxy that ends the encryption
	URL        string            // host, and the base URL's path
	Transport  http.RoundTripper // how browsers reach it; nil: as ever
	Config     config.Config
	flags      []string // the settings of cfg
	Clock      *Clock
	Log        *Log
	DevKeyFunc func() string // returns the key of its developer pages; nil where app knows it
	Close      func()        // ends it and waits until it has; called by itself at the end of the test
}

// StartFunc is start, or what starts an instance elsewhere than at the root of its
// host.
type StartFunc func(t testing.TB, databaseURL string, c *Clock, flags ...string) *Site

// Start runs an instance on a database, on a port of its own unless a flag says
// otherwise; PORT in a flag stands for it. What the instance wrote to its log is
// looked through for secrets at the end of the test.
func Start(t testing.TB, databaseURL string, c *Clock, flags ...string) *Site {
	t.Helper()
	s, err := TryStart(t, databaseURL, c, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TryStart is start for other goroutines than the test's own.
func TryStart(t testing.TB, databaseURL string, c *Clock, flags ...string) (*Site, error) {
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
	s := &Site{T: t, Clock: c, Log: &Log{}, flags: args}
	if s.Config, err = LoadConfig(args); err != nil {
		return nil, err
	}
	app, err := app.Open(t.Context(), s.Config, app.Options{
		Now: c.Now, Log: slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
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

// LoadConfig returns what is in force with these flags and nothing else.
func LoadConfig(args []string) (config.Config, error) {
	given := map[string]string{}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags, given)
	if err := flags.Parse(args); err != nil {
		return config.Config{}, err
	}
	return config.Load(config.Sources{Flags: given})
}

// Invocation is the call of a command with the site's settings, by its clock.
func (s *Site) Invocation(out io.Writer, args ...string) cli.Invocation {
	return cli.Invocation{
		Args: append(args, s.flags...), Stdin: strings.NewReader(""), Stdout: out, Stderr: io.Discard, Now: s.Clock.Now,
	}
}

// Command runs a command with the site's settings, by its clock, and returns its output.
func (s *Site) Command(args ...string) (string, error) {
	var out bytes.Buffer
	err := cli.Run(s.T.Context(), s.Invocation(&out, args...))
	return out.String(), err
}

// RunCommand executes a command line.
func RunCommand(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return cli.Run(ctx, cli.Invocation{Args: args, Env: environ, Stdin: stdin, Stdout: stdout, Stderr: stderr})
}

// DevKey returns the key of the developer pages; empty where Stytch is the real one.
func (s *Site) DevKey() string {
	if s.DevKeyFunc != nil {
		return s.DevKeyFunc()
	}
	return s.App.DevKey()
}

// DevPage is the address of a developer page, with its key.
func (s *Site) DevPage(path string) string { return path + "?key=" + s.DevKey() }

// StartAnother starts one more instance on the same database and clock.
func (s *Site) StartAnother(flags ...string) *Site {
	s.T.Helper()
	return Start(s.T, s.Config.DatabaseURL, s.Clock, flags...)
}

// Log keeps an instance's log, and the secrets that must not be in it.
type Log struct {
	mu      sync.Mutex
	text    bytes.Buffer
	Secrets []string
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// AddSecret notes what must never be in the log.
func (l *Log) AddSecret(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.Secrets, text) {
		l.Secrets = append(l.Secrets, text)
	}
}

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

// checkAuditTrail looks through the audit trail for what must not be in it.
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

// Count asks the database for a number.
func (s *Site) Count(query string, args ...any) int {
	s.T.Helper()
	var n int
	if err := s.App.Store.Reader().QueryRowContext(s.T.Context(), query, args...).Scan(&n); err != nil {
		s.T.Fatalf("%s: %v", query, err)
	}
	return n
}

// Concurrently runs fn n times at the same moment and returns when all are done.
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

// Eventually waits until what a person looks at again and again is there.
func Eventually(t testing.TB, what string, seen func() bool) {
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

const (
	CookieKey  = "one key of thirty-two characters or more"
	AnotherKey = "another key that is just as long as the first"
)

// SetFaults puts faults of the local Stytch in force.
func (s *Site) SetFaults(body string) {
	s.T.Helper()
	if v := NewVisitor(s).CallAPI("PUT", "/dev/faults.json", body); v.Status != http.StatusOK {
		s.T.Fatalf("%s: %d %s", body, v.Status, v.Body)
	}
}

// UserID returns the id of the user who has an address.
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

func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// DatabaseProblem returns the first problem that a report of doctor has of the database.
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
