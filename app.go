package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	localclock "github.com/guestlist/guestlist/internal/clock"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/safego"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	stytchmail "github.com/guestlist/guestlist/internal/stytchlocal/mail"
	"github.com/guestlist/guestlist/internal/telemetry"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/userio"
	"github.com/guestlist/guestlist/internal/web"
	"github.com/guestlist/guestlist/static"
)

// callbackPath is where mailed links lead; with the base URL in front it is the
// one redirect URL to register at Stytch.
const callbackPath = "/api/authenticate_magic_link"

// largeDatabaseSize is the size in bytes from which on an SQLite file is better moved to a
// server: a backup takes about a minute then.
const largeDatabaseSize = 1 << 30

// app is the whole product, without a listener.
type app struct {
	Handler http.Handler
	Metrics http.Handler // for a listener of its own; nil: there are none

	sessions         *session.Service
	store            *store.Store
	now              func() time.Time
	clock            *localclock.Clock    // behind now, where it can be moved: in local mode
	localStytch      *stytchlocal.Server  // nil where Stytch is the real one
	webhookTransport http.RoundTripper    // where the local Stytch sends its webhooks; nil: nowhere
	corruption       chan error           // says that the database was found to be damaged
	telemetry        *telemetry.Telemetry // nil: nobody is told anything
	stop             context.CancelFunc
	background       sync.WaitGroup
}

// Open connects the parts: store <- directory, session <- web, and Stytch, the
// real one or the local one, behind the same client. Close it.
func Open(ctx context.Context, cfg config.Config, now func() time.Time, log *slog.Logger) (*app, error) {
	admins, err := parseAdmins(cfg.Admins)
	if err != nil {
		return nil, err
	}
	var localClock *localclock.Clock
	if cfg.LocalMode() {
		localClock = localclock.New(now)
		now = localClock.Now
	}
	tells, err := openTelemetry(cfg, now, log)
	if err != nil {
		return nil, err
	}
	log = tells.Log(log)
	st, err := openStore(ctx, cfg, now, log)
	if err != nil {
		tells.Close()
		return nil, err
	}
	if err := st.WaitForWrites(ctx, log); err != nil {
		st.Close()
		tells.Close()
		return nil, err
	}
	a := &app{store: st, now: now, clock: localClock, telemetry: tells, Metrics: tells.Handler(), corruption: make(chan error, 1), stop: func() {}}
	a.instrumentStore()
	if err := a.wire(ctx, cfg, log, admins); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *app) wire(ctx context.Context, cfg config.Config, log *slog.Logger, admins []directory.Email) error {
	mux := http.NewServeMux()
	a.webhookTransport = stytchlocal.InProcess(mux)
	client, err := a.openStytch(ctx, cfg, log, mux)
	if err != nil {
		return err
	}
	cookies, err := a.openCookies(ctx, cfg)
	if err != nil {
		return err
	}
	mailer, err := a.noticeMailer(cfg)
	if err != nil {
		return err
	}
	worker := outbox.NewWorker(outbox.Options{Store: a.store, Accounts: client, Mailer: mailer, Now: a.now, Log: log})
	people := directory.New(directory.Options{Store: a.store, Outbox: worker, Now: a.now})
	a.sessions = a.newSessions(cfg, client, worker, log)
	reconciler := a.newReconciler(cfg, client, worker, log)
	hears, err := a.newWebhookHandler(cfg, reconciler)
	if err != nil {
		return err
	}
	inbox, faults, notice := "", "", func() string { return "" }
	if cfg.LocalMode() {
		origin := devOrigin(cfg)
		faults, notice = origin+"/dev/faults", a.localStytch.Faults
		if cfg.SMTPURL == "" { // else mails are where they are sent
			inbox = origin + "/dev/inbox"
		}
	}
	importer := userio.NewImporter(a.store, worker.Wake, a.now, log)
	pages := web.Options{
		Directory: people, Sessions: a.sessions, Cookies: cookies, Webhooks: hears, Importer: importer,
		Tokens: token.New(token.Options{Store: a.store, Now: a.now, Log: log}), Events: a.store, Idempotency: a.store, Ping: a.store.Ready,
		BaseURL: cfg.BaseURL, TrustedProxies: cfg.TrustedProxies, ClientIPHeader: cfg.ClientIPHeader, InboxPath: inbox,
		Notice: notice, NoticePath: faults, IsLargeDatabase: func(ctx context.Context) bool { return a.store.FileLargerThan(ctx, largeDatabaseSize) },
		FirstAdmin: cfg.FirstAdmin(), LinkDuration: cfg.LinkDuration, InviteDuration: cfg.InviteDuration,
		SameBrowser: cfg.LinkSameBrowser, Now: a.now, Log: log,
	}
	if a.telemetry != nil {
		pages.Observer = a.telemetry.ObserveRequest
	}
	mux.Handle("/", web.New(pages))
	a.Handler = web.SecurityHeaders(cfg.BaseURL.Scheme == "https", mux) // what the mux answers itself has them, too

	ctx, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	a.background.Go(func() { worker.Run(ctx) })
	a.background.Go(func() { importer.Run(ctx) })
	a.background.Go(func() { a.purgeExpired(ctx, cfg.EventsKeep, log) })
	a.background.Go(func() { a.checkIntegrity(ctx, log) })
	a.background.Go(func() { a.refoldUsers(ctx, log) })
	if cfg.Reconcile != "off" {
		a.background.Go(func() { reconciler.Daily(ctx, cfg.Reconcile == "apply") })
	}
	if err := a.recordSettings(ctx, cfg); err != nil {
		return err
	}
	removed, err := people.InviteInitialAdmins(ctx, admins)
	if err != nil {
		return err
	}
	if len(removed) > 0 {
		log.Warn("GUESTLIST_ADMINS names people who were removed and stay out: take them off the setting, or let them back in with guestlist users invite ADDRESS --role admin",
			"count", len(removed))
	}
	a.background.Go(func() { a.warnIfNoAdmin(ctx, cfg, log) })
	return nil
}

