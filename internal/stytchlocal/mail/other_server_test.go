package mail

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/guestlist/guestlist/internal/fault"
)

// authServer is a mail server with certain authentication mechanisms.
type authServer struct {
	mailbox
	ways []string
}

func (p *authServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &authSession{mailSession{b: &p.mailbox}, p}, nil
}

type authSession struct {
	mailSession
	p *authServer
}

func (s *authSession) AuthMechanisms() []string { return s.p.ways }

func (s *authSession) Auth(way string) (sasl.Server, error) {
	switch way {
	case "CRAM-MD5":
		return &cramMD5{s.p}, nil
	case "LOGIN":
		return &login{p: s.p}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// cramMD5 verifies the response to a challenge: https://www.rfc-editor.org/rfc/rfc2195
type cramMD5 struct{ p *authServer }

const challenge = "<1.2@mail.example>"

func (c *cramMD5) Next(response []byte) ([]byte, bool, error) {
	if len(response) == 0 {
		return []byte(challenge), false, nil
	}
	mac := hmac.New(md5.New, []byte("p@ss word"))
	mac.Write([]byte(challenge))
	if string(response) != "me "+hex.EncodeToString(mac.Sum(nil)) {
		return nil, true, smtp.ErrAuthFailed
	}
	c.p.auth = append(c.p.auth, "me")
	return nil, true, nil
}

// login implements AUTH LOGIN, which asks for user and password in turn.
type login struct {
	p         *authServer
	responses []string
}

func (l *login) Next(response []byte) ([]byte, bool, error) {
	if response != nil {
		l.responses = append(l.responses, string(response))
	}
	switch len(l.responses) {
	case 0:
		return []byte("Username:"), false, nil
	case 1:
		return []byte("Password:"), false, nil
	}
	if l.responses[0] != "me" || l.responses[1] != "p@ss word" {
		return nil, true, smtp.ErrAuthFailed
	}
	l.p.auth = append(l.p.auth, "me")
	return nil, true, nil
}

func TestSMTP_AuthMechanisms(t *testing.T) {
	t.Parallel()
	const only = "the mail server offers no supported login method, only "
	for _, row := range []struct {
		name string
		ways []string
		want string // of the error
	}{
		{"CRAM-MD5 alone", []string{"CRAM-MD5"}, ""},
		{"LOGIN alone, as Microsoft has it", []string{"LOGIN", "XOAUTH2"}, ""},
		{"XOAUTH2 alone", []string{"XOAUTH2"}, only + "XOAUTH2"},
		{"several that are not known", []string{"XOAUTH2", "OAUTHBEARER", "GSSAPI", "NTLM"}, only + "XOAUTH2, OAUTHBEARER, GSSAPI, NTLM"},
		{"words that are no such names", []string{"me@example.com", "XOAUTH2"}, only + "XOAUTH2"},
		{"none", nil, "the mail server doesn't accept a login on this port"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := &authServer{ways: row.ways}
			server := smtp.NewServer(p)
			server.Domain, server.AllowInsecureAuth = "mail.example", true
			server.ErrorLog = log.New(io.Discard, "", 0)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go server.Serve(listener)
			t.Cleanup(func() { server.Close() })
			err = CheckSMTP(t.Context(), "smtp://me:p%40ss%20word@"+listener.Addr().String(), "login@example.com")
			if row.want == "" && (err != nil || len(p.auth) != 1) || row.want != "" && (err == nil || err.Error() != row.want) {
				t.Errorf("got %v after %d logins, want %q", err, len(p.auth), row.want)
			}
			if row.want == "" || err == nil {
				return
			}
			if _, advice := fault.Explain(err); advice == "" {
				t.Error("it does not say what to do")
			}
		})
	}
}

func TestSMTP_OtherServers(t *testing.T) {
	t.Parallel()
	server, client := certificates(t)
	var implicit, plain mailbox
	implicit.serve(t, server, true)
	plain.serve(t, nil, false)
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	webTLS := httptest.NewUnstartedServer(http.NotFoundHandler())
	webTLS.EnableHTTP2 = true
	webTLS.Config.ErrorLog = log.New(io.Discard, "", 0)
	webTLS.StartTLS()
	t.Cleanup(webTLS.Close)
	says := func(text string) string {
		return scriptedServer(t, "", func(c net.Conn) { io.WriteString(c, text); io.Copy(io.Discard, c) })
	}
	const noMail = "there is no mail server on this port: "
	for _, row := range []struct{ name, scheme, addr, want, advice string }{
		{"smtp:// where TLS is spoken", "smtp", implicit.addr, "the mail server expects TLS from the first byte on this port", smtpsAdvice},
		{"smtps:// where it is not", "smtps", plain.addr, "the mail server doesn't use TLS on this port", plainAdvice},
		{"a web server", "smtp", web.Listener.Addr().String(), noMail + "a web server answers", portAdvice},
		{"a web server, for smtps://", "smtps", web.Listener.Addr().String(), noMail + "a web server answers", portAdvice},
		{"a web server with TLS", "smtp", webTLS.Listener.Addr().String(), noMail + "a web server answers", portAdvice},
		{"a web server with TLS, for smtps://", "smtps", webTLS.Listener.Addr().String(), noMail + "a web server answers", portAdvice},
		{"an SSH server", "smtp", says("SSH-2.0-OpenSSH_9.2\r\n"), noMail + "an SSH server answers", portAdvice},
		{"an SSH server, for smtps://", "smtps", says("SSH-2.0-OpenSSH_9.2\r\n"), noMail + "an SSH server answers", portAdvice},
		{"an IMAP server", "smtp", says("* OK hush me@example.com\r\n"), noMail + "an IMAP server answers", portAdvice},
		{"a POP3 server", "smtp", says("+OK hush me@example.com\r\n"), noMail + "a POP3 server answers", portAdvice},
		{"something unknown", "smtp", says("hush me@example.com\r\n"), noMail + "something else answers", portAdvice},
		{"nobody", "smtp", "127.0.0.1:1", "the mail server couldn't be reached", "Nothing is listening at 127.0.0.1:1. Start the server, or correct the address. Check SMTP_URL."},
		{"no such host", "smtp", "mail.guestlist.invalid:25", "the mail server couldn't be reached", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m, err := NewSMTP(row.scheme+"://"+row.addr, "login@example.com")
			if err != nil {
				t.Fatal(err)
			}
			m.tls, m.silence = client, 50*time.Millisecond
			begin := time.Now()
			text, advice := fault.Explain(toFault(m.Login(t.Context())))
			if text != row.want || row.advice != "" && advice != row.advice || advice == "" {
				t.Errorf("after %v: %s | %s\nwant %s | %s", time.Since(begin), text, advice, row.want, row.advice)
			}
			if strings.Contains(text+advice, "hush") || strings.Contains(text+advice, "me@") {
				t.Error("it tells what the server responses")
			}
		})
	}
}

