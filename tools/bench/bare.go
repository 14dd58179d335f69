//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// response is a response of the product, for the bare server to repeat.
type response struct {
	Addr   string // where the bare server listens
	Status int
	Header http.Header
	Body   []byte
}

// serve runs a net/http server that answers every request with the response. Its timeouts are the
// product's.
func (resp response) serve() error {
	server := &http.Server{
		Addr:              resp.Addr,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header := w.Header()
			for name, values := range resp.Header {
				header[name] = values
			}
			w.WriteHeader(resp.Status)
			w.Write(resp.Body)
		}),
	}
	return server.ListenAndServe()
}

// fetch sends a request and returns the response without the Date header, which net/http adds.
func fetch(addr string, request []byte) (response, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return response{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write(request); err != nil {
		return response{}, err
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return response{}, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	r.Header.Del("Date")
	return response{Status: r.StatusCode, Header: r.Header, Body: body}, err
}

// startBare starts a bare server with a response and waits until it listens. It ends with ctx.
func startBare(ctx context.Context, resp response) (cmd *exec.Cmd, addr string, err error) {
	if resp.Addr, err = freeAddr(); err != nil {
		return nil, "", err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	text, err := json.Marshal(resp)
	if err != nil {
		return nil, "", err
	}
	cmd = onCore(ctx, serverCore, self, "bare")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	in.Write(text)
	in.Close()
	return cmd, resp.Addr, awaitPort(resp.Addr)
}

// awaitPort returns when a server listens on an address.
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
