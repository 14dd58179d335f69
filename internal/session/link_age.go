package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

// A suspension, a change of role and the like end all links that were made before
// (directory.User.LinksAfter). The local Stytch says when a link was made. The
// real one does not, and can't revoke a sign-in link: there a link counts as new
// if it was made with a PKCE challenge that is younger than the change, or if no
// older link can still work.

// linkAge is what is known of when a link was made.
type linkAge struct {
	madeAt     time.Time // not before this; zero: not known
	linksAfter time.Time // of the user as of when mayBeOld was found out
	mayBeOld   bool      // if madeAt is not known
}

// beforeChange reports whether the link may have been made before the user's
// links were ended.
func (a linkAge) beforeChange(u directory.User) bool {
	switch {
	case u.LinksAfter.IsZero():
		return false
	case !a.madeAt.IsZero():
		return a.madeAt.Before(u.LinksAfter)
	}
	return a.mayBeOld || !a.linksAfter.Equal(u.LinksAfter)
}

// linkAge finds out what is known of when the link of a proof was made.
func (m *Service) linkAge(ctx context.Context, proof Authentication, email directory.Email) (linkAge, error) {
	if !proof.MadeAt.IsZero() {
		return linkAge{madeAt: proof.MadeAt}, nil
	}
	linksAfter, mayBeOld, err := m.oldLinks(ctx, email)
	return linkAge{linksAfter: linksAfter, mayBeOld: mayBeOld}, err
}

// MustProveAge reports whether a link for the address has to be made with a PKCE
// challenge whose verifier was made at linksAfter or later, because a link from
// before may still work.
func (m *Service) MustProveAge(ctx context.Context, email directory.Email) (linksAfter time.Time, must bool, err error) {
	if m.opts.LinksTellAge {
		return time.Time{}, false, nil
	}
	return m.oldLinks(ctx, email)
}

// oldLinks returns when the links of the address's user were ended, and whether
// one from before may still work at Stytch.
func (m *Service) oldLinks(ctx context.Context, email directory.Email) (linksAfter time.Time, may bool, err error) {
	u, err := m.store.GetUserByEmail(ctx, email)
	if errors.Is(err, directory.ErrNotFound) {
		return time.Time{}, false, nil
	}
	if err != nil || u.LinksAfter.IsZero() {
		return time.Time{}, false, err
	}
	now := m.opts.Now()
	if !u.LastSeenAt.IsZero() && now.Before(u.CancelledInviteAt.Add(m.opts.InviteDuration)) {
		return u.LinksAfter, true, nil // mailed to somebody who had signed in: Stytch can't take it back
	}
	jobs, err := m.store.ListJobs(ctx, email)
	if err != nil {
		return time.Time{}, false, err
	}
	if slices.ContainsFunc(jobs, endsLinks) {
		return u.LinksAfter, true, nil
	}
	return u.LinksAfter, now.Before(u.LinksAfter.Add(m.opts.LinkDuration)), nil
}

// endsLinks reports whether a job has yet to end links at Stytch.
func endsLinks(j outbox.Job) bool {
	return j.Kind == outbox.RevokeInvite || j.Kind == outbox.DeleteUser
}
