package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"strconv"
)

// Error says why a message was not delivered to the mail server.
type Error struct {
	Sentence string // for operators; contains no address and none of the server's own words
	Refusal  Refusal

	stage stage
	code  string // the server's reply, such as "550 5.1.1"; empty if there was none
	cause error
}

// Refusal says whether sending a message again can succeed.
type Refusal int

// Only AddressRefused and MailRefused are permanent.
const (
	NotRefused     Refusal = iota // the message may be sent later
	AddressRefused                // the mailbox does not exist or accepts no messages
	MailRefused                   // the server rejected this message
	Unconfirmed                   // the message was transmitted without a reply: it may have arrived
)

type stage string

const (
	atConnection stage = "connecting"
	atEncryption stage = "encryption"
	atLogin      stage = "login"
	atSender     stage = "sender"
	atRecipient  stage = "recipient"
	atContent    stage = "content"
	atEnd        stage = "end of the mail"
)

var errNoEncryption = errors.New("no STARTTLS is offered")

// noLoginError reports that the server offers no supported authentication mechanism.
type noLoginError struct{ offered string } // comma-separated; empty if it offers none

func (e *noLoginError) Error() string { return "no known way to log in is offered, only: " + e.offered }

// Error returns a message for the log. It omits the server's text, which often contains
// the address.
func (e *Error) Error() string {
	if e.code != "" {
		return fmt.Sprintf("smtp: %s: answered %s", e.stage, e.code)
	}
	return fmt.Sprintf("smtp: %s: %v", e.stage, e.cause)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// newError classifies an error by the stage where it occurred. A server that requires a
// login, or does not relay for strangers, says so in its reply to the sender or the
// recipient: https://www.rfc-editor.org/rfc/rfc4954#section-6
func newError(ctx context.Context, at stage, err error) *Error {
	e := &Error{stage: at, cause: err}
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		if ctx.Err() != nil { // the connection was closed because of it
			e.cause = ctx.Err()
		}
		e.Sentence, e.Refusal = classifyNetworkError(ctx, at, err)
		return e
	}
	e.code = replyCode(reply)
	e.Sentence, e.Refusal = classifyReply(at, reply)
	e.Sentence += " (" + e.code + ")."
	return e
}

// classifyReply returns the meaning of a server's reply, without the full stop.
func classifyReply(at stage, reply *textproto.Error) (string, Refusal) {
	switch {
	case isTemporary(reply):
		return "The mail server asks to try again later", NotRefused
	case at == atLogin:
		return "The mail server rejected the login", NotRefused
	case at == atSender:
		return "The mail server rejected the sender", NotRefused
	case at == atRecipient && isRecipientError(reply):
		return "The mail server rejected the address", AddressRefused
	case at == atRecipient:
		return "The mail server doesn't relay email for this sender and login", NotRefused
	case at == atContent || at == atEnd:
		return "The mail server rejected the email", MailRefused
	}
	return "The mail server doesn't accept email", NotRefused
}

// classifyNetworkError returns the meaning of an error that is not a reply.
func classifyNetworkError(ctx context.Context, at stage, err error) (string, Refusal) {
	var certificate *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	var login *noLoginError
	switch {
	case at == atEnd:
		return "The mail server didn't confirm the email, which may have arrived.", Unconfirmed
	case errors.Is(err, errNoEncryption):
		return "The mail server doesn't offer encryption (STARTTLS), so nothing was sent.", NotRefused
	case errors.As(err, &login) && login.offered == "":
		return "The mail server doesn't accept a login on this port.", NotRefused
	case login != nil:
		return "The mail server offers no supported login method, only " + login.offered + ".", NotRefused
	case errors.Is(err, errSpeaksTLS):
		return "The mail server expects TLS from the first byte on this port.", NotRefused
	case otherServer(err) != "":
		return "There is no mail server on this port: " + otherServer(err) + " answers.", NotRefused
	case errors.As(err, &certificate):
		return "The mail server's certificate can't be trusted.", NotRefused
	case errors.As(err, &noTLS):
		return "The mail server doesn't use TLS on this port.", NotRefused
	case ctx.Err() != nil:
		return "The mail server didn't respond in time.", NotRefused
	case at == atConnection:
		return "The mail server couldn't be reached.", NotRefused
	}
	return "The mail server closed the connection.", NotRefused
}

// isTemporary reports whether the same command may succeed later. Gmail replies 5.4.5 if
// the sender has reached the limit of the day.
func isTemporary(reply *textproto.Error) bool {
	return reply.Code < 500 || enhancedCode.FindString(reply.Msg) == "5.4.5"
}

// isRecipientError distinguishes a refusal of the recipient from one of the sender. It
// uses the enhanced code if that is specific (5.1 and 5.2 are address and mailbox, 5.4.1
// and 5.4.4 an unreachable host, 5.7 is policy, such as no relaying:
// https://www.rfc-editor.org/rfc/rfc3463), and otherwise the code: 530 and 538, for
// example, ask for a login.
func isRecipientError(reply *textproto.Error) bool {
	if enhanced := enhancedCode.FindStringSubmatch(reply.Msg); enhanced != nil && enhanced[1] != "0" {
		return enhanced[1] == "1" || enhanced[1] == "2" || enhanced[0] == "5.4.1" || enhanced[0] == "5.4.4"
	}
	return reply.Code >= 550
}

var enhancedCode = regexp.MustCompile(`^[245]\.(\d{1,3})\.\d{1,3}\b`)

func replyCode(reply *textproto.Error) string {
	code := strconv.Itoa(reply.Code)
	if enhanced := enhancedCode.FindString(reply.Msg); enhanced != "" {
		code += " " + enhanced
	}
	return code
}
