package outbox

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Topic is the subject of a notice.
type Topic string

// The topics.
const (
	NewToken  Topic = "new token"  // the recipient has a new API token
	NewAdmin  Topic = "new admin"  // a user became an administrator
	NewAdmins Topic = "new admins" // an import was started that makes administrators
	HostLink  Topic = "host link"  // a sign-in link for a user was made on the host

	SignInMethods Topic = "sign-in methods" // how the recipient can sign in has changed, or a recovery code of theirs was used

	AccessRequests Topic = "access requests" // users wait for access to apps
	AccessApproved Topic = "access approved" // the recipient's request for access was approved
	AccessDenied   Topic = "access denied"   // the recipient's request for access was denied
	AccessEnds     Topic = "access ends"     // a membership of the recipient ends soon
	AccessEndings  Topic = "access endings"  // memberships of users end soon
)

// A Notice is an email about a change: to administrators and owners of tokens so that they
// can undo it if an intruder made it, and about access to apps to those whom it concerns.
// Its content is read when it is sent.
type Notice struct {
	Topic Topic
	Email string // of the recipient, normalized
	Name  string // of the recipient; may be empty

	Token  string // the name of the new token
	Terms  string // its scope and expiry, as text
	Admin  string // the address of the new administrator, or of the user of a host link
	UserID string // of the same
	Import string // what is imported, as text
	Event  string // kind of the event about the recipient's sign-in methods (package event)
	Method string // what was added, removed or used, as text

	By        string // an address or an operator; empty for the program itself
	ByToken   string // name of the API token they used; may be empty
	At        time.Time
	Address   string // network address; may be empty
	UserAgent string // may be empty

	App      string       // name of the app
	AppURL   string       // where it opens; empty if it has no link, is switched off or was removed
	AppID    string       // empty if it was removed
	Until    time.Time    // when the access ends; zero for no end
	Why      string       // why a request was denied; may be empty
	AskAgain time.Time    // when a user whose request was denied may ask again
	Group    string       // name of the group of a membership that ends
	Apps     []string     // names of the apps it opens
	People   []NoticeItem // those who wait for access, or lose it
	More     int          // how many there are besides People
}

// NoticeItem is a user in a notice to administrators.
type NoticeItem struct {
	At      time.Time // when they asked, or lose access
	Name    string    // may be empty
	Email   string
	About   string // name of the app or group
	Note    string // why they ask; may be empty
	UserID  string
	GroupID string // of a membership that ends
}

// Mailer sends notices. Its errors are those of [Accounts].
type Mailer interface {
	Notify(ctx context.Context, n Notice) error
}

// noticeSubject begins the subject of notices to a user, so that they don't delay the
// calls about the user. No address begins with it.
const noticeSubject = "notice to "

// NewNotice returns a job that emails a user a notice about an event.
func NewNotice(email, userID, eventID string, now time.Time) Job {
	subject := noticeSubject + email
	if len(subject) > 254 { // the width of the column
		subject = noticeSubject + userID
	}
	return New(Notify, subject, userID, eventID, "", now)
}

// NewTopicNotice returns a job that emails a user a notice of a topic. about is the id of
// what it is about; empty if the notice tells what there is when it is sent.
func NewTopicNotice(topic Topic, email, userID, about string, now time.Time) Job {
	job := NewNotice(email, userID, about, now)
	job.Name = string(topic)
	return job
}

// About returns the address of the user that a job is about.
func (j Job) About() string {
	if rest, found := strings.CutPrefix(j.Subject, logoutSubject); found {
		_, address, _ := strings.Cut(rest, " ")
		return address
	}
	return strings.TrimPrefix(j.Subject, noticeSubject)
}

// noMailer is returned if the instance has no mail server for notices.
type noMailer struct{}

func (noMailer) Error() string  { return "no mail server is set for notices" }
func (noMailer) Reason() string { return "No mail server is set: set SMTP_URL to have notices mailed." }
func (noMailer) Unwrap() error  { return ErrRefused }

// notify emails the job's notice.
func (w *Worker) notify(ctx context.Context, job Job) error {
	if w.opts.Mailer == nil {
		return noMailer{}
	}
	if job.Notice == nil {
		return errors.New("the job has no notice")
	}
	return w.opts.Mailer.Notify(ctx, *job.Notice)
}
