// Package stytch implements session.Provider, outbox.Accounts and reconcile.Accounts with
// Stytch's official SDK. No other package imports the SDK.
//
// Every call ends with the caller's context. A Client makes no call when it is created,
// so the program starts while Stytch is unreachable. After a few consecutive failures a
// circuit breaker makes calls fail at once for some seconds, so that a Stytch that hangs
// does not hold up every request.
package stytch

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/attribute"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/debug"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
)

// Options configures a Client.
type Options struct {
	ProjectID string
	Secret    string
	BaseURL   string            // without a trailing slash; if empty, it follows from the project ID
	Transport http.RoundTripper // may be nil, in which case calls go over the network

	PublicToken     string        // of the project; needed for OAuthURL only
	PublicBaseURL   string        // where browsers reach Stytch; empty if that is BaseURL
	Domain          string        // host name that passkeys belong to, without a port
	RedirectURL     string        // where links lead; must be registered with Stytch exactly like this
	SessionDuration time.Duration // whole minutes, like the next two
	LinkDuration    time.Duration
	InviteDuration  time.Duration
	Now             func() time.Time
	ObserveCall     CallObserver // may be nil
}

// Client calls Stytch. Its methods may be called by several goroutines at the same time.
type Client struct {
	opts    Options
	api     api
	breaker circuitBreaker
}

// api has those parts of the SDK's stytchapi.API that a Client calls. With all of them in a
// Client, the linker would keep every method of the SDK, because templates call methods by
// name (docs/decisions/0064).
type api struct {
	Debug      *consumer.DebugClient
	MagicLinks *consumer.MagicLinksClient
	OAuth      *consumer.OAuthClient
	OTPs       *consumer.OTPsClient
	Sessions   *consumer.SessionsClient
	TOTPs      *consumer.TOTPsClient
	Users      *consumer.UsersClient
	WebAuthn   *consumer.WebAuthnClient
}

var (
	_ session.Provider   = (*Client)(nil)
	_ outbox.Accounts    = (*Client)(nil)
	_ reconcile.Accounts = (*Client)(nil)
)

// New returns a client. It makes no call.
func New(o Options) (*Client, error) {
	if o.Transport == nil {
		o.Transport = network()
	}
	if o.ObserveCall == nil {
		o.ObserveCall = func(context.Context, string) func(string) { return func(string) {} }
	}
	options := []stytchapi.Option{
		// The keys verify session JWTs; this client uses only opaque tokens.
		stytchapi.WithSkipJWKSInitialization(),
		stytchapi.WithHTTPClient(&http.Client{
			Transport:     limitedTransport{o.Transport},
			Timeout:       15 * time.Second, // in case a call's context has no deadline
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	}
	if o.BaseURL != "" {
		options = append(options, stytchapi.WithBaseURI(o.BaseURL))
	}
	all, err := stytchapi.NewClient(o.ProjectID, o.Secret, options...)
	if err != nil {
		return nil, fmt.Errorf("stytch: %w", err)
	}
	called := api{
		Debug: all.Debug, MagicLinks: all.MagicLinks, OAuth: all.OAuth, OTPs: all.OTPs, Sessions: all.Sessions, TOTPs: all.TOTPs,
		Users: all.Users, WebAuthn: all.WebAuthn,
	}
	return &Client{opts: o, api: called, breaker: circuitBreaker{now: o.Now}}, nil
}

// Ready checks that Stytch is reachable with these credentials. A successful call in the
// last 30 seconds counts as a check. The error wraps session.ErrUnavailable.
func (c *Client) Ready(ctx context.Context) error {
	if c.breaker.recentlyHealthy() {
		return nil
	}
	return c.do(ctx, "whoami", refusable, func() error {
		res, err := c.api.Debug.Whoami(ctx, &debug.WhoamiParams{})
		return requireField(res.ProjectID, err)
	})
}

func attributes(b session.Browser) *attribute.Attributes {
	return &attribute.Attributes{IPAddress: b.Address, UserAgent: b.UserAgent}
}

func minutes(d time.Duration) int32 { return int32(d / time.Minute) }
