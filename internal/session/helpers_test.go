package session_test

import (
	"context"
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

	mu      sync.Mutex
	sent    []session.Link
	spent   []string // "token verifier"
	checked []string // tokens, or a user and a session
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

// links returns what was to be mailed, without what does not matter here.
func (p *provider) links() []session.Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]session.Link(nil), p.sent...)
}
