// Package stytchlocal is a local Stytch: the part of Stytch's consumer API that signing in
// needs (magic links, passcodes, passkeys, authenticator apps, OAuth, users, sessions,
// session JWTs), with the same paths, shapes, rules and error types, so that any Stytch SDK
// works with it. Guestlist uses it if no Stytch project is configured.
// https://stytch.com/docs/api
//
// # State
//
// All state is in the stytch_ tables of the program's own database: links and sessions
// survive a restart, and several instances act as one Stytch. Emails go to an SMTP server,
// to an inbox page for developers, or both (package mail).
//
// # Routes
//
//	/v1/…                      the API (API, Transport), see routes.go
//	/v1/magic_links/redirect   the page that emailed links open, public (Redirect)
//	/v1/public/oauth/…/start   where a browser signs in by OAuth; leads to /dev/oauth/…
//	/dev/inbox                 emails, for developers (DevPages, DevKey)
//	/dev/faults                simulated faults and clocks, for developers (package faults)
//	/dev/oauth/…               plays an OAuth provider, for developers (DevPages, DevKey)
//
// Handlers expect these paths. A caller that serves them below a prefix strips it first.
// If Options has a webhook URL, changes of users are reported there.
//
// # A link
//
// login_or_create, send and invite store a link and email it: only the hash of its token
// is kept. The redirect page sends the browser on to the app with the token. The app calls
// authenticate, which redeems the link, verifies the address, activates the user and
// creates a session. From then on the app calls sessions/authenticate. revoke_invite
// invalidates a link early; expired rows are purged hourly.
//
// # A passcode
//
// The otps calls email six digits, of which the database has an HMAC. An address has one
// passcode at a time. After five tries, which are counted before a code is compared, it
// counts as used. Links and passcodes do not affect each other.
//
// # An authenticator app
//
// totps creates an app with a secret, which is encrypted in the database, and ten recovery
// codes, of which it has HMACs. The app is pending until its first code. A code works once.
// After five incorrect or used ones in a row the app's codes are refused for ten minutes
// with user_lock_limit_reached; recovery codes are counted separately.
//
// # A passkey
//
// The start calls store the hash of a challenge, which works once and for five minutes, and
// return the options for the browser. register and authenticate use the challenge up and
// verify what the browser returns (package passkey); a response that can't be verified uses
// it up as well. User verification is asked for and recorded, but, as at Stytch, not
// required: an app that needs it looks at the flags in the response.
//
// # OAuth
//
// The start route sends a browser to a page that plays the provider: a developer types an
// address and says whether the provider has verified it. The page is served only with the
// other developer pages. An account belongs to the user to whom it was attached, else to the
// owner of the verified address, else to a new user. The token in the redirect works once
// and for five minutes.
//
// # Not implemented
//
// SMS, WhatsApp, passwords and B2B: their routes respond 404 route_not_found. These calls
// differ from Stytch's:
//
//   - totps/recovery_codes returns the apps without their recovery codes.
//   - user_lock_limit_reached concerns the codes of the app and not the whole user, whose
//     is_locked stays false.
//   - webauthn/register stores passkeys that are verified at once: no registration is
//     pending in the user's list.
//   - oauth/authenticate returns an access token that no provider knows. There is no call
//     to a provider.
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

// Options configures a Server. Read, InTx, IsDuplicate, Now, Log, BaseURL and Product are
// required.
type Options struct {
	// Read is the connection pool for reads outside a transaction.
	Read dbsqlc.DBTX
	// InTx runs fn in a transaction and commits it if fn returns nil. It may run fn again
	// if the database aborted the first attempt. An UPDATE must count the rows it
	// matched, changed or not.
	InTx func(ctx context.Context, fn func(tx *sql.Tx) error) error
	// IsDuplicate reports whether an error is the violation of a unique key.
	IsDuplicate func(error) bool
	// Explain rewrites a database error for the log, without the values of the failed
	// statement. It may be nil.
	Explain func(error) error
	Now     func() time.Time
	// ProgramClock is the clock behind Now. It may be nil, in which case the faults page
	// can't set it.
	ProgramClock *clock.Clock
	Log          *slog.Logger

	BaseURL      string   // public address of the program without a trailing slash; emailed links begin with it
	RedirectURLs []string // exact addresses that links may lead to, besides any http://localhost address
	Product      string   // the program's name in emails, and the project's name
	Stylesheet   string   // URL of the style sheet of the pages; may be empty

	Limits bool        // limit invitations to ten an hour for an address
	Inbox  bool        // store emails for the inbox page
	Mailer mail.Sender // sends emails; may be nil, in which case none are sent

	// Webhooks about users that the API creates, changes and deletes go to WebhookURL by
	// WebhookTransport. Without both, none are sent.
	WebhookTransport http.RoundTripper
	WebhookURL       string
}

