package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
)

// Problem is why a request was not answered by the application.
type Problem struct {
	Status int
	App    string // name of the application; may be empty
	Title  string // for people, with typographic apostrophes
	Text   string
	Error  string // for programs
	Retry  bool   // the same request may succeed in a moment
}

var (
	problemMethod = Problem{
		Status: http.StatusMethodNotAllowed, Title: "This request isn’t supported", Text: "CONNECT and TRACE requests aren’t passed on to apps.",
		Error: "CONNECT and TRACE are not passed on to apps",
	}
	problemMalformed = Problem{
		Status: http.StatusBadRequest, Title: "We couldn’t read that request", Text: "It arrived damaged. Go back and try again.",
		Error: "malformed request",
	}
	problemBody = Problem{
		Status: http.StatusBadRequest, Title: "The upload didn’t arrive", Text: "The connection broke while the request was being sent. Go back and try again.",
		Error: "request body could not be read",
	}
	problemSlowBody = Problem{
		Status: http.StatusRequestTimeout, Title: "The upload didn’t arrive", Text: "Nothing more was received for two minutes. Check your connection, go back and try again.",
		Error: "request body stalled",
	}
	problemShutdown = Problem{
		Status: http.StatusServiceUnavailable, Title: "We’re restarting", Text: "Try again in a moment.",
		Error: "restarting", Retry: true,
	}
)

func problemLoop(t Target) Problem {
	return Problem{
		Status: http.StatusLoopDetected, App: t.Name, Title: t.Name + " leads back here",
		Text:  "The address to which requests for " + t.Name + " are passed on leads back to this page. Ask an administrator to correct the app’s upstream.",
		Error: "the app's upstream leads back to the proxy",
	}
}

// problemOf returns the problem for an error of a request to the upstream.
func problemOf(err error, e *exchange) Problem {
	if e.body != nil && e.body.stalled() {
		return problemSlowBody
	}
	if e.body != nil && e.body.broken.Load() {
		return problemBody
	}
	name := e.target.Name
	problem := Problem{Status: http.StatusBadGateway, App: name, Title: name + " isn’t answering", Error: "app unreachable", Retry: true}
	var timeout net.Error
	switch {
	case errors.Is(err, errTooManyTunnels):
		return Problem{
			Status: http.StatusServiceUnavailable, App: name, Title: "Too many open connections", Text: "Close some of the app’s windows, or try again in a moment.",
			Error: "too many open WebSockets", Retry: true,
		}
	case errors.As(err, new(errRefusedAddress)):
		problem.Retry = false
		problem.Error = "app's upstream is not allowed"
		problem.Text = "Its upstream is an address that we don’t connect to. Ask an administrator to correct it."
	case isTLSError(err):
		problem.Retry = false
		problem.Error = "app's certificate is invalid"
		problem.Text = "We couldn’t make a secure connection to it. Ask an administrator to check its certificate."
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		problem.Status = http.StatusGatewayTimeout
		problem.Title = name + " is taking too long"
		problem.Error = "app timed out"
		problem.Text = "It didn’t respond in time."
	default:
		problem.Text = "It may be restarting."
	}
	if problem.Retry {
		problem.Text += " Try again in a minute. If it keeps happening, tell an administrator."
	}
	if e.request.Method != http.MethodGet && e.request.Method != http.MethodHead {
		problem.Text += " Check whether your last change was saved before you repeat it."
	}
	if e.target.Identity != nil {
		problem.Text += " You’re still signed in."
	}
	return problem
}

func isTLSError(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(tls.RecordHeaderError)) ||
		errors.As(err, new(x509.UnknownAuthorityError)) || errors.As(err, new(x509.HostnameError)) || errors.As(err, new(tls.AlertError))
}

// writeError answers a request with a problem.
func (p *Proxy) writeError(w http.ResponseWriter, r *http.Request, problem Problem) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if problem.Retry {
		h.Set("Retry-After", "10")
	}
	if p.opts.WriteError != nil {
		p.opts.WriteError(w, r, problem)
		return
	}
	writePlainError(w, r, problem)
}

func writePlainError(w http.ResponseWriter, r *http.Request, problem Problem) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(problem.Status)
		_, _ = w.Write([]byte(problem.Title + "\n\n" + problem.Text + "\n"))
		return
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(problem.Status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": problem.Error})
}
