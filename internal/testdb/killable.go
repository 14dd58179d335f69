package testdb

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Killable is a server for one test, which can be killed and restarted. Committed data
// survives.
type Killable struct {
	server   server
	programs programs
	settings []string
}

// NewKillable starts a server with its own directory and port for the duration of the
// test. settings are additional lines of its [mysqld] section. It ignores
// GUESTLIST_TEST_MYSQL_DSN, because tests may only kill their own server. If no server
// is installed, it skips or fails the test; see the package comment.
func NewKillable(t testing.TB, settings ...string) *Killable {
	t.Helper()
	programs, err := findPrograms()
	if err != nil {
		missing(t, err)
	}
	dir, err := os.MkdirTemp(ramDisk(), "guestlist-killable-")
	if err != nil {
		t.Fatal(err)
	}
	// A kill may leave a half-written page.
	k := &Killable{server: server{dir: dir}, programs: programs, settings: append(settings, "innodb-doublewrite=1")}
	t.Cleanup(func() {
		if k.server.pipe != nil {
			k.server.pipe.Close()
			<-k.server.ended
		}
		os.RemoveAll(dir)
	})
	if err := k.server.startAnywhere(programs, k.settings...); err != nil {
		t.Fatalf("start %s: %v", programs.server, err)
	}
	return k
}

// DSN creates an empty database and returns its go-sql-driver DSN.
func (k *Killable) DSN(t testing.TB) string {
	t.Helper()
	cfg := rootConfig("tcp", k.server.addr)
	cfg.DBName = "guestlist_" + strings.ToLower(rand.Text())
	create := cfg.Clone()
	create.DBName = ""
	run(t, create, "CREATE DATABASE "+cfg.DBName)
	return cfg.FormatDSN()
}

// Kill kills the server with SIGKILL and waits for its end.
func (k *Killable) Kill() error {
	if _, err := fmt.Fprintln(k.server.pipe); err != nil {
		return err
	}
	<-k.server.ended
	return k.server.pipe.Close()
}

// Start restarts the server with the same directory and port, and returns when it accepts
// connections.
func (k *Killable) Start() error {
	if err := k.server.start(k.programs, k.settings...); err != nil {
		return fmt.Errorf("start %s: %w", k.programs.server, err)
	}
	return nil
}
