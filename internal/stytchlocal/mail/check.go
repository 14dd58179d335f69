package mail

import (
	"context"
	"errors"
	"strings"

	"github.com/guestlist/guestlist/internal/fault"
)

// CheckSMTP connects to an SMTP server and logs in, see [SMTP.Login]. The error is a
// sentence for an operator, usually with advice.
func CheckSMTP(ctx context.Context, smtpURL, from string) error {
	m, err := NewSMTP(smtpURL, from)
	if err != nil {
		return fault.Setting("SMTP_URL", err)
	}
	return toFault(m.Login(ctx))
}

// toFault returns an [*Error] as a fault, and any other error unchanged.
func toFault(err error) error {
	var failed *Error
	if !errors.As(err, &failed) {
		return err
	}
	text := strings.TrimSuffix(failed.Sentence, ".")
	return fault.New(strings.ToLower(text[:1])+text[1:], failed.advice())
}

const (
	passwordAdvice  = "Correct the user and password in SMTP_URL, with special characters as %XX. Some servers need an app password."
	noLoginAdvice   = "Remove the user and password from SMTP_URL, or use the port that accepts a login, usually 587."
	mechanismAdvice = "The server must allow SCRAM-SHA-256, PLAIN, LOGIN or CRAM-MD5 for this user. Some servers do after you create an app password. XOAUTH2 is not supported."
	startTLSAdvice  = "Use the server's submission port, usually 587, or smtps:// with its TLS port, usually 465."
	smtpsAdvice     = "Use smtps:// instead of smtp:// in SMTP_URL."
	plainAdvice     = "Use smtp:// instead of smtps:// in SMTP_URL. STARTTLS will encrypt the connection."
	portAdvice      = "Check the host and port in SMTP_URL: programs send email to port 587, or to 465 with smtps://."
	settingAdvice   = "Check SMTP_URL."
)

func (e *Error) advice() string {
	var login *noLoginError
	switch {
	case errors.Is(e.cause, errNoEncryption):
		return startTLSAdvice
	case errors.As(e.cause, &login) && login.offered != "":
		return mechanismAdvice
	case login != nil:
		return noLoginAdvice
	case errors.Is(e.cause, errSpeaksTLS):
		return smtpsAdvice
	case isPlainMailServer(e.cause):
		return plainAdvice
	case otherServer(e.cause) != "":
		return portAdvice
	case e.code != "" && e.code[0] == '4':
		return "Try again later; the server's log has the reason."
	case e.code != "" && e.stage == atLogin:
		return passwordAdvice
	case e.code != "":
		return "The server's log has the reason."
	}
	if f := fault.Network(e.cause); f != nil {
		return fault.Sentence(f.Error()) + " " + f.Advice() + " " + settingAdvice
	}
	return portAdvice
}
