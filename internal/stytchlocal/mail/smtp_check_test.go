package mail

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestSMTPLogin_SendsNothing(t *testing.T) {
	t.Parallel()
	server, trusts := certificates(t)
	unknownCA := &tls.Config{ServerName: "127.0.0.1"}
	const login, wrong = "me:p%40ss%20word@", "me:hush@"
	for _, row := range []struct {
		name, url string
		config    *tls.Config // the server's; nil: it has no TLS
		implicit  bool
		trust     *tls.Config // nil: the server is on this machine, and asked for nothing
		logins    int
		want      string // of the error
	}{
		{name: "by STARTTLS and login", url: "smtp://" + login, config: server, trust: trusts, logins: 1},
		{name: "by TLS from the first byte and login", url: "smtps://" + login, config: server, implicit: true, trust: trusts, logins: 1},
		{name: "on this machine, without a login", url: "smtp://"},
		{name: "a wrong password", url: "smtp://" + wrong, config: server, trust: trusts, want: "the mail server rejected the login (535 5.7.8)"},
		{name: "no STARTTLS", url: "smtp://" + login, trust: trusts, want: "the mail server doesn't offer encryption (STARTTLS), so nothing was sent"},
		{name: "a certificate of somebody unknown", url: "smtp://" + login, config: server, trust: unknownCA, want: "the mail server's certificate can't be trusted"},
		{name: "plain where TLS is asked for", url: "smtps://" + login, trust: trusts, implicit: true, want: "the mail server doesn't use TLS on this port"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var b mailbox
			b.serve(t, row.config, row.implicit && row.config != nil)
			m, err := NewSMTP(row.url+b.addr, "login@example.com")
			if err != nil {
				t.Fatal(err)
			}
			if row.trust != nil { // as if the server were not on this machine
				m.tls, m.startTLS = row.trust, !row.implicit
			}
			err = toFault(m.Login(t.Context()))
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "hush")) {
				t.Errorf("got %v", err)
			}
			if len(b.auth) != row.logins || len(b.received) != 0 {
				t.Errorf("%d logins, %d mails", len(b.auth), len(b.received))
			}
		})
	}
}

func TestCheckSMTP_ServerStops(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, step, user string
		instead          func(net.Conn)
		want             string // of the error
	}{
		{"says nothing", "", "", func(c net.Conn) { io.Copy(io.Discard, c) }, "the mail server didn't respond in time"},
		{"hangs up", "", "", func(net.Conn) {}, "the mail server couldn't be reached"},
		{"is too busy", "", "", func(c net.Conn) { io.WriteString(c, "421 too many connections for me@example.com\r\n") }, "the mail server asks to try again later (421)"},
		{"can't look the password up now", "EHLO", "me:hush@", func(c net.Conn) {
			io.WriteString(c, "250-mail.example\r\n250 AUTH PLAIN\r\n454 4.7.0 try again, me@example.com\r\n")
			io.Copy(io.Discard, c)
		}, "the mail server asks to try again later"},
		{"takes no login", ".", "me:hush@", nil, "the mail server doesn't accept a login on this port"},
		{"says nothing to a goodbye", "QUIT", "", func(c net.Conn) { io.Copy(io.Discard, c) }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			err := CheckSMTP(ctx, "smtp://"+row.user+scriptedServer(t, row.step, row.instead), "login@example.com")
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "me@")) {
				t.Errorf("got %v", err)
			}
		})
	}
}
