package openid

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/session"
)

// deviceGrantType is the grant type by which a device asks for its tokens
// (https://www.rfc-editor.org/rfc/rfc8628#section-3.4).
const deviceGrantType = "urn:ietf:params:oauth:grant-type:device_code"

// DeviceState is what became of the sign-in of a device.
type DeviceState string

// The states. Only a pending one changes.
const (
	DevicePending DeviceState = "pending"
	DeviceAllowed DeviceState = "allowed"
	DeviceDenied  DeviceState = "denied"
)

// DeviceCode is the sign-in of a device without a browser, or of a program on it. Its user enters a
// short code in a browser and allows it there. Times are UTC.
type DeviceCode struct {
	Hash         string // of the device code
	UserCodeHash string
	AppID        string
	Scope        Scope
	State        DeviceState
	UserID       string        // who has decided; empty if it is pending
	Address      string        // network address of the device
	Interval     time.Duration // between two polls
	NextPollAt   time.Time     // a poll before is too early
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

// DeviceStore keeps device codes. Errors are those of Store.
type DeviceStore interface {
	limit.Store
	// CreateDeviceCode writes a pending code. It returns ErrUserCodeTaken if another has its user code.
	CreateDeviceCode(ctx context.Context, d DeviceCode) error
	GetDeviceCode(ctx context.Context, hash string) (DeviceCode, error)
	GetDeviceCodeByUserCode(ctx context.Context, userCodeHash string) (DeviceCode, error)
	// SetDevicePoll sets the Interval and NextPollAt of a pending code.
	SetDevicePoll(ctx context.Context, d DeviceCode) error
	// DecideDeviceCode writes the State and UserID of a pending code, its grant if it is allowed, and
	// the event. It returns ErrUsed, and writes nothing, if the code isn't pending.
	DecideDeviceCode(ctx context.Context, d DeviceCode, g *Grant, e event.Event) error
}

// ErrUserCodeTaken is returned by a DeviceStore for a user code that is in use.
var ErrUserCodeTaken = errors.New("this user code is taken")

const (
	pollInterval  = 5 * time.Second
	pollSlowDown  = 5 * time.Second // added after a poll that was too early
	pollTolerance = time.Second     // how much earlier a poll may arrive, because of the network
)

// Limits of device codes, each of which lives for ten minutes.
var (
	devicesPerNetwork = limit.Rate{Burst: 20, Every: 30 * time.Second}
	devicesPerApp     = limit.Rate{Burst: 200, Every: 2 * time.Second}
)

// DeviceAuthorization is the answer to a device that wants to sign in
// (https://www.rfc-editor.org/rfc/rfc8628#section-3.2).
type DeviceAuthorization struct {
	DeviceCode      string `json:"device_code"`
	UserCode        string `json:"user_code"`
	VerificationURI string `json:"verification_uri"`
	CompleteURI     string `json:"verification_uri_complete"` // with the user code
	ExpiresIn       int    `json:"expires_in"`                // seconds
	Interval        int    `json:"interval"`                  // seconds
}

// AuthorizeDevice answers the request of a device that wants to sign in, with a form. Errors: those of
// Exchange, *session.RateLimitError.
func (p *Provider) AuthorizeDevice(ctx context.Context, form url.Values, c ClientCredentials, b session.Browser) (DeviceAuthorization, error) {
	client, err := p.authenticate(ctx, c)
	if err != nil {
		return DeviceAuthorization{}, err
	}
	scope := parseScope(form.Get("scope"))
	if scope == "" {
		return DeviceAuthorization{}, newError("invalid_scope", "The scope has none of: "+strings.Join(Scopes, " ")+".")
	}
	err = p.count(ctx, limit.NewBucket("devices-of-network", b.Network(), devicesPerNetwork), limit.NewBucket("devices-of-app", client.ID, devicesPerApp))
	if err != nil {
		return DeviceAuthorization{}, err
	}
	now, code := p.now(), newSecret(devicePrefix)
	d := DeviceCode{
		Hash: hash(code), AppID: client.ID, Scope: scope, State: DevicePending, Address: b.Address,
		Interval: pollInterval, NextPollAt: now, CreatedAt: now, ExpiresAt: now.Add(deviceLifetime),
	}
	userCode, err := p.createDeviceCode(ctx, d)
	if err != nil {
		return DeviceAuthorization{}, err
	}
	uri := p.issuer + VerificationPath
	return DeviceAuthorization{
		DeviceCode: code, UserCode: userCode, VerificationURI: uri, CompleteURI: uri + "?" + url.Values{"user_code": {userCode}}.Encode(),
		ExpiresIn: int(deviceLifetime / time.Second), Interval: int(pollInterval / time.Second),
	}, nil
}

// createDeviceCode stores a device code with a new user code, which it returns.
func (p *Provider) createDeviceCode(ctx context.Context, d DeviceCode) (string, error) {
	for try := 1; ; try++ {
		userCode := newUserCode()
		d.UserCodeHash = hash(userCode)
		err := p.store.CreateDeviceCode(ctx, d)
		if err == nil {
			return formatUserCode(userCode), nil
		}
		if !errors.Is(err, ErrUserCodeTaken) || try == 3 {
			return "", fmt.Errorf("openid: create device code: %w", err)
		}
	}
}

// count counts one use of each bucket. Error: *session.RateLimitError.
func (p *Provider) count(ctx context.Context, buckets ...limit.Bucket) error {
	now := p.now()
	refused, err := limit.Take(ctx, p.store, now, buckets...)
	if err != nil || refused.Until.IsZero() {
		return err
	}
	return &session.RateLimitError{Err: session.ErrTooMany, After: refused.Until.Sub(now)}
}

// exchangeDeviceCode answers the poll of a device (https://www.rfc-editor.org/rfc/rfc8628#section-3.5).
func (p *Provider) exchangeDeviceCode(ctx context.Context, form url.Values, c Client, b session.Browser) (TokenResponse, error) {
	code := form.Get("device_code")
	if code == "" {
		return TokenResponse{}, invalidRequest("The parameter device_code is missing.")
	}
	d, err := p.store.GetDeviceCode(ctx, hash(code))
	if errors.Is(err, directory.ErrNotFound) || err == nil && !d.isOf(c) {
		return TokenResponse{}, invalidGrant("The device_code is unknown, or belongs to another client.")
	}
	if err != nil {
		return TokenResponse{}, err
	}
	switch {
	case d.State == DeviceDenied:
		return TokenResponse{}, newError("access_denied", "The user has cancelled the sign-in.")
	case !p.now().Before(d.ExpiresAt):
		return TokenResponse{}, newError("expired_token", "The device_code has expired.")
	case d.State == DevicePending:
		return TokenResponse{}, p.keepWaiting(ctx, d)
	}
	return p.redeemDeviceCode(ctx, d, b)
}

// isOf reports whether a code was issued to a client, and not to an earlier one of its app.
func (d DeviceCode) isOf(c Client) bool { return d.AppID == c.ID && !c.CreatedAt.After(d.CreatedAt) }

// keepWaiting returns the answer to a device whose user hasn't decided yet. A device that doesn't keep to
// the interval has to wait longer from then on.
func (p *Provider) keepWaiting(ctx context.Context, d DeviceCode) error {
	now := p.now()
	answer := newError("authorization_pending", "The user has not decided yet.")
	if now.Before(d.NextPollAt) {
		d.Interval += pollSlowDown
		answer = newError("slow_down", fmt.Sprintf("Poll every %d seconds from now on.", d.Interval/time.Second))
	}
	d.NextPollAt = now.Add(d.Interval - pollTolerance)
	if err := p.store.SetDevicePoll(ctx, d); err != nil {
		return fmt.Errorf("openid: set poll of device: %w", err)
	}
	return answer
}

// redeemDeviceCode issues the tokens of a code that is allowed, once.
func (p *Provider) redeemDeviceCode(ctx context.Context, d DeviceCode, b session.Browser) (TokenResponse, error) {
	used := invalidGrant("The device_code was used before.")
	state, err := p.store.CheckGrantCode(ctx, d.Hash)
	if errors.Is(err, directory.ErrNotFound) {
		return TokenResponse{}, orRefusal(errEnded)
	}
	if err != nil {
		return TokenResponse{}, err
	}
	if !state.Grant.CodeUsedAt.IsZero() {
		return TokenResponse{}, used
	}
	answer, err := p.redeem(ctx, state, b, state.App.Name+": on a device")
	if errors.Is(err, ErrUsed) { // at the same time
		return TokenResponse{}, used
	}
	return answer, err
}
