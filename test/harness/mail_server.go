package harness

import (
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// MailServer receives mails by SMTP.
type MailServer struct {
	Addr    string
	Links   chan string                    // the sign-in links in the mails
	Notices chan MailedNotice              // mails without such a link
	Refusal atomic.Pointer[smtp.SMTPError] // the response to recipients; nil accepts them
}

// MailedNotice is a mail without a sign-in link.
type MailedNotice struct{ To, Subject, Text string }

// Next waits for a notice and returns it.
func (m *MailServer) Next(t *testing.T) MailedNotice {
	t.Helper()
	select {
	case n := <-m.Notices:
		return n
	case <-time.After(20 * time.Second):
		t.Fatal("no notice was mailed")
		return MailedNotice{}
	}
}

// NewMailServer starts a mail server.
func NewMailServer(t *testing.T) *MailServer {
	t.Helper()
	m := &MailServer{Links: make(chan string, 10), Notices: make(chan MailedNotice, 100)}
	m.Addr = ServeSMTP(t, func() smtp.Session { return mailSession{m} })
	return m
}

// ServeSMTP starts an SMTP server on a free port and returns its address. It is closed with
// the test.
func ServeSMTP(t testing.TB, newSession func() smtp.Session) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return newSession(), nil }))
	go server.Serve(listener) // until it is closed
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

type mailSession struct{ *MailServer }

func (mailSession) Reset() {}

func (mailSession) Logout() error { return nil }

func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s mailSession) Rcpt(string, *smtp.RcptOptions) error {
	if refusal := s.Refusal.Load(); refusal != nil {
		return refusal
	}
	return nil
}

func (s mailSession) Data(r io.Reader) error {
	header, text, err := ReadMail(r)
	if err != nil {
		return err
	}
	if link := MailedLink.FindString(text); link != "" {
		s.Links <- link
	} else {
		s.Notices <- MailedNotice{header.Get("To"), header.Get("Subject"), text}
	}
	return nil
}

// ReadMail returns the header and the first part, which is the plain text, of a mail.
func ReadMail(r io.Reader) (header netmail.Header, text string, err error) {
	message, err := netmail.ReadMessage(r)
	if err != nil {
		return nil, "", err
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return nil, "", err
	}
	part, err := multipart.NewReader(message.Body, params["boundary"]).NextPart()
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(part)
	return message.Header, string(body), err
}

// MailedLink matches a sign-in link in a mail.
var MailedLink = regexp.MustCompile(`https?://\S+[?]\S*token=\S+`)
