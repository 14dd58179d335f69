package fault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Network returns the fault for a network error, or nil for any other error.
func Network(err error) *Fault {
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return New("there is no host "+lookup.Name, "Check the name, and the DNS servers of this machine.")
	case errors.As(err, &lookup):
		return New("the DNS lookup of "+lookup.Name+" failed", "Check the DNS servers of this machine.")
	case errors.As(err, &certificate):
		return untrusted(certificate.Err)
	case errors.As(err, &notTLS):
		return New("the server doesn't use TLS on this port", "Check the port: encrypted and unencrypted connections use different ones.")
	case errors.Is(err, syscall.ECONNREFUSED):
		return New("nothing is listening at "+address(err), "Start the server, or correct the address.")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return New("there was no response in time", "Check the server, and any firewall in between.")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return New("there is no route to "+address(err), "Check the network of this machine.")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return New("the server closed the connection", "Check the server, and any proxy or firewall in between.")
	}
	return nil
}

// address returns the remote address of a connection error.
func address(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		return op.Addr.String()
	}
	return "the server"
}

// untrusted returns the fault for a certificate that failed verification.
func untrusted(err error) *Fault {
	const advice = " Nothing is sent there until then."
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &host):
		return New("the server's certificate isn't valid for "+host.Host+namesOf(host.Certificate),
			"Use a name that the certificate covers, or get a certificate for this name."+advice)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		const day = "2 January 2006"
		if time.Now().Before(invalid.Cert.NotBefore) {
			return New("the server's certificate isn't valid before "+invalid.Cert.NotBefore.Format(day), "Check the clock of this machine, and the certificate."+advice)
		}
		return New("the server's certificate expired on "+invalid.Cert.NotAfter.Format(day), "Renew it. If it hasn't expired yet, check the clock of this machine."+advice)
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return New("the server's certificate can't be trusted: it is signed by an authority that this machine doesn't know",
			"Use a certificate of a known authority, or add its authority to this machine's."+advice)
	}
	return New("the server's certificate can't be trusted: "+err.Error(), "Replace it."+advice)
}

// namesOf lists up to three names of a certificate.
func namesOf(c *x509.Certificate) string {
	const limit = 3
	if c == nil || len(c.DNSNames) == 0 {
		return ""
	}
	names := c.DNSNames
	more := ""
	if len(names) > limit {
		names, more = names[:limit], " and others"
	}
	return " (it is for " + strings.Join(names, ", ") + more + ")"
}

// Listen returns the fault for a failure to listen at addr, the value of a setting.
func Listen(setting, addr string, err error) *Fault {
	var reason, advice string
	switch {
	case errors.Is(err, syscall.EADDRINUSE), isWindowsError(err, 10048):
		reason, advice = "something is already listening at "+addr, "Stop it (it may be another guestlist), or set another address."
	case errors.Is(err, syscall.EACCES), isWindowsError(err, 10013):
		reason, advice = "the user that runs guestlist may not listen at "+addr, "Ports below 1024 need root or CAP_NET_BIND_SERVICE; use a higher port behind a proxy."
	case errors.Is(err, syscall.EADDRNOTAVAIL), isWindowsError(err, 10049):
		reason, advice = addr+" isn't an address of this machine", "Use one of its addresses, 127.0.0.1 for this machine only, or leave out the host to listen on all of them."
	default:
		reason, advice = err.Error(), "Set another address."
		if f := Network(err); f != nil { // a host name that can't be looked up
			reason, advice = f.text, f.advice
		}
	}
	return New(fmt.Sprintf("%s can't be used: %s", setting, reason), advice)
}

// isWindowsError compares err with an error number of Windows sockets.
func isWindowsError(err error, number uintptr) bool {
	var code syscall.Errno
	return errors.As(err, &code) && uintptr(code) == number
}

// IsUnreachable reports whether no connection could be made to an existing address, so
// that it may work later.
func IsUnreachable(err error) bool {
	var op *net.OpError
	return !errors.As(err, new(*net.DNSError)) && (errors.As(err, &op) && op.Op == "dial" || isTimeout(err))
}

func isTimeout(err error) bool {
	var timed net.Error
	return errors.As(err, &timed) && timed.Timeout()
}
