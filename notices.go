package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/outbox"
	stytchmail "github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// product is what mails call the program.
const product = "Guestlist"

// noticeMailer returns what mails notices: the local Stytch, or the mail server
// where Stytch is the real one. It is nil where there is neither.
func (a *app) noticeMailer(cfg config.Config) (outbox.Mailer, error) {
	base := cfg.BaseURL.String()
	switch {
	case a.localStytch != nil:
		return noticeMailer{base, a.localStytch.Notify}, nil
	case cfg.SMTPURL == "":
		return nil, nil
	}
	smtp, err := stytchmail.NewSMTP(cfg.SMTPURL, cfg.MailFrom)
	if err != nil {
		return nil, fault.Setting("SMTP_URL", err)
	}
	return noticeMailer{base, stytchmail.Notifier{Product: product, Sender: smtp, Now: a.now}.Send}, nil
}

// noticeMailer puts notices into words and sends them.
type noticeMailer struct {
	baseURL string
	send    func(context.Context, stytchmail.Notice) error
}

func (m noticeMailer) Notify(ctx context.Context, n outbox.Notice) error {
	err := m.send(ctx, m.words(n))
	var failed *stytchmail.Error
	if errors.As(err, &failed) {
		return mailFailure{failed}
	}
	if err != nil {
		return notWritten{err}
	}
	return nil
}

// notWritten is the error of a notice that did not come to a mail server.
type notWritten struct{ error }

func (e notWritten) Unwrap() error { return e.error }
func (notWritten) Reason() string  { return "The notice could not be written; the log says why." }

// words is what a notice says.
func (m noticeMailer) words(n outbox.Notice) stytchmail.Notice {
	said := stytchmail.Notice{To: n.Email, Name: n.Name, Link: m.baseURL + "/profile"}
	by := n.By
	if by == "" {
		by = "Guestlist itself, by its settings"
	}
	from := []stytchmail.Fact{
		{Label: "When", Value: n.At.UTC().Format("2 January 2006 at 15.04 UTC")},
		{Label: "By", Value: by}, {Label: "With the API token", Value: n.ByToken},
		{Label: "From the network address", Value: n.Address}, {Label: "With the browser or program", Value: n.UserAgent},
	}
	const undo = " and end the sessions and API tokens of whoever did it."
	switch n.Topic {
	case outbox.NewToken:
		said.Title, said.Lead = "A new API token at %s", "An API token was made for your account. A program that has it acts as you."
		said.Facts = append([]stytchmail.Fact{{Label: "Name", Value: n.Token}, {Label: "Scope and end", Value: n.Terms}}, from...)
		said.Advice = "Was it not you? Then revoke the token on your profile and sign out everywhere:"
		said.Reason = "You are told of every API token that is made for your account."
	case outbox.NewAdmins:
		said.Title, said.Lead = "New administrators at %s", "An import was started that can add administrators."
		said.Facts = append([]stytchmail.Fact{{Label: "Import", Value: n.Import}}, from...)
		said.Advice, said.Link = "Should it not be so? Then stop the import, look through the people it has added,"+undo, m.baseURL+"/users?role=admin"
	default:
		said.Title, said.Lead = "A new administrator at %s", "Somebody was made an administrator. Administrators add, change and remove people."
		said.Facts = append([]stytchmail.Fact{{Label: "Administrator", Value: n.Admin}}, from...)
		said.Advice, said.Link = "Should it not be so? Then change their role,"+undo, fmt.Sprintf("%s/users/%s", m.baseURL, n.UserID)
	}
	if said.Reason == "" {
		said.Reason = "You are told because you are an administrator."
	}
	return said
}

// mailFailure is a mail server's failure as the outbox knows it.
type mailFailure struct{ err *stytchmail.Error }

func (f mailFailure) Error() string { return f.err.Error() }

func (f mailFailure) Unwrap() error { return f.err }

func (f mailFailure) Reason() string { return f.err.Sentence }

func (f mailFailure) Is(target error) bool {
	switch f.err.Refusal {
	case stytchmail.AddressRefused, stytchmail.MailRefused:
		return target == outbox.ErrRefused
	case stytchmail.Unconfirmed:
		return target == outbox.ErrUnconfirmed
	}
	return false
}
