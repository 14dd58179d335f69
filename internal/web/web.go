// Package web is the product's pages and its JSON API: routes, middleware and
// handlers. It reads a request, asks package session who holds the browser, or
// package token as whom a program acts, and package directory what is to be done,
// and writes the answer; it decides nothing about people itself.
//
// routes.go lists every route with who may use it. A handler returns an error
// where something is in the way, and errors.go turns it into a page or JSON.
package web

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/userio"
	"github.com/guestlist/guestlist/internal/web/middleware"
	"github.com/guestlist/guestlist/static"
)

// Options are what the pages stand on, and their settings.
type Options struct {
	Directory       *directory.Directory
	Sessions        *session.Service
	Tokens          *token.Service
	Cookies         *session.Cookies
	Webhooks        Webhooks
	Importer        *userio.Importer
	Events          event.Reader
	Idempotency     idempotency.Store
	Ping            func(context.Context) error // nil error: the database answers and holds the newest tables
	IsLargeDatabase func(context.Context) bool  // the database is a file that is better moved to a server; nil: no

	BaseURL        *url.URL       // the public address; no slash at the end of its path
	TrustedProxies []netip.Prefix // whose word on the client's address is taken
	ClientIPHeader string         // the header they put it in; empty: X-Forwarded-For
	InboxPath      string         // where mails are shown, in local mode; else empty
	Notice         func() string  // what every page says at its top; nil or an empty answer: nothing
	NoticePath     string         // where what it speaks of is changed, as the host has it; empty: nowhere
	FirstAdmin     bool           // the first person to come becomes administrator
	LinkDuration   time.Duration
	InviteDuration time.Duration
	SameBrowser    bool // a sign-in link works only in the browser that asked (PKCE)
	Now            func() time.Time
	Observer       middleware.RequestObserver // may be nil, in which case requests are not observed
	Log            *slog.Logger
}

// server holds what the handlers share. Its only state is the last look at what
// the program depends on.
type server struct {
	opts      Options
	assets    *static.Assets
	templates map[string]func() *template.Template
	proxies   middleware.Proxies
	routes    []route
	paths     *http.ServeMux // of routes; see logged

	readyMu   sync.Mutex
	lastReady *readiness // nil before the first look
}

// New returns the handler for everything below the base URL's path.
func New(o Options) http.Handler { return newServer(o).handler() }

func newServer(o Options) *server {
	s := &server{opts: o, assets: static.Load(), proxies: middleware.Proxies{Trusted: o.TrustedProxies, Header: o.ClientIPHeader}}
	s.templates = s.parseTemplates()
	s.routes = s.routeTable()
	s.paths = pathMatcher(s.routes)
	return s
}

// url returns the path of one of our own pages, under the base URL's path.
func (s *server) url(path string) string { return s.opts.BaseURL.Path + path }

// asset returns the path of one of our own files, such as "css/app.css".
func (s *server) asset(name string) string { return s.url("/static/" + s.assets.Path(name)) }

// redirect sends the browser on to one of our own pages by GET.
func (s *server) redirect(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, s.url(path), http.StatusSeeOther)
	return nil
}

// redirectWithMessage sends the browser on with a sentence to show there.
func (s *server) redirectWithMessage(w http.ResponseWriter, r *http.Request, path, text string) error {
	return s.redirectWith(w, r, path, session.Message{Text: text})
}

// redirectWith sends the browser on with a message to show there.
func (s *server) redirectWith(w http.ResponseWriter, r *http.Request, path string, m session.Message) error {
	if err := s.opts.Cookies.SetMessage(w, r, m); err != nil {
		s.opts.Log.Warn("web: message not kept", "error", err)
	}
	return s.redirect(w, r, path)
}

// https reports whether browsers reach the product by https.
func (s *server) https() bool { return s.opts.BaseURL.Scheme == "https" }
