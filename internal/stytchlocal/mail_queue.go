package stytchlocal

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// Mail is a message to one person, ready to be sent.
type Mail struct {
	ID      string // mail-test-<uuid>, different for each
	To      string // one address, in ASCII, without a name
	Subject string // one line
	Text    string
	HTML    string // says the same as Text
	Date    time.Time

	invitation bool // counts against the limit of invitations
}

// Mailer sends mails out. An error means that the mail may not have been sent; it
// is tried again only if the caller of the API asks again. A *MailError says
// whether that is worth it.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// queueMail writes a mail and keeps it for the inbox. An invitation is counted. The mail
// must be handed to deliver after the commit.
func (s *Server) queueMail(ctx context.Context, q *dbsqlc.Queries, l mailData) (Mail, error) {
	if l.mailContent == invitation {
		if err := s.countInvitation(ctx, q, l.To); err != nil {
			return Mail{}, err
		}
	}
	m, err := s.write(l)
	if err != nil || !s.opts.Inbox {
		return m, err
	}
	err = q.InsertMail(ctx, dbsqlc.InsertMailParams{
		MailID: m.ID, Recipient: m.To, Subject: m.Subject, BodyText: m.Text, BodyHtml: m.HTML,
		Link: l.Link, SentAt: m.Date.UnixMicro(),
	})
	if err != nil {
		return Mail{}, fmt.Errorf("insert mail: %w", err)
	}
	return m, nil
}

func (s *Server) write(l mailData) (Mail, error) {
	return writeMail(l, s.opts.Product, toTime(s.now()))
}

// writeMail fills in a mail's template.
func writeMail(l mailData, product string, now time.Time) (Mail, error) {
	l.Product = sanitizeName(product)
	var text, html strings.Builder
	if err := mailText().ExecuteTemplate(&text, l.template+".txt", l); err != nil {
		return Mail{}, fmt.Errorf("write mail: %w", err)
	}
	if err := mailHTML().ExecuteTemplate(&html, l.template+".html", l); err != nil {
		return Mail{}, fmt.Errorf("write mail: %w", err)
	}
	return Mail{
		ID: newID("mail"), To: l.To, Subject: l.Title(),
		Text: strings.TrimSpace(text.String()) + "\n", HTML: strings.TrimSpace(html.String()) + "\n", Date: now,
		invitation: l.mailContent == invitation,
	}, nil
}

// sendQueued sends a mail out after the transaction that posted it. An invitation that
// was not taken does not count against the limit: the caller is meant to ask again.
// What it holds stays good, because it may have arrived after all.
//
// How it went is told at once: Stytch takes a mail into a queue and answers before
// anybody knows.
func (s *Server) sendQueued(ctx context.Context, m Mail) error {
	if s.opts.Inbox {
		s.pruneInbox(ctx)
	}
	if s.opts.Mailer == nil {
		return nil
	}
	err := s.sendWithDeadline(ctx, m)
	if err == nil {
		return nil
	}
	s.opts.Log.Warn("local stytch: mail not sent", "mail", m.ID, "error", err)
	answer, mayHaveArrived := mailErrorResponse(err)
	if mayHaveArrived || !m.invitation { // a server that never confirms must not mean a mail for each try
		return answer
	}
	if err := s.uncountInvitation(context.WithoutCancel(ctx), m.To); err != nil {
		s.opts.Log.Warn("local stytch: an invitation that was not sent still counts against the limit", "error", s.opts.Explain(err))
	}
	return answer
}

// sendWithDeadline gives the mail server a little less time than the caller has, so that the
// caller hears why.
func (s *Server) sendWithDeadline(ctx context.Context, m Mail) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-responseMargin))
		defer cancel()
	}
	return s.opts.Mailer.Send(ctx, m)
}

// responseMargin is what is left of a caller's time for the answer to a mail that the
// mail server did not take in time.
const responseMargin = 500 * time.Millisecond

// formatLifetime says a time span as people do, rounded down: a link must not be said
// to work when it no longer does.
func formatLifetime(d time.Duration) string {
	n, unit := int(d.Minutes()), "minute"
	switch {
	case d >= 48*time.Hour:
		n, unit = int(d.Hours())/24, "day"
	case d >= time.Hour && (d >= 4*time.Hour || d%time.Hour == 0):
		n, unit = int(d.Hours()), "hour"
	}
	number := strconv.Itoa(n)
	if small := [...]string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}; n < len(small) {
		number = small[n]
	}
	if n != 1 {
		unit += "s"
	}
	return number + " " + unit
}
