package stytchlocal

import (
	"context"
	"errors"
	"net/textproto"
	"strings"
)

// smtpTrouble is an error that an operator can do something about.
type smtpTrouble struct{ text, advice string }

func (t *smtpTrouble) Error() string  { return t.text }
func (t *smtpTrouble) Advice() string { return t.advice }

// CheckSMTP goes as far as a mail does before it is handed over: it connects to the
// server of NewSMTP, turns TLS on, logs in, and says goodbye. The error is a sentence for
// an operator, some with an Advice.
func CheckSMTP(ctx context.Context, smtpURL, from string) error {
	m, err := newSMTP(smtpURL, from)
	if err != nil {
		return err
	}
	return m.check(ctx)
}

func (m *smtpMailer) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	client, err := m.client(ctx)
	if err != nil {
		return err
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	switch {
	case ctx.Err() != nil: // who closed the connection is no matter then
		return ctx.Err()
	case err != nil:
		return smtpWords(err)
	}
	_ = client.CloseWithSMTPClient(connection) // all that a mail needs has gone well
	return nil
}

// smtpWords puts a server's refusal in words; what it says itself may hold an address.
func smtpWords(err error) error {
	var said *textproto.Error
	switch {
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		return &smtpTrouble{"the mail server does not offer STARTTLS, and gets no password without", "Take its port for that, most often 587, or smtps:// where it has TLS from the first byte, most often at 465."}
	case strings.Contains(err.Error(), "does not support SMTP AUTH"):
		return &smtpTrouble{"the mail server takes no login", "Leave user and password out of SMTP_URL, or take the port where it takes one, most often 587."}
	case errors.As(err, &said) && (said.Code == 535 || said.Code == 534 || said.Code == 530):
		return &smtpTrouble{"the mail server refuses the user or the password", "Mend them in SMTP_URL, with special characters as %XX; some servers want a password made for programs."}
	case errors.As(err, &said):
		return &smtpTrouble{"the mail server refuses the connection", "Its log says why."}
	}
	return err
}
