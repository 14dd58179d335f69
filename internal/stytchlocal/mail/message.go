// Package mail writes the emails of the local Stytch and hands them to an SMTP
// server.
//
// A [Link], a [Code] or a [Notice] becomes a [Message], as plain text and as HTML. [SMTP] sends a
// message and reports as an [Error] why the server did not accept it. [CheckSMTP] tries
// the connection and the login without sending anything.
package mail

import (
	"context"
	"time"
)

// Message is an email to one recipient, ready to be sent.
type Message struct {
	ID      string // mail-test-<uuid>, unique
	To      string // one ASCII address without a name
	Subject string // one line
	Text    string
	HTML    string // the same content as Text
	Date    time.Time
}

// Sender sends messages. An error means that the message may not have been sent; the
// sender does not retry. An [*Error] says whether a retry can succeed.
type Sender interface {
	Send(ctx context.Context, m Message) error
}
