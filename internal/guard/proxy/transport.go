package proxy

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/guestlist/guestlist/internal/netutil"
)

// errRefusedAddress means that an upstream's name resolves to an address that Guestlist
// doesn't connect to.
type errRefusedAddress struct{ reason error }

func (e errRefusedAddress) Error() string { return "refused address: " + e.reason.Error() }
func (e errRefusedAddress) Unwrap() error { return e.reason }

// newTransport returns the transport to upstreams. It ignores HTTP_PROXY, because
// upstreams are in the private network, and speaks HTTP/1.1, which WebSockets need.
func (p *Proxy) newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Control: p.checkAddress}
	return &http.Transport{
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   tlsTimeout,
		ResponseHeaderTimeout: p.opts.Timeouts.Response,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       keepAliveTimeout,
		MaxIdleConnsPerHost:   maxIdlePerUpstream,
		MaxIdleConns:          8 * maxIdlePerUpstream,
		// The visitor and the application negotiate compression.
		DisableCompression: true,
	}
}

// checkAddress is called with each resolved address before it is connected to, so a name
// can't be made to resolve to another address after it was checked.
func (p *Proxy) checkAddress(_, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return errRefusedAddress{fmt.Errorf("not an IP address: %s", address)}
	}
	if netutil.IsMetadata(addr.Addr()) {
		return errRefusedAddress{fmt.Errorf("%s is link-local or a cloud provider's metadata service", addr.Addr())}
	}
	if p.opts.Refuse == nil {
		return nil
	}
	if err := p.opts.Refuse(addr); err != nil {
		return errRefusedAddress{err}
	}
	return nil
}
