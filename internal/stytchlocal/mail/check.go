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
	passwordAdvice  = "Mend them in SMTP_URL, with special characters as %XX; some servers want a password made for programs."
	noLoginAdvice   = "Leave user and password out of SMTP_URL, or take the port where it takes one, most often 587."
	mechanismAdvice = "The server must allow SCRAM-SHA-256, PLAIN, LOGIN or CRAM-MD5 for this user. Some do once a password for programs (an app password) is made; XOAUTH2 alone needs tokens that no setting can hold."
	startTLSAdvice  = "Take its port for that, most often 587, or smtps:// where it has TLS from the first byte, most often at 465."
	smtpsAdvice     = "Begin SMTP_URL with smtps:// in place of smtp://."
	plainAdvice     = "Begin SMTP_URL with smtp:// in place of smtps://; the connection is encrypted by STARTTLS then."
	portAdvice      = "Look at host and port in SMTP_URL: programs hand mail over at port 587, or at 465 by smtps://."
	settingAdvice   = "Look at SMTP_URL."
)

// advice returns what an operator can do about the error.
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
		return "Look again in a while; its log says why."
	case e.code != "" && e.stage == atLogin:
		return passwordAdvice
	case e.code != "":
		return "Its log says why."
	}
	if f := fault.Network(e.cause); f != nil {
		return fault.Sentence(f.Error()) + " " + f.Advice() + " " + settingAdvice
	}
	return portAdvice
}
