package main

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
)

// accepting has somebody answer each connection to an address, and returns where
// that is.
func accepting(t *testing.T, addr string, answer func(c net.Conn)) net.Addr {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
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
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	return listener.Addr()
}

// silentServer takes connections and says nothing on them.
func silentServer(t *testing.T) (addr string) {
	t.Helper()
	return accepting(t, "127.0.0.1:0", func(c net.Conn) { io.Copy(io.Discard, c) }).String()
}

func TestWhileTheMailServerHangsAnswersAreTheSameForAllAndAsQuick(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, server, reason string }{
		{"says nothing", silentServer(t), "The mail server did not answer in time."},
		{"is not there", freeAddr(t), "The mail server could not be reached."},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-local-stytch-limits=off",
				"--smtp-url=smtp://"+row.server, "--guestlist-mail-from=login@example.com", "--guestlist-admins=ada@example.com")
			var answers []map[string]any
			for _, address := range []string{"ada@example.com", "nobody@example.com"} {
				begin := time.Now()
				v := s.person(address).asks()
				if took := time.Since(begin); took > 4*time.Second {
					t.Errorf("%s waits %v", address, took)
				}
				wants(t, v, 200, "Check your email")
				answers = append(answers, essence(v))
			}
			if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
				t.Errorf("the answers differ (-listed +unlisted):\n%s", diff)
			}

			// The inbox has what the server has not. An invitation is on the list all
			// the same, and isn't said to have left.
			ada := s.person("ada@example.com")
			wants(t, ada.continues(ada.opensMail()), 200, "People")
			begin := time.Now()
			invited := ada.submits(ada.get("/users/new"), "Send invitation", "Email address", "grace@example.com")
			wants(t, invited, 200, "People", "grace@example.com is on the list, but the mail has not left yet.", "It will be tried again by itself.")
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("inviting takes %v", took)
			}
			eventually(t, "an administrator is told what is wrong", func() bool {
				return strings.Contains(ada.get("/waiting").Text(), row.reason)
			})
		})
	}
}

// What a mail server answers for now is tried again; what it answers for good waits
// for an administrator, with the reason, and is sent once they say so.
func TestAnInvitationThatTheMailServerRefuses(t *testing.T) {
	t.Parallel()
	mails, c := newMailServer(t), newClock(noon)
	s := start(t, testdb.SQLite(t), c, "--guestlist-local-stytch-limits=off",
		"--smtp-url=smtp://"+mails.addr, "--guestlist-mail-from=login@example.com", "--guestlist-admins=ada@example.com")
	ada := s.person("ada@example.com")
	wants(t, ada.continues(ada.opensMail()), 200, "People")
	<-mails.links

	mails.refusal.Store(&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<grace@example.com> is unknown"})
	invited := ada.submits(ada.get("/users/new"), "Send invitation", "Email address", "grace@example.com")
	wants(t, invited, 200, "People", "grace@example.com is on the list, but the mail has not left yet. The mail server refuses the address.")
	entry := follows(t, ada, invited, "grace@example.com")
	wants(t, entry, 200, "grace@example.com", "Not sent. The mail server refuses the address.")
	if strings.Contains(entry.body, "tried again by itself") {
		t.Error("a refused address is said to be tried again")
	}
	wantsRow(t, ada.get("/users?status=refused"), "grace@example.com", "grace@example.com", "Member", "Email refused")
	if hasRow(ada.get("/users?status=refused"), "ada@example.com", "ada@example.com", "Administrator", "Active") {
		t.Error("the filter lets a user through whose invitation was not refused")
	}
	out, err := s.command("users", "list", "--status", "refused")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 2 || !strings.Contains(lines[1], "grace@example.com") || !strings.Contains(lines[1], "email refused") {
		t.Errorf("the command line lists\n%s", out)
	}
	c.advance(time.Hour)
	wants(t, ada.get("/waiting"), 200, "Pending updates", "grace@example.com", "Refused", "tried 1 time")

	mails.refusal.Store(&smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "greylisted"})
	wants(t, ada.submits(ada.get("/waiting"), "Try again"), 200, "Pending updates", "The mail server wants to be asked again later (450 4.2.0).")
	if v := newcomer(s).get("/readyz"); !strings.Contains(v.body, `"stytch":"ok"`) { // its trouble is not Stytch's
		t.Errorf("%d %s", v.status, v.body)
	}
	mails.refusal.Store(nil)
	c.advance(time.Minute)
	select {
	case <-mails.links:
	case <-time.After(20 * time.Second):
		t.Fatal("no mail after the server takes them again")
	}
	eventually(t, "the invitation counts as sent", func() bool {
		return hasRow(ada.get("/users"), "grace@example.com", "grace@example.com", "Member", "Invited")
	})
	grace := s.person("grace@example.com").mailbox()
	if text := grace[len(grace)-1].Text; !strings.Contains(text, "ada@example.com has invited you to Guestlist.") {
		t.Errorf("the mail does not say who invites:\n%s", text)
	}
	if log := s.log.String(); strings.Contains(log, "is unknown") || !strings.Contains(log, "smtp: recipient: answered 550 5.1.1") {
		t.Errorf("the log has other words than the code:\n%s", log)
	}
}
