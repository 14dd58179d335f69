//go:build linux

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"time"

	"encoding/json"
	"os"
)

// answer is what the product said, to be said again.
type answer struct {
	Addr   string // where to say it
	Status int
	Header http.Header
	Body   []byte
}

// serve is the bare server: net/http with the product's bounds, and nothing else.
func (a answer) serve() error {
	server := &http.Server{
		Addr: a.Addr, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header := w.Header()
			for name, values := range a.Header {
				header[name] = values
			}
			w.WriteHeader(a.Status)
			w.Write(a.Body)
		}),
	}
	return server.ListenAndServe()
}

// look returns what a server answers to a request, without what net/http adds
// by itself.
func look(addr string, request []byte) (answer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write(request); err != nil {
		return answer{}, err
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return answer{}, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	r.Header.Del("Date")
	return answer{Status: r.StatusCode, Header: r.Header, Body: body}, err
}

// startBare runs a bare server that gives the answer, until ctx ends.
func startBare(ctx context.Context, a answer) (*exec.Cmd, answer, error) {
	var err error
	if a.Addr, err = freeAddr(); err != nil {
		return nil, a, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, a, err
	}
	text, err := json.Marshal(a)
	if err != nil {
		return nil, a, err
	}
	cmd := onCore(ctx, serverCore, self, "bare")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, a, err
	}
	if err := cmd.Start(); err != nil {
		return nil, a, err
	}
	in.Write(text)
	in.Close()
	return cmd, a, awaitPort(a.Addr)
}

// awaitPort returns when somebody listens.
func awaitPort(addr string) error {
	for begin := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			return conn.Close()
		}
		if time.Since(begin) > time.Minute {
			return err
		}
	}
}
