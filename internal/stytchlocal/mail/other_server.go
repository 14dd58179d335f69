package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// errSpeaksTLS reports a server that stays silent until the client starts TLS.
var errSpeaksTLS = errors.New("the server waits for TLS")

// otherServerError reports a server of another protocol.
type otherServerError struct{ kind string }

func (e *otherServerError) Error() string { return e.kind + " answers" }

// silence is how long to wait for a greeting before probing whether the server expects
// TLS. Some servers delay their greeting for several seconds; it is still accepted.
const silence = 2 * time.Second

var greetings = []struct{ prefix, kind string }{
	{"HTTP/", "a web server"}, {"<", "a web server"}, {"SSH-", "an SSH server"}, {"* OK", "an IMAP server"}, {"* PREAUTH", "an IMAP server"}, {"+OK", "a POP3 server"},
}

// otherServer names the kind of server that an error reveals. It returns "something else"
// for an unknown kind, and "" for a mail server or if the error reveals nothing.
func otherServer(err error) string {
	var other *otherServerError
	var notSMTP textproto.ProtocolError
	var notTLS tls.RecordHeaderError
	var greeting string
	switch {
	case errors.As(err, &other):
		return other.kind
	case errors.As(err, &notSMTP):
		greeting = strings.TrimPrefix(string(notSMTP), "invalid response code: ")
		greeting = strings.TrimPrefix(greeting, "short response: ")
	case errors.As(err, &notTLS) && !isPlainMailServer(err):
		greeting = string(notTLS.RecordHeader[:])
	default:
		return ""
	}
	greeting = strings.TrimLeft(greeting, `"`)
	for _, g := range greetings {
		if strings.HasPrefix(greeting, g.prefix) {
			return g.kind
		}
	}
	return "something else"
}

// isPlainMailServer reports whether a server began with the greeting of a mail server
// instead of TLS.
func isPlainMailServer(err error) bool {
	var notTLS tls.RecordHeaderError
	if !errors.As(err, &notTLS) {
		return false
	}
	greeting := string(notTLS.RecordHeader[:])
	return strings.HasPrefix(greeting, "220") || strings.HasPrefix(greeting, "421") || strings.HasPrefix(greeting, "554")
}

// detectSilentServer probes the server if no greeting arrives, and closes conn if the
// probe shows that none will. The returned function stops it and returns the finding.
func (m *SMTP) detectSilentServer(ctx context.Context, conn net.Conn) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	result := make(chan error, 1)
	go func() {
		select {
		case <-ctx.Done():
			result <- nil
			return
		case <-time.After(m.silence):
		}
		err := m.probe(ctx)
		if err != nil {
			conn.Close()
		}
		result <- err
	}()
	return func() error {
		cancel()
		return <-result
	}
}

// probe tries TLS on a connection of its own. It returns errSpeaksTLS, an
// otherServerError, or nil if it learns nothing.
func (m *SMTP) probe(ctx context.Context) error {
	config := m.tls.Clone()
	config.NextProtos = []string{"h2", "http/1.1"} // a web server selects one of them
	dialer := tls.Dialer{Config: config}
	c, err := dialer.DialContext(ctx, "tcp", m.address())
	switch {
	case err == nil:
		defer c.Close()
		if c.(*tls.Conn).ConnectionState().NegotiatedProtocol != "" {
			return &otherServerError{"a web server"}
		}
	case errors.As(err, new(*tls.CertificateVerificationError)), errors.As(err, new(tls.AlertError)):
		// TLS with an invalid certificate or other parameters is TLS.
	default:
		if kind := otherServer(err); kind != "" && kind != "something else" {
			return &otherServerError{kind}
		}
		return nil
	}
	if m.implicitTLS {
		return nil
	}
	return errSpeaksTLS
}
