package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

// A suspension, a role change and the like invalidate all links made before
// (directory.User.LinksAfter). The local Stytch reports when a link was made. The
// real one doesn't, and can't revoke a sign-in link: there, a link counts as new if
// it was made with a PKCE challenge that is younger than the change, or if no older
// link can still work.

// linkAge is what is known about when a link was made.
type linkAge struct {
	madeAt     time.Time // at the earliest; zero if unknown
	linksAfter time.Time // of the user when mayBeOld was determined
	mayBeOld   bool      // if madeAt is unknown
}

// beforeChange reports whether the link may have been made before u.LinksAfter.
func (a linkAge) beforeChange(u directory.User) bool {
	switch {
	case u.LinksAfter.IsZero():
		return false
	case !a.madeAt.IsZero():
		return a.madeAt.Before(u.LinksAfter)
	}
	return a.mayBeOld || !a.linksAfter.Equal(u.LinksAfter)
}

// linkAge determines when the link of an authentication was made.
func (s *Service) linkAge(ctx context.Context, auth Authentication, email directory.Email) (linkAge, error) {
	if !auth.MadeAt.IsZero() {
		return linkAge{madeAt: auth.MadeAt}, nil
	}
	linksAfter, mayBeOld, err := s.oldLinks(ctx, email)
	return linkAge{linksAfter: linksAfter, mayBeOld: mayBeOld}, err
}

// mustProveAge reports whether a link for the address needs a PKCE challenge made at
// linksAfter or later, because an older link may still work.
func (s *Service) mustProveAge(ctx context.Context, email directory.Email) (linksAfter time.Time, must bool, err error) {
	if s.opts.ReportsLinkAge {
		return time.Time{}, false, nil
	}
	return s.oldLinks(ctx, email)
}

// oldLinks returns when the links of the address's user were last invalidated, and
// whether an older one may still work at Stytch.
func (s *Service) oldLinks(ctx context.Context, email directory.Email) (linksAfter time.Time, may bool, err error) {
	u, err := s.store.GetUserByEmail(ctx, email)
	if errors.Is(err, directory.ErrNotFound) {
		return time.Time{}, false, nil
	}
	if err != nil || u.LinksAfter.IsZero() {
		return time.Time{}, false, err
	}
	now := s.opts.Now()
	if !u.LastSeenAt.IsZero() && now.Before(u.CancelledInviteAt.Add(s.opts.InviteDuration)) {
		return u.LinksAfter, true, nil // mailed to a user who had signed in: Stytch can't revoke it
	}
	jobs, err := s.store.ListJobs(ctx, email)
	if err != nil {
		return time.Time{}, false, err
	}
	pending := slices.ContainsFunc(jobs, func(j outbox.Job) bool { return j.Kind == outbox.RevokeInvite || j.Kind == outbox.DeleteUser })
	return u.LinksAfter, pending || now.Before(u.LinksAfter.Add(s.opts.LinkDuration)), nil
}
