package stytchlocal

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// Decoy does the work of a send call without sending an email: the same reads, a link in
// the database, an email that is written. The link's token is discarded, and its row has
// expired, so that the next purge deletes it. A caller that responds before it sends can
// use it to hide, from an observer of the database's load, which addresses get an email.
func (s *Server) Decoy(ctx context.Context, email string) error {
	return s.decoy(ctx, email, func(q *dbsqlc.Queries, userID string) error {
		token, err := s.createLink(ctx, q, userID, newID("email"), s.now()-keepDeadLinks.Microseconds(), linkParams{kind: kindDecoy})
		if err != nil {
			return err
		}
		// Instead of locking a user's row.
		if _, err := q.MarkLink(ctx, dbsqlc.MarkLinkParams{UsedAt: s.now(), TokenHash: hashToken(token)}); err != nil {
			return wrap("mark link", err)
		}
		_, err = mail.Link{To: email, URL: s.linkURL(token), Lifetime: defaultLifetimes[kindLogin], Home: s.opts.BaseURL}.Message(s.opts.Product, toTime(s.now()))
		return err
	})
}

// DecoyCode does the work of a send call of a passcode without sending an email, and
// returns the method id of a passcode that no one knows. Tries of it are counted and
// refused like those of any other, so that they don't reveal either which addresses get an
// email. Its user does not exist.
func (s *Server) DecoyCode(ctx context.Context, email string) (methodID string, err error) {
	methodID = newID("email")
	return methodID, s.decoy(ctx, email, func(q *dbsqlc.Queries, userID string) error {
		lifetime := maxCodeLife * time.Minute
		code, err := s.createCode(ctx, q, userID, methodID, s.now()+lifetime.Microseconds(), nil)
		if err != nil {
			return err
		}
		_, err = mail.Code{To: email, Code: code, Lifetime: lifetime}.Message(s.opts.Product, toTime(s.now()))
		return err
	})
}

// decoy reads what a send call reads, for a user who does not exist, and calls create in
// the transaction.
func (s *Server) decoy(ctx context.Context, email string, create func(q *dbsqlc.Queries, userID string) error) error {
	s.purge(ctx)
	userID := newID("user")
	return s.readThenTx(ctx, func() error {
		_, err := s.findRecipient(ctx, userSelector{}, email)
		if errors.Is(err, errEmailNotFound) {
			return nil
		}
		return err
	}, func(q *dbsqlc.Queries) error {
		if _, err := s.findUser(ctx, q, userID); err != nil && !errors.Is(err, errUserNotFound) {
			return err
		}
		if _, err := s.loadAccounts(ctx, q, []dbsqlc.StytchUser{{UserID: userID, Details: "{}"}}); err != nil {
			return err
		}
		return create(q, userID)
	})
}
