package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// mailbox is an SMTP server that records what it receives.
type mailbox struct {
	addr     string
	greeted  string   // what the client calls itself
	received []string // envelopes and messages, as they came
	auth     []string // who has logged in
	secure   []bool   // whether each message came by TLS

	refuseMail, refuseRcpt, refuseData error         // answers to MAIL, RCPT and the end of the message
	hang                               chan struct{} // if not nil, the end of a message is answered when it is closed
}

func (b *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, secure := c.TLSConnectionState()
	b.greeted = c.Hostname()
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
	return s.b.refuseMail
}
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return s.b.refuseRcpt }
func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.b.refuseData != nil {
		return s.b.refuseData
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

// serve starts the server on loopback. A configuration means STARTTLS, or TLS from the
// first byte if implicit is set.
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

// certificates returns a server's TLS configuration for 127.0.0.1 and a client's that trusts it.
func certificates(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}
