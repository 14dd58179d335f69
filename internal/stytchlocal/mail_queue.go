package stytchlocal

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// queuedMail is an email to send after the commit of the transaction that queued it.
type queuedMail struct {
	mail.Message
	invitation bool // counts against the limit of invitations
}

// queueMail writes an email with a link and stores it for the inbox. It counts an
// invitation.
func (s *Server) queueMail(ctx context.Context, q *dbsqlc.Queries, l mail.Link) (queuedMail, error) {
	if l.Invitation {
		if err := s.countInvitation(ctx, q, l.To); err != nil {
			return queuedMail{}, err
		}
	}
	m, err := l.Message(s.opts.Product, toTime(s.now()))
	if err != nil {
		return queuedMail{}, err
	}
	return queuedMail{m, l.Invitation}, s.storeMail(ctx, q, m, l.URL, "")
}

// storeMail stores an email for the inbox, with the link or passcode in it.
func (s *Server) storeMail(ctx context.Context, q *dbsqlc.Queries, m mail.Message, link, code string) error {
	if !s.opts.Inbox {
		return nil
	}
	return wrap("insert mail", q.InsertMail(ctx, dbsqlc.InsertMailParams{
		MailID: m.ID, Recipient: m.To, Subject: m.Subject, BodyText: m.Text, BodyHtml: m.HTML, Link: link, Code: code, SentAt: m.Date.UnixMicro(),
	}))
}

// Notify sends a notice: to the inbox, by the mail server, or both. No limit counts it.
func (s *Server) Notify(ctx context.Context, n mail.Notice) error {
	m, err := n.Message(s.opts.Product, toTime(s.now()))
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(q *dbsqlc.Queries) error { return s.storeMail(ctx, q, m, "", "") })
	if err != nil {
		return wrap("store notice", s.opts.Explain(err))
	}
	return s.deliver(ctx, m)
}

// sendQueued sends an email after the commit and returns the API's error if that fails.
// (Stytch itself queues emails, and responds before it knows the result.) An invitation
// that was not sent does not count against the limit, because the caller will retry. Its
// link stays valid: the email may have arrived after all.
func (s *Server) sendQueued(ctx context.Context, m queuedMail) error {
	err := s.deliver(ctx, m.Message)
	if err == nil {
		return nil
	}
	s.opts.Log.Warn("email not sent", "mail", m.ID, "error", err)
	failed := mailError(err)
	// A server that never confirms must not cause an email for each retry.
	if m.invitation && failed.kind != "mail_not_confirmed" {
		if err := s.uncountInvitation(context.WithoutCancel(ctx), m.To); err != nil {
			s.opts.Log.Warn("an unsent invitation still counts against the limit", "error", s.opts.Explain(err))
		}
	}
	return failed
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

// mailError returns the API's error for an email that was not sent. Stytch has a name only
// for an address that accepts no email. The messages are written for administrators.
func mailError(err error) *apiError {
	var failed *mail.Error
	if !errors.As(err, &failed) {
		return newError(http.StatusServiceUnavailable, "mail_not_sent", "The email could not be sent.")
	}
	switch failed.Refusal {
	case mail.AddressRefused:
		return newError(http.StatusBadRequest, "inactive_email", failed.Sentence)
	case mail.MailRefused:
		return newError(http.StatusBadRequest, "mail_refused", failed.Sentence)
	case mail.Unconfirmed:
		return newError(http.StatusServiceUnavailable, "mail_not_confirmed", failed.Sentence)
	}
	return newError(http.StatusServiceUnavailable, "mail_not_sent", failed.Sentence)
}
