package mail

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// scriptedServer starts a mail server that behaves until it reads a line that begins with
// step, where it runs instead. An empty step is the connection, "." the end of the message.
func scriptedServer(t *testing.T, step string, instead func(c net.Conn)) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go serveUntil(c, step, instead)
		}
	}()
	return listener.Addr().String()
}

func serveUntil(c net.Conn, step string, instead func(c net.Conn)) {
	defer c.Close()
	if step == "" {
		instead(c)
		return
	}
	io.WriteString(c, "220 mail.example\r\n")
	inMessage := false
	for lines := bufio.NewScanner(c); lines.Scan(); {
		line := lines.Text()
		if inMessage && line != "." {
			continue
		}
		if strings.HasPrefix(line, step) {
			instead(c)
			return
		}
		if inMessage = line == "DATA"; inMessage {
			io.WriteString(c, "354 go on\r\n")
		} else {
			io.WriteString(c, "250 fine\r\n")
		}
	}
}

func TestSMTPSend_ServerStops(t *testing.T) {
	t.Parallel()
	silent := func(c net.Conn) { io.Copy(io.Discard, c) }
	drips := func(c net.Conn) { // a line that never ends
		for _, err := io.WriteString(c, "250-"); err == nil; _, err = io.WriteString(c, "x") {
			time.Sleep(20 * time.Millisecond)
		}
	}
	hangsUp := func(net.Conn) {}
	tests := []struct {
		name, step string
		instead    func(net.Conn)
		want       string // empty: sent
		refusal    Refusal
	}{
		{"says nothing from the start", "", silent, "The mail server didn't respond in time.", NotRefused},
		{"says nothing to a greeting", "EHLO", silent, "The mail server didn't respond in time.", NotRefused},
		{"says nothing about the recipient", "RCPT", silent, "The mail server didn't respond in time.", NotRefused},
		{"says nothing at the end of the message", ".", silent, "The mail server didn't confirm the email, which may have arrived.", Unconfirmed},
		{"never comes to the end of its greeting", "", drips, "The mail server didn't respond in time.", NotRefused},
		{"never comes to the end of its word on the message", ".", drips, "The mail server didn't confirm the email, which may have arrived.", Unconfirmed},
		{"hangs up at once", "", hangsUp, "The mail server couldn't be reached.", NotRefused},
		{"hangs up in the middle", "DATA", hangsUp, "The mail server closed the connection.", NotRefused},
		{"hangs up at the end of the message", ".", hangsUp, "The mail server didn't confirm the email, which may have arrived.", Unconfirmed},
		{"has the message and hangs up", ".", func(c net.Conn) { io.WriteString(c, "250 queued\r\n") }, "", NotRefused},
		{"has the message and says nothing more", "RSET", silent, "", NotRefused},
		{"has the message and says nothing to a goodbye", "QUIT", silent, "", NotRefused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mailer, err := NewSMTP("smtp://"+scriptedServer(t, test.step, test.instead), "login@example.com")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			begun := time.Now()
			if err := mailer.Send(ctx, newMessage()); test.want != "" {
				wantMailError(t, err, test.want, test.refusal)
			} else if err != nil {
				t.Errorf("got %v", err)
			}
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
