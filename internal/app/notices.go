package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// product is the name of the program in mails.
const product = "Guestlist"

// newNoticeMailer returns the mailer of notices: the local Stytch, or the mail server with
// the real one. It returns nil if neither is configured.
func (c *core) newNoticeMailer() (outbox.Mailer, error) {
	base := c.cfg.BaseURL.String()
	switch {
	case c.LocalStytch != nil:
		return noticeMailer{base, c.LocalStytch.Notify}, nil
	case c.cfg.SMTPURL == "":
		return nil, nil
	}
	smtp, err := mail.NewSMTP(c.cfg.SMTPURL, c.cfg.MailFrom)
	if err != nil {
		return nil, fault.Setting("SMTP_URL", err)
	}
	return noticeMailer{base, mail.Notifier{Product: product, Sender: smtp, Now: c.now}.Send}, nil
}

// noticeMailer writes and sends notices. It implements outbox.Mailer.
type noticeMailer struct {
	baseURL string
	send    func(context.Context, mail.Notice) error
}

func (m noticeMailer) Notify(ctx context.Context, n outbox.Notice) error {
	err := m.send(ctx, m.compose(n))
	var failed *mail.Error
	if errors.As(err, &failed) {
		return mailFailure{failed}
	}
	if err != nil {
		return notWritten{err}
	}
	return nil
}

// notWritten is the error of a notice that was never handed to a mail server.
type notWritten struct{ error }

func (e notWritten) Unwrap() error { return e.error }

func (notWritten) Reason() string { return "The notice couldn't be created; see the log." }

// compose writes the text of a notice.
func (m noticeMailer) compose(n outbox.Notice) mail.Notice {
	notice := mail.Notice{To: n.Email, Name: n.Name, Link: m.baseURL + "/profile"}
	by := n.By
	if by == "" {
		by = "Guestlist, from its settings"
	}
	from := []mail.Fact{
		{Label: "When", At: n.At},
		{Label: "By", Value: by}, {Label: "API token", Value: n.ByToken},
		{Label: "IP address", Value: n.Address}, {Label: "Browser or program", Value: n.UserAgent},
	}
	switch n.Topic {
	case outbox.NewToken:
		notice.Title, notice.Lead = "A new API token at %s", "An API token was created for your account. A program that has it can act on your behalf."
		notice.Facts = append([]mail.Fact{{Label: "Name", Value: n.Token}, {Label: "Scope and expiry", Value: n.Terms}}, from...)
		notice.Advice = "If this wasn't you, revoke the token on your profile page and sign out everywhere:"
		notice.Reason = "You receive this email whenever an API token is created for your account."
	case outbox.NewAdmins:
		notice.Title, notice.Lead = "New administrators at %s", "An import was started that can add administrators."
		notice.Facts = append([]mail.Fact{{Label: "Import", Value: n.Import}}, from...)
		notice.Advice = "If this is a mistake, stop the import, review the people it added, and end the sessions and API tokens of the person who started it:"
		notice.Link = m.baseURL + "/users?role=admin"
	case outbox.HostLink:
		m.composeHostLink(n, from, &notice)
	case outbox.SignInMethods:
		m.composeMethods(n, from, &notice)
	case outbox.AccessRequests, outbox.AccessEndings:
		m.composeDigest(n, &notice)
	case outbox.AccessApproved, outbox.AccessDenied, outbox.AccessEnds:
		m.composeAccess(n, &notice)
	default:
		notice.Title, notice.Lead = "A new administrator at %s", "Someone was made an administrator. Administrators can add, change and remove people."
		notice.Facts = append([]mail.Fact{{Label: "Administrator", Value: n.Admin}}, from...)
		notice.Advice = "If this is a mistake, change their role, and end the sessions and API tokens of the person who did it:"
		notice.Link = fmt.Sprintf("%s/users/%s", m.baseURL, n.UserID)
	}
	if notice.Reason == "" {
		notice.Reason = "You receive this email because you're an administrator."
	}
	return notice
}

// mailFailure maps the mail server's error to those of the outbox.
type mailFailure struct{ err *mail.Error }

func (f mailFailure) Error() string  { return f.err.Error() }
func (f mailFailure) Unwrap() error  { return f.err }
func (f mailFailure) Reason() string { return f.err.Sentence }

func (f mailFailure) Is(target error) bool {
	switch f.err.Refusal {
	case mail.AddressRefused, mail.MailRefused:
		return target == outbox.ErrRefused
	case mail.Unconfirmed:
		return target == outbox.ErrUnconfirmed
	}
	return false
}
