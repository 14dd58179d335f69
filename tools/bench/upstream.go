//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// upstreamJob configures the web application behind the proxies, which runs in a process of its own.
type upstreamJob struct{ Addr string }

// The paths of the application.
const (
	smallPath  = "/small"
	largePath  = "/large"
	socketPath = "/socket" // switches protocols and keeps the connection
)

// The sizes of its responses in bytes.
const (
	smallSize = 64
	largeSize = 64 << 10
)

func (j upstreamJob) serve() error {
	mux := http.NewServeMux()
	for path, size := range map[string]int{smallPath: smallSize, largePath: largeSize} {
		body := bytes.Repeat([]byte("x"), size)
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header()["Content-Length"] = []string{fmt.Sprint(size)}
			w.Write(body)
		})
	}
	mux.HandleFunc(socketPath, func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
		io.Copy(io.Discard, buffered) // until the client leaves
	})
	return http.ListenAndServe(j.Addr, mux)
}

// startUpstream starts the application on the core of the load generator. It ends with ctx.
func startUpstream(ctx context.Context) (addr string, err error) {
	if addr, err = freeAddr(); err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := onCore(ctx, clientCore, self, "upstream")
	if err := startWithJob(cmd, upstreamJob{addr}); err != nil {
		return "", err
	}
	go cmd.Wait()
	return addr, awaitPort(addr)
}

// startWithJob starts a role and sends it its job.
func startWithJob(cmd *exec.Cmd, job any) error {
	text, err := json.Marshal(job)
	if err != nil {
		return err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := in.Write(text); err != nil {
		return err
	}
	return in.Close()
}

// sockets is the number of WebSockets whose memory is measured.
const sockets = 2000

// socketMemory opens WebSockets through the built-in proxy and returns the memory in megabytes that the
// product takes for them.
func (g *target) socketMemory() (float64, error) {
	before := resident(g.pid())
	var open []net.Conn
	defer func() {
		for _, conn := range open {
			conn.Close()
		}
	}()
	for i := range sockets {
		conn, err := net.DialTimeout("tcp", g.addr, 10*time.Second)
		if err != nil {
			return 0, err
		}
		open = append(open, conn)
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		request := withHeaders(get(appHost(0), credentialCookie(1+i%browsers), socketPath),
			"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
		if _, err := conn.Write(request); err != nil {
			return 0, err
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(line, " 101 ") {
			return 0, fmt.Errorf("WebSocket %d: %q, %v", i, line, err)
		}
	}
	time.Sleep(time.Second) // for what the program frees
	return resident(g.pid()) - before, nil
}
