package stytchlocal

import (
	"context"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// kindDecoy is a link that nobody was sent and nobody can use.
const kindDecoy = "decoy"

// Decoy does for an address that may get no mail what the send call does for one that
// does: the same look-ups, a link in the database, a mail that is written. Nothing is
// sent. The link's token is nowhere, and its row is past its time, so that the next
// sweep deletes it. A caller that answers before it sends gives no sign, by how busy
// the database is, of which addresses get mail.
func (s *Server) Decoy(ctx context.Context, email string) error {
	s.purge(ctx)
	nobody := account{StytchUser: dbsqlc.StytchUser{UserID: newID("user")}}
	return s.readThenTx(ctx, func() error {
		_, err := s.findRecipient(ctx, owner{}, email)
		if errors.Is(err, errEmailNotFound) {
			return nil
		}
		return err
	}, func(q *dbsqlc.Queries) error {
		if _, err := s.findUser(ctx, q, nobody.UserID); err != nil && !errors.Is(err, errUserNotFound) {
			return err
		}
		if _, err := q.ListEmailsOfUsers(ctx, []string{nobody.UserID}); err != nil {
			return fmt.Errorf("list emails: %w", err)
		}
		order := linkParams{kind: kindDecoy}
		token, err := s.makeLink(ctx, q, nobody.UserID, newID("email"), s.now()-keepDeadLinks.Microseconds(), order)
		if err != nil {
			return err
		}
		// In place of the lock of a user's row.
		if _, err := q.MarkLink(ctx, dbsqlc.MarkLinkParams{UsedAt: s.now(), TokenHash: hashToken(token)}); err != nil {
			return fmt.Errorf("mark link: %w", err)
		}
		_, err = mail.Link{To: email, URL: s.linkURL(token), Lifetime: defaultLifetimes[kindLogin], Home: s.opts.BaseURL}.Message(s.opts.Product, toTime(s.now()))
		return err
	})
}
