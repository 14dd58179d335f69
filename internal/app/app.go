// Package app assembles Guestlist: it opens the database and Stytch, connects the
// packages and runs the background work. It is the only package that imports both store
// and stytch.
package app

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/clock"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/guard/proxy"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid/backchannel"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/userio"
	"github.com/guestlist/guestlist/internal/web"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// App is the assembled application, independent of a network listener.
type App struct {
	core
	Handler http.Handler // pages, API and, in local mode, the developer pages
	Metrics http.Handler // metrics and profiles, for a listener of their own; nil if they are disabled

	Signer     *identity.Signer // signs who is signed in, for apps
	demo       *demoApp         // nil if there is none
	demoWanted bool
	importer   *userio.Importer
	proxy      *proxy.Proxy
	corruption chan error
	stop       context.CancelFunc
	background sync.WaitGroup
}

// Options are what Open needs in addition to the configuration. Now and Log are required.
type Options struct {
	Now  func() time.Time
	Log  *slog.Logger
	Demo bool // create and serve the demo app in local mode
}

// Open opens the database, applies pending migrations, connects the parts of the
// application and starts its background work. It waits for a database that does not
// answer yet until ctx ends. The caller must call Close.
func Open(ctx context.Context, cfg config.Config, o Options) (*App, error) {
	a := &App{core: core{cfg: cfg, now: o.Now}, demoWanted: o.Demo, corruption: make(chan error, 1), stop: func() {}}
	if cfg.LocalMode() {
		a.clock = clock.New(o.Now)
		a.now = a.clock.Now
	}
	var err error
	if a.telemetry, err = openTelemetry(cfg, a.now, o.Log); err != nil {
		return nil, err
	}
	a.log = a.telemetry.Log(o.Log)
	if err := a.open(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// open does the work of Open. On error the caller closes what was opened.
func (a *App) open(ctx context.Context) error {
	admins, err := ParseAdmins(a.cfg.Admins)
	if err != nil {
		return err
	}
	configured, err := ParseApps(a.cfg)
	if err != nil {
		return err
	}
	if a.Store, err = OpenStore(ctx, a.cfg, a.now, a.log); err != nil {
		return err
	}
	if err := a.Store.WaitForWrites(ctx, a.log); err != nil {
		return err
	}
	a.instrumentStore()
	mux := http.NewServeMux()
	a.webhookTransport = stytchlocal.InProcess(mux)
	if err := a.connect(ctx, mux); err != nil {
		return err
	}
	a.importer = a.NewImporter()
	if a.Signer, err = a.NewSigner(ctx); err != nil {
		return err
	}
	if err := a.Signer.Load(ctx); err != nil {
		return err
	}
	if err := a.serve(ctx, mux); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.startBackground(background)
	if err := a.recordSettings(ctx); err != nil {
		return err
	}
	if err := a.createApps(ctx, configured); err != nil {
		return err
	}
	if err := a.openDemo(ctx); err != nil {
		return err
	}
	removed, err := a.Directory.InviteInitialAdmins(ctx, admins)
	if err != nil {
		return err
	}
	if len(removed) > 0 {
		a.log.Warn("GUESTLIST_ADMINS lists people who were removed; they stay out. Remove them from the setting, or run guestlist users invite ADDRESS --role admin",
			"count", len(removed))
	}
	a.background.Go(func() { a.warnIfNoAdmin(background) })
	return nil
}

// serve adds the pages and the API to the mux and sets the handlers.
func (a *App) serve(ctx context.Context, mux *http.ServeMux) error {
	cookies, err := a.openCookies(ctx)
	if err != nil {
		return err
	}
	tickets, err := a.newTickets(ctx)
	if err != nil {
		return err
	}
	webhooks, err := a.newWebhookHandler()
	if err != nil {
		return err
	}
	provider := a.newOpenIDProvider()
	a.Worker.SendLogouts(backchannel.New(provider))
	o := web.Options{
		OpenID: provider, Clients: a.Clients,
		Directory: a.Directory, Groups: a.Groups, Apps: a.Apps, Tickets: tickets, Requests: a.Requests, MailsNotices: a.cfg.MailsNotices(), Sessions: a.Sessions, Factors: a.Factors, Cookies: cookies, Webhooks: webhooks, Importer: a.importer,
		Tokens: token.New(token.Options{Store: a.Store, Now: a.now, Log: a.log}), Events: a.Store, Idempotency: a.Store, Ping: a.Store.Ready, JWKS: a.Signer.JWKS,
		Addr: a.cfg.Addr, BaseURL: a.cfg.BaseURL, TrustedProxies: a.cfg.TrustedProxies, ClientIPHeader: a.cfg.ClientIPHeader,
		IsLargeDatabase: func(ctx context.Context) bool { return a.Store.FileLargerThan(ctx, largeDatabaseSize) },
		FirstAdmin:      a.cfg.FirstAdmin(), LinkDuration: a.cfg.LinkDuration, InviteDuration: a.cfg.InviteDuration,
		SameBrowser: a.cfg.LinkSameBrowser, OAuth: a.cfg.OAuth, OAuthURL: a.client.OAuthURL, Now: a.now, Log: a.log,
	}
	if a.cfg.LocalMode() {
		origin := devOrigin(a.cfg)
		o.Notice, o.NoticePath = a.LocalStytch.Faults, origin+"/dev/faults"
		if a.cfg.SMTPURL == "" { // otherwise mails are sent, not kept in the inbox
			o.InboxPath = origin + "/dev/inbox"
		}
	}
	if a.telemetry != nil {
		o.Observer = a.telemetry.ObserveRequest
	}
	mux.Handle("/", web.New(o))
	// The outermost handler, so that the mux's own responses have the headers, too.
	own := middleware.SecurityHeaders(a.cfg.BaseURL.Scheme == "https")(mux)
	g := a.newGuard(tickets)
	a.proxy = a.newProxy(g, cookies)
	a.Handler = g.Endpoints(a.newHosts(g, own))
	a.Metrics = a.telemetry.Handler()
	return nil
}

// startBackground starts the work that runs until ctx ends.
func (a *App) startBackground(ctx context.Context) {
	a.background.Go(func() { a.Worker.Run(ctx) })
	a.background.Go(func() { a.importer.Run(ctx) })
	a.background.Go(func() { a.Signer.Run(ctx) })
	a.background.Go(func() { a.purgeExpired(ctx) })
	a.background.Go(func() { a.remind(ctx) })
	a.background.Go(func() { a.checkIntegrity(ctx) })
	a.background.Go(func() { a.refoldUsers(ctx) })
	if a.cfg.Reconcile != "off" {
		a.background.Go(func() { a.Reconciler.Daily(ctx, a.cfg.Reconcile == "apply") })
	}
}

// Corruption returns a channel that receives an error if the integrity check finds the
// database corrupt.
func (a *App) Corruption() <-chan error { return a.corruption }

// DevKey returns the key of the local Stytch's developer pages, or "" with the real
// Stytch.
func (a *App) DevKey() string {
	if a.LocalStytch == nil {
		return ""
	}
	return a.LocalStytch.DevKey()
}

// EndStreams ends open WebSockets and event streams, which would otherwise keep the server
// from stopping. Browsers open them again, at another instance if there is one.
func (a *App) EndStreams() { a.proxy.EndStreams() }

// Close ends the background work, finishes the calls to Stytch in progress and closes the
// database.
func (a *App) Close() error {
	if a.Sessions != nil {
		a.Sessions.Close()
	}
	if a.proxy != nil {
		a.proxy.Close()
	}
	if a.demo != nil {
		a.demo.server.Close()
	}
	a.stop()
	a.background.Wait()
	err := a.core.close()
	a.telemetry.Close()
	return err
}
