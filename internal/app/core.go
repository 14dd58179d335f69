package app

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/clock"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/telemetry"
	"github.com/guestlist/guestlist/internal/userio"
)

// largeDatabaseSize is the size in bytes above which an SQLite file should move to a
// server: its backup takes about a minute.
const largeDatabaseSize = 1 << 30

// core is what the server and the offline commands share: the store, the client of
// Stytch, and the rules on top of them.
type core struct {
	Store       *store.Store
	Directory   *directory.Directory
	Groups      *directory.Groups
	Sessions    *session.Service
	Factors     *factor.Service
	Apps        *apps.Service
	Requests    *apps.Requests
	Clients     *openid.Clients
	Worker      *outbox.Worker
	Reconciler  *reconcile.Reconciler
	LocalStytch *stytchlocal.Server // nil with the real Stytch

	cfg              config.Config
	log              *slog.Logger
	now              func() time.Time
	clock            *clock.Clock         // the movable clock behind now; nil outside local mode
	telemetry        *telemetry.Telemetry // nil if metrics and traces are disabled
	webhookTransport http.RoundTripper    // delivers the local Stytch's webhooks; nil disables them
	client           *stytch.Client
}

// connect builds everything above the store. The local Stytch's pages are added to mux.
func (c *core) connect(ctx context.Context, mux *http.ServeMux) error {
	var err error
	if c.client, err = c.openStytch(ctx, mux); err != nil {
		return err
	}
	mailer, err := c.newNoticeMailer()
	if err != nil {
		return err
	}
	c.Worker = outbox.NewWorker(outbox.Options{Store: c.Store, Accounts: c.client, Mailer: mailer, Now: c.now, Log: c.log})
	c.Directory = directory.New(directory.Options{Store: c.Store, Outbox: c.Worker, Now: c.now})
	c.Groups = directory.NewGroups(c.Store, c.now)
	c.Sessions = c.newSessions()
	c.Factors = factor.New(c.Store, c.client, c.Worker, c.now)
	c.Apps = apps.New(apps.Options{Store: c.Store, Sessions: c.Sessions, Own: own(c.cfg), Now: c.now})
	c.Requests = apps.NewRequests(c.Store, c.Worker, c.now)
	c.Clients = openid.NewClients(c.Store, c.now)
	c.Reconciler = reconcile.New(reconcile.Options{
		Store: c.Store, Accounts: c.client, Outbox: c.Worker,
		Admission: c.admission(), EndUnlistedSessions: c.cfg.Reconcile == "apply",
		PageSize: reconcile.MaxPage, Pace: reconcile.DefaultPace, Now: c.now, Log: c.log,
	})
	return nil
}

// NewImporter returns an importer that adds users to the store.
func (c *core) NewImporter() *userio.Importer {
	return userio.NewImporter(c.Store, c.Worker.Wake, c.now, c.log)
}

// admission returns the configured policy for people who are not in the directory.
func (c *core) admission() directory.AdmissionPolicy {
	return directory.AdmissionPolicy{Open: c.cfg.Access.Open, Domains: c.cfg.Access.Domains, FirstAdmin: c.cfg.FirstAdmin()}
}

func (c *core) newSessions() *session.Service {
	o := session.Options{
		Store: c.Store, Provider: c.client, Outbox: c.Worker,
		Admission: c.admission(), Factors: factor.Policy{SecondFactor: factor.Requirement(c.cfg.SecondFactor)},
		Duration: c.cfg.SessionDuration, Recheck: c.cfg.SessionRecheck,
		LinkDuration: c.cfg.LinkDuration, InviteDuration: c.cfg.InviteDuration, ReportsLinkAge: c.cfg.LocalStytch, SameBrowser: c.cfg.LinkSameBrowser,
		Limits: c.cfg.LocalLimits || !c.cfg.LocalMode(), Now: c.now, Log: c.log,
	}
	for _, provider := range c.cfg.OAuth {
		o.OAuth = append(o.OAuth, factor.Kind("oauth_"+provider))
	}
	if c.LocalStytch != nil {
		o.Decoy, o.DecoyCode = c.LocalStytch.Decoy, c.LocalStytch.DecoyCode
	}
	if !c.cfg.LocalMode() {
		o.SendPause = time.Second // in local mode no one else can measure who has an account
	}
	if c.telemetry != nil {
		o.OnSignInResult = c.telemetry.SignIn
	}
	return session.New(o)
}

