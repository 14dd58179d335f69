package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// TestServe_FailedStartLeavesNothingOpen is not parallel: it counts the open files of the process.
func TestServe_FailedStartLeavesNothingOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	harness.Must(t, os.WriteFile(file, []byte("This is no database. "+strings.Repeat("x", 5000)), 0o600))
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	harness.Must(t, err)
	defer silent.Close()
	good := testdb.SQLite(t)
	for _, row := range []struct {
		name string
		args []string
	}{
		{"the database can't be opened", []string{"--database-url=sqlite:" + file + "/guestlist.db"}},
		{"the database is damaged", []string{"--database-url=sqlite:" + file}},
		{"an administrator has no address", []string{"--database-url=" + good, "--guestlist-admins=hush"}},
		{"the server refuses the password", []string{"--database-url=" + strings.Replace(testdb.MySQL(t), "root", "stranger", 1)}},
		{"the metrics' port is taken", []string{"--database-url=" + good, "--guestlist-metrics-addr=" + silent.Addr().String()}},
	} {
		t.Run(row.name, func(t *testing.T) {
			addr, metrics := harness.FreeAddr(t), harness.FreeAddr(t)
			args := append([]string{
				"--guestlist-addr=" + addr, "--guestlist-metrics-addr=" + metrics, "--otel-exporter-otlp-endpoint=http://" + silent.Addr().String(),
			}, row.args...)
			fails := func() {
				t.Helper()
				if err := harness.RunCommand(t.Context(), args, nil, nil, new(bytes.Buffer), new(bytes.Buffer)); err == nil {
					t.Fatal("it started")
				}
			}
			fails()
			for _, free := range []string{addr, metrics} {
				l, err := net.Listen("tcp", free)
				if err != nil {
					t.Errorf("%s is still listened at: %v", free, err)
					continue
				}
				l.Close()
			}
			before, files := runtime.NumGoroutine(), openFiles()
			const times = 10
			for range times {
				fails()
			}
			harness.Eventually(t, "no more goroutines than before", func() bool { return runtime.NumGoroutine() < before+times })
			if now := openFiles(); now >= files+times {
				t.Errorf("%d open files, %d before", now, files)
			}
		})
	}
}

// openFiles returns the number of open files of the process, or 0 if unknown.
func openFiles() int {
	runtime.GC()
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// TestServe_PrintsAddressAndInvitations starts the program in standalone mode with a
// mail server that accepts mails, one that refuses them, and none.
func TestServe_PrintsAddressAndInvitations(t *testing.T) {
	t.Parallel()
	taking, refusing := scriptedMailServer(t, "250 fine"), scriptedMailServer(t, "550 5.1.1 no such user")
	for _, row := range []struct{ name, smtp, want string }{
		{"taken", "smtp://" + taking, "Invitation for 2 administrators: sent to the mail server."},
		{"refused", "smtp://" + refusing, "Invitation for 2 administrators: refused. The mail server rejected the address."},
		{"not there", "smtp://127.0.0.1:1", "Invitation for 2 administrators: not sent yet. The mail server couldn't be reached. Guestlist will try again."},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			addr := harness.FreeAddr(t)
			ctx, stop := context.WithCancel(t.Context())
			var out, log harness.Log
			ended := make(chan error, 1)
			go func() {
				ended <- harness.RunCommand(ctx, []string{
					"--guestlist-addr=" + addr, "--guestlist-local-stytch=on", "--guestlist-base-url=https://guestlist.example", "--smtp-url=" + row.smtp,
					"--guestlist-admins=ada@example.com,grace@example.com", "--database-url=" + testdb.SQLite(t),
				}, nil, nil, &out, &log)
			}()
			harness.Eventually(t, row.want, func() bool { return strings.Contains(out.String(), row.want) })
			if want := "Listening:  " + addr + "\n"; !strings.Contains(out.String(), want) {
				t.Errorf("no %q in %s", want, out.String())
			}
			if strings.Contains(out.String(), "@example.com") {
				t.Errorf("it prints an address: %s", out.String())
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// scriptedMailServer starts a mail server that gives the same response to every recipient
// and accepts every mail.
func scriptedMailServer(t *testing.T, recipient string) (addr string) {
	t.Helper()
	return harness.AcceptConnections(t, "127.0.0.1:0", func(c net.Conn) {
		fmt.Fprint(c, "220 mail.example\r\n")
		for lines, inMail := bufio.NewScanner(c), false; lines.Scan(); {
			line := lines.Text()
			verb, _, _ := strings.Cut(line, " ")
			switch {
			case inMail && line != ".":
			case inMail:
				inMail = false
				fmt.Fprint(c, "250 fine\r\n")
			case verb == "DATA":
				inMail = true
				fmt.Fprint(c, "354 go on\r\n")
			case verb == "RCPT":
				fmt.Fprint(c, recipient+"\r\n")
			case verb == "QUIT":
				return
			default:
				fmt.Fprint(c, "250 fine\r\n")
			}
		}
	}).String()
}
