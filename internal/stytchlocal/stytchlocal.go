// Package stytchlocal is a local Stytch: the part of Stytch's consumer API that
// a login by mail needs (magic links, users, sessions, session JWTs),
// with the same paths, shapes, rules and error names, so that any Stytch SDK can
// be pointed at it. Guestlist uses it where no Stytch project is set.
//
// Its state is in the stytch_ tables of the program's own database, so that links
// and sessions outlive a restart and several instances are one Stytch. Mails go
// out by SMTP, to an inbox page for developers, or both.
//
//	/v1/…                      the API (API, Transport)
//	/v1/magic_links/redirect   where mailed links lead, open to all (Redirect)
//	/dev/inbox                 mails, for the developer's eyes only (DevPages, DevKey)
//	/dev/faults                what goes wrong on purpose, and the clocks (DevPages, DevKey)
//
// Who wants to be told of what happens to its users is sent webhooks (Options).
//
// Not there: passcodes, SMS, WhatsApp, passwords, passkeys, OAuth, second factors, B2B. What
// the SDKs would call for those answers 404 route_not_found.
//
// Handlers expect paths as written above: a caller that serves them below a
// prefix strips it first.
package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/guestlist/guestlist/internal/clock"
	"github.com/guestlist/guestlist/internal/exact"
	"github.com/guestlist/guestlist/internal/stytchlocal/faults"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/webhook"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// Options is what a Server needs to know. Read, InTx, IsDuplicate, Now, Log,
// BaseURL and Product are required.
type Options struct {
	// Read is the pool to read from outside a transaction.
	Read dbsqlc.DBTX
	// InTx runs fn in a transaction and commits it if fn returns nil. It may run
	// fn again where the database gave up the first try. An UPDATE must count the
	// rows it matched, changed or not.
	InTx func(ctx context.Context, fn func(tx *sql.Tx) error) error
	// IsDuplicate reports whether a row was refused because its key is taken.
	IsDuplicate func(error) bool
	// Explain puts an error of the database into words for the log, without the values
	// of the statement that failed; nil leaves it as it is.
	Explain func(error) error
	Now     func() time.Time
	Program *clock.Clock // the clock behind Now; may be nil, in which case the faults page can't set it
	Log     *slog.Logger

	BaseURL      string   // public address of the program, no slash at the end; mailed links begin with it
	RedirectURLs []string // exact addresses a link may lead to; any http://localhost address may be too
	Product      string   // what mails call the program, and the project's name
	Stylesheet   string   // URL of the style sheet for the pages; empty: none

	Limits bool        // ten invitations an hour for an address
	Inbox  bool        // keep mails for the inbox page
	Mailer mail.Sender // sends emails; may be nil, in which case none are sent

	// Webhook and WebhookURL are the way to who is told, as by Stytch's webhooks,
	// of users that were made, changed and deleted by API; without both, nobody is.
	Webhook    http.RoundTripper
	WebhookURL string
}

// Credentials are what an SDK is given to speak to the server.
type Credentials struct {
	ProjectID   string // project-test-<uuid>
	Secret      string // secret-test-<base64url>
	PublicToken string // public-token-test-<uuid>; stands in mailed links, no secret

	// WebhookSecret is what webhooks are checked with, whsec_<base64>. It follows
	// from the project's keys and is not stored.
	WebhookSecret string `json:"-"`
}

// Server answers Stytch's API. Its methods may be called by many goroutines.
type Server struct {
	opts     Options
	read     *dbsqlc.Queries
	project  project                    // its signing key apart, see keys
	ring     atomic.Pointer[storedRing] // never nil
	webhooks *webhook.Sender            // nil: nobody is told
	clock    *clock.Clock               // the server's own; agrees with Options.Now unless a fault moves it
	swept    atomic.Int64               // when rows past their time were last deleted, in microseconds
	faults   *faults.Injector
}

// New returns a server on a migrated database. The first call on a database makes
// the project's credentials and signing key; later ones find them there. Close the
// server if it sends webhooks.
func New(ctx context.Context, opts Options) (*Server, error) {
	if opts.Explain == nil {
		opts.Explain = func(err error) error { return err }
	}
	s := &Server{opts: opts, clock: clock.New(opts.Now)}
	s.faults = faults.New(faults.Options{
		Clock: s.clock, Program: opts.Program, Stylesheet: opts.Stylesheet, Log: opts.Log, WriteError: writeSimulatedError,
	})
	s.read = dbsqlc.New(watchedDatabase{exact.On(opts.Read), s})
	var err error
	if s.project, err = s.openProject(ctx); err != nil {
		return nil, opts.Explain(err)
	}
	s.openWebhooks()
	return s, nil
}

// Close stops the sending of webhooks; those that wait are lost.
func (s *Server) Close() {
	if s.webhooks != nil {
		s.webhooks.Close()
	}
}

// Faults describes the simulated faults in force in a sentence. It is empty if there are
// none.
func (s *Server) Faults() string { return s.faults.Summary() }

// Credentials returns the project's credentials.
func (s *Server) Credentials() Credentials { return s.project.Credentials }

// Redirect serves the page that mailed links lead to, and nothing else: what the
// public needs of the local Stytch.
func (s *Server) Redirect() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != redirectPath {
			http.NotFound(w, r)
			return
		}
		s.showRedirect(w, r)
	})
}

// errAgain: what a transaction found was changed by another before it held the
// lock; from the start it will see clearly.
var errConflict = errors.New("changed by another in the meantime")

// tx runs fn in a transaction, and again after errAgain and after losing a race
// for a unique key: the second look finds the winner's row.
func (s *Server) tx(ctx context.Context, fn func(q *dbsqlc.Queries) error) error {
	return s.readThenTx(ctx, func() error { return nil }, fn)
}

// readThenTx is tx with a look at the database before each try. What a
// transaction must know before it can take its lock is read there, because MySQL
// shows a transaction the state of its first read: that read must come after the
// lock.
func (s *Server) readThenTx(ctx context.Context, look func() error, fn func(q *dbsqlc.Queries) error) error {
	for attempt := 1; ; attempt++ {
		err := look()
		if err == nil {
			err = s.during(ctx, func() error {
				return s.opts.InTx(ctx, func(tx *sql.Tx) error { return fn(dbsqlc.New(exact.On(tx))) })
			})
		}
		if attempt == 5 || !errors.Is(err, errConflict) && !s.opts.IsDuplicate(err) {
			return err
		}
	}
}

// now is the time in the database's unit, microseconds since 1970.
func (s *Server) now() int64 { return s.clock.Now().UnixMicro() }

// toTime turns a time of the database into one of Go.
func toTime(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
