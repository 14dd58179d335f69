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

// health is what was said at /healthz or /readyz of an address. All that an instance
// says is empty where something else answered.
type health struct {
	Status   string `json:"status"`
	Database string `json:"database"` // of an instance that has started, at /readyz, as the next
	Stytch   string `json:"stytch"`
	Error    string `json:"error"` // of one that is starting

	code int                  // of HTTP
	tls  *tls.ConnectionState // nil: it came without
}

// hasStarted reports whether it is what /readyz says, and nothing else does.
func (h health) hasStarted() bool { return h.Database != "" && h.Stytch != "" }
func (h health) isStarting() bool { return strings.HasPrefix(h.Error, "starting: ") }

// askHealth asks an address for its health. No redirect is followed: there is none.
func askHealth(ctx context.Context, by http.RoundTripper, url string) (health, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return health{}, err
	}
	r.Close = true
	res, err := by.RoundTrip(r)
	if err != nil {
		return health{}, err
	}
	defer res.Body.Close()
	said := health{}
	if json.UnmarshalRead(io.LimitReader(res.Body, 4<<10), &said) != nil {
		said = health{} // it is no instance
	}
	said.code, said.tls = res.StatusCode, res.TLS
	return said, nil
}

// askHere asks the instance on this machine for its health at a path: by the way of a
// proxy in front, to the address where it listens, under the name in the base URL.
func askHere(ctx context.Context, cfg config.Config, path string) (health, error) {
	here := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, cfg.Addr)
	}}
	return askHealth(ctx, here, "http://"+cfg.BaseURL.Host+cfg.BaseURL.Path+path)
}
