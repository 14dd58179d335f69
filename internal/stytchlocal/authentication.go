package stytchlocal

import (
	"context"
	"errors"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// authentication is a call that proves a factor of a user. Its request has been checked.
type authentication struct {
	userID     string
	gone       error // the API's error if the user no longer exists
	opts       sessionOptions
	attributes *attributes // of the browser; may be nil

	// prove spends what proves the factor, such as a link or a code, and returns the
	// factor. It applies what else the proof changes to the database and to the user, who
	// is locked. An error leaves all as it was. It may run again.
	prove func(q *dbsqlc.Queries, user *account) (factor, error)
}

// authenticated is the part that the responses to authentications share. It has empty
// tokens and no session if the request asked for none.
type authenticated struct {
	UserID       string         `json:"user_id"`
	User         userObject     `json:"user"`
	SessionToken string         `json:"session_token"`
	SessionJWT   string         `json:"session_jwt"`
	Session      *sessionObject `json:"session"`
}

// authenticate proves a factor, activates the user and creates or extends a session, in one
// transaction. Of several concurrent calls with the same proof, one succeeds. It sends the
// webhook about a changed user.
func (s *Server) authenticate(ctx context.Context, a authentication) (authenticated, error) {
	out := authenticated{UserID: a.userID}
	var user account
	var before userObject
	var session *session
	err := s.tx(ctx, func(q *dbsqlc.Queries) (err error) {
		user, err = s.lockUser(ctx, q, a.userID)
		if errors.Is(err, errConflict) {
			return a.gone
		}
		if err != nil {
			return err
		}
		before = user.object()
		f, err := a.prove(q, &user)
		if err != nil {
			return err
		}
		user.Status = statusActive
		if _, err := q.ActivateUser(ctx, user.UserID); err != nil {
			return wrap("activate user", err)
		}
		out.User = user.object()
		session, err = s.grantSession(ctx, q, &user, a.opts, f, a.attributes)
		return err
	})
	if err != nil {
		return out, err
	}
	s.sendWebhookIfChanged(before, &user)
	if session == nil {
		return out, nil
	}
	out.SessionToken = s.sessionToken(session.SessionID)
	out.Session = session.object()
	out.SessionJWT, err = s.signJWT(s.keys(ctx), session)
	return out, err
}
