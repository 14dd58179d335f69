// Package demo is an app to protect: it shows what an app learns about the signed-in user. It
// comes with local mode, so that protection can be seen without another program.
//
// It has no sign-in of its own and knows nothing but what is in a request, like any other app
// behind Guestlist.
package demo

import (
	"bytes"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/static"
)

// Options are the dependencies and settings of New. All fields are required.
type Options struct {
	AppID string                      // the audience of tokens
	Home  *url.URL                    // Guestlist's base URL, which issues them
	Keys  func() []identity.PublicKey // that verify them
	Now   func() time.Time
	Log   *slog.Logger
}

var (
	//go:embed demo.html
	pageText string
	//go:embed demo.css
	styles []byte

	page = template.Must(template.New("demo").Parse(pageText))
)

// view is what the page shows.
type view struct {
	Assets     assetPaths
	Home       string
	Target     string // that was requested, if it isn't the start page
	IsSignedIn bool
	Name       string
	Facts      []fact
	Token      tokenView
	Headers    []header
}

type assetPaths struct{ Styles, Icon string }

// fact is something that the app knows, and the header it is from.
type fact struct{ Label, Value, Header string }

// header is a header of the request.
type header struct {
	Name, Value string
	IsIdentity  bool
}

// New returns the app.
func New(o Options) http.Handler {
	assets := static.Load()
	paths := assetPaths{Styles: "/static/" + assets.Path("css/app.css"), Icon: "/static/" + assets.Path("img/mark.svg")}
	// The form's target redirects to Guestlist's own host.
	policy := "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
		"form-action 'self' " + o.Home.Scheme + "://" + o.Home.Host
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.StripPrefix("/static", assets))
	mux.HandleFunc("GET /demo.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(styles) // the client may be gone
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		v := o.newView(r)
		v.Assets = paths
		var b bytes.Buffer
		if err := page.Execute(&b, v); err != nil {
			o.Log.Error("page not rendered", "component", "demo", "error", err)
			http.Error(w, "The page can't be shown.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(b.Bytes()) // the client may be gone
	})
	return mux
}

// newView returns what a request tells the app.
func (o Options) newView(r *http.Request) view {
	name := decode(r.Header.Get(identity.NameHeader))
	v := view{Home: o.Home.String(), IsSignedIn: name != "", Name: name, Headers: headersOf(r)}
	if r.URL.Path != "/" || r.URL.RawQuery != "" {
		v.Target = r.URL.RequestURI()
	}
	var groups []string
	for group := range strings.SplitSeq(r.Header.Get(identity.GroupsHeader), ",") {
		if group != "" {
			groups = append(groups, decode(group))
		}
	}
	v.Facts = []fact{
		{"Name", name, identity.NameHeader},
		{"Email", r.Header.Get(identity.EmailHeader), identity.EmailHeader},
		{"User name", r.Header.Get(identity.UserHeader), identity.UserHeader},
		{"Groups", strings.Join(groups, ", "), identity.GroupsHeader},
	}
	v.Token = o.verify(r.Header.Get(identity.JWTHeader))
	return v
}

// decode decodes a percent-encoded value, or returns it as it is if it isn't one.
func decode(value string) string {
	decoded, err := url.PathUnescape(value)
	if err != nil {
		return value
	}
	return decoded
}

// headersOf returns the headers of a request, by name.
func headersOf(r *http.Request) []header {
	list := []header{{Name: "Host", Value: r.Host}}
	for name, values := range r.Header {
		list = append(list, header{Name: name, Value: strings.Join(values, ", "), IsIdentity: slices.Contains(identity.HeaderNames, name)})
	}
	slices.SortFunc(list, func(a, b header) int { return strings.Compare(a.Name, b.Name) })
	return list
}
