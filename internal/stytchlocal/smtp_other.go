package stytchlocal

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// Whatever answers at a port that is not the one of a mail server is told apart by how
// it begins, or by an attempt at TLS where it begins with nothing.

// errSpeaksTLS: nothing is said until the client begins with TLS.
var errSpeaksTLS = errors.New("the server waits for TLS")

// otherServerError is about a server of another kind.
type otherServerError struct{ kind string }

func (e *otherServerError) Error() string { return e.kind + " answers" }

// silence is how long a server may take for its greeting before it is tried whether it
// waits for TLS. Some servers take several seconds on purpose, and are still heard.
const silence = 2 * time.Second

// greetingKinds are how servers of other kinds begin.
var greetingKinds = []struct{ begins, kind string }{
	{"HTTP/", "a web server"}, {"<", "a web server"}, {"SSH-", "an SSH server"}, {"* OK", "an IMAP server"}, {"* PREAUTH", "an IMAP server"}, {"+OK", "a POP3 server"},
}

// otherServer names the kind of server that an error shows, "something else" where it
// can't be told, or "" if it is a mail server or nothing is known.
func otherServer(err error) string {
	var other *otherServerError
	var notSMTP textproto.ProtocolError
	var notTLS tls.RecordHeaderError
	begins := ""
	switch {
	case errors.As(err, &other):
		return other.kind
	case errors.As(err, &notSMTP):
		begins = string(notSMTP)
		for _, said := range []string{"invalid response code: ", "short response: "} {
			begins = strings.TrimPrefix(begins, said)
		}
	case errors.As(err, &notTLS) && !isPlainMailServer(err):
		begins = string(notTLS.RecordHeader[:])
	default:
		return ""
	}
	begins = strings.TrimLeft(begins, `"`)
	for _, g := range greetingKinds {
		if strings.HasPrefix(begins, g.begins) {
			return g.kind
		}
	}
	return "something else"
}

// isPlainMailServer reports whether a server that was to speak TLS began with the
// greeting of a mail server instead.
func isPlainMailServer(err error) bool {
	var notTLS tls.RecordHeaderError
	if !errors.As(err, &notTLS) {
		return false
	}
	begins := string(notTLS.RecordHeader[:])
	return strings.HasPrefix(begins, "220") || strings.HasPrefix(begins, "421") || strings.HasPrefix(begins, "554")
}

// watchSilence ends the wait for a greeting on a connection if it turns out that none
// will come. It returns a function that ends the watch and says what was found.
func (m *SMTP) watchSilence(ctx context.Context, connection net.Conn) (found func() error) {
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
			connection.Close()
		}
		result <- err
	}()
	return func() error {
		cancel()
		return <-result
	}
}

// probe tries TLS on a connection of its own, and returns what that shows: errSpeaksTLS,
// an otherServerError, or nil for nothing.
func (m *SMTP) probe(ctx context.Context) error {
	config := m.tls.Clone()
	config.NextProtos = []string{"h2", "http/1.1"} // a web server takes one of them
	dialer := tls.Dialer{Config: config}
	c, err := dialer.DialContext(ctx, "tcp", m.address())
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	switch {
	case err == nil:
		defer c.Close()
		if c.(*tls.Conn).ConnectionState().NegotiatedProtocol != "" {
			return &otherServerError{"a web server"}
		}
	case errors.As(err, &certificate), errors.As(err, &alert):
		// It speaks TLS, whatever is wrong with it.
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
