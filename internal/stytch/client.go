// Package stytch is the one place that knows Stytch: it makes the calls of
// session.Provider, outbox.Accounts and reconcile.Accounts through the official
// SDK and gives Stytch's errors their meaning there.
//
// Every call bears the caller's deadline. Nothing is fetched when the client is
// made, so the program starts while Stytch is out of reach, and each call finds
// out by itself when it is back. After a few failures in a row, calls fail at
// once for some seconds, so that a Stytch that hangs ties nobody up.
package stytch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/attribute"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/debug"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
)

// Options are the settings of a Client.
type Options struct {
	ProjectID string
	Secret    string
	BaseURL   string            // without a trailing slash; empty: by the project id
	Transport http.RoundTripper // nil: the network

	RedirectURL     string        // where links lead; registered at Stytch letter by letter
	SessionDuration time.Duration // whole minutes, as the next two
	LinkDuration    time.Duration
	InviteDuration  time.Duration
	Now             func() time.Time
	Watch           CallObserver // nil: nobody
}

// Client makes the calls.
type Client struct {
	Options
	api    *stytchapi.API
	health circuitBreaker
}

var (
	_ session.Provider   = (*Client)(nil)
	_ outbox.Accounts    = (*Client)(nil)
	_ reconcile.Accounts = (*Client)(nil)
)

// maxAnswer is the most that is read of an answer, in bytes.
const maxAnswer = 1 << 20

// New returns a client. It makes no call.
func New(o Options) (*Client, error) {
	transport := o.Transport
	if transport == nil {
		transport = network()
	}
	options := []stytchapi.Option{
		// The keys are for session JWTs; here the opaque token alone counts.
		stytchapi.WithSkipJWKSInitialization(),
		stytchapi.WithHTTPClient(&http.Client{
			Transport:     limitedTransport{transport},
			Timeout:       15 * time.Second, // a second bound; the first is each call's context
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	}
	if o.BaseURL != "" {
		options = append(options, stytchapi.WithBaseURI(o.BaseURL))
	}
	api, err := stytchapi.NewClient(o.ProjectID, o.Secret, options...)
	if err != nil {
		return nil, fmt.Errorf("stytch: %w", err)
	}
	return &Client{Options: o, api: api, health: circuitBreaker{now: o.Now}}, nil
}

func network() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	return t
}

// limitedTransport cuts answers that are too long; what is left does not parse.
type limitedTransport struct{ http.RoundTripper }

func (l limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		readLinkMade(r, res)
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

// Ready reports whether Stytch can be reached with these credentials: what it
// said in the last half minute, or else what it says now. The error wraps
// session.ErrUnavailable.
func (c *Client) Ready(ctx context.Context) error {
	if c.health.recentlyHealthy() {
		return nil
	}
	return c.call(ctx, "whoami", func() error {
		who, err := c.api.Debug.Whoami(ctx, &debug.WhoamiParams{})
		if err == nil && who.ProjectID == "" {
			return errMalformedResponse
		}
		return err
	})
}

// errNonsense: Stytch said yes and left out what it said yes to.
var errMalformedResponse = errors.New("answer without the fields it must have")

// call makes one call, minds whether Stytch is well, and gives the error its meaning.
func (c *Client) call(ctx context.Context, method string, fn func() error) error {
	if !c.health.allow() {
		if c.Watch != nil {
			c.Watch(ctx, method)("not_tried")
		}
		return fmt.Errorf("stytch: %s: not tried: %w", method, session.ErrUnavailable)
	}
	hurried := isHurried(ctx)
	err := c.observe(ctx, method, fn)
	if hurried && errors.Is(err, context.DeadlineExceeded) || isDatabaseFault(err) {
		c.health.noteCanceled()
		return err
	}
	c.health.note(err)
	return err
}

// isDatabaseFault reports whether a call to the local Stytch failed because of the
// database that it shares with the program. That says nothing about Stytch, and is over
// as soon as the database is back.
func isDatabaseFault(err error) bool {
	var marked interface{ DatabaseFault() bool }
	return errors.As(err, &marked) && marked.DatabaseFault()
}

// isHurried reports whether a call has some time, but less than Stytch may fairly take.
// That it is not answered in it says nothing about Stytch.
func isHurried(ctx context.Context) bool {
	deadline, limited := ctx.Deadline()
	left := time.Until(deadline)
	return limited && left > 0 && left < fairTime
}

func attributes(b session.Browser) *attribute.Attributes {
	return &attribute.Attributes{IPAddress: b.Address, UserAgent: b.UserAgent}
}

func minutes(d time.Duration) int32 { return int32(d / time.Minute) }

// When calls are no longer tried, and for how long; how long a good answer
// vouches for Stytch.
const (
	breakerThreshold = 3
	breakerOpenFor   = 5 * time.Second
	healthyFor       = 30 * time.Second
	fairTime         = 4 * time.Second // a call that had less and ran out of it is not counted
)

// circuitBreaker remembers how the last calls went.
type circuitBreaker struct {
	now func() time.Time

	mu       sync.Mutex
	failures int       // in a row
	retryAt  time.Time // no call before this, once failures are too many
	goodAt   time.Time
}

// allow reports whether a call may be tried. When the pause is over, one call
// goes ahead and the others wait for what it finds.
func (h *circuitBreaker) allow() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failures < breakerThreshold {
		return true
	}
	// A longer pause than there is belongs to a clock that was set back since.
	if pause := h.retryAt.Sub(h.now()); pause > 0 && pause <= breakerOpenFor {
		return false
	}
	h.retryAt = h.now().Add(breakerOpenFor)
	return true
}

// noteCanceled notes a call that ended without saying anything about Stytch: our
// caller went away, or had no time. If this was the call that goes ahead, another may.
func (h *circuitBreaker) noteCanceled() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retryAt = time.Time{}
}

func (h *circuitBreaker) note(err error) {
	if errors.Is(err, context.Canceled) {
		h.noteCanceled()
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case errors.Is(err, session.ErrUnavailable):
		h.failures++
		h.retryAt = h.now().Add(breakerOpenFor)
	default:
		h.failures, h.goodAt = 0, h.now()
	}
}

func (h *circuitBreaker) recentlyHealthy() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	age := h.now().Sub(h.goodAt)
	return h.failures == 0 && !h.goodAt.IsZero() && age >= 0 && age < healthyFor
}
