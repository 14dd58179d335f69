package apps

import (
	"net/url"
	"strings"
)

// maxHomeURL is the maximum length of App.HomeURL.
const maxHomeURL = 500

var (
	errHomeURL     = fieldError("Write the link as https://example.com/grafana.")
	errHomeURLUser = fieldError("Leave out the user name and password.")
	errHomeURLLong = fieldError("Use a link of at most 500 characters.")
)

// ParseHomeURL parses the link under which people open an app: http or https with a host and,
// optionally, a port, a path, a query and a fragment. An empty text is no link. The error is a
// message for the field.
func ParseHomeURL(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", errHomeURL
	}
	host, ok := ParseHost(u.Scheme, u.Host)
	switch {
	case u.Scheme != "http" && u.Scheme != "https", !ok:
		return "", errHomeURL
	case u.User != nil:
		return "", errHomeURLUser
	}
	u.Host = host
	link := u.String()
	if len(link) > maxHomeURL {
		return "", errHomeURLLong
	}
	return link, nil
}
