package outbox

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Topic says what a notice is about.
type Topic string

// What people are told of by mail.
const (
	NewToken  Topic = "new token"  // an API token of the recipient was made
	NewAdmin  Topic = "new admin"  // somebody became an administrator
	NewAdmins Topic = "new admins" // an import was started that makes administrators
)

// A Notice is a mail that tells somebody of a change, so that they can undo it
// where an intruder made it. It is read from the audit trail when it is sent.
type Notice struct {
	Topic Topic
	Email string // the recipient's address in its compared form
	Name  string // the recipient's name; may be empty

	Token  string // the name of the new token
	Terms  string // its scope and its end, in words
	Admin  string // the address of the new administrator
	UserID string // of the new administrator
	Import string // what is imported, in words

	By        string // an address, or an operator; empty: the program itself
	ByToken   string // the name of the API token by which they acted; may be empty
	At        time.Time
	Address   string // the network address it came from; may be empty
	UserAgent string // the browser or program it came from; may be empty
}

// Mailer sends notices. Its errors mean what those of [Accounts] mean.
type Mailer interface {
	Notify(ctx context.Context, n Notice) error
}

// noticeSubject keeps the notices of one person in order, and out of the way of
// the calls about them. No address begins like this.
const noticeSubject = "notice to "

// NewNotice returns a job that mails a person what an event of the audit trail says.
func NewNotice(email, userID, eventID string, now time.Time) Job {
	subject := noticeSubject + email
	if len(subject) > 254 { // the width of the column
		subject = noticeSubject + userID
	}
	return New(Notify, subject, userID, eventID, "", now)
}

// About is the address of the person whom a job is about.
func (j Job) About() string { return strings.TrimPrefix(j.Subject, noticeSubject) }

// noMailer is the error where an instance has no mail server for notices.
type noMailer struct{}

func (noMailer) Error() string  { return "no mail server is set for notices" }
func (noMailer) Reason() string { return "No mail server is set: set SMTP_URL to have notices mailed." }
func (noMailer) Unwrap() error  { return ErrRefused }

// notify mails a job's notice.
func (w *Worker) notify(ctx context.Context, job Job) error {
	if w.mailer == nil {
		return noMailer{}
	}
	if job.Notice == nil {
		return errors.New("the job has no notice")
	}
	return w.mailer.Notify(ctx, *job.Notice)
}
