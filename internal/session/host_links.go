package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
)

// HostLinkDuration is how long a link works that the operator makes on the host.
const HostLinkDuration = 15 * time.Minute

// HostLink is a sign-in link that the operator has made on the host for a user who can't
// sign in otherwise. It works once, in any browser, and counts as a second factor.
type HostLink struct {
	Hash      string // of its token; see Hash
	UserID    string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Errors of CreateHostLink.
var (
	ErrHostLinkNoAccount = errors.New("they have no account at the login service yet: invite them instead")
	errHostLinkSuspended = fmt.Errorf("%w: restore their access first", directory.ErrSuspended)
)

// CreateHostLink makes a sign-in link for a user and returns its token and when it expires.
// An earlier link of the user stops working. Errors: directory.ErrSuspended,
// directory.ErrNotFound, ErrHostLinkNoAccount, ErrHostLinksOff, ErrUnavailable,
// directory.ErrUnavailable.
func (s *Service) CreateHostLink(ctx context.Context, by event.Origin, u directory.User) (token string, expires time.Time, err error) {
	if err := mayHaveHostLink(u); err != nil {
		return "", time.Time{}, err
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	token, err = s.provider.CreateLink(call, u.StytchUserID, HostLinkDuration)
	if errors.Is(err, ErrNoAccount) {
		return "", time.Time{}, ErrHostLinkNoAccount
	}
	if err != nil {
		return "", time.Time{}, err
	}
	now := s.opts.Now()
	link := HostLink{Hash: Hash(token), UserID: u.ID, CreatedAt: now, ExpiresAt: now.Add(HostLinkDuration)}
	err = s.store.CreateHostLink(ctx, link, func(u directory.User) (event.Event, error) {
		return by.NewEvent(event.HostLinkMade, now, u.ID, u.Email.Normalized, ""), mayHaveHostLink(u)
	})
	if err != nil {
		return "", time.Time{}, err
	}
	s.outbox.Wake()
	return token, link.ExpiresAt, nil
}

// mayHaveHostLink returns an error for the operator if the user can't sign in with a link
// made on the host.
func mayHaveHostLink(u directory.User) error {
	switch {
	case u.Status == directory.Suspended:
		return errHostLinkSuspended
	case u.StytchUserID == "":
		return ErrHostLinkNoAccount
	}
	return nil
}

// acceptHostLink completes the authentication of a link that was not emailed, if the
// operator made it on the host for its user. Otherwise, it returns ErrLinkUnknown or
// ErrLinkSpent.
func (s *Service) acceptHostLink(ctx context.Context, in *signIn, auth *Authentication) error {
	link, u, err := s.store.GetHostLink(ctx, Hash(in.secret))
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return ErrLinkUnknown
	case err != nil:
		return err
	case u.StytchUserID != auth.StytchUserID:
		return ErrLinkUnknown
	case !s.opts.Now().Before(link.ExpiresAt):
		return ErrLinkSpent
	}
	in.kind, in.hostLinkHash = factor.HostLink, link.Hash
	auth.Email, auth.MadeAt = u.Email.Normalized, link.CreatedAt
	return nil
}
