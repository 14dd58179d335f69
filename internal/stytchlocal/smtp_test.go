package stytchlocal

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
)

// mailbox is an SMTP server for a test.
type mailbox struct {
	addr     string
	received []string // envelopes and messages, as they came
	auth     []string // who has logged in
	secure   []bool   // whether each message came by TLS

	refuseRcpt, refuseData error
	hang                   chan struct{} // if not nil, the end of a message is answered when it is closed
}

func (b *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, secure := c.TLSConnectionState()
	return &mailSession{b: b, secure: secure}, nil
}

type mailSession struct {
	b        *mailbox
	secure   bool
	from, to string
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }
func (s *mailSession) Mail(from string, opts *smtp.MailOptions) error {
	s.from = from
	if opts.UTF8 {
		return errors.New("SMTPUTF8 was asked for")
	}
	return nil
}
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return s.b.refuseRcpt }
func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil || s.b.refuseData != nil {
		return errors.Join(err, s.b.refuseData)
	}
	if s.b.hang != nil {
		<-s.b.hang
	}
	s.b.received = append(s.b.received, s.from+" "+s.to+"\n"+string(text))
	s.b.secure = append(s.b.secure, s.secure)
	return nil
}
func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "p@ss word" {
			return smtp.ErrAuthFailed
		}
		s.b.auth = append(s.b.auth, user)
		return nil
	}), nil
}

