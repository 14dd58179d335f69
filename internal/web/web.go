// Package web serves the pages and the JSON API. A handler parses a request, calls a rule of
// package directory, session or token, and writes the response; it decides nothing about users
// itself.
//
// routes.go lists every route with who may use it. Handlers return errors, which errors.go turns
// into a page or JSON.
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

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/userio"
	"github.com/guestlist/guestlist/internal/web/middleware"
	"github.com/guestlist/guestlist/static"
)

// Options are the dependencies and settings of New.
type Options struct {
	Directory       *directory.Directory
	Groups          *directory.Groups
	Apps            *apps.Service
	Requests        *apps.Requests
	Tickets         *apps.Tickets
	OpenID          *openid.Provider
	Clients         *openid.Clients
	Sessions        *session.Service
	Factors         *factor.Service
	Tokens          *token.Service
	Cookies         *session.Cookies
	Webhooks        Webhooks
	Importer        *userio.Importer
	Events          event.Reader
	Idempotency     idempotency.Store
	Ping            func(context.Context) error           // fails if the database is unreachable, read-only or not migrated
	JWKS            func(context.Context) ([]byte, error) // the public keys that verify what apps receive, as JSON
	IsLargeDatabase func(context.Context) bool            // whether an SQLite file has outgrown one server; may be nil

	Addr           string         // host:port that the program listens on, for configurations of proxies
	BaseURL        *url.URL       // the public address, without a slash at its end
	TrustedProxies []netip.Prefix // proxies whose client address headers are believed
	ClientIPHeader string         // the header they use; empty means X-Forwarded-For
	InboxPath      string         // the page that shows sent emails in local mode; empty otherwise
	Notice         func() string  // text at the top of every page; may be nil or return ""
	NoticePath     string         // absolute path of the page that changes it; may be empty
	MailsNotices   bool           // emails about requests and access can be sent
	FirstAdmin     bool           // the first user to sign in becomes an administrator
	LinkDuration   time.Duration
	InviteDuration time.Duration
	SameBrowser    bool                                    // a sign-in link works only in the browser that requested it
	OAuth          []string                                // ids of the providers whose accounts users may sign in with
	OAuthURL       func(provider, challenge string) string // where to begin that, with the PKCE code challenge of the browser
	Now            func() time.Time
	Observer       middleware.RequestObserver // may be nil, in which case requests are not observed
	Log            *slog.Logger
}

// server is what the handlers share. Its only state is the last readiness check.
type server struct {
	opts      Options
	assets    *static.Assets
	templates map[string]func() *template.Template
	proxies   middleware.Proxies
	routes    []route
	paths     *http.ServeMux // matches paths whatever the method; see redactedPath
	actions   *http.ServeMux // matches the routes of dangerousActions

	readyMu   sync.Mutex
	lastReady *readiness // nil before the first check
}

// New returns the handler for everything below the base URL's path.
func New(o Options) http.Handler { return newServer(o).handler() }

func newServer(o Options) *server {
	s := &server{opts: o, assets: static.Load(), proxies: middleware.Proxies{Trusted: o.TrustedProxies, Header: o.ClientIPHeader}}
	s.templates = s.parseTemplates()
	s.routes = s.routeTable()
	s.paths, s.actions = pathMatcher(s.routes), actionMatcher()
	return s
}

// url returns the path of a page, including the base URL's path.
func (s *server) url(path string) string { return s.opts.BaseURL.Path + path }

// asset returns the path of an asset such as "css/app.css".
func (s *server) asset(name string) string { return s.url("/static/" + s.assets.Path(name)) }

// redirect sends the browser to a page with 303 See Other.
func (s *server) redirect(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, s.url(path), http.StatusSeeOther)
	return nil
}

// redirectWithMessage redirects to a page that shows a success message.
func (s *server) redirectWithMessage(w http.ResponseWriter, r *http.Request, path, text string) error {
	return s.redirectWith(w, r, path, session.Message{Text: text})
}

// redirectWith redirects to a page that shows a message.
func (s *server) redirectWith(w http.ResponseWriter, r *http.Request, path string, m session.Message) error {
	if err := s.opts.Cookies.SetMessage(w, r, m); err != nil {
		s.opts.Log.Warn("message not kept", "error", err)
	}
	return s.redirect(w, r, path)
}
