package apps

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

var errURL = fieldError("Write the address as https://wiki.example.com, without a path.")

// ParseURL parses the address of an app: http or https, a host, and optionally a port. The
// error is a message for the field.
func ParseURL(s string) (scheme, host string, err error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return "", "", errURL
	}
	scheme = strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return "", "", errURL
	}
	host, ok := ParseHost(scheme, u.Host)
	if !ok {
		return "", "", errURL
	}
	return scheme, host, nil
}

// maxHost is the longest host name, with its port, that is stored.
const maxHost = 253 + len(":65535")

// ParseHost returns the canonical form of a Host header: in lower case, internationalized
// names in ASCII, without a dot at the end and without the scheme's default port. It
// reports false for a malformed host.
func ParseHost(scheme, host string) (canonical string, ok bool) {
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		name, port = host[:i], host[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '+' {
			return "", false
		}
		port = strings.TrimLeft(port, "0")
	}
	name, ok = parseHostname(name)
	if !ok {
		return "", false
	}
	if port != "" && port != defaultPort(scheme) {
		name += ":" + port
	}
	return name, len(name) <= maxHost
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// parseHostname returns the canonical form of a host without its port.
func parseHostname(name string) (string, bool) {
	if inner, found := strings.CutPrefix(name, "["); found {
		inner, closed := strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !closed || err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", false
		}
		return "[" + addr.String() + "]", true
	}
	name = strings.TrimSuffix(name, ".")
	if isSimpleHostname(name) {
		return name, true
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || !isSimpleCharacters(ascii) || !validLabels(ascii) {
		return "", false
	}
	// Some malformed names have a form in ASCII that isn't a valid name itself.
	if again, err := idna.Lookup.ToASCII(ascii); err != nil || again != ascii {
		return "", false
	}
	return ascii, true
}

// isSimpleHostname reports whether a name is in canonical form already, so that the checks
// of every request are cheap.
func isSimpleHostname(name string) bool {
	return isSimpleCharacters(name) && validLabels(name) && !strings.Contains(name, "xn--")
}

// isSimpleCharacters reports whether a name has only the characters of canonical names.
func isSimpleCharacters(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// validLabels reports whether every label of an ASCII name has 1 to 63 characters and no
// hyphen at either end.
func validLabels(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}