// serve starts the server on loopback; implicit means TLS from the first byte,
// and a configuration without it means STARTTLS.
func (b *mailbox) serve(t *testing.T, config *tls.Config, implicit bool) {
	t.Helper()
	server := smtp.NewServer(b)
	server.Domain, server.AllowInsecureAuth, server.EnableSMTPUTF8 = "mail.example", true, true
	server.ErrorLog = log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr = listener.Addr().String()
	if implicit {
		listener = tls.NewListener(listener, config)
	} else {
		server.TLSConfig = config
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
}

// certificates returns a server's configuration for 127.0.0.1 and one that trusts it.
func certificates(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

func aMail() Mail {
	return Mail{
		ID: "mail-test-1", To: "ada@example.com", Subject: "Sign in to Gästeliste", Text: "Hello Zoë,\n\nhttps://guestlist.example/?a=b&c=d\n",
		HTML: "<p>Hello Zo\u00eb,</p>", Date: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

func TestSMTPHandsAMailOver(t *testing.T) {
	t.Parallel()
	var b mailbox
	b.serve(t, nil, false)
	mailer, err := NewSMTP("smtp://me%40example.com:p%40ss%20word@"+b.addr, "Gästeliste <login@example.com>")
	if err != nil {
		t.Fatal(err)
	}
	if err := mailer.Send(t.Context(), aMail()); err != nil {
		t.Fatal(err)
	}
	envelope, text, _ := strings.Cut(b.received[0], "\n")
	if envelope != "login@example.com ada@example.com" || b.auth[0] != "me@example.com" {
		t.Errorf("envelope %q, login %q", envelope, b.auth)
	}
	message, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	headers := map[string]string{}
	for name := range message.Header {
		headers[name], _ = new(mime.WordDecoder).DecodeHeader(message.Header.Get(name))
	}
	kind, params, _ := mime.ParseMediaType(headers["Content-Type"])
	headers["Content-Type"] = kind
	want := map[string]string{
		"From": "Gästeliste <login@example.com>", "To": "<ada@example.com>", "Subject": "Sign in to Gästeliste", "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
		"Message-Id": "<mail-test-1@example.com>", "Auto-Submitted": "auto-generated", "Mime-Version": "1.0", "Content-Type": "multipart/alternative",
	}
	if diff := cmp.Diff(want, headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	parts := map[string]string{}
	reader := multipart.NewReader(message.Body, params["boundary"])
	for part, err := reader.NextRawPart(); err == nil; part, err = reader.NextRawPart() {
		body, _ := io.ReadAll(quotedprintable.NewReader(part))
		parts[part.Header.Get("Content-Type")] = strings.ReplaceAll(strings.TrimSpace(string(body)), "\r\n", "\n")
	}
	wantParts := map[string]string{
		"text/plain; charset=UTF-8": "Hello Zoë,\n\nhttps://guestlist.example/?a=b&c=d", "text/html; charset=UTF-8": "<p>Hello Zoë,</p>",
	}
	if diff := cmp.Diff(wantParts, parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func TestSMTPTellsOfRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(b *mailbox)
		user   string
		want   string
	}{
		{"the recipient is unknown", func(b *mailbox) { b.refuseRcpt = &smtp.SMTPError{Code: 550, Message: "no such person"} }, "", "550"},
		{"the recipient must wait", func(b *mailbox) { b.refuseRcpt = &smtp.SMTPError{Code: 450, Message: "greylisted"} }, "", "450"},
		{"the message is refused", func(b *mailbox) { b.refuseData = &smtp.SMTPError{Code: 554, Message: "spam"} }, "", "554"},
		{"the disk is full", func(b *mailbox) { b.refuseData = &smtp.SMTPError{Code: 452, Message: "full"} }, "", "452"},
		{"the password is wrong", func(*mailbox) {}, "me:wrong@", "535"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b mailbox
			test.change(&b)
			b.serve(t, nil, false)
			mailer, err := NewSMTP("smtp://"+test.user+b.addr, "login@example.com")
			if err != nil {
				t.Fatal(err)
			}
			if err := mailer.Send(t.Context(), aMail()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s in it", err, test.want)
			}
			if len(b.received) != 0 {
				t.Errorf("received %q", b.received)
			}
		})
	}
	t.Run("nobody is there", func(t *testing.T) {
		t.Parallel()
		mailer, _ := NewSMTP("smtp://127.0.0.1:1", "login@example.com")
		if err := mailer.Send(t.Context(), aMail()); err == nil {
			t.Error("sent to nobody")
		}
	})
	t.Run("the address is none", func(t *testing.T) {
		t.Parallel()
		mailer, _ := NewSMTP("smtp://127.0.0.1:1", "login@example.com")
		m := aMail()
		m.To = "ada@example.com\r\nBcc: x@example.com"
		if err := mailer.Send(t.Context(), m); err == nil || !strings.Contains(err.Error(), "recipient") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSMTPEndsInTime(t *testing.T) {
	t.Parallel()
	b := mailbox{hang: make(chan struct{})}
	b.serve(t, nil, false)
	defer close(b.hang)
	mailer, err := NewSMTP("smtp://"+b.addr, "login@example.com")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if err := mailer.Send(ctx, aMail()); err == nil {
		t.Error("a server that says nothing has taken the mail")
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestSMTPOverTLS(t *testing.T) {
	t.Parallel()
	server, client := certificates(t)
	tests := []struct {
		name     string
		config   *tls.Config // the server's; nil: it has no TLS
		implicit bool
		url      string
		trust    *tls.Config
		want     string // in the error; empty: sent
	}{
		{"sends by STARTTLS", server, false, "smtp://me:p%40ss%20word@", client, ""},
		{"sends by TLS from the first byte", server, true, "smtps://me:p%40ss%20word@", client, ""},
		{"refuses a server without STARTTLS", nil, false, "smtp://me:p%40ss%20word@", client, "STARTTLS"},
		{"refuses an unknown certificate", server, false, "smtp://", &tls.Config{ServerName: "127.0.0.1"}, "certificate"},
		{"refuses an unknown certificate from the first byte", server, true, "smtps://", &tls.Config{ServerName: "127.0.0.1"}, "certificate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b mailbox
			b.serve(t, test.config, test.implicit)
			mailer, err := newSMTP(test.url+b.addr, "login@example.com")
			if err != nil {
				t.Fatal(err)
			}
			mailer.tls, mailer.startTLS = test.trust, !test.implicit // as if the server were not on this machine
			err = mailer.Send(t.Context(), aMail())
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) || len(b.received)+len(b.auth) != 0 {
					t.Errorf("got %v, %d mails, logins %v", err, len(b.received), b.auth)
				}
				return
			}
			if err != nil || len(b.received) != 1 || !b.secure[0] || len(b.auth) != 1 {
				t.Errorf("got %v, %d mails, by TLS %v, logins %v", err, len(b.received), b.secure, b.auth)
			}
		})
	}
}

func TestSMTPSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, url, from string
		want            *smtpMailer // nil: refused
	}{
		{"asks for STARTTLS elsewhere", "smtp://mail.example.com", "login@example.com", &smtpMailer{host: "mail.example.com", port: 587, startTLS: true}},
		{"takes another port", "smtp://u:p@mail.example.com:2525", "login@example.com", &smtpMailer{host: "mail.example.com", port: 2525, user: "u", password: "p", startTLS: true}},
		{"asks for nothing on this machine", "smtp://localhost:25", "login@example.com", &smtpMailer{host: "localhost", port: 25}},
		{"knows smtps", "smtps://mail.example.com/", "login@example.com", &smtpMailer{host: "mail.example.com", port: 465, implicitTLS: true}},
		{"does not take localhost's cousin for this machine", "smtp://localhost.example.com", "login@example.com", &smtpMailer{host: "localhost.example.com", port: 587, startTLS: true}},
		{"refuses another scheme", "http://mail.example.com", "login@example.com", nil},
		{"refuses no host", "smtp://", "login@example.com", nil},
		{"refuses options", "smtp://mail.example.com?tls=off", "login@example.com", nil},
		{"refuses a port of none", "smtp://mail.example.com:0", "login@example.com", nil},
		{"refuses a sender that is none", "smtp://mail.example.com", "Guestlist", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := newSMTP(test.url, test.from)
			if test.want == nil {
				if err == nil {
					t.Errorf("accepted as %+v", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.tls.ServerName != got.host || got.tls.InsecureSkipVerify || got.from.Address != test.from {
				t.Errorf("TLS is for %q, sender is %v", got.tls.ServerName, got.from)
			}
			got.tls, got.from = nil, nil
			if *got != *test.want {
				t.Errorf("got %+v, want %+v", *got, *test.want)
			}
		})
	}
	if _, err := NewSMTP("smtp://u:hunter2@[bad", "login@example.com"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error tells the password: %v", err)
	}
}
