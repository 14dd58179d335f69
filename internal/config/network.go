package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/http/httpguts"

	"github.com/guestlist/guestlist/internal/netutil"
)

func setAddr(l *loader, text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !isPort(port) || host != "" && !isHost(host) {
		return fmt.Errorf("must be host:port, such as 127.0.0.1:8080 or :8080, not %q", text)
	}
	l.Addr = text
	return nil
}

func setBaseURL(l *loader, text string) error {
	u, err := parseURL(text, "https", "http")
	if err != nil || u.User != nil {
		return errors.New("must be a URL such as https://example.com or https://example.com/people, with an ASCII host")
	}
	l.BaseURL = u
	return nil
}

// setStytchBaseURL requires https, except for this machine.
func setStytchBaseURL(l *loader, text string) error {
	u, err := parseURL(text, "https", "http")
	if err != nil || u.User != nil || u.Scheme == "http" && !isLocalName(u.Hostname()) {
		return errors.New("must be an https URL such as https://login.example.com (http is allowed on this machine only)")
	}
	l.Stytch.BaseURL = u.String()
	return nil
}

func setSMTPURL(l *loader, text string) error {
	u, err := parseURL(text, "smtp", "smtps")
	if err != nil || u.Path != "" {
		return errors.New("must be smtp://user:password@host:587 or smtps://user:password@host:465, with special characters in the user and password as %XX")
	}
	l.SMTPURL = text
	return nil
}

func setMailFrom(l *loader, text string) error {
	from, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsFunc(from.Address, func(r rune) bool { return r > unicode.MaxASCII }) {
		return fmt.Errorf("must be one ASCII address, such as Guestlist <guestlist@example.com>, not %q", text)
	}
	l.MailFrom = text
	return nil
}

func setMetricsAddr(l *loader, text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !isPort(port) || host != "" && !isHost(host) {
		return fmt.Errorf("must be host:port, such as 127.0.0.1:9090 or :9090, not %q", text)
	}
	l.MetricsAddr = text
	return nil
}

func setTracesURL(l *loader, text string) error {
	u, err := parseURL(text, "https", "http")
	if err != nil {
		return errors.New("must be the URL of an OTLP receiver over HTTP, such as http://localhost:4318, without /v1/traces")
	}
	l.TracesURL = u.String()
	return nil
}

// setTracesHeaders parses headers as the OpenTelemetry specification defines them.
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables
func setTracesHeaders(l *loader, text string) error {
	headers := map[string]string{}
	for _, part := range list(text) {
		name, value, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return errors.New("must be comma-separated name=value pairs, with special characters in values as %XX")
		}
		headers[name] = value
	}
	l.TracesHeaders = headers
	return nil
}

// parseURL parses a URL with one of the schemes, a host, an optional port and an optional
// plain path, and normalizes it as browsers do. The error doesn't contain the text, which
// may contain a password.
func parseURL(text string, schemes ...string) (*url.URL, error) {
	invalid := errors.New("invalid URL")
	u, err := url.Parse(text)
	if err != nil || !slices.Contains(schemes, u.Scheme) || strings.ContainsAny(text, "?#") {
		return nil, invalid
	}
	host, port, dir := strings.ToLower(u.Hostname()), u.Port(), strings.TrimRight(u.Path, "/")
	if !isHost(host) || !isPlainPath(dir) || u.RawPath != "" {
		return nil, invalid
	}
	clean := &url.URL{Scheme: u.Scheme, User: u.User, Host: host, Path: dir}
	if strings.Contains(host, ":") {
		clean.Host = "[" + host + "]"
	}
	if port != "" && !isPort(port) {
		return nil, invalid
	}
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		clean.Host = net.JoinHostPort(host, port)
	}
	return clean, nil
}

// isPlainPath reports whether a path needs no escaping and has only one spelling.
func isPlainPath(dir string) bool {
	odd := func(r rune) bool { return !isLetterOrDigit(r) && !strings.ContainsRune("/-._~", r) }
	return dir == "" || dir == path.Clean(dir) && !strings.ContainsFunc(dir, odd)
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// isHost reports whether text is an IP address or a host name, in any case.
func isHost(text string) bool {
	addr, err := netip.ParseAddr(text)
	return err == nil && addr.Zone() == "" || err != nil && isHostName(text)
}

func isHostName(text string) bool {
	for label := range strings.SplitSeq(text, ".") {
		odd := func(r rune) bool { return r != '-' && !isLetterOrDigit(r) }
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label || strings.ContainsFunc(label, odd) {
			return false
		}
	}
	return len(text) <= 253
}

// isLocalName reports whether browsers look for a host on this machine only.
// https://www.rfc-editor.org/rfc/rfc6761#section-6.3
func isLocalName(host string) bool {
	return netutil.IsLoopback(host) || strings.HasSuffix(strings.ToLower(host), ".localhost")
}
