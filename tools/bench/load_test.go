//go:build linux

package main

import (
	"fmt"
	"net"
	"net/http"
	"testing"
)

func TestIsComplete(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		response string
		want     bool
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true},
		{"HTTP/1.1 204 No Content\r\n\r\n", true},
	} {
		if got := isComplete([]byte(row.response)); got != row.want {
			t.Errorf("%q: %v", row.response, got)
		}
	}
}

func TestLoadJob_CountsResponsesByKind(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refused":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/wrong":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			for range 3 {
				fmt.Fprint(w, "part\n")
				http.NewResponseController(w).Flush()
			}
		}
	}))
	job := loadJob{Addr: listener.Addr().String(), Status: http.StatusOK, Conns: 3, Rate: 300, Seconds: 0.3}
	for _, path := range []string{"/", "/refused", "/wrong"} {
		job.Requests = append(job.Requests, get("localhost", "", path))
	}
	o, err := job.run()
	if err != nil {
		t.Fatal(err)
	}
	if o.N == 0 || o.Responses[200] != o.N || o.RetryAfter == 0 || o.Responses[503] != o.RetryAfter || o.Responses[500] == 0 || o.Wrong == "" {
		t.Errorf("got %+v", o)
	}
}
