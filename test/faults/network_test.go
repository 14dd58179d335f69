package faults

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// network is the way between the program and its database, which can be made bad.
type network struct {
	x     *trial
	proxy *toxiproxy.Proxy
}

func newNetwork(x *trial, database string) *network {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n := &network{x: x, proxy: toxiproxy.NewProxy(server, "database", "127.0.0.1:0", database)}
	if err := n.proxy.Start(); err != nil {
		x.Fatal(err)
	}
	x.Cleanup(n.proxy.Stop)
	return n
}

// spoils makes it bad in a way that the proxy has a name for, for all connections
// there are and will be.
func (n *network) spoils(kind, direction string, attributes map[string]int) {
	toxic, err := json.Marshal(map[string]any{"type": kind, "stream": direction, "attributes": attributes})
	if err != nil {
		n.x.Fatal(err)
	}
	if _, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(string(toxic))); err != nil {
		n.x.Fatal(err)
	}
}

// heals makes it good again.
func (n *network) heals() {
	ctx, cancel := context.WithTimeout(n.x.Context(), 10*time.Second)
	defer cancel()
	n.proxy.Toxics.ResetToxics(ctx)
}
