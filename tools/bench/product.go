//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// build makes the program as it is shipped.
func build(ctx context.Context, dir string) (path string, err error) {
	path = filepath.Join(dir, "guestlist")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// cookieKey is known, so that places deep in the list can be asked for without
// turning all the pages before.
const cookieKey = "a-key-for-the-benchmark-and-nothing-else"

// product is the program running.
type product struct {
	cmd  *exec.Cmd
	addr string
	out  string        // the file that its standard output is in
	took time.Duration // from its start to its first page
}

// start runs the program on a database and returns when the sign-in page is there.
func start(ctx context.Context, program, dir, databaseURL string) (*product, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return startAt(ctx, program, dir, databaseURL, addr)
}

// startAt is start at an address, with more settings.
func startAt(ctx context.Context, program, dir, databaseURL, addr string, settings ...string) (*product, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the program has its own
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &product{cmd: onCore(ctx, serverCore, program), addr: addr, out: out.Name()}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, out, log
	p.cmd.Env = append(p.cmd.Env,
		"DATABASE_URL="+databaseURL, "GUESTLIST_ADDR="+addr, "GUESTLIST_LOG=json", "GUESTLIST_COOKIE_KEYS="+cookieKey,
		"GUESTLIST_LOCAL_STYTCH_LIMITS=off", "GUESTLIST_RECONCILE=off")
	p.cmd.Env = append(p.cmd.Env, "GOGC=200", "GOMEMLIMIT=160MiB") // as the image sets them
	p.cmd.Env = append(p.cmd.Env, settings...)
	begin := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	request := get(p.host(), "", "/")
	for {
		if a, err := look(addr, request); err == nil && a.Status == http.StatusOK {
			p.took = time.Since(begin)
			return p, nil
		}
		if time.Since(begin) > 2*time.Minute {
			text, _ := os.ReadFile(log.Name())
			p.stop()
			return nil, fmt.Errorf("the program does not serve in two minutes:\n%s", text)
		}
		time.Sleep(500 * time.Microsecond)
	}
}

// settle waits until the program has done what it does after its start: with a
// long list in an SQLite file, it reads all of that once.
func (p *product) settle() {
	const quiet = 500 * time.Millisecond
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; {
		before := cpu(p.cmd.Process.Pid)
		time.Sleep(quiet)
		if cpu(p.cmd.Process.Pid)-before < 0.02*float64(quiet.Milliseconds()) {
			return
		}
	}
}

// stop ends the program in order.
func (p *product) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// host is that of the base URL: a page asked for under another name is sent there.
func (p *product) host() string {
	_, port, _ := net.SplitHostPort(p.addr)
	return "localhost:" + port
}

// signIn makes the first administrator, as the first person to come, and returns
// their cookie.
func (p *product) signIn() (cookie string, err error) {
	const ada = "ada@example.com"
	if _, err := p.post("/signin", url.Values{"email": {ada}}); err != nil {
		return "", err
	}
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(20 * time.Millisecond) {
		token, err := p.token()
		if err != nil {
			return "", err
		}
		if token == "" {
			continue
		}
		answer, err := p.post("/api/authenticate_magic_link", url.Values{"token": {token}})
		if err != nil {
			return "", err
		}
		for _, c := range answer.Cookies() {
			if c.Name == "guestlist" {
				return c.Name + "=" + c.Value, nil
			}
		}
		return "", fmt.Errorf("signing in: %s", answer.Status)
	}
	return "", errors.New("no mail to sign in by")
}

func (p *product) post(path string, form url.Values) (*http.Response, error) {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.PostForm("http://"+p.host()+path, form)
	if err != nil {
		return nil, err
	}
	return answer, answer.Body.Close()
}

// token returns that of the mail in the inbox; empty if there is none yet.
func (p *product) token() (string, error) {
	printed, err := os.ReadFile(p.out)
	if err != nil {
		return "", err
	}
	_, after, _ := strings.Cut(string(printed), "/dev/inbox?key=")
	key, _, _ := strings.Cut(after, "\n")
	answer, err := http.Get("http://" + p.host() + "/dev/inbox.json?key=" + key)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var inbox struct{ Messages []struct{ Links []string } }
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(text, &inbox); err != nil || len(inbox.Messages) == 0 {
		return "", err
	}
	u, err := url.Parse(inbox.Messages[0].Links[0])
	if err != nil {
		return "", err
	}
	return u.Query().Get("token"), nil
}

// get is a request as a browser's, but without an Accept-Encoding: all three
// servers send the same plain bytes.
func get(host, cookie, path string) []byte {
	return request("GET", host, cookie, path, "")
}

func request(method, host, cookie, path, body string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: */*\r\n", method, path, host)
	if cookie != "" {
		fmt.Fprintf(&b, "Cookie: %s\r\n", cookie)
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// size is that of a file, in megabytes.
func size(path string) float64 {
	info, err := os.Stat(strings.TrimPrefix(path, "sqlite:"))
	if err != nil {
		return 0
	}
	return float64(info.Size()) / 1e6
}
