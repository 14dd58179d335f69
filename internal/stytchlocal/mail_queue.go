package stytchlocal

import (
	"context"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// queuedMail is an email to send after the commit of the transaction that queued it.
type queuedMail struct {
	mail.Message
	invitation bool // counts against the limit of invitations
}

// queueLink writes an email with a link and stores it for the inbox. It counts an
// invitation against the limit. The caller sends the email after the commit.
func (s *Server) queueLink(ctx context.Context, q *dbsqlc.Queries, l mail.Link) (queuedMail, error) {
	if l.Invitation {
		if err := s.countInvitation(ctx, q, l.To); err != nil {
			return queuedMail{}, err
		}
	}
	m, err := l.Message(s.opts.Product, toTime(s.now()))
	if err != nil {
		return queuedMail{}, err
	}
	return queuedMail{m, l.Invitation}, s.storeMail(ctx, q, m, l.URL)
}

// storeMail stores an email for the inbox, if there is one.
func (s *Server) storeMail(ctx context.Context, q *dbsqlc.Queries, m mail.Message, link string) error {
	if !s.opts.Inbox {
		return nil
	}
	err := q.InsertMail(ctx, dbsqlc.InsertMailParams{
		MailID: m.ID, Recipient: m.To, Subject: m.Subject, BodyText: m.Text, BodyHtml: m.HTML, Link: link, SentAt: m.Date.UnixMicro(),
	})
	if err != nil {
		return fmt.Errorf("insert mail: %w", err)
	}
	return nil
}

// Notify sends a notice: to the inbox, by the mail server, or both. No limit counts it.
func (s *Server) Notify(ctx context.Context, n mail.Notice) error {
	m, err := n.Message(s.opts.Product, toTime(s.now()))
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(q *dbsqlc.Queries) error { return s.storeMail(ctx, q, m, "") })
	if err != nil {
		return fmt.Errorf("post notice: %w", s.opts.Explain(err))
	}
	return s.deliver(ctx, m)
}

// sendQueued sends an email after the commit and returns the API's error if that fails.
// The real Stytch queues emails and responds before it knows the result. An invitation
// that was not sent does not count against the limit, because the caller will retry. Its
// link stays valid: it may have arrived after all.
func (s *Server) sendQueued(ctx context.Context, m queuedMail) error {
	err := s.deliver(ctx, m.Message)
	if err == nil {
		return nil
	}
	s.opts.Log.Warn("local stytch: mail not sent", "mail", m.ID, "error", err)
	response, mayHaveArrived := mailErrorResponse(err)
	if mayHaveArrived || !m.invitation { // a server that never confirms must not cause an email for each retry
		return response
	}
	if err := s.uncountInvitation(context.WithoutCancel(ctx), m.To); err != nil {
		s.opts.Log.Warn("local stytch: an invitation that was not sent still counts against the limit", "error", s.opts.Explain(err))
	}
	return response
}

// responseMargin is how much of the caller's time is left for the response if the mail
// server does not reply.
const responseMargin = 500 * time.Millisecond

// deliver prunes the inbox and sends a stored email by the mail server, if there is one.
func (s *Server) deliver(ctx context.Context, m mail.Message) error {
	if s.opts.Inbox {
		s.pruneInbox(ctx)
	}
	if s.opts.Mailer == nil {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-responseMargin))
		defer cancel()
	}
	return s.opts.Mailer.Send(ctx, m)
}
