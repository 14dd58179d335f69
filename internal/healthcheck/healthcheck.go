// Package healthcheck asks an instance for its health.
package healthcheck

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/config"
)

// Timeout is longer than an instance waits for its database before it responds.
const Timeout = 5 * time.Second

// Response is the response of /healthz or /readyz. The text fields are empty if
// another program answered.
type Response struct {
	Status   string `json:"status"`
	Database string `json:"database"` // set by /readyz of an instance that has started
	Stytch   string `json:"stytch"`   // as Database
	Error    string `json:"error"`    // set by an instance that is starting

	Code int                  `json:"-"` // the HTTP status
	TLS  *tls.ConnectionState `json:"-"` // nil if the connection was not encrypted
}

// HasStarted reports whether this is the /readyz response of an instance that has started.
func (r Response) HasStarted() bool { return r.Database != "" && r.Stytch != "" }

// IsStarting reports whether the instance waits for its database.
func (r Response) IsStarting() bool { return strings.HasPrefix(r.Error, "starting: ") }

// Check requests a URL through the transport. Redirects are not followed.
func Check(ctx context.Context, transport http.RoundTripper, url string) (Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Response{}, err
	}
	req.Close = true
	res, err := transport.RoundTrip(req)
	if err != nil {
		return Response{}, err
	}
	defer res.Body.Close()
	var response Response
	if json.UnmarshalRead(io.LimitReader(res.Body, 4<<10), &response) != nil {
		response = Response{} // the response of another program
	}
	response.Code, response.TLS = res.StatusCode, res.TLS
	return response, nil
}

// CheckLocal requests a path of the instance on this machine. It connects to the listener
// as a reverse proxy does, with the host of the base URL.
func CheckLocal(ctx context.Context, cfg config.Config, path string) (Response, error) {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, cfg.Addr)
	}}
	return Check(ctx, transport, "http://"+cfg.BaseURL.Host+cfg.BaseURL.Path+path)
}
