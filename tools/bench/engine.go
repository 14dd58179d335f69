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

// engine is where databases are made, each for one size of the list.
type engine struct {
	name     string
	version  string
	pid      int // of its process; 0: it is a part of the program's
	create   func(name string) (databaseURL string, err error)
	loaded   func(databaseURL string) error // after the seed
	openSeed func(databaseURL string) (*sql.DB, error)
}

// sqlite keeps a file for each size in a folder.
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
		loaded: func(string) error { return nil },
	}
}

// mariaSettings are those of a server in earnest: what is committed survives a
// power cut.
const mariaSettings = `[mysqld]
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

var errNoServer = errors.New("no MariaDB is installed")

// mariadb starts a server of its own in a folder; it ends with ctx.
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
	text := fmt.Sprintf(mariaSettings, dir, port)
	if os.Geteuid() == 0 {
		text += "user=root\n" // refused unless asked for by name
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
	var problems bytes.Buffer
	cmd.Stderr = &problems
	if err := cmd.Start(); err != nil {
		return engine{}, err
	}
	e := engine{name: "MariaDB", pid: cmd.Process.Pid}
	source := func(name, more string) string { return "root@tcp(" + addr + ")/" + name + more }
	e.openSeed = func(databaseURL string) (*sql.DB, error) {
		return sql.Open("mysql", databaseURL+"?interpolateParams=true&charset=utf8mb4&unique_checks=0&maxAllowedPacket=0")
	}
	root, err := sql.Open("mysql", source("", ""))
	if err != nil {
		return engine{}, err
	}
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if err = root.QueryRow("SELECT VERSION()").Scan(&e.version); err == nil {
			break
		}
		if time.Since(begin) > time.Minute {
			return engine{}, fmt.Errorf("%w\n%s", err, &problems)
		}
	}
	e.create = func(name string) (string, error) {
		_, err := root.ExecContext(ctx, "CREATE DATABASE "+name)
		return source(name, ""), err
	}
	e.loaded = func(databaseURL string) error { // what the server would find out by itself a while later
		cfg, err := mysql.ParseDSN(databaseURL)
		if err == nil {
			_, err = root.ExecContext(ctx, "ANALYZE TABLE "+cfg.DBName+".users, "+cfg.DBName+".user_words")
		}
		return err
	}
	return e, nil
}

// find also looks where a user's PATH on Debian does not lead.
func find(program string) string {
	for _, candidate := range []string{program, filepath.Join("/usr/sbin", program)} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	return ""
}
