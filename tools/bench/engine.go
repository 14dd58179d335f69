//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
)

// engine creates databases, one for each size of the directory.
type engine struct {
	name     string
	version  string
	pid      int // of the database process; 0 if the database runs in the product's process
	create   func(name string) (databaseURL string, err error)
	openSeed func(databaseURL string) (*sql.DB, error) // opens a database to fill it quickly
	analyze  func(databaseURL string) error            // updates statistics after seeding; may be nil
}

// sqlite creates a file for each database in a directory.
func sqlite(dir string) engine {
	return engine{
		name:   "SQLite",
		create: func(name string) (string, error) { return "sqlite:" + filepath.Join(dir, name+".db"), nil },
		openSeed: func(databaseURL string) (*sql.DB, error) {
			path := strings.TrimPrefix(databaseURL, "sqlite:")
			db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=journal_mode(OFF)&_pragma=cache_size(-1000000)&_pragma=locking_mode(EXCLUSIVE)")
			if err == nil {
				db.SetMaxOpenConns(1)
			}
			return db, err
		},
	}
}

// mariadbSettings are production settings: commits survive a power failure.
const mariadbSettings = `[mysqld]
datadir="%[1]s/data"
socket="%[1]s/sock"
pid-file="%[1]s/pid"
bind-address=127.0.0.1
port=%[2]s
max-connections=400
skip-log-bin
skip-name-resolve
innodb-flush-log-at-trx-commit=1
innodb-doublewrite=1
innodb-log-file-size=1G
innodb-buffer-pool-size=4G
`

var errNoServer = errors.New("MariaDB isn't installed")

// mariadb starts a server with its data in a directory. It ends with ctx.
func mariadb(ctx context.Context, dir string) (engine, error) {
	server, install := find("mariadbd"), find("mariadb-install-db")
	if server == "" || install == "" {
		return engine{}, errNoServer
	}
	addr, err := freeAddr()
	if err != nil {
		return engine{}, err
	}
	_, port, _ := net.SplitHostPort(addr)
	text := fmt.Sprintf(mariadbSettings, dir, port)
	if os.Geteuid() == 0 {
		text += "user=root\n" // MariaDB refuses to run as root otherwise
	}
	conf := filepath.Join(dir, "my.cnf")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return engine{}, err
	}
	if out, err := exec.CommandContext(ctx, install, "--defaults-file="+conf, "--auth-root-authentication-method=normal", "--skip-test-db").CombinedOutput(); err != nil {
		return engine{}, fmt.Errorf("%w\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, server, "--defaults-file="+conf)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return engine{}, err
	}
	e := engine{name: "MariaDB", pid: cmd.Process.Pid}
	source := func(name string) string { return "root@tcp(" + addr + ")/" + name }
	e.openSeed = func(databaseURL string) (*sql.DB, error) {
		return sql.Open("mysql", databaseURL+"?interpolateParams=true&charset=utf8mb4&unique_checks=0&maxAllowedPacket=0")
	}
	root, err := sql.Open("mysql", source(""))
	if err != nil {
		return engine{}, err
	}
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if err = root.QueryRow("SELECT VERSION()").Scan(&e.version); err == nil {
			break
		}
		if time.Since(begin) > time.Minute {
			return engine{}, fmt.Errorf("%w\n%s", err, &stderr)
		}
	}
	e.create = func(name string) (string, error) {
		_, err := root.ExecContext(ctx, "CREATE DATABASE "+name)
		return source(name), err
	}
	e.analyze = func(databaseURL string) error { // the server would do this by itself later
		cfg, err := mysql.ParseDSN(databaseURL)
		if err == nil {
			_, err = root.ExecContext(ctx, "ANALYZE TABLE "+cfg.DBName+".users, "+cfg.DBName+".user_words")
		}
		return err
	}
	return e, nil
}

// find returns the path of a program, or an empty string. It also searches /usr/sbin, which isn't in
// every user's PATH on Debian.
func find(program string) string {
	for _, candidate := range []string{program, filepath.Join("/usr/sbin", program)} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	return ""
}
