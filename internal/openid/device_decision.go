package openid

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/session"
)

// ErrUserCode reports a code that no device shows: it is wrong, expired or was used.
var ErrUserCode = errors.New("openid: user code unknown, expired or used")

// Limits of user codes that are entered, right or wrong. There are 20^8.
var (
	userCodesPerUser    = limit.Rate{Burst: 5, Every: 12 * time.Second}
	userCodesPerNetwork = limit.Rate{Burst: 20, Every: 3 * time.Second}
)

// DeviceSignIn is the sign-in of a device as its user sees it.
type DeviceSignIn struct {
	DeviceCode
	App      apps.App      // as that of ClientState
	Decision apps.Decision // whether the user may open the app
}

// FindDevice returns the ID of the sign-in whose user code a user has entered. Errors:
// ErrUserCodeFormat, ErrUserCode, *session.RateLimitError, directory.ErrUnavailable.
func (p *Provider) FindDevice(ctx context.Context, current session.Session, text string, b session.Browser) (string, error) {
	code, err := parseUserCode(text)
	if err != nil {
		return "", err
	}
	err = p.count(ctx, limit.NewBucket("user-codes-of-user", current.UserID, userCodesPerUser), limit.NewBucket("user-codes-of-network", b.Network(), userCodesPerNetwork))
	if err != nil {
		return "", err
	}
	d, err := p.store.GetDeviceCodeByUserCode(ctx, hash(code))
	if err == nil {
		_, err = p.deviceSignIn(ctx, d, current)
	}
	if errors.Is(err, directory.ErrNotFound) || err == nil && d.State != DevicePending {
		err = ErrUserCode
	}
	return d.Hash, err
}

// GetDevice returns a sign-in that is pending, or that the user has decided. Errors: ErrUserCode,
// directory.ErrUnavailable.
func (p *Provider) GetDevice(ctx context.Context, current session.Session, id string) (DeviceSignIn, error) {
	d, err := p.store.GetDeviceCode(ctx, id)
	if errors.Is(err, directory.ErrNotFound) {
		err = ErrUserCode
	}
	if err != nil {
		return DeviceSignIn{}, err
	}
	return p.deviceSignIn(ctx, d, current)
}

// deviceSignIn returns a device code with its app. Error: ErrUserCode if it isn't pending, unless the
// user has decided it.
func (p *Provider) deviceSignIn(ctx context.Context, d DeviceCode, current session.Session) (DeviceSignIn, error) {
	pending := d.State == DevicePending && p.now().Before(d.ExpiresAt)
	if !pending && d.UserID != current.UserID {
		return DeviceSignIn{}, ErrUserCode
	}
	state, err := p.store.CheckClient(ctx, d.AppID, current, p.now())
	if errors.Is(err, directory.ErrNotFound) || err == nil && !d.isOf(state.Client) {
		return DeviceSignIn{}, ErrUserCode
	}
	if err != nil {
		return DeviceSignIn{}, err
	}
	return DeviceSignIn{d, state.App, apps.Decide(state.App, current.User, state.Memberships, p.now())}, nil
}

// AllowDevice signs a device in as a user: its next poll gets tokens, which end with the session. If the
// user may not open the app, the Decision says so and nothing is changed. Errors: those of GetDevice.
func (p *Provider) AllowDevice(ctx context.Context, by event.Origin, current session.Session, id string) (DeviceSignIn, error) {
	s, err := p.GetDevice(ctx, current, id)
	if err != nil || s.State != DevicePending || s.Decision != apps.Allowed {
		return s, err
	}
	now := p.now()
	return p.decideDevice(ctx, by, current, s, DeviceAllowed, &Grant{
		ID: ids.New(), AppID: s.AppID, UserID: current.UserID, SessionHash: current.TokenHash, Scope: s.Scope, AuthTime: authTime(current),
		CodeHash: s.Hash, CodeExpiresAt: s.DeviceCode.ExpiresAt, CreatedAt: now, ExpiresAt: s.DeviceCode.ExpiresAt,
	})
}

// DenyDevice cancels the sign-in of a device. Errors: those of GetDevice.
func (p *Provider) DenyDevice(ctx context.Context, by event.Origin, current session.Session, id string) (DeviceSignIn, error) {
	s, err := p.GetDevice(ctx, current, id)
	if err != nil || s.State != DevicePending {
		return s, err
	}
	return p.decideDevice(ctx, by, current, s, DeviceDenied, nil)
}

func (p *Provider) decideDevice(
	ctx context.Context, by event.Origin, current session.Session, s DeviceSignIn, state DeviceState, g *Grant,
) (DeviceSignIn, error) {
	kind := event.DeviceAllowed
	if state == DeviceDenied {
		kind = event.DeviceDenied
	}
	s.State, s.UserID = state, current.UserID
	e := by.NewEvent(kind, p.now(), current.UserID, current.User.Email.Normalized, s.App.Name+": asked from "+s.Address)
	err := p.store.DecideDeviceCode(ctx, s.DeviceCode, g, e)
	if errors.Is(err, ErrUsed) { // at the same time
		return p.GetDevice(ctx, current, s.Hash)
	}
	if err != nil {
		return DeviceSignIn{}, fmt.Errorf("openid: decide sign-in of device: %w", err)
	}
	return s, nil
}
