package main

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
)

// silentServer takes connections and says nothing on them.
func silentServer(t *testing.T) (addr string) {
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
			go func() {
				defer c.Close()
				io.Copy(io.Discard, c)
			}()
		}
	}()
	return listener.Addr().String()
}

func TestWhileTheMailServerHangsAnswersAreTheSameForAllAndAsQuick(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, server string }{
		{"says nothing", silentServer(t)},
		{"is not there", freeAddr(t)},
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
				wants(t, v, 200, "Look at your mail")
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
			invited := ada.submits(ada.get("/users/new"), "Send invitation", "E-mail address", "grace@example.com")
			wants(t, invited, 200, "People", "grace@example.com is on the list, but the mail has not left yet.", "It will be tried again by itself.")
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("inviting takes %v", took)
			}
		})
	}
}