func TestSMTP_CertificateAdvice(t *testing.T) {
	t.Parallel()
	server, client := certificates(t)
	for _, row := range []struct {
		name string
		edit func(*tls.Config)
		want string // in the advice
	}{
		{"of another name", func(c *tls.Config) { c.ServerName = "mail.example.net" }, "The server's certificate isn't valid for mail.example.net (it is for example.com"},
		{"that has ended", func(c *tls.Config) { c.Time = func() time.Time { return time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) } }, "The server's certificate expired on 29 January 2084."},
		{"of an authority that is not known", func(c *tls.Config) { c.RootCAs = nil }, "it is signed by an authority that this machine doesn't know"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for _, scheme := range []string{"smtp", "smtps"} {
				var b mailbox
				b.serve(t, server, scheme == "smtps")
				m, err := NewSMTP(scheme+"://"+b.addr, "login@example.com")
				if err != nil {
					t.Fatal(err)
				}
				m.tls, m.startTLS = client.Clone(), scheme == "smtp"
				row.edit(m.tls)
				text, advice := fault.Explain(toFault(m.Login(t.Context())))
				if text != "the mail server's certificate can't be trusted" || !strings.Contains(advice, row.want) {
					t.Errorf("%s: %s | %s", scheme, text, advice)
				}
			}
		})
	}
}