func (a *app) newSessions(cfg config.Config, client *stytch.Client, worker *outbox.Worker, log *slog.Logger) *session.Service {
	o := session.Options{
		Store: a.store, Provider: client, Outbox: worker,
		Admission: admissionFrom(cfg), Duration: cfg.SessionDuration, Recheck: cfg.SessionRecheck,
		LinkDuration: cfg.LinkDuration, InviteDuration: cfg.InviteDuration, LinksTellAge: cfg.LocalStytch,
		Limits: cfg.LocalLimits || !cfg.LocalMode(), Now: a.now, Log: log,
	}
	if a.localStytch != nil {
		o.Decoy = a.localStytch.Decoy
	}
	if !cfg.LocalMode() {
		o.SendPause = time.Second // else nobody is there to be kept from knowing who is on the list
	}
	if a.telemetry != nil {
		o.OnSignInResult = a.telemetry.SignIn
	}
	return session.New(o)
}

// openStytch returns the client of the real Stytch, or of the local one, whose
// pages it puts on mux.
func (a *app) openStytch(ctx context.Context, cfg config.Config, log *slog.Logger, mux *http.ServeMux) (*stytch.Client, error) {
	o := stytchOptions(cfg, a.now)
	if a.telemetry != nil {
		o.Watch = a.telemetry.ObserveCall
	}
	if cfg.LocalStytch {
		local, err := openLocalStytch(ctx, cfg, a.store, a.now, a.clock, a.webhookTransport, log)
		if err != nil {
			return nil, err
		}
		a.localStytch = local
		o.ProjectID, o.Secret, o.Transport = local.Credentials().ProjectID, local.Credentials().Secret, local.Transport()
		mux.Handle(cfg.BaseURL.Path+"/v1/magic_links/redirect", http.StripPrefix(cfg.BaseURL.Path, local.Redirect()))
		if cfg.LocalMode() {
			mux.Handle("/v1/", stytchlocal.LoopbackOnly(local.API()))
			mux.Handle("/dev/", stytchlocal.LoopbackOnly(local.DevPages()))
		}
	}
	return stytch.New(o)
}

