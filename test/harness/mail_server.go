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

// MailServer takes mails by SMTP and hands out the links in them.
type MailServer struct {
	Addr    string
	Links   chan string
	Notices chan MailedNotice              // the other mails
	Refusal atomic.Pointer[smtp.SMTPError] // what it answers to a recipient; nil: welcome
}

// MailedNotice is a mail without a link to sign in by.
type MailedNotice struct{ To, Subject, Text string }

// Next waits for a notice.
func (m *MailServer) Next(t *testing.T) MailedNotice {
	t.Helper()
	select {
	case n := <-m.Notices:
		return n
	case <-time.After(20 * time.Second):
		t.Fatal("no notice is mailed")
		return MailedNotice{}
	}
}

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
	letter, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	_, params, err := mime.ParseMediaType(letter.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	text, err := multipart.NewReader(letter.Body, params["boundary"]).NextPart()
	if err != nil {
		return err
	}
	body, err := io.ReadAll(text)
	if link := MailedLink.FindString(string(body)); link != "" {
		s.Links <- link
	} else {
		s.Notices <- MailedNotice{letter.Header.Get("To"), letter.Header.Get("Subject"), string(body)}
	}
	return err
}

var MailedLink = regexp.MustCompile(`https?://\S+[?]\S*token=\S+`)
