package testdb

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Killable is a server for one test, to be killed and started again. What was
// committed survives that.
type Killable struct {
	server   server
	programs programs
	settings []string
}

// NewKillable starts a server on a folder and a port of its own, both gone at the
// end of the test, with further lines for its [mysqld] section. GUESTLIST_TEST_MYSQL_DSN
// doesn't count here: nobody's server but the test's own may be killed. Skips as the
// package says where there is none.
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
	// Half a page may be written when it is killed.
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

// DSN returns a go-sql-driver DSN of an empty database, dropped with the server.
func (k *Killable) DSN(t testing.TB) string {
	t.Helper()
	cfg := rootConfig("tcp", k.server.addr)
	cfg.DBName = "guestlist_" + strings.ToLower(rand.Text())
	create := cfg.Clone()
	create.DBName = ""
	run(t, create, "CREATE DATABASE "+cfg.DBName)
	return cfg.FormatDSN()
}

// Kill ends the server as kill -9 does and returns when it is gone.
func (k *Killable) Kill() error {
	if _, err := fmt.Fprintln(k.server.pipe); err != nil {
		return err
	}
	<-k.server.ended
	return k.server.pipe.Close()
}

// Start starts it again, on the same folder and port, and returns when it answers.
func (k *Killable) Start() error {
	if err := k.server.start(k.programs, k.settings...); err != nil {
		return fmt.Errorf("start %s: %w", k.programs.server, err)
	}
	return nil
}
