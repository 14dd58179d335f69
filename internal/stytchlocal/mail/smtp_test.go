package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
)

func newMessage() Message {
	return Message{
		ID: "mail-test-1", To: "ada@example.com", Subject: "Sign in to Gästeliste", Text: "Hello Zoë,\n\nhttps://guestlist.example/?a=b&c=d\n" + strings.Repeat("a", 1100) + "\n",
		HTML: "<p>Hello Zo\u00eb,</p>", Date: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

func TestSMTPSend(t *testing.T) {
	t.Parallel()
	var b mailbox
	b.serve(t, nil, false)
	mailer, err := NewSMTP("smtp://me%40example.com:p%40ss%20word@"+b.addr, "Gästeliste <login@example.com>")
	if err != nil {
		t.Fatal(err)
	}
	if err := mailer.Send(t.Context(), newMessage()); err != nil {
		t.Fatal(err)
	}
	envelope, text, _ := strings.Cut(b.received[0], "\n")
	if envelope != "login@example.com ada@example.com" || b.auth[0] != "me@example.com" {
		t.Errorf("envelope %q, login %q", envelope, b.auth)
	}
	if b.greeted != "example.com" {
		t.Errorf("it calls itself %q", b.greeted)
	}
	for line := range strings.Lines(text) { // whatever goes over more than one relay
		if len(line) > 80 || strings.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("a line of %d bytes, or not in ASCII: %q", len(line), line)
		}
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
		"text/plain; charset=UTF-8": "Hello Zoë,\n\nhttps://guestlist.example/?a=b&c=d\n" + strings.Repeat("a", 1100), "text/html; charset=UTF-8": "<p>Hello Zoë,</p>",
	}
	if diff := cmp.Diff(wantParts, parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func TestSMTPSend_Refusals(t *testing.T) {
	t.Parallel()
	says := func(code int, enhanced smtp.EnhancedCode) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "<ada@example.com> is told"}
	}
	tests := []struct {
		name    string
		change  func(b *mailbox)
		user    string
		want    string
		refusal Refusal
	}{
		{"the recipient is unknown", func(b *mailbox) { b.refuseRcpt = says(550, smtp.EnhancedCode{5, 1, 1}) }, "", "The mail server rejected the address (550 5.1.1).", AddressRefused},
		{"the mailbox takes nothing", func(b *mailbox) { b.refuseRcpt = says(552, smtp.EnhancedCode{5, 2, 2}) }, "", "The mail server rejected the address (552 5.2.2).", AddressRefused},
		{"the recipient is unknown, without more", func(b *mailbox) { b.refuseRcpt = says(550, smtp.NoEnhancedCode) }, "", "The mail server rejected the address (550).", AddressRefused},
		{"the recipient's domain has no such mailbox, as Exchange says it", func(b *mailbox) { b.refuseRcpt = says(550, smtp.EnhancedCode{5, 4, 1}) }, "", "The mail server rejected the address (550 5.4.1).", AddressRefused},
		{"the recipient must wait", func(b *mailbox) { b.refuseRcpt = says(450, smtp.EnhancedCode{4, 2, 0}) }, "", "The mail server asks to try again later (450 4.2.0).", NotRefused},
		{"nothing is passed on for strangers", func(b *mailbox) { b.refuseRcpt = says(554, smtp.EnhancedCode{5, 7, 1}) }, "", "The mail server doesn't relay email for this sender and login (554 5.7.1).", NotRefused},
		{"a login is wanted", func(b *mailbox) { b.refuseRcpt = says(530, smtp.NoEnhancedCode) }, "", "The mail server doesn't relay email for this sender and login (530).", NotRefused},
		{"the sender is refused", func(b *mailbox) { b.refuseMail = says(553, smtp.EnhancedCode{5, 7, 1}) }, "", "The mail server rejected the sender (553 5.7.1).", NotRefused},
		{"the sender must wait", func(b *mailbox) { b.refuseMail = says(451, smtp.NoEnhancedCode) }, "", "The mail server asks to try again later (451).", NotRefused},
		{"the message is refused", func(b *mailbox) { b.refuseData = says(554, smtp.EnhancedCode{5, 7, 1}) }, "", "The mail server rejected the email (554 5.7.1).", MailRefused},
		{"the disk is full", func(b *mailbox) { b.refuseData = says(452, smtp.EnhancedCode{4, 3, 1}) }, "", "The mail server asks to try again later (452 4.3.1).", NotRefused},
		{"enough was sent for today, as Gmail says it", func(b *mailbox) { b.refuseData = says(550, smtp.EnhancedCode{5, 4, 5}) }, "", "The mail server asks to try again later (550 5.4.5).", NotRefused},
		{"enough was sent for today, said of the recipient", func(b *mailbox) { b.refuseRcpt = says(550, smtp.EnhancedCode{5, 4, 5}) }, "", "The mail server asks to try again later (550 5.4.5).", NotRefused},
		{"the password is wrong", func(*mailbox) {}, "me:wrong@", "The mail server rejected the login (535 5.7.8).", NotRefused},
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
			err = mailer.Send(t.Context(), newMessage())
			wantMailError(t, err, test.want, test.refusal)
			if err != nil && strings.Contains(err.Error(), "ada@example.com") {
				t.Errorf("the address is told: %v", err)
			}
			if len(b.received) != 0 {
				t.Errorf("received %q", b.received)
			}
		})
	}
	t.Run("nobody is there", func(t *testing.T) {
		t.Parallel()
		mailer, _ := NewSMTP("smtp://127.0.0.1:1", "login@example.com")
		wantMailError(t, mailer.Send(t.Context(), newMessage()), "The mail server couldn't be reached.", NotRefused)
	})
	t.Run("the address is none", func(t *testing.T) {
		t.Parallel()
		mailer, _ := NewSMTP("smtp://127.0.0.1:1", "login@example.com")
		m := newMessage()
		m.To = "ada@example.com\r\nBcc: x@example.com"
		if err := mailer.Send(t.Context(), m); err == nil || !strings.Contains(err.Error(), "recipient") {
			t.Errorf("got %v", err)
		}
	})
}

