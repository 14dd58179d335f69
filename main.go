// Guestlist is browser login plus a user directory in one program: the people on
// the list get in, nobody else does. Run it without settings for a list on this
// machine; README.md says how to run it for others.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "guestlist:", err)
		os.Exit(1)
	}
}

// run reads the settings and does what was asked, until it is done or ctx ends.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	cfg, err := config.Load(config.Sources{Args: args, Environ: environ, DotEnv: ".env", Terminal: isTerminal(stderr)})
	if err != nil {
		return err
	}
	log := newLog(cfg.Log, stderr)
	switch cfg.Command {
	case config.Help:
		return config.Usage(stdout)
	case config.Version:
		_, err := fmt.Fprintln(stdout, "guestlist", version())
		return err
	case config.Migrate:
		return migrate(ctx, cfg, log, stdout)
	case config.Reconcile:
		return compare(ctx, cfg, time.Now, log, stdout)
	case config.Why:
		return explain(ctx, cfg, time.Now, log, stdout)
	case config.Show:
		if cfg.StytchEnv {
			return showStytchEnv(ctx, cfg, log, stdout)
		}
		return cfg.Print(stdout)
	}
	return serve(ctx, cfg, log, stdout)
}

// serve opens the app and answers requests until ctx ends; then it finishes what
// was begun.
func serve(ctx context.Context, cfg config.Config, log *slog.Logger, stdout io.Writer) error {
	listener, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return fmt.Errorf("GUESTLIST_ADDR: %w", err)
	}
	front := &front{baseURL: cfg.BaseURL}
	server := newServer(front, log)
	var coming arrivals
	coming.watch(server)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	app, err := open(ctx, cfg, time.Now, log)
	if err != nil {
		server.Close()
		return err
	}
	defer app.Close()
	front.app.Store(app)
	greet(stdout, cfg)

	select {
	case err := <-ended:
		return err
	case err := <-app.damaged:
		server.Close()
		return err
	case <-ctx.Done():
		log.Info("stopping")
	}
	listener.Close() // nobody new; who has connected is heard
	<-ended
	coming.wait()
	drain, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	if err := server.Shutdown(drain); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return server.Close() // whoever is not done by now is cut off
}

// newServer bounds how long a client may take: to send the header of a request
// and all of it, to take the answer, and to think of the next request.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// migrate brings the database up to date and says what it did.
func migrate(ctx context.Context, cfg config.Config, log *slog.Logger, stdout io.Writer) error {
	st, err := store.Open(cfg.DatabaseURL, time.Now)
	if err != nil {
		return fmt.Errorf("DATABASE_URL %w", err)
	}
	defer st.Close()
	n, err := st.Migrate(ctx, log)
	if err == nil {
		_, err = fmt.Fprintf(stdout, "%d migrations applied; the database is up to date\n", n)
	}
	return err
}

// showStytchEnv prints what another program needs to use the local Stytch.
func showStytchEnv(ctx context.Context, cfg config.Config, log *slog.Logger, stdout io.Writer) error {
	if !cfg.LocalMode() {
		return errors.New("config --stytch-env: the local Stytch speaks to other programs in local mode only")
	}
	st, err := openStore(ctx, cfg, time.Now, log)
	if err != nil {
		return err
	}
	defer st.Close()
	local, err := openLocalStytch(ctx, cfg, st, time.Now, nil, nil, log)
	if err != nil {
		return err
	}
	defer local.Close()
	c := local.Credentials()
	_, err = fmt.Fprintf(stdout, "STYTCH_PROJECT_ID=%s\nSTYTCH_SECRET=%s\nSTYTCH_BASE_URL=http://%s\n", c.ProjectID, c.Secret, cfg.BaseURL.Host)
	return err
}

// greet says where to go now.
func greet(w io.Writer, cfg config.Config) {
	base := cfg.BaseURL.String()
	fmt.Fprintf(w, "\n  Guestlist is at  %s\n", base)
	if cfg.LocalMode() {
		fmt.Fprintf(w, "  Its mails are at %s/dev/inbox\n\n", "http://"+cfg.BaseURL.Host)
		if cfg.FirstAdmin() {
			fmt.Fprintln(w, "  While the list is empty, the first person to sign in becomes its administrator.")
		}
		fmt.Fprintln(w, "  Everything is kept on this machine. To go to the cloud, set STYTCH_PROJECT_ID,")
		fmt.Fprintln(w, "  STYTCH_SECRET and DATABASE_URL (README.md, \"Three ways to run\").")
	}
	fmt.Fprintln(w)
}

func newLog(format string, w io.Writer) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