// Credentials authenticate an SDK.
type Credentials struct {
	ProjectID   string // project-test-<uuid>
	Secret      string // secret-test-<base64url>
	PublicToken string // public-token-test-<uuid>; part of emailed links, not secret

	// WebhookSecret verifies webhooks: whsec_<base64>. It is derived from the project's
	// keys and not stored.
	WebhookSecret string `json:"-"`
}

// Server implements Stytch's API. Its methods may be called by several goroutines at the
// same time.
type Server struct {
	opts                Options
	read                *dbsqlc.Queries
	project             project                       // without later signing keys, see keys
	ring                atomic.Pointer[storedKeyRing] // never nil
	webhooks            *webhook.Sender               // nil if no webhooks are sent
	clock               *clock.Clock                  // agrees with Options.Now unless a fault sets it
	purgedAt            atomic.Int64                  // time of the latest purge, in microseconds
	anonymousChallenges atomic.Int64                  // challenges for any user that this instance has started
	faults              *faults.Injector
}

// New returns a server on a migrated database. The first call on a database creates the
// project's credentials and signing key. The caller must close the server if it sends
// webhooks.
func New(ctx context.Context, opts Options) (*Server, error) {
	if opts.Explain == nil {
		opts.Explain = func(err error) error { return err }
	}
	opts.Log = opts.Log.With("component", "stytchlocal")
	s := &Server{opts: opts, clock: clock.New(opts.Now)}
	s.faults = faults.New(faults.Options{
		Clock: s.clock, Program: opts.ProgramClock, Stylesheet: opts.Stylesheet, Log: opts.Log, WriteError: writeSimulatedError,
	})
	s.read = dbsqlc.New(observedDB{exact.On(opts.Read), s})
	var err error
	if s.project, err = s.openProject(ctx); err != nil {
		return nil, opts.Explain(err)
	}
	if opts.WebhookTransport != nil && opts.WebhookURL != "" {
		s.webhooks = webhook.New(webhook.Options{
			URL: opts.WebhookURL, Transport: opts.WebhookTransport, Key: s.project.webhookKey(), Now: s.clock.Now, Log: opts.Log,
		})
	}
	return s, nil
}

// Close stops the sending of webhooks. Queued webhooks are lost.
func (s *Server) Close() {
	if s.webhooks != nil {
		s.webhooks.Close()
	}
}

// Credentials returns the project's credentials.
func (s *Server) Credentials() Credentials { return s.project.Credentials }

// Faults describes the simulated faults in force in a sentence. It is empty if there are
// none.
func (s *Server) Faults() string { return s.faults.Summary() }

// errConflict reports that a row was changed between a read and the lock. The transaction
// is tried again.
var errConflict = errors.New("changed by another in the meantime")

// tx runs fn in a transaction. It retries after errConflict and after a duplicate key: the
// next attempt reads the row of the transaction that won.
func (s *Server) tx(ctx context.Context, fn func(q *dbsqlc.Queries) error) error {
	return s.readThenTx(ctx, func() error { return nil }, fn)
}

// readThenTx is tx with a read outside the transaction before each attempt. What is needed
// to take a lock is read there: a MySQL transaction keeps seeing the state of its first
// read, so that read must follow the lock.
func (s *Server) readThenTx(ctx context.Context, read func() error, fn func(q *dbsqlc.Queries) error) error {
	for attempt := 1; ; attempt++ {
		err := read()
		if err == nil {
			_, err = observeDB(ctx, s, func() (struct{}, error) {
				return struct{}{}, s.opts.InTx(ctx, func(tx *sql.Tx) error { return fn(dbsqlc.New(exact.On(tx))) })
			})
		}
		if attempt == 5 || !errors.Is(err, errConflict) && !s.opts.IsDuplicate(err) {
			return err
		}
	}
}

// now returns the time in the database's unit, microseconds since 1970.
func (s *Server) now() int64 { return s.clock.Now().UnixMicro() }

// toTime converts a time of the database.
func toTime(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
