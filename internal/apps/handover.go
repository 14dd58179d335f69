package apps

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

const (
	// codeLifetime is how long a code can be redeemed.
	codeLifetime = time.Minute
	// loopWindow and maxHandovers bound how often one session is handed over to one app:
	// a browser that opens several tabs at once needs some, one that loses its cookie
	// would go round for ever.
	loopWindow   = time.Minute
	maxHandovers = 10
)

// Errors of a hand-over.
var (
	ErrCode = errors.New("this code is unknown, used, expired, or belongs to another browser or app")
	ErrLoop = errors.New("this browser was signed in to the app several times within a minute and did not keep its cookie")
	// ErrOtherCookie wraps ErrCode. Several tabs that are opened at once get a cookie each,
	// of which the browser keeps one.
	ErrOtherCookie = fmt.Errorf("%w (another cookie)", ErrCode)
)

// NotAllowedError reports that a user may not open an app.
type NotAllowedError struct{ Decision Decision }

func (e *NotAllowedError) Error() string { return "access refused: " + string(e.Decision) }

// Code carries a sign-in from Guestlist's host to an app's. It can be redeemed once, by the
// browser whose cookie at the app has the hash CookieHash. Times are UTC.
type Code struct {
	Hash        string // see HashCredential
	AppID       string
	SessionHash string // session.Session.TokenHash
	CookieHash  string
	Path        string // where in the app the browser was going, with the query
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// Credential is a browser's access to one app, valid as long as its session is.
type Credential struct {
	CookieHash  string // see HashCredential
	AppID       string
	SessionHash string // session.Session.TokenHash
	CreatedAt   time.Time
	ExpiresAt   time.Time // of the session
}

// NewCredential returns a random value for an app's cookie.
func NewCredential() string { return rand.Text() + rand.Text() }

// IsCredential reports whether a cookie's value can be from NewCredential.
func IsCredential(value string) bool {
	return len(value) == 2*26 && strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// Enter returns a code with which the browser that has a cookie with the given hash at the
// app can continue there as the session's user. Errors: *NotAllowedError,
// directory.ErrNotFound if the app doesn't exist or has no address, directory.ErrUnavailable.
func (s *Service) Enter(ctx context.Context, sess session.Session, appID, cookieHash, path string) (App, string, error) {
	a, err := s.store.GetApp(ctx, appID)
	if err == nil && !a.HasAddress() {
		err = directory.ErrNotFound
	}
	if err != nil {
		return App{}, "", err
	}
	decision, _, err := s.AccessOf(ctx, a, sess.User)
	if err != nil {
		return a, "", err
	}
	if decision != Allowed {
		return a, "", &NotAllowedError{decision}
	}
	code, now := NewCredential(), s.now()
	err = s.store.CreateCode(ctx, Code{
		Hash: HashCredential(code), AppID: a.ID, SessionHash: sess.TokenHash, CookieHash: cookieHash, Path: path,
		CreatedAt: now, ExpiresAt: now.Add(codeLifetime),
	})
	return a, code, err
}

// Redeem exchanges a code for a new credential of an app, given the value of the browser's
// cookie there. It returns the value to set the cookie to, and where to go. If another tab
// has replaced the cookie since the code was made, the session must be the same. Errors:
// ErrCode, ErrOtherCookie (the path is returned, and the code is not spent), ErrLoop,
// directory.ErrUnavailable.
func (s *Service) Redeem(ctx context.Context, a App, code, cookie string) (value, path string, err error) {
	if !IsCredential(code) || !IsCredential(cookie) {
		return "", "", ErrCode
	}
	current, err := s.store.CheckSession(ctx, a.Host, HashCredential(cookie))
	if err != nil {
		return "", "", err
	}
	now := s.now()
	value = NewCredential()
	err = s.store.RedeemCode(ctx, HashCredential(code), now.Add(-loopWindow), func(c Code, sess session.Session, recent int) (Credential, error) {
		otherTab := current.Session.TokenHash == c.SessionHash
		switch {
		case c.AppID != a.ID, !now.Before(c.ExpiresAt):
			return Credential{}, ErrCode
		case c.CookieHash != HashCredential(cookie) && !otherTab:
			path = c.Path
			return Credential{}, ErrOtherCookie
		case recent >= maxHandovers:
			return Credential{}, ErrLoop
		}
		path = c.Path
		return Credential{CookieHash: HashCredential(value), AppID: a.ID, SessionHash: c.SessionHash, CreatedAt: now, ExpiresAt: sess.ExpiresAt}, nil
	})
	if errors.Is(err, directory.ErrNotFound) {
		return "", "", ErrCode
	}
	return value, path, err
}
