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
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &MailServer{Addr: listener.Addr().String(), Links: make(chan string, 10), Notices: make(chan MailedNotice, 100)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{m}, nil }))
	go server.Serve(listener) // until it is closed
	t.Cleanup(func() { server.Close() })
	return m
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
	message, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	text, err := multipart.NewReader(message.Body, params["boundary"]).NextPart()
	if err != nil {
		return err
	}
	body, err := io.ReadAll(text)
	if link := MailedLink.FindString(string(body)); link != "" {
		s.Links <- link
	} else {
		s.Notices <- MailedNotice{message.Header.Get("To"), message.Header.Get("Subject"), string(body)}
	}
	return err
}

// MailedLink matches a sign-in link in a mail.
var MailedLink = regexp.MustCompile(`https?://\S+[?]\S*token=\S+`)
