// Package httpserver runs the HTTP listeners: it limits what a client may hold, answers
// while the application starts, and finishes requests when the program stops.
package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server serves the public listener.
type Server struct {
	server   *http.Server
	listener net.Listener
	conns    connTracker
	served   chan error
}

// Start serves handler on the listener in the background. Connections are limited to
// maxConnections.
func Start(listener net.Listener, handler http.Handler, log *slog.Logger) *Server {
	s := &Server{server: New(handler, log), served: make(chan error, 1)}
	s.conns.track(s.server)
	s.listener = limitConnections(listener, s.server, maxConnections)
	go func() { s.served <- s.server.Serve(s.listener) }()
	return s
}

// Failed returns a channel that receives the error with which serving ended.
func (s *Server) Failed() <-chan error { return s.served }

// Shutdown stops accepting connections, waits up to ConnGrace for requests that clients
// are sending and up to ShutdownTimeout for those in progress, and closes the server.
func (s *Server) Shutdown() error {
	s.listener.Close()
	<-s.served
	s.conns.waitIdle()
	ctx, cancel := context.WithTimeout(context.Background(), ShutdownTimeout)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return s.server.Close()
}

// Close closes the listener and all connections at once.
func (s *Server) Close() error { return s.server.Close() }

// New returns a server that limits how long a client may take to send a request, to
// read the response, and to send the next request.
func New(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
