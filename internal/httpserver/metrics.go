package httpserver

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// profileTimeout is how long a requested profile may take.
const profileTimeout = 2 * time.Minute

// ServeMetrics serves metrics and profiles on the listener in the background. The caller
// must close the server.
func ServeMetrics(listener net.Listener, handler http.Handler, log *slog.Logger) *http.Server {
	server := New(handler, log)
	server.WriteTimeout = profileTimeout
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics server stopped", "error", err)
		}
	}()
	return server
}
