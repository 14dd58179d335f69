// Package probe tests whether requests for an app reach Guestlist, by sending one to the
// app's public address as a program without credentials would.
package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/netutil"
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
	BadRequest   Finding = "bad_request"   // 400: the proxy doesn't say which request it asks about
	ProxyFailed  Finding = "proxy_failed"  // an error of the proxy, 5xx
	NotAllowed   Finding = "not_allowed"   // 403: Guestlist or the proxy refuses to answer
	NotGuestlist Finding = "not_guestlist" // an answer that isn't Guestlist's: the app is open
)

// timeout limits the whole request.
const timeout = 5 * time.Second

// path is below the one that Guestlist answers on every app's host.
const path = "/.guestlist/me"

// maxBody is the largest part of a response that is read, in bytes.
const maxBody = 16 << 10

// Run sends one request to an app and returns what it found. It follows no redirect and passes
// on nothing of the response. baseURL is Guestlist's own.
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
	return judge(res, a, baseURL)
}

// judge decides whether a response is Guestlist's. The built-in proxy answers with a report about
// the request. Through another proxy, the answer leads to a page on Guestlist's host.
func judge(res *http.Response, a apps.App, baseURL *url.URL) Finding {
	base := strings.TrimSuffix(baseURL.String(), "/")
	location := res.Header.Get("Location")
	for _, own := range []string{base + "/enter?", base + "/enter/"} {
		if strings.HasPrefix(location, own) || strings.HasPrefix(res.Header.Get("X-Guestlist-Sign-In"), own) {
			return Reached
		}
	}
	if res.StatusCode == http.StatusOK && isReport(res.Body, a) {
		return Reached
	}
	switch {
	case strings.HasPrefix(location, base+"/"):
		return HostLost
	case res.StatusCode == http.StatusBadRequest:
		return BadRequest
	case res.StatusCode >= 500:
		return ProxyFailed
	case res.StatusCode == http.StatusForbidden, res.StatusCode == http.StatusMisdirectedRequest:
		return NotAllowed
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return Redirected
	}
	return NotGuestlist
}

// isReport reports whether a body is the report about a request for an app.
func isReport(body io.Reader, a apps.App) bool {
	var report struct {
		App string `json:"app"`
	}
	text, err := io.ReadAll(io.LimitReader(body, maxBody))
	if err != nil || json.Unmarshal(text, &report) != nil {
		return false
	}
	return report.App == a.ID
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
	if netutil.IsMetadata(ip) || ip.IsMulticast() || ip.IsUnspecified() {
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
