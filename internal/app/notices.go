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

func (notWritten) Reason() string { return "The notice could not be written; the log says why." }

// compose writes the text of a notice.
func (m noticeMailer) compose(n outbox.Notice) mail.Notice {
	letter := mail.Notice{To: n.Email, Name: n.Name, Link: m.baseURL + "/profile"}
	by := n.By
	if by == "" {
		by = "Guestlist itself, by its settings"
	}
	from := []mail.Fact{
		{Label: "When", Value: n.At.UTC().Format("2 January 2006 at 15.04 UTC")},
		{Label: "By", Value: by}, {Label: "With the API token", Value: n.ByToken},
		{Label: "From the network address", Value: n.Address}, {Label: "With the browser or program", Value: n.UserAgent},
	}
	const undo = " and end the sessions and API tokens of whoever did it."
	switch n.Topic {
	case outbox.NewToken:
		letter.Title, letter.Lead = "A new API token at %s", "An API token was made for your account. A program that has it acts as you."
		letter.Facts = append([]mail.Fact{{Label: "Name", Value: n.Token}, {Label: "Scope and end", Value: n.Terms}}, from...)
		letter.Advice = "Was it not you? Then revoke the token on your profile and sign out everywhere:"
		letter.Reason = "You are told of every API token that is made for your account."
	case outbox.NewAdmins:
		letter.Title, letter.Lead = "New administrators at %s", "An import was started that can add administrators."
		letter.Facts = append([]mail.Fact{{Label: "Import", Value: n.Import}}, from...)
		letter.Advice, letter.Link = "Should it not be so? Then stop the import, look through the people it has added,"+undo, m.baseURL+"/users?role=admin"
	default:
		letter.Title, letter.Lead = "A new administrator at %s", "Somebody was made an administrator. Administrators add, change and remove people."
		letter.Facts = append([]mail.Fact{{Label: "Administrator", Value: n.Admin}}, from...)
		letter.Advice, letter.Link = "Should it not be so? Then change their role,"+undo, fmt.Sprintf("%s/users/%s", m.baseURL, n.UserID)
	}
	if letter.Reason == "" {
		letter.Reason = "You are told because you are an administrator."
	}
	return letter
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
