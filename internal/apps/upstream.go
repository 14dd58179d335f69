package apps

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/netutil"
)

var (
	errUpstream         = fieldError("Write where the app listens as http://127.0.0.1:3000, without a path.")
	errUpstreamPath     = fieldError("Leave out the path. The app gets each request under the path that the browser asked for.")
	errUpstreamUser     = fieldError("Leave out the user name and password.")
	errUpstreamSelf     = fieldError("This is Guestlist itself. Write where the app listens.")
	errUpstreamOwnHost  = fieldError("This is the app’s public address, which leads back to Guestlist. Write where the app listens, such as http://127.0.0.1:3000.")
	errUpstreamMetadata = fieldError("Apps can’t be at a link-local address or a cloud provider’s metadata service. Write where the app listens, such as http://127.0.0.1:3000.")
	errUpstreamAll      = fieldError("This address means every address of a machine. Write the one to connect to, such as http://127.0.0.1:3000.")
)

// Own is where Guestlist itself can be reached.
type Own struct {
	BaseURL   *url.URL
	Listeners []string // addresses of its listeners, host:port; a host may be empty
}

// ParseUpstream parses the origin to which the built-in proxy sends the requests of an app.
// An empty text is no upstream. The error is a message for the field.
//
// It refuses what would lead back to Guestlist, and addresses that give away the machine's
// credentials. The proxy checks addresses again when it connects, because a name may resolve
// to anything.
func ParseUpstream(s string, a App, own Own) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Host == "":
		return "", errUpstream
	case u.User != nil:
		return "", errUpstreamUser
	case u.Path != "" && u.Path != "/":
		return "", errUpstreamPath
	}
	scheme, host, err := ParseURL(s)
	if err != nil {
		return "", errUpstream
	}
	if err := checkUpstream(scheme, host, a, own); err != nil {
		return "", err
	}
	return scheme + "://" + host, nil
}

func checkUpstream(scheme, host string, a App, own Own) error {
	switch _, base, _ := ParseURL(own.BaseURL.Scheme + "://" + own.BaseURL.Host); host {
	case base:
		return errUpstreamSelf
	case a.Host:
		return errUpstreamOwnHost
	}
	name, port := host, defaultPort(scheme)
	if n, p, err := net.SplitHostPort(host); err == nil {
		name, port = n, p
	}
	addr, err := netip.ParseAddr(strings.Trim(name, "[]"))
	if err != nil {
		// Some resolvers understand 2130706433 and 0x7f.1 as addresses.
		last := name[strings.LastIndexByte(name, '.')+1:]
		if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
			return errUpstream
		}
		if name != "localhost" && !strings.HasSuffix(name, ".localhost") {
			return nil
		}
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	target, err := netip.ParseAddrPort(net.JoinHostPort(addr.String(), port))
	switch {
	case err != nil:
		return errUpstream
	case netutil.IsMetadata(addr):
		return errUpstreamMetadata
	case netutil.ListensOn(own.Listeners, target):
		return errUpstreamSelf
	case addr.Unmap().IsUnspecified(), addr.IsMulticast(), addr.Unmap() == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return errUpstreamAll
	}
	return nil
}
