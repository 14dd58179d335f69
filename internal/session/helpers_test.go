package session_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/session"
)

// provider is a Stytch as the test wants it. Unless scripted otherwise it is
// well: it mails every link, takes "link:<address>" for a link to that address,
// and stands by every session.
type provider struct {
	lockedUntil  time.Time
	accountErr   error
	ready        func() error
	send         func(ctx context.Context, link session.Link, n int) error // n counts the calls, from 1
	magicLink    func(token, verifier string) (session.Authentication, error)
	authenticate func(ctx context.Context, token string) (session.ProviderSession, error)
	get          func(stytchUserID, sessionID string) (session.ProviderSession, error)
	code         string                                                                // the right one, of emails and of an authenticator app
	sendCode     func(c session.Code) (string, error)                                  // nil sends it to the id "email-of-<address>"
	authCode     func() error                                                          // refuses codes if it returns an error; may be nil
	passkey      func(credential, sessionToken string) (session.Authentication, error) // nil refuses all
	createLink   func(stytchUserID string) (string, error)                             // nil makes "host:<id>"
	oauth        func(token, verifier string) (session.Authentication, error)          // nil refuses all

	mu      sync.Mutex
	sent    []session.Link
	codes   []session.Code // to be emailed
	tried   []string       // "method code"
	spent   []string       // "token verifier"
	checked []string       // tokens, or a user and a session
	whoami  int
}

func (p *provider) Ready(context.Context) error {
	p.mu.Lock()
	p.whoami++
	p.mu.Unlock()
	if p.ready != nil {
		return p.ready()
	}
	return nil
}

func (p *provider) SendMagicLink(ctx context.Context, link session.Link) error {
	p.mu.Lock()
	p.sent = append(p.sent, link)
	n := len(p.sent)
	p.mu.Unlock()
	if p.send != nil {
		return p.send(ctx, link, n)
	}
	return nil
}

func (p *provider) CreateLink(_ context.Context, stytchUserID string, _ time.Duration) (string, error) {
	if p.createLink != nil {
		return p.createLink(stytchUserID)
	}
	return "host:" + stytchUserID, nil
}

func (p *provider) AuthenticateMagicLink(_ context.Context, token, verifier string, _ session.Browser) (session.Authentication, error) {
	p.mu.Lock()
	p.spent = append(p.spent, strings.TrimSpace(token+" "+verifier))
	n := strconv.Itoa(len(p.spent))
	p.mu.Unlock()
	if p.magicLink != nil {
		return p.magicLink(token, verifier)
	}
	return proofOf(token, n)
}

// proofOf is what a link for an address proves.
func proofOf(token, n string) (session.Authentication, error) {
	address, ok := strings.CutPrefix(token, "link:")
	if !ok {
		return session.Authentication{}, session.ErrLinkUnknown
	}
	return session.Authentication{
		Email: address, StytchUserID: "stytch-of-" + address, SessionID: "session-" + n,
		SessionToken: "token-" + n, ExpiresAt: noon.Add(7 * 24 * time.Hour),
	}, nil
}

func (p *provider) AuthenticateSession(ctx context.Context, token string) (session.ProviderSession, error) {
	p.mu.Lock()
	p.checked = append(p.checked, token)
	p.mu.Unlock()
	if p.authenticate != nil {
		return p.authenticate(ctx, token)
	}
	return session.ProviderSession{
		StytchUserID: "stytch-of-ada@example.com", SessionID: "session-" + strings.TrimPrefix(token, "token-"),
		ExpiresAt: noon.Add(7 * 24 * time.Hour),
	}, nil
}

func (p *provider) GetSession(_ context.Context, stytchUserID, sessionID string) (session.ProviderSession, error) {
	p.mu.Lock()
	p.checked = append(p.checked, stytchUserID+" "+sessionID)
	p.mu.Unlock()
	return p.get(stytchUserID, sessionID)
}

func (p *provider) SendCode(_ context.Context, c session.Code) (string, error) {
	p.mu.Lock()
	p.codes = append(p.codes, c)
	p.mu.Unlock()
	if p.sendCode != nil {
		return p.sendCode(c)
	}
	return "email-of-" + c.Email, nil
}

func (p *provider) AuthenticateCode(_ context.Context, methodID, code, sessionToken string, _ session.Browser) (session.Authentication, error) {
	return p.tryCode("email "+methodID, strings.TrimPrefix(methodID, "email-of-"), code, sessionToken)
}

func (p *provider) AuthenticateTOTP(_ context.Context, stytchUserID, code, sessionToken string, _ session.Browser) (session.Authentication, error) {
	auth, err := p.tryCode("totp "+stytchUserID, strings.TrimPrefix(stytchUserID, "stytch-of-"), code, sessionToken)
	auth.Email, auth.FactorID = "", "totp-of-"+stytchUserID
	return auth, err
}

func (p *provider) AuthenticateRecoveryCode(_ context.Context, stytchUserID, code, sessionToken string, _ session.Browser) (session.Authentication, error) {
	auth, err := p.tryCode("recovery "+stytchUserID, strings.TrimPrefix(stytchUserID, "stytch-of-"), code, sessionToken)
	auth.Email, auth.FactorID = "", "totp-of-"+stytchUserID
	return auth, err
}

// tryCode accepts the right code, for the session of the token or for a new one.
func (p *provider) tryCode(method, address, code, sessionToken string) (session.Authentication, error) {
	p.mu.Lock()
	p.tried = append(p.tried, method+" "+code)
	n := strconv.Itoa(len(p.spent) + len(p.tried))
	p.mu.Unlock()
	if p.authCode != nil {
		if err := p.authCode(); err != nil {
			return session.Authentication{}, err
		}
	}
	if code != p.code || !strings.HasSuffix(method, "-of-"+address) {
		return session.Authentication{}, session.ErrCodeWrong
	}
	if sessionToken != "" {
		n = strings.TrimPrefix(sessionToken, "token-")
	}
	return proofOf("link:"+address, n)
}

func (p *provider) StartPasskey(context.Context) (json.RawMessage, error) {
	return json.RawMessage(`{"challenge":"AAAA"}`), nil
}

func (p *provider) AuthenticatePasskey(_ context.Context, credential, sessionToken string, _ session.Browser) (session.Authentication, error) {
	if p.passkey == nil {
		return session.Authentication{}, session.ErrPasskey
	}
	return p.passkey(credential, sessionToken)
}

func (p *provider) AuthenticateOAuth(_ context.Context, token, verifier string, _ session.Browser) (session.Authentication, error) {
	if p.oauth == nil {
		return session.Authentication{}, session.ErrOAuth
	}
	return p.oauth(token, verifier)
}

// links returns what was to be mailed, without what does not matter here.
func (p *provider) links() []session.Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]session.Link(nil), p.sent...)
}
