package app

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// Admin gives commands access to the directory without starting a server. It is safe to
// use while instances are running. Its Worker runs jobs only when a method is called.
type Admin struct{ core }

// OpenAdmin opens the configured database and connects the parts that commands use. The
// caller must call Close.
func OpenAdmin(ctx context.Context, cfg config.Config, now func() time.Time, log *slog.Logger) (*Admin, error) {
	st, err := OpenStore(ctx, cfg, now, log)
	if err != nil {
		return nil, err
	}
	a := &Admin{core{Store: st, cfg: cfg, now: now, log: log}}
	if err := a.connect(ctx, http.NewServeMux()); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// Close finishes the calls to Stytch in progress and closes the database.
func (a *Admin) Close() error {
	if a.Sessions != nil {
		a.Sessions.Close()
	}
	return a.core.close()
}

// DeliverTimeout is how long a command tries to reach Stytch. A call that has begun by
// then goes on until the program ends.
const DeliverTimeout = 10 * time.Second

// DeliverPending runs the user's pending Stytch jobs. It returns a message that describes
// the jobs left, or "".
func (a *Admin) DeliverPending(ctx context.Context, email directory.Email) (string, error) {
	deliverCtx, cancel := context.WithTimeout(ctx, DeliverTimeout)
	defer cancel()
	a.Worker.Deliver(deliverCtx, email.Normalized)
	jobs, err := a.Directory.ListJobs(ctx, email)
	if err != nil || len(jobs) == 0 {
		return "", err
	}
	for _, job := range jobs {
		if !job.ParkedAt.IsZero() {
			return "The login service refused part of this change; an administrator can retry it on the Pending updates page. " + job.LastError, nil
		}
	}
	return "The login service hasn't been told yet; a running instance will do it. " + jobs[0].LastError, nil
}

// CreateHostLink makes a link that signs a user in once, and returns its address and when it
// expires; see session.Service.CreateHostLink.
func (a *Admin) CreateHostLink(ctx context.Context, u directory.User) (address string, expires time.Time, err error) {
	token, expires, err := a.Sessions.CreateHostLink(ctx, Operator().Origin, u)
	query := url.Values{"stytch_token_type": {"magic_links"}, "token": {token}}
	return a.cfg.BaseURL.String() + CallbackPath + "?" + query.Encode(), expires, err
}

// Operator returns the actor of changes made by a command: the user of the operating system.
func Operator() directory.Actor {
	name := "user " + strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return directory.Actor{Origin: event.Origin{Actor: event.Operator(name)}}
}
