// Package probe tests whether requests for an app reach Guestlist, by sending one to the
// app's public address as a program without credentials would.
package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
)

// Finding is what a test found.
type Finding string

// The findings.
const (
	Reached      Finding = "reached"       // Guestlist answered
	NoAddress    Finding = "no_address"    // the host has no DNS record
	Forbidden    Finding = "forbidden"     // the host's address is one that no app has
	Refused      Finding = "refused"       // nothing listens there
	TimedOut     Finding = "timed_out"     // no answer in time
	Certificate  Finding = "certificate"   // the certificate isn't valid for the host
	NotHTTPS     Finding = "not_https"     // the server doesn't speak TLS there
	Unreachable  Finding = "unreachable"   // another fault of the network
	Redirected   Finding = "redirected"    // to something other than Guestlist's sign-in
	HostLost     Finding = "host_lost"     // to Guestlist's own pages: it saw another Host
	ProxyFailed  Finding = "proxy_failed"  // an error of the proxy, 5xx
	NotAllowed   Finding = "not_allowed"   // 403: Guestlist or the proxy refuses to answer
	NotGuestlist Finding = "not_guestlist" // an answer that isn't Guestlist's: the app is open
)

// timeout limits the whole request.
const timeout = 5 * time.Second

// path is below the one that Guestlist answers on every app's host.
const path = "/.guestlist/me"

// Run sends one request to an app and returns what it found. It follows no redirect and reads
// no body, so nothing of the response is passed on. baseURL is Guestlist's own.
func Run(ctx context.Context, a apps.App, baseURL *url.URL) Finding {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL()+path, nil)
	if err != nil {
		return Unreachable
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "Guestlist-Test")
	dialer := &net.Dialer{Control: refuseForbidden}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext:            dialLocalhost(dialer),
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(r)
	if err != nil {
		return findingOf(err)
	}
	defer res.Body.Close()
	return judge(res, baseURL)
}

// judge decides whether a response is Guestlist's. A refusal bears the address to sign in at,
// as a redirect or in a header of its own.
func judge(res *http.Response, baseURL *url.URL) Finding {
	signIn := strings.TrimSuffix(baseURL.String(), "/") + "/enter?"
	for _, name := range []string{"X-Guestlist-Sign-In", "Location"} {
		if strings.HasPrefix(res.Header.Get(name), signIn) {
			return Reached
		}
	}
	switch {
	case strings.HasPrefix(res.Header.Get("Location"), strings.TrimSuffix(baseURL.String(), "/")+"/"):
		return HostLost
	case res.StatusCode >= 500:
		return ProxyFailed
	case res.StatusCode == http.StatusForbidden, res.StatusCode == http.StatusMisdirectedRequest:
		return NotAllowed
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return Redirected
	}
	return NotGuestlist
}

// findingOf returns the finding for a request that got no response.
func findingOf(err error) Finding {
	var noHost *net.DNSError
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.Is(err, errForbidden):
		return Forbidden
	case errors.As(err, &noHost) && noHost.IsNotFound:
		return NoAddress
	case errors.As(err, &certificate), errors.As(err, &unknown), errors.As(err, &name):
		return Certificate
	case errors.As(err, &notTLS), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return NotHTTPS
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, context.DeadlineExceeded):
		return TimedOut
	}
	return Unreachable
}

var errForbidden = errors.New("no app has such an address")

// refuseForbidden refuses connections to addresses that answer anyone on a machine with more
// than an app would: link-local ones, among them the metadata services of clouds.
func refuseForbidden(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return errForbidden
	}
	ip := to.Addr().Unmap()
	if ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip == netip.MustParseAddr("fd00:ec2::254") {
		return errForbidden
	}
	return nil
}

// dialLocalhost connects names below localhost to this machine, as browsers do.
func dialLocalhost(d *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
			address = net.JoinHostPort("localhost", port)
		}
		return d.DialContext(ctx, network, address)
	}
}