func wantMailError(t *testing.T, err error, sentence string, refusal Refusal) {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Sentence != sentence || failed.Refusal != refusal {
		t.Errorf("got %v (%+v), want %q, %d", err, failed, sentence, refusal)
	}
}

func TestSMTPLogin(t *testing.T) {
	t.Parallel()
	server, client := certificates(t)
	tests := []struct{ name, user, want string }{
		{"is let in", "me:p%40ss%20word@", ""},
		{"is not", "me:wrong@", "The mail server rejected the login (535 5.7.8)."},
		{"does not log in without a user", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b mailbox
			b.serve(t, server, false)
			mailer, err := NewSMTP("smtp://"+test.user+b.addr, "login@example.com")
			if err != nil {
				t.Fatal(err)
			}
			mailer.tls, mailer.startTLS = client, true
			if err = mailer.Login(t.Context()); test.want != "" {
				wantMailError(t, err, test.want, NotRefused)
			} else if err != nil || (len(b.auth) == 1) != (test.user != "") {
				t.Errorf("got %v, logins %v", err, b.auth)
			}
			if len(b.received) != 0 {
				t.Errorf("received %q", b.received)
			}
		})
	}
}

func TestSMTPSend_ContextEnds(t *testing.T) {
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
	if err := mailer.Send(ctx, newMessage()); err == nil {
		t.Error("a server that says nothing has taken the mail")
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestSMTPSend_TLS(t *testing.T) {
	t.Parallel()
	server, client := certificates(t)
	tests := []struct {
		name     string
		config   *tls.Config // the server's; nil: it has no TLS
		implicit bool
		url      string
		trust    *tls.Config
		want     string // empty: sent
	}{
		{"sends by STARTTLS", server, false, "smtp://me:p%40ss%20word@", client, ""},
		{"sends by TLS from the first byte", server, true, "smtps://me:p%40ss%20word@", client, ""},
		{"refuses a server without STARTTLS", nil, false, "smtp://me:p%40ss%20word@", client, "The mail server doesn't offer encryption (STARTTLS), so nothing was sent."},
		{"refuses an unknown certificate", server, false, "smtp://", &tls.Config{ServerName: "127.0.0.1"}, "The mail server's certificate can't be trusted."},
		{"refuses an unknown certificate from the first byte", server, true, "smtps://", &tls.Config{ServerName: "127.0.0.1"}, "The mail server's certificate can't be trusted."},
		{"refuses a server without TLS from the first byte", nil, false, "smtps://", client, "The mail server doesn't use TLS on this port."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b mailbox
			b.serve(t, test.config, test.implicit)
			mailer, err := NewSMTP(test.url+b.addr, "login@example.com")
			if err != nil {
				t.Fatal(err)
			}
			mailer.tls, mailer.startTLS = test.trust, !mailer.implicitTLS // as if the server were not on this machine
			err = mailer.Send(t.Context(), newMessage())
			if test.want != "" {
				wantMailError(t, err, test.want, NotRefused)
				if len(b.received)+len(b.auth) != 0 {
					t.Errorf("%d mails, logins %v", len(b.received), b.auth)
				}
				return
			}
			if err != nil || len(b.received) != 1 || !b.secure[0] || len(b.auth) != 1 {
				t.Errorf("got %v, %d mails, by TLS %v, logins %v", err, len(b.received), b.secure, b.auth)
			}
		})
	}
}

func TestNewSMTP(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, url, from string
		want            *SMTP // nil: refused
	}{
		{"asks for STARTTLS elsewhere", "smtp://mail.example.com", "login@example.com", &SMTP{host: "mail.example.com", port: 587, startTLS: true}},
		{"takes another port", "smtp://u:p@mail.example.com:2525", "login@example.com", &SMTP{host: "mail.example.com", port: 2525, user: "u", password: "p", startTLS: true}},
		{"asks for nothing on this machine", "smtp://localhost:25", "login@example.com", &SMTP{host: "localhost", port: 25}},
		{"knows smtps", "smtps://mail.example.com/", "login@example.com", &SMTP{host: "mail.example.com", port: 465, implicitTLS: true}},
		{"does not take localhost's cousin for this machine", "smtp://localhost.example.com", "login@example.com", &SMTP{host: "localhost.example.com", port: 587, startTLS: true}},
		{"refuses another scheme", "http://mail.example.com", "login@example.com", nil},
		{"refuses no host", "smtp://", "login@example.com", nil},
		{"refuses options", "smtp://mail.example.com?tls=off", "login@example.com", nil},
		{"refuses a port of none", "smtp://mail.example.com:0", "login@example.com", nil},
		{"refuses a sender that is none", "smtp://mail.example.com", "Guestlist", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := NewSMTP(test.url, test.from)
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
			got.tls, got.from, got.silence = nil, nil, 0
			if *got != *test.want {
				t.Errorf("got %+v, want %+v", *got, *test.want)
			}
		})
	}
	if _, err := NewSMTP("smtp://u:hunter2@[bad", "login@example.com"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error tells the password: %v", err)
	}
}
