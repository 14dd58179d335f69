package main

import (
	"context"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/stytch"
)

// offlineApp is what a command works with that serves nobody, perhaps beside instances
// that do: the database and Stytch, and the same rules as behind the pages.
type offlineApp struct {
	*app
	client *stytch.Client
	worker *outbox.Worker // carries out nothing by itself, see tellStytch
	people *directory.Directory
}

// openOffline opens it. Close it.
func openOffline(ctx context.Context, cfg config.Config, con streams) (*offlineApp, error) {
	st, err := openStore(ctx, cfg, con.now, con.log)
	if err != nil {
		return nil, err
	}
	a := &offlineApp{app: &app{store: st, now: con.now, stop: func() {}}}
	if a.client, err = a.openStytch(ctx, cfg, con.log, http.NewServeMux()); err != nil {
		a.Close()
		return nil, err
	}
	mailer, err := a.noticeMailer(cfg)
	if err != nil {
		a.Close()
		return nil, err
	}
	a.worker = outbox.NewWorker(outbox.Options{Store: st, Accounts: a.client, Mailer: mailer, Now: con.now, Log: con.log})
	a.people = directory.New(directory.Options{Store: st, Outbox: a.worker, Now: con.now})
	a.sessions = a.newSessions(cfg, a.client, a.worker, con.log)
	return a, nil
}

// deliverTimeout is how long a command tries to reach Stytch; the attempt under way
// goes on for as long as the program does.
const deliverTimeout = 10 * time.Second

// deliverPending makes the calls that a change of a person left behind, and returns in a
// sentence what could not be done now: empty if nothing is left.
func (a *offlineApp) deliverPending(ctx context.Context, email directory.Email) (string, error) {
	wait, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	a.worker.Deliver(wait, email.Normalized)
	jobs, err := a.people.ListJobs(ctx, email)
	if err != nil || len(jobs) == 0 {
		return "", err
	}
	for _, job := range jobs {
		if !job.ParkedAt.IsZero() {
			return "Stytch refused what follows from it, which waits on the people page for an administrator. " + job.LastError, nil
		}
	}
	return "Stytch has not heard of it yet, and will from the instance that serves. " + jobs[0].LastError, nil
}

// withOperator returns a context whose events were done by the user of the operating
// system.
func withOperator(ctx context.Context) context.Context {
	name := "user " + strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return event.WithOrigin(ctx, &event.Origin{Actor: event.Operator(name)})
}