// devOrigin returns what links to the developer pages begin with: nothing where
// pages come from the listener itself, else the listener's address, because a proxy
// does not show them.
func devOrigin(cfg config.Config) string {
	listener := cfg.ListenerURL()
	if listener == cfg.BaseURL.Scheme+"://"+cfg.BaseURL.Host {
		return ""
	}
	return listener
}

// stytchOptions are those for the Stytch that is set.
func stytchOptions(cfg config.Config, now func() time.Time) stytch.Options {
	return stytch.Options{
		ProjectID: cfg.Stytch.ProjectID, Secret: cfg.Stytch.Secret, BaseURL: cfg.Stytch.BaseURL,
		RedirectURL:     cfg.BaseURL.String() + callbackPath,
		SessionDuration: cfg.SessionDuration, LinkDuration: cfg.LinkDuration, InviteDuration: cfg.InviteDuration, Now: now,
	}
}

// openLocalStytch opens the local Stytch. Program is the clock behind now, or nil if
// it can't be moved; hears leads to who takes its webhooks, or is nil for nobody.
func openLocalStytch(
	ctx context.Context, cfg config.Config, st *store.Store, now func() time.Time, program *localclock.Clock, hears http.RoundTripper, log *slog.Logger,
) (*stytchlocal.Server, error) {
	var mailer stytchmail.Sender
	if cfg.SMTPURL != "" {
		var err error
		if mailer, err = stytchmail.NewSMTP(cfg.SMTPURL, cfg.MailFrom); err != nil {
			return nil, fault.Setting("SMTP_URL", err)
		}
	}
	return stytchlocal.New(ctx, stytchlocal.Options{
		Read: st.Reader(), InTx: st.Transact, IsDuplicate: store.IsDuplicate, Explain: store.Explain, Now: now, Program: program, Log: log,
		BaseURL: cfg.BaseURL.String(), RedirectURLs: []string{cfg.BaseURL.String() + callbackPath}, Product: product,
		Stylesheet: cfg.BaseURL.Path + "/static/" + static.Load().Path("css/app.css"),
		Limits:     cfg.LocalLimits, Inbox: cfg.LocalMode(), Mailer: mailer,
		Webhook: hears, WebhookURL: cfg.BaseURL.String() + webhookPath,
	})
}

// openDatabase opens the database, and says of an address that can't be right whose it is.
func openDatabase(cfg config.Config, now func() time.Time) (*store.Store, error) {
	st, err := store.Open(cfg.DatabaseURL, now)
	if err != nil {
		return nil, fault.Setting("DATABASE_URL", err)
	}
	if cfg.MailsNotices() {
		st.WriteNotices()
	}
	return st, nil
}

