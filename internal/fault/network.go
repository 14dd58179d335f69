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

// Network returns trouble with a network as a fault; nil for another error.
func Network(err error) *Fault {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &name) && name.IsNotFound:
		return New("there is no host "+name.Name, "Look at the name, and at the name servers of this machine.")
	case errors.As(err, &name):
		return New("the name servers say nothing about "+name.Name, "Look at the name servers of this machine.")
	case errors.As(err, &certificate):
		return untrusted(certificate.Err)
	case errors.As(err, &notTLS):
		return New("the other end does not speak TLS", "Look at the port: plain and encrypted connections have different ones.")
	case errors.Is(err, syscall.ECONNREFUSED):
		return New("nobody listens at "+where(err), "Start what should, or mend the address.")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return New("there was no answer in time", "Look at firewalls on the way, and at what is at the other end.")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return New("there is no way to "+where(err), "Look at the network of this machine.")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return New("the other end broke the connection off", "Look at what is at the other end, and at what is on the way.")
	}
	return nil
}

// where is the address that an error of a connection is about.
func where(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		return op.Addr.String()
	}
	return "the other end"
}

// untrusted says what is wrong with a certificate, by what the library found.
func untrusted(err error) *Fault {
	const advice = "Until that is so, nothing is sent there."
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &host):
		return New("the certificate at the other end is of another name than "+host.Host+namesOf(host.Certificate),
			"Use a name that the certificate has, or have one made for this name. "+advice)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return expired(invalid.Cert, advice)
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return New("the certificate at the other end can't be trusted: it is signed by an authority that this machine doesn't know",
			"Have one of a known authority there, or add its authority to this machine's. "+advice)
	}
	return New("the certificate at the other end can't be trusted: "+err.Error(), "Have it made anew there. "+advice)
}

func expired(c *x509.Certificate, advice string) *Fault {
	const day = "2 January 2006"
	if time.Now().Before(c.NotBefore) {
		return New("the certificate at the other end is good from "+c.NotBefore.Format(day)+" on", "Look at the clock of this machine, and at the certificate there. "+advice)
	}
	return New("the certificate at the other end ended on "+c.NotAfter.Format(day), "Have it renewed there; if it is not over yet, look at the clock of this machine. "+advice)
}

// namesOf lists a few of a certificate's names.
func namesOf(c *x509.Certificate) string {
	const most = 3
	if c == nil || len(c.DNSNames) == 0 {
		return ""
	}
	names := c.DNSNames
	more := ""
	if len(names) > most {
		names, more = names[:most], " and others"
	}
	return " (it is of " + strings.Join(names, ", ") + more + ")"
}

// Listen says why the program can't listen at the address of a setting.
func Listen(setting, addr string, err error) *Fault {
	switch {
	case errors.Is(err, syscall.EADDRINUSE), isWindowsError(err, 10048):
		return New(fmt.Sprintf("%s can't be had: something listens at %s already", setting, addr), "Stop it, perhaps another guestlist, or set another address.")
	case errors.Is(err, syscall.EACCES), isWindowsError(err, 10013):
		return New(fmt.Sprintf("%s can't be had: the user who runs guestlist may not listen at %s", setting, addr), "Ports below 1024 are for root or who is given CAP_NET_BIND_SERVICE; take one above, and a proxy in front.")
	case errors.Is(err, syscall.EADDRNOTAVAIL), isWindowsError(err, 10049):
		return New(fmt.Sprintf("%s can't be had: %s is no address of this machine", setting, addr), "Take one of its own, 127.0.0.1 for this machine alone, or leave the host out for all.")
	}
	if f := Network(err); f != nil { // a name that leads nowhere
		return New(fmt.Sprintf("%s can't be had: %s", setting, f.text), f.advice)
	}
	return New(fmt.Sprintf("%s can't be had: %v", setting, err), "Set another address.")
}

// isWindowsError compares an error with one of Windows' sockets, by its number.
func isWindowsError(err error, number uintptr) bool {
	var code syscall.Errno
	return errors.As(err, &code) && uintptr(code) == number
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
