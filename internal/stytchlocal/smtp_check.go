package stytchlocal

import (
	"context"
	"errors"
)

// smtpTrouble is an error that an operator can do something about.
type smtpTrouble struct{ text, advice string }

func (t *smtpTrouble) Error() string  { return t.text }
func (t *smtpTrouble) Advice() string { return t.advice }

// CheckSMTP goes as far as a mail does before it is handed over, see SMTP.Login. The
// error is a sentence for an operator, some with an Advice.
func CheckSMTP(ctx context.Context, smtpURL, from string) error {
	m, err := NewSMTP(smtpURL, from)
	if err != nil {
		return err
	}
	return smtpWords(m.Login(ctx))
}

// smtpWords says what an operator can do about an error of Login.
func smtpWords(err error) error {
	var failed *MailError
	if !errors.As(err, &failed) {
		return err
	}
	switch {
	case errors.Is(err, errNoEncryption):
		return &smtpTrouble{"the mail server does not offer STARTTLS, and gets no password without", "Take its port for that, most often 587, or smtps:// where it has TLS from the first byte, most often at 465."}
	case errors.Is(err, errNoLogin):
		return &smtpTrouble{"the mail server takes no login", "Leave user and password out of SMTP_URL, or take the port where it takes one, most often 587."}
	case failed.code != "" && failed.code[0] == '4' && failed.at == atLogin:
		return &smtpTrouble{"the mail server wants to be asked again later", "Look again in a while; its log says why."}
	case failed.code != "" && failed.at == atLogin:
		return &smtpTrouble{"the mail server refuses the user or the password", "Mend them in SMTP_URL, with special characters as %XX; some servers want a password made for programs."}
	case failed.code != "":
		return &smtpTrouble{"the mail server refuses the connection", "Its log says why."}
	}
	return failed.cause
}
