// Package guard checks the requests to protected apps, whichever proxy passes them on.
//
// [Guard.Check] decides about one request and is independent of how the guard was asked:
// the built-in proxy calls it with the visitor's request, and [Guard.Endpoints] serves the
// addresses that other proxies ask (forward auth), each of which describes the visitor's
// request in its own way.
//
// The guard runs on the hosts of the apps, where a browser has a credential for one app. It
// sends a browser without one to Guestlist's own host, with a sealed apps.Ticket, where
// package web signs the user in and sends the browser back with a code.
package guard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/web/loadshed"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// Apps checks access to apps; apps.Service implements it.
type Apps interface {
	Check(ctx context.Context, host, cookieHash string, b session.Browser) (apps.Access, error)
	CheckToken(ctx context.Context, host, secret string) (apps.Access, error)
	Redeem(ctx context.Context, a apps.App, code, cookie string) (value, path string, err error)
}

// Sessions ends sessions and records refusals; session.Service implements it.
type Sessions interface {
	Revoke(ctx context.Context, by event.Origin, userID, reason string, match func(session.Session) bool) (int, error)
	RecordAppRefused(ctx context.Context, by event.Origin, u directory.User, app, reason string)
}

// Identities describes users to apps; identity.Signer implements it.
type Identities interface {
	Headers(ctx context.Context, id identity.Identity) (http.Header, error)
}

// Options are the dependencies and settings of New.
type Options struct {
	Apps       Apps
	Sessions   Sessions
	Identities Identities
	Tickets    *apps.Tickets

	BaseURL         *url.URL           // Guestlist's own, without a slash at its end
	Peers           []netip.Prefix     // networks of the proxies that may ask
	Proxies         middleware.Proxies // whose client address headers are believed
	SessionDuration time.Duration      // how long browsers keep the credential of an app
	Now             func() time.Time
	Observer        middleware.RequestObserver // may be nil, in which case requests are not observed
	Log             *slog.Logger
}

// Guard checks requests to apps. It is safe for concurrent use.
type Guard struct {
	opts     Options
	base     string // of addresses on Guestlist's host
	log      *slog.Logger
	pages    *pages
	refusals refusals
	limiter  loadshed.Limiter

	untrusted, malformed warnings
}

// New returns a Guard.
func New(o Options) *Guard {
	g := &Guard{opts: o, base: o.BaseURL.String(), log: o.Log.With("component", "guard"), pages: newPages(o.BaseURL)}
	g.limiter = newLimiter(g.log)
	return g
}

// Check decides about a request to an app.
func (g *Guard) Check(ctx context.Context, r Request) Answer {
	host, ok := apps.ParseHost(r.Scheme, r.Host)
	if !ok {
		return unknownHost(r)
	}
	if len(r.Target) == 0 || r.Target[0] != '/' {
		return refuse(http.StatusBadRequest, "malformed request target")
	}
	release, ok := g.limiter.Acquire(ctx)
	if !ok {
		return g.busy(r)
	}
	defer release()
	credential := readCredential(r.Header)
	access, err := g.access(ctx, host, credential, r)
	if credential.plain && access.App.Scheme == "https" { // another host may have set it
		access, credential.cookie = apps.Access{App: access.App, Decision: apps.DecideVisitor(access.App)}, ""
	}
	isPublic := access.App.ID != "" && access.App.Enabled && access.App.IsPublic(r.Target)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return unknownHost(r)
	case isPublic && errors.Is(err, session.ErrUnavailable):
		return Answer{status: http.StatusOK, Access: access}
	case err != nil:
		return g.unavailable(ctx, r, access, err)
	case r.isOwn():
		return g.own(ctx, r, access, credential)
	case access.Decision == apps.Allowed:
		return g.allow(ctx, r, access)
	case access.Decision == apps.SwitchedOff:
		return g.switchedOff(r, access)
	case isPublic:
		return Answer{status: http.StatusOK, Access: apps.Access{App: access.App, Decision: access.Decision}}
	case access.Decision == apps.NotSignedIn:
		return g.signIn(r, access, credential)
	}
	return g.refuseUser(ctx, r, access)
}

// access looks up the request's credential.
func (g *Guard) access(ctx context.Context, host string, c credential, r Request) (apps.Access, error) {
	if c.token != "" {
		return g.opts.Apps.CheckToken(ctx, host, c.token)
	}
	return g.opts.Apps.Check(ctx, host, apps.HashCredential(c.cookie), r.Browser)
}

// allow returns the answer for a request that may pass, with the user's identity.
func (g *Guard) allow(ctx context.Context, r Request, access apps.Access) Answer {
	id := identity.Of(access.User, access.App.ID, access.Groups, access.Session.StytchSessionID)
	if access.Token.IsService() && access.Token.ID != "" {
		id = identity.Identity{AppID: access.App.ID, UserID: access.Token.ID, Name: access.Token.Name}
	}
	headers, err := g.opts.Identities.Headers(ctx, id)
	if err != nil {
		return g.unavailable(ctx, r, access, err)
	}
	return Answer{status: http.StatusOK, Access: access, Identity: headers}
}

// unavailable returns the answer for a request that can't be decided about.
func (g *Guard) unavailable(ctx context.Context, r Request, access apps.Access, err error) Answer {
	if !errors.Is(ctx.Err(), context.Canceled) { // otherwise the visitor has left
		g.log.ErrorContext(ctx, "access to an app not checked: the request is refused", "error", err, "request_id", r.Browser.RequestID)
	}
	a := refuse(http.StatusServiceUnavailable, "access can't be checked at the moment")
	a.Access, a.retryAfter = apps.Access{App: access.App}, unavailableRetryAfter
	if r.isPage() {
		a.page = g.pages.unavailable()
	}
	return a
}

// unknownHost returns the answer for a host without an app.
func unknownHost(r Request) Answer {
	a := refuse(http.StatusNotFound, "no app has this address")
	a.unknownHost = true
	if r.isPage() {
		a.page = unknownHostPage()
	}
	return a
}

// switchedOff returns the answer for a request to an app that is switched off. It is the same
// for everyone: signing in wouldn't help.
func (g *Guard) switchedOff(r Request, access apps.Access) Answer {
	a := refuseAccess(access, http.StatusForbidden, "this app is switched off")
	if !r.isPage() || access.Token.ID != "" {
		return a
	}
	a.page = g.pages.switchedOff(access.App, apps.ReturnPath(r.Target))
	a.pageTicket = g.opts.Tickets.New(access.App, r.Target, "")
	a.pageTicket.Problem = apps.ProblemRefused
	return a
}

// refuseUser returns the answer for a signed-in user who may not open the app.
func (g *Guard) refuseUser(ctx context.Context, r Request, access apps.Access) Answer {
	g.recordRefused(ctx, r, access)
	a := refuseAccess(access, http.StatusForbidden, "no access to this app")
	if !r.isPage() || access.Token.ID != "" {
		return a
	}
	a.page = g.pages.refused(access)
	a.pageTicket = g.opts.Tickets.New(access.App, r.Target, "")
	a.pageTicket.Problem = apps.ProblemRefused
	return a
}
