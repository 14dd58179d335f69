package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

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
