package testdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// errNoServer is returned if no server is installed.
var errNoServer = errors.New("neither MariaDB nor MySQL is installed: run `apt-get install mariadb-server` (or `brew install mariadb`), or set GUESTLIST_TEST_MYSQL_DSN")

// privateServer returns the server of this process and starts it on the first call. It
// keeps a reference, because the server stops when its pipe is garbage-collected.
var privateServer = sync.OnceValues(func() (*server, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(ramDisk(), "guestlist-mysql-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	if err := s.start(programs); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("start %s: %w", programs.server, err)
	}
	return s, nil
})

// programs has the paths of the server and of the program that initializes its data
// directory, and the latter's flags.
type programs struct{ server, install, flags string }

func findPrograms() (programs, error) {
	// On Debian, the server is in /usr/sbin, which isn't in the PATH of users.
	find := func(name string) string {
		for _, candidate := range []string{name, filepath.Join("/usr/sbin", name)} {
			if path, err := exec.LookPath(candidate); err == nil {
				return path
			}
		}
		return ""
	}
	if server, install := find("mariadbd"), find("mariadb-install-db"); server != "" && install != "" {
		return programs{server, install, "--auth-root-authentication-method=normal --skip-test-db"}, nil
	}
	if server := find("mysqld"); server != "" {
		return programs{server, server, "--initialize-insecure"}, nil
	}
	return programs{}, errNoServer
}

// settings is the template of the server's my.cnf. The sql-mode makes MariaDB as strict
// as MySQL 8 and PlanetScale. The server has its own temporary directory, because a
// starting server deletes the files of others there. The other settings trade durability
// for speed.
const settings = `[mysqld]
datadir="%[1]s/data"
tmpdir="%[1]s/tmp"
socket="%[1]s/sock"
pid-file="%[1]s/pid"
bind-address=127.0.0.1
port=%[2]s
sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION
max-connections=400
skip-log-bin
skip-name-resolve
performance-schema=off
loose-mysqlx=off
loose-sync-frm=0
innodb-flush-log-at-trx-commit=2
innodb-doublewrite=0
innodb-log-file-size=16M
innodb-buffer-pool-size=64M
`

// startScript initializes the data directory and starts the server. The server is killed
// when standard input is closed, which happens when this process ends for any reason.
// exec keeps the process id, so $$ is the server. Signals are ignored, so that Ctrl-C
// doesn't leave files behind. A line on standard input also kills the server, but keeps
// the data directory for a restart.
const startScript = `
dir=$1 server=$2 install=$3 flags=$4
trap '' HUP INT TERM
exec 3<&0 </dev/null >>"$dir/log" 2>&1
[ -d "$dir/data" ] || "$install" --defaults-file="$dir/my.cnf" $flags || exit
(if read -r _ <&3; then kill -KILL $$; else kill -KILL $$; rm -rf "$dir"; fi) &
exec "$server" --defaults-file="$dir/my.cnf" 3<&-`

// server is a server with its own directory.
type server struct {
	dir   string
	addr  string         // host:port
	ended chan struct{}  // closed when the process has ended
	pipe  io.WriteCloser // standard input of startScript
}

// errPortTaken is the error of a server whose port was taken after it was found free.
var errPortTaken = errors.New("the port was taken meanwhile")

// startAnywhere starts the server for the first time. It retries if its port was taken.
func (s *server) startAnywhere(p programs, more ...string) error {
	for try := 1; ; try++ {
		s.addr = ""
		err := s.start(p, more...)
		if !errors.Is(err, errPortTaken) || try == 5 {
			return err
		}
		fmt.Fprintln(s.pipe) // its watcher ends and leaves the directory
		s.pipe.Close()
	}
}

// start starts the server. The first call chooses a free port, which later calls keep.
// more are additional lines of settings.
func (s *server) start(p programs, more ...string) error {
	if s.addr == "" {
		var err error
		if s.addr, err = freeAddr(); err != nil {
			return err
		}
	}
	_, port, _ := net.SplitHostPort(s.addr)
	text := fmt.Sprintf(settings, s.dir, port)
	if os.Geteuid() == 0 {
		text += "user=root\n" // refused unless requested by name
	}
	for _, line := range more {
		text += line + "\n"
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "tmp"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "my.cnf"), []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.Command("sh", "-c", startScript, "sh", s.dir, p.server, p.install, p.flags)
	var err error
	if s.pipe, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.ended = ended
	go func() {
		cmd.Process.Wait()
		close(ended)
	}()
	return s.wait()
}

// wait returns when the server accepts connections. It uses the socket, which belongs to
// this server only and is opened after the port.
func (s *server) wait() error {
	cfg := rootConfig("unix", filepath.Join(s.dir, "sock"))
	cfg.Logger = &mysql.NopLogger{} // it doesn't respond at first
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, err := connector.Connect(ctx)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-s.ended:
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			if strings.Contains(string(log), "Address already in use") {
				return fmt.Errorf("%w:\n%s", errPortTaken, log)
			}
			return fmt.Errorf("ended at once:\n%s", log)
		case <-ctx.Done():
			return fmt.Errorf("no connection in a minute: %w", err)
		}
	}
}

// rootConfig returns a connection as the superuser, who has no password.
func rootConfig(network, addr string) *mysql.Config {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr = "root", network, addr
	return cfg
}

// freeAddr returns a loopback address on which nothing is listening.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