// openStytch returns a client of the configured Stytch. It opens the local Stytch if that
// is configured, and adds its pages to mux.
func (c *core) openStytch(ctx context.Context, mux *http.ServeMux) (*stytch.Client, error) {
	o := StytchOptions(c.cfg, c.now)
	if c.telemetry != nil {
		o.ObserveCall = c.telemetry.ObserveCall
	}
	if c.cfg.LocalStytch {
		local, err := OpenLocalStytch(ctx, c.cfg, LocalOptions{
			Store: c.Store, Now: c.now, Clock: c.clock, Webhooks: c.webhookTransport, Log: c.log,
		})
		if err != nil {
			return nil, err
		}
		c.LocalStytch = local
		o.ProjectID, o.Secret, o.Transport = local.Credentials().ProjectID, local.Credentials().Secret, local.Transport()
		o.PublicToken, o.PublicBaseURL = local.Credentials().PublicToken, c.cfg.ListenerURL()
		path := c.cfg.BaseURL.Path
		mux.Handle(path+"/v1/magic_links/redirect", http.StripPrefix(path, local.Redirect()))
		if c.cfg.LocalMode() {
			mux.Handle("/v1/", stytchlocal.LoopbackOnly(local.API()))
			mux.Handle("/dev/", stytchlocal.LoopbackOnly(local.DevPages()))
		}
	}
	return stytch.New(o)
}

// cookieKeys returns the keys of cookies, newest first. Without the setting there is one,
// which is kept in the database.
func (c *core) cookieKeys(ctx context.Context) ([]string, error) {
	if len(c.cfg.CookieKeys) > 0 {
		return c.cfg.CookieKeys, nil
	}
	key, err := c.Store.CookieKey(ctx, event.New(event.SettingChanged, c.now(), "", "", "a key for cookies was made"))
	return []string{key}, err
}

// NewSigner returns a signer of identities. It has no keys until they are loaded.
func (c *core) NewSigner(ctx context.Context) (*identity.Signer, error) {
	keys, err := c.cookieKeys(ctx)
	if err != nil {
		return nil, err
	}
	return identity.NewSigner(identity.Options{Store: c.Store, CookieKeys: keys, Issuer: c.cfg.BaseURL.String(), Now: c.now, Log: c.log})
}

func (c *core) openCookies(ctx context.Context) (*session.Cookies, error) {
	keys, err := c.cookieKeys(ctx)
	if err != nil {
		return nil, err
	}
	return session.NewCookies(session.CookieOptions{
		Keys: keys, Name: c.cfg.CookieName, Path: c.cfg.BaseURL.Path + "/", Secure: c.cfg.BaseURL.Scheme == "https",
		MaxAge: c.cfg.SessionDuration, Now: c.now,
	})
}

// recordSettings stores the settings of this instance, which others are compared with.
func (c *core) recordSettings(ctx context.Context) error {
	plain, secret := c.cfg.SharedValues()
	return c.Store.RecordSettings(ctx, plain, secret, event.New(event.SettingChanged, c.now(), "", "", ""))
}

// close closes the local Stytch and the store, if they were opened.
func (c *core) close() error {
	if c.LocalStytch != nil {
		c.LocalStytch.Close()
	}
	if c.Store == nil {
		return nil
	}
	return c.Store.Close()
}

// devOrigin returns the prefix of links to the developer pages: "" if pages are requested
// from the listener itself, otherwise the listener's address, because a proxy does not
// forward these pages.
func devOrigin(cfg config.Config) string {
	listener := cfg.ListenerURL()
	if listener == cfg.BaseURL.Scheme+"://"+cfg.BaseURL.Host {
		return ""
	}
	return listener
}
