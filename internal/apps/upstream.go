package apps

import (
	"net/url"
	"strings"
)

var errUpstream = fieldError("Write where the app listens as http://127.0.0.1:3000, without a path.")

// ParseUpstream parses the origin to which the built-in proxy sends the requests of an app.
// An empty text is no upstream. The error is a message for the field.
func ParseUpstream(s string, a App, baseURL *url.URL) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	scheme, host, err := ParseURL(s)
	if err != nil {
		return "", errUpstream
	}
	_, own, _ := ParseURL(baseURL.Scheme + "://" + baseURL.Host)
	if host == own || host == a.Host {
		return "", fieldError("This is Guestlist itself. Write where the app listens.")
	}
	return scheme + "://" + host, nil
}
