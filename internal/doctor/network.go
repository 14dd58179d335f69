package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"
)

// network puts an error of a connection in plain words; any other keeps its own.
func network(err error) (text, action string) {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var op *net.OpError
	where := "the other end"
	if errors.As(err, &op) && op.Addr != nil {
		where = op.Addr.String()
	}
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "there is no host " + name.Name, "Look at the name, and at the name servers of this machine."
	case errors.As(err, &name):
		return "the name servers say nothing about " + name.Name, "Look at the name servers of this machine."
	case errors.As(err, &certificate):
		return "the certificate at the other end can't be trusted: " + certificate.Err.Error(), "Have it renewed there, or mend the host's name here; who can't be recognised is told nothing."
	case errors.As(err, &notTLS):
		return "the other end does not speak TLS", "Look at the port: plain and encrypted connections have different ones."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens at " + where, "Start what should, or mend the address."
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return "there was no answer in time", "Look at firewalls on the way, and at what is at the other end."
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no way to " + where, "Look at the network of this machine."
	}
	return err.Error(), ""
}

// IsNobody reports whether nobody could be reached at an address that there is: there may
// be somebody at another time.
func IsNobody(err error) bool {
	var op *net.OpError
	return !errors.As(err, new(*net.DNSError)) && (errors.As(err, &op) && op.Op == "dial" || isTimeout(err))
}

func isTimeout(err error) bool {
	var timed net.Error
	return errors.As(err, &timed) && timed.Timeout()
}
