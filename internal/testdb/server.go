package testdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// errNoServer says what to install.
var errNoServer = errors.New("neither MariaDB nor MySQL is installed: run `apt-get install mariadb-server` (or `brew install mariadb`), or set GUESTLIST_TEST_MYSQL_DSN")

// privateServer starts the server on its first call; the others return the same.
// It also keeps it: a server whose pipe is collected as garbage would end.
var privateServer = sync.OnceValues(func() (*server, error) {
	program, install, err := findServer()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(ramDisk(), "guestlist-mysql-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	if err := s.start(program, install); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return s, nil
})

// findServer returns the server program and the command that fills its folder.
func findServer() (program string, install []string, err error) {
	// A user's PATH on Debian lacks /usr/sbin, where the server is.
	find := func(name string) string {
		for _, candidate := range []string{name, filepath.Join("/usr/sbin", name)} {
			if path, err := exec.LookPath(candidate); err == nil {
				return path
			}
		}
		return ""
	}
	program, installer := find("mariadbd"), find("mariadb-install-db")
	if program != "" && installer != "" {
		return program, []string{installer, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"}, nil
	}
	if program = find("mysqld"); program != "" {
		return program, []string{program, "--no-defaults", "--initialize-insecure"}, nil
	}
	return "", nil, errNoServer
}

// server is a server on a folder of its own.
type server struct {
	dir   string
	addr  string        // host:port
	ended chan struct{} // closed when the program has ended
	cmd   *exec.Cmd     // holds the pipe of [watched]
}

// watched starts a server that ends when this process does, whichever way that
// happens: the pipe on its standard input is closed then, if need be by the
// kernel. $$ is the server's process, as exec keeps the number.
const watched = `
dir=$1; shift
exec 3<&0 </dev/null
(trap '' HUP INT TERM; cat <&3; kill -KILL $$; rm -rf "$dir") &
exec "$@" 3<&-`

func (s *server) start(program string, install []string) error {
	common := []string{"--datadir=" + filepath.Join(s.dir, "data"), "--innodb-log-file-size=16M"}
	if os.Geteuid() == 0 {
		common = append(common, "--user=root") // refused unless asked for by name
	}
	if out, err := exec.Command(install[0], append(install[1:], common...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", install[0], err, out)
	}
	var err error
	if s.addr, err = freeAddr(); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(s.addr)
	args := append([]string{"-c", watched, "sh", s.dir, program, "--no-defaults",
		"--socket=" + s.socket(), "--bind-address=127.0.0.1", "--port=" + port,
		"--pid-file=" + filepath.Join(s.dir, "pid"), "--log-error=" + s.log(),
		// What MySQL 8 and PlanetScale refuse is refused on MariaDB too.
		"--sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
		// Quick to start and to write: nothing here must survive a power cut.
		"--skip-log-bin", "--skip-name-resolve", "--performance-schema=off", "--loose-mysqlx=off",
		"--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=0", "--loose-sync-frm=0",
		"--innodb-buffer-pool-size=64M", "--max-connections=400",
	}, common...)
	s.cmd = exec.Command("sh", args...)
	if _, err := s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		s.cmd.Process.Wait()
		close(s.ended)
	}()
	return s.wait()
}

// wait returns when the server answers. It asks by the socket, which nobody
// else can be listening on, and which is opened after the port.
func (s *server) wait() error {
	cfg := rootConfig("unix", s.socket())
	cfg.Logger = &mysql.NopLogger{} // it doesn't answer at first
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
			log, _ := os.ReadFile(s.log())
			return fmt.Errorf("ended at once:\n%s", log)
		case <-ctx.Done():
			return fmt.Errorf("no answer in a minute: %w", err)
		}
	}
}

func (s *server) socket() string { return filepath.Join(s.dir, "sock") }
func (s *server) log() string    { return filepath.Join(s.dir, "server.err") }

// rootConfig reaches the server as its superuser, who has no password.
func rootConfig(network, addr string) *mysql.Config {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr = "root", network, addr
	return cfg
}

// freeAddr returns a loopback address on which nobody listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
