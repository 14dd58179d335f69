package stytchlocal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
)

// MailError says why a mail was not handed over.
type MailError struct {
	Sentence string // for whoever runs the program; no address and none of the server's own words
	Refusal  Refusal

	at    smtpStage
	code  string // what the server answered, such as "550 5.1.1"; empty: nothing
	cause error
}

// Refusal says whether a mail is worth another try.
type Refusal int

// Only AddressRefused and MailRefused are for good.
const (
	NotRefused     Refusal = iota // nobody refused this mail: it may be sent later
	AddressRefused                // there is no such mailbox, or it takes nothing
	MailRefused                   // the mail was looked at and not taken
	Unconfirmed                   // the whole mail was said, and no answer came: it may have arrived
)

// smtpStage is a point in a conversation with a mail server.
type smtpStage string

const (
	atConnection smtpStage = "connecting"
	atEncryption smtpStage = "encryption"
	atLogin      smtpStage = "login"
	atSender     smtpStage = "sender"
	atRecipient  smtpStage = "recipient"
	atContent    smtpStage = "content"
	atEnd        smtpStage = "end of the mail"
)

var errNoEncryption = errors.New("no STARTTLS is offered")

// noLoginError: none of the ways to log in is offered that are known here.
type noLoginError struct{ offered string } // the others, with commas between; empty: none at all

func (e *noLoginError) Error() string { return "no known way to log in is offered, only: " + e.offered }

// Error is for the log. What the server wrote is left out, for that often has the
// address in it.
func (e *MailError) Error() string {
	if e.code != "" {
		return fmt.Sprintf("smtp: %s: answered %s", e.at, e.code)
	}
	return fmt.Sprintf("smtp: %s: %v", e.at, e.cause)
}

// Unwrap gives the cause, for errors.Is.
func (e *MailError) Unwrap() error { return e.cause }

// newMailError gives an error its meaning by where it happened. A server that
// wants a login, or does not pass mail on for strangers, says so of the sender or
// of the recipient, as if it were their fault: https://www.rfc-editor.org/rfc/rfc4954#section-6
func newMailError(ctx context.Context, at smtpStage, err error) *MailError {
	e := &MailError{at: at, cause: err}
	var reply *textproto.Error
	answered := errors.As(err, &reply)
	said := ""
	if answered {
		e.code = replyCode(reply)
		said = " (" + e.code + ")"
	}
	if !answered && ctx.Err() != nil { // who closed the connection then is no matter
		e.cause = ctx.Err()
	}
	switch later := answered && isTemporary(reply); {
	case !answered:
		e.Sentence, e.Refusal = networkErrorKind(ctx, at, err)
	case later:
		e.Sentence = "The mail server wants to be asked again later" + said + "."
	case at == atLogin:
		e.Sentence = "The mail server refuses the login" + said + "."
	case at == atSender:
		e.Sentence = "The mail server refuses the sender" + said + "."
	case at == atRecipient && isRecipientError(reply):
		e.Sentence, e.Refusal = "The mail server refuses the address"+said+".", AddressRefused
	case at == atRecipient:
		e.Sentence = "The mail server passes no mail on for this sender and login" + said + "."
	case at == atContent || at == atEnd:
		e.Sentence, e.Refusal = "The mail server refuses the mail"+said+".", MailRefused
	default:
		e.Sentence = "The mail server takes no mail" + said + "."
	}
	return e
}

// networkErrorKind is the meaning of an error that is not the server's word.
func networkErrorKind(ctx context.Context, at smtpStage, err error) (string, Refusal) {
	var certificate *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	var login *noLoginError
	switch {
	case at == atEnd:
		return "The mail server did not confirm the mail, which may have arrived.", Unconfirmed
	case errors.Is(err, errNoEncryption):
		return "The mail server offers no encryption (STARTTLS), and without it nothing is sent.", NotRefused
	case errors.As(err, &login) && login.offered == "":
		return "The mail server takes no login on this port.", NotRefused
	case login != nil:
		return "The mail server offers no way to log in that is known here, only " + login.offered + ".", NotRefused
	case errors.Is(err, errSpeaksTLS):
		return "The mail server speaks TLS from the first byte on this port.", NotRefused
	case otherServer(err) != "":
		return "There is no mail server on this port: " + otherServer(err) + " answers.", NotRefused
	case errors.As(err, &certificate):
		return "The mail server's certificate can't be trusted.", NotRefused
	case errors.As(err, &noTLS):
		return "The mail server does not speak TLS on this port.", NotRefused
	case ctx.Err() != nil:
		return "The mail server did not answer in time.", NotRefused
	case at == atConnection:
		return "The mail server could not be reached.", NotRefused
	}
	return "The mail server broke the connection off.", NotRefused
}

// isTemporary reports whether the same may be taken another time. Gmail says 5.4.5 of
// a sender who has sent enough for the day.
func isTemporary(reply *textproto.Error) bool {
	return reply.Code < 500 || enhancedCode().FindString(reply.Msg) == "5.4.5"
}

// isRecipientError tells a refusal of a recipient from one of whoever sends: by the
// enhanced code where there is one that says anything (5.1 and 5.2 are address and
// mailbox, 5.4.1 and 5.4.4 nobody there and no such host, 5.7 is policy, such as no
// relaying: https://www.rfc-editor.org/rfc/rfc3463), else by the code: 530 and 538,
// say, want a login.
func isRecipientError(reply *textproto.Error) bool {
	if enhanced := enhancedCode().FindStringSubmatch(reply.Msg); enhanced != nil && enhanced[1] != "0" {
		return enhanced[1] == "1" || enhanced[1] == "2" || enhanced[0] == "5.4.1" || enhanced[0] == "5.4.4"
	}
	return reply.Code >= 550
}

var enhancedCode = lazyRegexp(`^[245]\.(\d{1,3})\.\d{1,3}\b`)

func replyCode(reply *textproto.Error) string {
	code := strconv.Itoa(reply.Code)
	if enhanced := enhancedCode().FindString(reply.Msg); enhanced != "" {
		code += " " + enhanced
	}
	return code
}
