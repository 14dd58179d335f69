package resilience

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// TestDatabaseFault_SameMessageEverywhere checks that serve, migrate and another command
// report a database fault with the message of doctor.
func TestDatabaseFault_SameMessageEverywhere(t *testing.T) {
	t.Parallel()
	dsn := testdb.MySQL(t)
	edited := func(edit func(*mysql.Config)) string {
		cfg, err := mysql.ParseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		edit(cfg)
		return cfg.FormatDSN()
	}
	file := filepath.Join(t.TempDir(), "file")
	harness.Must(t, os.WriteFile(file, []byte("text"), 0o600))
	folder := t.TempDir()
	const folderAdvice = " Set the path of a file in DATABASE_URL."
	for _, row := range []struct {
		name, database string
		want           string
		afterWaiting   bool // serve waits until it is interrupted
	}{
		{name: "a wrong password", database: edited(func(c *mysql.Config) { c.User, c.Passwd = "t_"+strings.ToLower(rand.Text()[:20]), "hush" }),
			want: "The server rejected the user or the password. Check them in DATABASE_URL. In a mysql:// address, write special characters as %XX."},
		{name: "a database that there is not", database: edited(func(c *mysql.Config) { c.DBName = "nowhere" }),
			want: "The server has no database of this name. Create it with CREATE DATABASE, or check the name in DATABASE_URL."},
		{name: "no TLS where it is asked for", database: edited(func(c *mysql.Config) { c.TLSConfig = "skip-verify" }),
			want: "The server doesn't support TLS. Turn it on there. Only on a network you trust, add ?tls=false to DATABASE_URL."},
		{name: "a port without a listener", database: edited(func(c *mysql.Config) { c.Addr = "127.0.0.1:1" }), afterWaiting: true,
			want: "Nothing is listening at 127.0.0.1:1. Start the server, or correct the address. Check DATABASE_URL."},
		{name: "a file in a folder that is a file", database: "sqlite:" + file + "/guestlist.db",
			want: "The SQLite file can't be created or opened at " + file + "/guestlist.db: part of the path is a file, not a directory. Set another path in DATABASE_URL."},
		{name: "a folder in place of the file", database: "sqlite:" + folder, want: "The SQLite file's path is a directory." + folderAdvice},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := doctorSays(t, row.database); got != row.want {
				t.Errorf("doctor says: %s\nwant: %s", got, row.want)
			}
			for _, args := range [][]string{{"serve", "--guestlist-addr=127.0.0.1:0"}, {"migrate"}, {"users", "list"}, {"migrate", "status"}} {
				if row.afterWaiting && (args[0] == "serve" || args[0] == "users") {
					if got := waitsWith(t, row.database, args...); row.want != sentence(got.Error)+" "+got.Advice {
						t.Errorf("%s waits with: %s | %s\nwant: %s", args, got.Error, got.Advice, row.want)
					}
					continue
				}
				err := harness.RunCommand(t.Context(), append(args, "--database-url="+row.database), nil, strings.NewReader(""), new(bytes.Buffer), new(bytes.Buffer))
				if err == nil || err.Error() != row.want {
					t.Errorf("%s says: %v\nwant: %s", args, err, row.want)
				}
			}
		})
	}
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// doctorSays returns text and action of the first database problem that doctor reports.
func doctorSays(t *testing.T, databaseURL string) string {
	t.Helper()
	var out bytes.Buffer
	err := harness.RunCommand(t.Context(), []string{"doctor", "--json", "--database-url=" + databaseURL}, nil, nil, &out, new(bytes.Buffer))
	if err == nil {
		t.Error("doctor finds no problem")
	}
	return harness.DatabaseProblem(t, out.Bytes())
}

// waiting is a log line of a command that waits for the database.
type waiting struct {
	Msg    string `json:"msg"`
	Error  string `json:"error"`
	Advice string `json:"advice"`
}

// waitsWith returns the log line of a command that waits for its database.
func waitsWith(t *testing.T, databaseURL string, args ...string) (line waiting) {
	t.Helper()
	var log harness.Log
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		ended <- harness.RunCommand(ctx, append(args, "--guestlist-log=json", "--database-url="+databaseURL), nil, strings.NewReader(""), new(bytes.Buffer), &log)
	}()
	harness.Eventually(t, "a word in the log", func() bool {
		for text := range strings.Lines(log.String()) {
			if json.Unmarshal([]byte(text), &line) == nil && line.Msg == "waiting for the database" {
				return true
			}
		}
		return false
	})
	stop()
	<-ended
	return line
}

// TestListen_ErrorNamesTheReason checks the errors of serve for unusable addresses.
func TestListen_ErrorNamesTheReason(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	harness.Must(t, err)
	defer taken.Close()
	addr := taken.Addr().String()
	database := "--database-url=" + testdb.SQLite(t)
	for _, row := range []struct {
		name string
		args []string
		want string
	}{
		{"the port is taken", []string{"--guestlist-addr=" + addr},
			"GUESTLIST_ADDR can't be used: something is already listening at " + addr + ". Stop it (it may be another guestlist), or set another address."},
		{"the metrics' port is taken", []string{"--guestlist-addr=127.0.0.1:0", "--guestlist-metrics-addr=" + addr},
			"GUESTLIST_METRICS_ADDR can't be used: something is already listening at " + addr + ". Stop it (it may be another guestlist), or set another address."},
		{"an address of another machine", []string{"--guestlist-addr=192.0.2.1:8080", "--stytch-project-id=project-test-x", "--stytch-secret=hush"},
			"GUESTLIST_ADDR can't be used: 192.0.2.1:8080 isn't an address of this machine. Use one of its addresses, 127.0.0.1 for this machine only, or leave out the host to listen on all of them."},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := harness.RunCommand(t.Context(), append(row.args, database), nil, nil, new(bytes.Buffer), new(bytes.Buffer))
			if err == nil || err.Error() != row.want {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
		})
	}
}

// TestHealth_NothingListens checks the error of health without an instance.
func TestHealth_NothingListens(t *testing.T) {
	t.Parallel()
	addr := harness.FreeAddr(t)
	err := harness.RunCommand(t.Context(), []string{"health", "--guestlist-addr=" + addr}, nil, nil, new(bytes.Buffer), new(bytes.Buffer))
	want := "Health: no answer: nothing is listening at " + addr + ". Start the server, or correct the address."
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
