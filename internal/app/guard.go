package app

import (
	"context"
	"net/netip"
	"slices"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/guard"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// flyPrivate is Fly's private network, https://fly.io/docs/networking/private-networking/.
var flyPrivate = netip.MustParsePrefix("fdaa::/16")

// newTickets returns the tickets with which browsers come from apps.
func (c *core) newTickets(ctx context.Context) (*apps.Tickets, error) {
	keys, err := c.cookieKeys(ctx)
	if err != nil {
		return nil, err
	}
	return apps.NewTickets(keys, c.now)
}

// newGuard returns the guard of the apps.
func (a *App) newGuard(tickets *apps.Tickets) *guard.Guard {
	peers := a.guardPeers()
	o := guard.Options{
		Apps: a.Apps, Sessions: a.Sessions, Identities: a.Signer, Tickets: tickets, BaseURL: a.cfg.BaseURL,
		Peers: peers, Proxies: middleware.Proxies{Trusted: peers, Header: a.cfg.ClientIPHeader},
		SessionDuration: a.cfg.SessionDuration, Now: a.now, Log: a.log,
	}
	if a.telemetry != nil {
		o.Observer = a.telemetry.ObserveRequest
	}
	return guard.New(o)
}

// guardPeers returns the networks of the proxies that may ask about access: the trusted ones,
// and by default those on this machine. Fly's proxy passes on requests of anyone, so there
// only other machines of the private network count.
func (a *App) guardPeers() []netip.Prefix {
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	isEveryone := slices.ContainsFunc(a.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Bits() == 0 })
	switch {
	case isEveryone && a.cfg.ClientIPHeader != "":
		return append(local, flyPrivate)
	case len(a.cfg.TrustedProxies) == 0:
		return local
	}
	return a.cfg.TrustedProxies
}
