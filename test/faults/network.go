package faults

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// network is a proxy between the program and its database.
type network struct {
	x     *trial
	proxy *toxiproxy.Proxy
}

func newNetwork(x *trial, databaseAddr string) *network {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n := &network{x: x, proxy: toxiproxy.NewProxy(server, "database", "127.0.0.1:0", databaseAddr)}
	if err := n.proxy.Start(); err != nil {
		x.Fatal(err)
	}
	x.Cleanup(n.proxy.Stop)
	return n
}

// disturb adds a toxic, a fault of toxiproxy, to present and future connections.
func (n *network) disturb(kind, direction string, attributes map[string]int) {
	toxic, err := json.Marshal(map[string]any{"type": kind, "stream": direction, "attributes": attributes})
	if err != nil {
		n.x.Fatal(err)
	}
	if _, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(string(toxic))); err != nil {
		n.x.Fatal(err)
	}
}

// repair removes all toxics.
func (n *network) repair() {
	ctx, cancel := context.WithTimeout(n.x.Context(), 10*time.Second)
	defer cancel()
	n.proxy.Toxics.ResetToxics(ctx)
}
