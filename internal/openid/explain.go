package openid

import (
	"context"
	"errors"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
)

// The ways in which an app signs users in, in apps.SignIn.
const (
	usesForwardAuth = "forward_auth"
	usesOpenID      = "openid"
)

// Explain says how an app signs users in and what last happened to a user there, as far as the newest events
// tell. user may be nil. Error: directory.ErrUnavailable.
func (c *Clients) Explain(ctx context.Context, a apps.App, user *directory.User) (apps.SignIn, error) {
	var s apps.SignIn
	if a.HasAddress() {
		s.Uses = append(s.Uses, usesForwardAuth)
	}
	_, err := c.store.GetClient(ctx, a.ID)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		if !a.HasAddress() {
			s.Text = a.Name + " has neither an address nor an OpenID Connect client, so no one can sign in to it."
		}
		return s, nil
	case err != nil:
		return s, err
	}
	s.Uses = append(s.Uses, usesOpenID)
	s.Text = a.Name + " signs people in with OpenID Connect."
	if a.HasAddress() {
		s.Text = a.Name + " signs people in with OpenID Connect, and Guestlist checks requests to " + a.URL() + " that reach it."
	}
	if user == nil {
		return s, nil
	}
	return s, c.addHistory(ctx, &s, a, user.ID)
}

// addHistory adds a user's last sign-in to an app, and whether it ended early.
func (c *Clients) addHistory(ctx context.Context, s *apps.SignIn, a apps.App, userID string) error {
	prefix := a.Name + ": "
	signedIn, err := c.lastEvent(ctx, userID, event.AppSignedIn, func(reason string) bool { return reason == a.Name || strings.HasPrefix(reason, prefix) })
	if err != nil {
		return err
	}
	if signedIn.At.IsZero() {
		s.Text += " The activity log has no sign-in of theirs."
		return nil
	}
	s.At = signedIn.At
	s.Text += " They last signed in to it that way on " + humanize.FormatTime(s.At) + "."
	ended, err := c.lastEvent(ctx, userID, event.GrantEnded, func(reason string) bool { return strings.HasPrefix(reason, prefix) })
	if err != nil || ended.At.Before(signedIn.At) {
		return err
	}
	s.EndedAt, s.EndedBecause = ended.At, strings.TrimPrefix(ended.Reason, prefix)
	s.Text += " That ended on " + humanize.FormatTime(s.EndedAt) + ": " + s.EndedBecause + "."
	return nil
}

// lastEvent returns a user's newest event of a kind whose reason matches, among the newest ones; zero if there is none.
func (c *Clients) lastEvent(ctx context.Context, userID string, kind event.Kind, matches func(reason string) bool) (event.Event, error) {
	events, _, err := c.store.ListEvents(ctx, event.Query{Person: userID, Kind: kind, Limit: event.MaxLimit})
	if err != nil {
		return event.Event{}, err
	}
	for _, e := range events {
		if matches(e.Reason) {
			return e, nil
		}
	}
	return event.Event{}, nil
}