// openStore opens the database, waits until it answers, and migrates it. One that
// is only a part of another is an error.
func openStore(ctx context.Context, cfg config.Config, now func() time.Time, log *slog.Logger) (*store.Store, error) {
	st, err := openDatabase(cfg, now)
	if err != nil {
		return nil, err
	}
	if err = st.Prepare(ctx, log); err == nil {
		err = st.CheckComplete(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

// recordSettings notes which settings this instance runs with.
func (a *app) recordSettings(ctx context.Context, cfg config.Config) error {
	plain, secret := cfg.SharedValues()
	return a.store.RecordSettings(ctx, plain, secret)
}

func (a *app) openCookies(ctx context.Context, cfg config.Config) (*session.Cookies, error) {
	keys := cfg.CookieKeys
	if len(keys) == 0 {
		key, err := a.store.CookieKey(ctx)
		if err != nil {
			return nil, err
		}
		keys = []string{key}
	}
	return session.NewCookies(session.CookieOptions{
		Keys: keys, Name: cfg.CookieName, Path: cfg.BaseURL.Path + "/", Secure: cfg.BaseURL.Scheme == "https",
		MaxAge: cfg.SessionDuration, Now: a.now,
	})
}

func parseAdmins(addresses []string) ([]directory.Email, error) {
	var admins []directory.Email
	for _, address := range addresses {
		email, err := directory.ParseEmail(address)
		if err != nil {
			return nil, fmt.Errorf("GUESTLIST_ADMINS must be e-mail addresses with commas between, and %q is none", address)
		}
		admins = append(admins, email)
	}
	return admins, nil
}

// warnIfNoAdmin says so when nobody could ever administer the list. The start does
// not wait for it.
func (a *app) warnIfNoAdmin(ctx context.Context, cfg config.Config, log *slog.Logger) {
	if cfg.FirstAdmin() {
		return
	}
	n, err := a.store.CountAdmins(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		log.Warn("administrators not counted", "error", err)
	case err == nil && n == 0:
		log.Warn("nobody can administer the list: run guestlist users invite with your address and --role admin")
	}
}

// refoldUsers writes the search words and sort keys of users anew after an upgrade
// that changed how they are folded. Searches find some users by their old words
// until it is done.
func (a *app) refoldUsers(ctx context.Context, log *slog.Logger) {
	for {
		var again time.Duration
		safego.Recover(log, "fold users", func() {
			var changed int
			var err error
			changed, again, err = a.store.RefoldUsers(ctx)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				log.Warn("search words and sort keys not brought up to date, will be tried again", "error", err, "in", again)
			case changed > 0:
				log.Info("search words and sort keys brought up to date", "users", changed)
			}
		})
		if again == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// purgeExpired deletes what is over. Nothing depends on it: what has expired is refused
// when it is used.
func (a *app) purgeExpired(ctx context.Context, eventsKeep time.Duration, log *slog.Logger) {
	report := func(what string, n int, err error) {
		if err != nil {
			log.Warn(what+" not deleted", "error", err)
		} else if n > 0 {
			log.Info(what+" deleted", "count", n)
		}
	}
	for {
		safego.Recover(log, "sweep", func() {
			now := a.now()
			n, err := a.store.DeleteExpiredSessions(ctx, now)
			report("expired sessions", n, err)
			n, err = a.store.DeleteExpiredAttempts(ctx, now)
			report("expired sign-in attempts", n, err)
			n, err = a.store.DeleteExpiredTokens(ctx, now.Add(-token.KeepExpired))
			report("expired API tokens", n, err)
			n, err = a.store.DeleteLimits(ctx, now.Add(-session.KeepLimits), now)
			report("limits", n, err)
			n, err = a.store.DeleteEvents(ctx, now.Add(-eventsKeep))
			report("old events", n, err)
			n, err = a.store.DeleteWebhooks(ctx, now.Add(-24*time.Hour))
			report("old webhooks", n, err)
			n, err = a.store.DeleteImports(ctx, now.Add(-7*24*time.Hour))
			report("old imports", n, err)
			n, err = a.store.DeleteKeys(ctx, now)
			report("old idempotency keys", n, err)
			n, err = a.store.RemoveSecretHashes(ctx)
			report("old hashes of secrets", n, err)
		})
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}

// checkIntegrity looks the whole database over once, which may take long where it is large.
func (a *app) checkIntegrity(ctx context.Context, log *slog.Logger) {
	err := a.store.Check(ctx)
	switch {
	case errors.Is(err, store.ErrCorrupt):
		a.corruption <- err
	case err != nil && ctx.Err() == nil:
		log.Warn("the database could not be looked over for damage", "error", err)
	}
}

// devKey returns the key of the local Stytch's developer pages; empty where Stytch
// is the real one.
func (a *app) devKey() string {
	if a.localStytch == nil {
		return ""
	}
	return a.localStytch.DevKey()
}

// Close finishes the calls to Stytch under way and closes the database.
func (a *app) Close() error {
	if a.sessions != nil {
		a.sessions.Close()
	}
	a.stop()
	a.background.Wait()
	if a.localStytch != nil {
		a.localStytch.Close()
	}
	err := a.store.Close()
	a.telemetry.Close()
	return err
}
