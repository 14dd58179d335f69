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

// build builds the program like a release.
func build(ctx context.Context, dir string) (path string, err error) {
	path = filepath.Join(dir, "guestlist")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// cookieKey is the product's cookie key. With it, deep pages of the list can be requested directly.
const cookieKey = "a-key-for-the-benchmark-and-nothing-else"

// product is a running Guestlist.
type product struct {
	cmd       *exec.Cmd
	addr      string
	out       string        // path of the file with its standard output
	startTime time.Duration // until its first page
}

func (p *product) pid() int { return p.cmd.Process.Pid }

// start starts the program with a database and waits until it serves the sign-in page.
func start(ctx context.Context, program, dir, databaseURL string) (*product, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return startAt(ctx, program, dir, databaseURL, addr)
}

// startAt is like start, with an address and additional settings.
func startAt(ctx context.Context, program, dir, databaseURL, addr string, settings ...string) (*product, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own descriptor
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
	p.cmd.Env = append(p.cmd.Env, "GOGC=200", "GOMEMLIMIT=160MiB") // as in the image
	p.cmd.Env = append(p.cmd.Env, settings...)
	begin := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	request := get(p.host(), "", "/")
	for {
		if resp, err := fetch(addr, request); err == nil && resp.Status == http.StatusOK {
			p.startTime = time.Since(begin)
			return p, nil
		}
		if time.Since(begin) > 2*time.Minute {
			text, _ := os.ReadFile(log.Name())
			p.stop()
			return nil, fmt.Errorf("the program doesn't serve after two minutes:\n%s", text)
		}
		time.Sleep(500 * time.Microsecond)
	}
}

// waitIdle waits until the program has finished its work after the start: it reads all of an SQLite
// file once.
func (p *product) waitIdle() {
	const quiet = 500 * time.Millisecond
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; {
		before := cpu(p.pid())
		time.Sleep(quiet)
		if cpu(p.pid())-before < 0.02*float64(quiet.Milliseconds()) {
			return
		}
	}
}

// stop shuts the program down.
func (p *product) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// host returns the host of the base URL. The product redirects requests for other hosts.
func (p *product) host() string {
	_, port, _ := net.SplitHostPort(p.addr)
	return "localhost:" + port
}

// signIn signs in as the first person, who becomes an administrator, and returns their cookie.
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
		resp, err := p.post("/api/authenticate_magic_link", url.Values{"token": {token}})
		if err != nil {
			return "", err
		}
		for _, c := range resp.Cookies() {
			if c.Name == "guestlist" {
				return c.Name + "=" + c.Value, nil
			}
		}
		return "", fmt.Errorf("signing in: %s", resp.Status)
	}
	return "", errors.New("no sign-in email arrived")
}

func (p *product) post(path string, form url.Values) (*http.Response, error) {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm("http://"+p.host()+path, form)
	if err != nil {
		return nil, err
	}
	return resp, resp.Body.Close()
}

// token returns the token in the newest email, or an empty string if there is none yet.
func (p *product) token() (string, error) {
	output, err := os.ReadFile(p.out)
	if err != nil {
		return "", err
	}
	_, after, _ := strings.Cut(string(output), "/dev/inbox?key=")
	key, _, _ := strings.Cut(after, "\n")
	resp, err := http.Get("http://" + p.host() + "/dev/inbox.json?key=" + key)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var inbox struct{ Messages []struct{ Links []string } }
	text, err := io.ReadAll(resp.Body)
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

// get returns a GET request. Without Accept-Encoding, responses aren't compressed.
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

// size returns the size of a file in megabytes, or 0 if there is none.
func size(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(info.Size()) / 1e6
}
