package stytchlocal

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// Notice is a mail that tells somebody of a change, without a link to sign in by.
// What people typed goes into Facts and Name, and nothing in them becomes a link.
type Notice struct {
	To, Name string
	Title    string // with a %s for the product's name
	Lead     string // what happened, in a sentence
	Facts    []Fact // those without a value are left out
	Advice   string // what to do where it should not be so
	Link     string // where to do it: an address of the program itself
	Reason   string // why this person is mailed
}

// Fact is a line of a notice.
type Fact struct{ Label, Value string }

// Notices writes notices and hands them to a mail server.
type Notices struct {
	Product string
	Mailer  Mailer
	Now     func() time.Time
}

// Send mails a notice. The error is a *MailError unless the mail itself is none.
func (n Notices) Send(ctx context.Context, notice Notice) error {
	m, err := writeMail(notice.letter(), n.Product, n.Now())
	if err != nil {
		return err
	}
	return n.Mailer.Send(ctx, m)
}

// Notify mails a notice: to the inbox, by the mail server, or both. No limit counts it.
func (s *Server) Notify(ctx context.Context, notice Notice) error {
	l, mail := notice.letter(), Mail{}
	err := s.tx(ctx, func(q *dbsqlc.Queries) (err error) {
		mail, err = s.queueMail(ctx, q, l)
		return err
	})
	if err != nil {
		return fmt.Errorf("post notice: %w", s.opts.Explain(err))
	}
	if s.opts.Inbox {
		s.pruneInbox(ctx)
	}
	if s.opts.Mailer == nil {
		return nil
	}
	return s.sendWithDeadline(ctx, mail)
}

// letter is the mail of a notice.
func (n Notice) letter() mailData {
	l := mailData{
		mailContent: mailContent{template: "mail_notice", title: n.Title, Unasked: n.Reason},
		To:          n.To, Name: name{First: n.Name}, Lead: n.Lead, Advice: n.Advice, Home: n.Link,
	}
	for _, f := range n.Facts {
		if value := factValue(f.Value); value != "" {
			l.Facts = append(l.Facts, Fact{f.Label, value})
		}
	}
	return l
}

// factValue returns a value on one short line. A network address stays as it is.
func factValue(value string) string {
	if address, err := netip.ParseAddr(strings.TrimSpace(value)); err == nil && address.Zone() == "" {
		return address.String()
	}
	return sanitizeName(value)
}
