package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/config"
)

// healthResponse is what was said at /healthz or /readyz of an address. All that an instance
// says is empty where something else answered.
type healthResponse struct {
	Status   string `json:"status"`
	Database string `json:"database"` // of an instance that has started, at /readyz, as the next
	Stytch   string `json:"stytch"`
	Error    string `json:"error"` // of one that is starting

	code int                  // of HTTP
	tls  *tls.ConnectionState // nil: it came without
}

// hasStarted reports whether it is what /readyz says, and nothing else does.
func (h healthResponse) hasStarted() bool { return h.Database != "" && h.Stytch != "" }
func (h healthResponse) isStarting() bool { return strings.HasPrefix(h.Error, "starting: ") }

// Check asks an address for its health. No redirect is followed: there is none.
func Check(ctx context.Context, by http.RoundTripper, url string) (healthResponse, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return healthResponse{}, err
	}
	r.Close = true
	res, err := by.RoundTrip(r)
	if err != nil {
		return healthResponse{}, err
	}
	defer res.Body.Close()
	said := healthResponse{}
	if json.UnmarshalRead(io.LimitReader(res.Body, 4<<10), &said) != nil {
		said = healthResponse{} // it is no instance
	}
	said.code, said.tls = res.StatusCode, res.TLS
	return said, nil
}

// CheckLocal asks the instance on this machine for its health at a path: by the way of a
// proxy in front, to the address where it listens, under the name in the base URL.
func CheckLocal(ctx context.Context, cfg config.Config, path string) (healthResponse, error) {
	here := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, cfg.Addr)
	}}
	return Check(ctx, here, "http://"+cfg.BaseURL.Host+cfg.BaseURL.Path+path)
}
