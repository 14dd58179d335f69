// Package snippet writes the configuration that connects an app: for the built-in proxy and
// for other proxies, with the app's and this installation's addresses filled in. The pages
// and the command line show the same texts, and those of docs/protect-a-tool.md are held
// to them by a test.
package snippet

import (
	"embed"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"text/template"

	"github.com/guestlist/guestlist/internal/apps"
)

// Way is a way to connect an app.
type Way string

// The ways, in the order they are shown.
const (
	BuiltIn Way = "built-in"
	Caddy   Way = "caddy"
	Nginx   Way = "nginx"
	Traefik Way = "traefik"
)

// Ways are all ways.
var Ways = []Way{BuiltIn, Caddy, Nginx, Traefik}

// ParseWay parses the name of a way and reports whether there is one.
func ParseWay(s string) (Way, bool) {
	w := Way(strings.ToLower(strings.TrimSpace(s)))
	return w, slices.Contains(Ways, w)
}

// Installation is what the texts need to know about this installation.
type Installation struct {
	BaseURL *url.URL // Guestlist's public address
	Addr    string   // host:port that Guestlist listens on; the host may be empty or unspecified
}

// reachedAt returns the host:port at which a proxy on the same machine reaches Guestlist.
func (in Installation) reachedAt() string {
	host, port, err := net.SplitHostPort(in.Addr)
	if err != nil {
		return "127.0.0.1:8080"
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// Snippet is the configuration for one way.
type Snippet struct {
	Way   Way
	Title string // such as nginx
	Intro string // what to do, in one or two sentences
	Text  string // to copy; empty if there is nothing to configure
}

// exampleUpstream is written where the app's own address isn't known.
const exampleUpstream = "http://127.0.0.1:3000"

//go:embed templates
var files embed.FS

var templates = template.Must(template.ParseFS(files, "templates/*"))

// values are what the templates fill in.
type values struct {
	URL       string // of the app, without a slash at its end
	Host      string // with a port unless it is the scheme's own
	Hostname  string // without a port
	Port      string
	HTTPS     bool
	Guestlist string // host:port where a proxy reaches it
	Upstream  string // http://127.0.0.1:3000
	Backend   string // the upstream as Caddy writes it: without http://
	Name      string // of the app, as an identifier
}

// All returns the texts for an app in the order of Ways.
func All(a apps.App, in Installation) []Snippet {
	list := make([]Snippet, len(Ways))
	for i, w := range Ways {
		list[i] = For(w, a, in)
	}
	return list
}

// For returns the text of one way.
func For(w Way, a apps.App, in Installation) Snippet {
	v := newValues(a, in)
	switch w {
	case Caddy:
		s := Snippet{Way: w, Title: "Caddy", Text: v.write("caddy.txt")}
		s.Intro = "Add this to your Caddyfile, with Caddy 2.11.2 or newer, and reload Caddy." + v.reminder(a)
		return s
	case Nginx:
		s := Snippet{Way: w, Title: "nginx", Text: v.write("nginx.txt")}
		s.Intro = "Add this to the http block and reload nginx. The maps are needed once for all apps."
		if v.HTTPS {
			s.Intro += " Name your own certificate files."
		}
		s.Intro += v.reminder(a)
		return s
	case Traefik:
		s := Snippet{Way: w, Title: "Traefik", Text: v.write("traefik.txt")}
		s.Intro = "Add this to a file in the directory of Traefik’s file provider. The middleware is needed once for all apps." + v.reminder(a)
		return s
	}
	return builtIn(a, in, v)
}

// reminder returns a sentence about the example that stands for an unknown upstream.
func (v values) reminder(a apps.App) string {
	if a.Upstream != "" {
		return ""
	}
	return " Replace " + v.Backend + " with where the app listens."
}

// builtIn returns what to do for the built-in proxy.
func builtIn(a apps.App, in Installation, v values) Snippet {
	s := Snippet{Way: BuiltIn, Title: "Built-in proxy"}
	own := in.BaseURL.Hostname()
	ownIP, appIP := net.ParseIP(own), net.ParseIP(strings.Trim(v.Hostname, "[]"))
	switch {
	case a.Upstream == "":
		s.Intro = "Fill in “Where the app listens”, and Guestlist passes requests on by itself. You need no other proxy."
	case v.Hostname == own:
		s.Intro = "Nothing to set up: Guestlist already answers requests for " + a.Host + " and passes them on to " + a.Upstream + "."
	case isLocalName(v.Hostname) || appIP != nil:
		s.Intro = "Nothing to set up: open " + a.URL() + ", and Guestlist passes requests on to " + a.Upstream + "."
	case isLocalName(own) || ownIP != nil && ownIP.IsLoopback():
		s.Intro = "Guestlist passes requests on to " + a.Upstream + ", but so far only this machine reaches it. Give it a public address with GUESTLIST_BASE_URL, then point " + v.Hostname + " at the same place."
	default:
		s.Intro = fmt.Sprintf("Guestlist passes requests on to %s. Point %s at the same place as %s with this DNS record.", a.Upstream, v.Hostname, own)
		if v.HTTPS {
			s.Intro += " Whatever serves the certificate for " + own + ", such as your hosting or a proxy, needs one for " + v.Hostname + " too."
		}
		s.Text = v.Hostname + ".  " + record(own, ownIP) + "\n"
	}
	return s
}

// record returns the type and value of a DNS record that points to a host.
func record(host string, ip net.IP) string {
	switch {
	case ip == nil:
		return "CNAME  " + host + "."
	case ip.To4() != nil:
		return "A  " + host
	}
	return "AAAA  " + host
}

// isLocalName reports whether a name leads to the machine of the browser.
func isLocalName(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

func newValues(a apps.App, in Installation) values {
	v := values{
		URL: a.URL(), Host: a.Host, HTTPS: a.Scheme == "https", Guestlist: in.reachedAt(), Upstream: a.Upstream, Name: identifier(a.Host),
	}
	v.Hostname, v.Port = a.Host, "80"
	if v.HTTPS {
		v.Port = "443"
	}
	if host, port, err := net.SplitHostPort(a.Host); err == nil {
		v.Hostname, v.Port = host, port
	}
	if v.Upstream == "" {
		v.Upstream = exampleUpstream
	}
	v.Backend = strings.TrimPrefix(v.Upstream, "http://")
	return v
}

// identifier returns the first label of a host, for names inside a configuration.
func identifier(host string) string {
	label, _, _ := strings.Cut(host, ".")
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, label)
	if id == "" {
		return "app"
	}
	return id
}

func (v values) write(name string) string {
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, name, v); err != nil {
		panic(err) // the templates are embedded, and their values have no methods that fail
	}
	return b.String()
}
