package harness

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// AddApp adds an app that opens to everyone, or to groups with these names, which are created
// if they don't exist.
func (s *Site) AddApp(name, address string, groups ...string) apps.App {
	s.T.Helper()
	return s.AddAppWith(apps.Input{Name: name, URL: address}, groups...)
}

// AddAppWith is AddApp with more fields of the input.
func (s *Site) AddAppWith(in apps.Input, groups ...string) apps.App {
	s.T.Helper()
	in.Audience = string(apps.Everyone)
	for _, group := range groups {
		in.Audience = string(apps.Groups)
		g, err := s.App.Groups.Find(s.T.Context(), group)
		if err != nil {
			g, err = s.App.Groups.Create(s.T.Context(), event.Origin{}, group)
		}
		if err != nil {
			s.T.Fatal(err)
		}
		in.GroupIDs = append(in.GroupIDs, g.ID)
	}
	app, err := s.App.Apps.Create(s.T.Context(), event.Origin{}, in)
	if err != nil {
		s.T.Fatal(err)
	}
	return app
}

// Asker asks the guard about a visitor's request as a proxy would, and returns what the
// visitor gets: the guard's answer, or 200 with the identity headers if the request passes.
type Asker struct {
	Name string
	Ask  func(s *Site, r *http.Request) (*http.Request, error)
	// Visitor turns the guard's answer into the visitor's.
	Visitor func(answer View) View
}

// Askers are the proxies that can ask.
var Askers = []Asker{
	{"Caddy", askForward, func(v View) View { return v }},
	{"nginx", askNginx, visitorOfNginx},
	{"Envoy", askEnvoy, func(v View) View { return v }},
}

// askRequest returns a request to the guard with the visitor's headers.
func askRequest(s *Site, r *http.Request, method, path string) (*http.Request, error) {
	ask, err := http.NewRequestWithContext(r.Context(), method, "http://"+s.Config.Addr+s.Config.BaseURL.Path+path, nil)
	if err != nil {
		return nil, err
	}
	ask.Header = r.Header.Clone()
	return ask, nil
}

func askForward(s *Site, r *http.Request) (*http.Request, error) {
	ask, err := askRequest(s, r, "GET", "/guard/forward")
	if err != nil {
		return nil, err
	}
	ask.Host = r.URL.Host
	ask.Header.Set("X-Forwarded-Method", r.Method)
	ask.Header.Set("X-Forwarded-Proto", r.URL.Scheme)
	ask.Header.Set("X-Forwarded-Host", requestHost(r))
	ask.Header.Set("X-Forwarded-Uri", r.URL.RequestURI())
	ask.Header.Set("X-Forwarded-For", "192.0.2.7")
	return ask, nil
}

func askNginx(s *Site, r *http.Request) (*http.Request, error) {
	ask, err := askRequest(s, r, "GET", "/guard/nginx")
	if err != nil {
		return nil, err
	}
	ask.Header.Set("X-Original-URL", r.URL.Scheme+"://"+requestHost(r)+r.URL.RequestURI())
	ask.Header.Set("X-Original-Method", r.Method)
	ask.Header.Set("X-Forwarded-For", "192.0.2.7")
	return ask, nil
}

// visitorOfNginx does what the configuration for nginx does with the guard's answers.
func visitorOfNginx(v View) View {
	switch {
	case v.Status/100 == 2, v.Status == http.StatusForbidden:
	case v.Status == http.StatusUnauthorized && v.Header.Get("Location") != "":
		v.Status = http.StatusFound
	case v.Status == http.StatusUnauthorized:
	default:
		v.Status = http.StatusInternalServerError
		v.Header = http.Header{}
	}
	if cookies := v.Header["Set-Cookie"]; len(cookies) > 1 {
		v.Header["Set-Cookie"] = cookies[:1]
	}
	if v.Status == http.StatusOK {
		v.Header.Del("Set-Cookie")
	}
	return v
}

func askEnvoy(s *Site, r *http.Request) (*http.Request, error) {
	ask, err := askRequest(s, r, r.Method, "/guard/envoy"+r.URL.RequestURI())
	if err != nil {
		return nil, err
	}
	ask.Host = requestHost(r)
	ask.Header.Set("X-Forwarded-Proto", r.URL.Scheme)
	ask.Header.Set("X-Forwarded-For", "192.0.2.7")
	return ask, nil
}

func requestHost(r *http.Request) string {
	if r.Host != "" {
		return r.Host
	}
	return r.URL.Host
}

// AppRequest returns a request as the browser sends it to show a page of an app.
func (p *Person) AppRequest(method, address string) *http.Request {
	p.T.Helper()
	r := p.NewRequest(method, address, nil)
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	return r
}

// SendVia sends a request to an app behind a proxy, with the browser's cookies, and returns
// the answer without following it.
func (p *Person) SendVia(via Asker, r *http.Request) View {
	p.T.Helper()
	for _, c := range p.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	ask, err := via.Ask(p.Site, r)
	if err != nil {
		p.T.Fatal(err)
	}
	answer, err := p.InNewBrowser().Try(ask, NoRedirects)
	if err != nil {
		p.T.Fatal(err)
	}
	v := via.Visitor(answer)
	v.Path = r.URL.RequestURI()
	kept := (&http.Response{Header: v.Header}).Cookies()
	p.Jar.SetCookies(r.URL, kept)
	for _, c := range kept {
		p.Site.Log.AddSecret(c.Value)
	}
	if to, err := url.Parse(v.Header.Get("Location")); err == nil {
		for _, name := range []string{"t", "code"} {
			p.Site.Log.AddSecret(to.Query().Get(name))
		}
	}
	return v
}

// OpenApp opens a page of an app behind a proxy and follows redirects, to the app and to
// Guestlist. It returns the last answer, which is that of the app if its status is 200.
func (p *Person) OpenApp(via Asker, address string) View {
	p.T.Helper()
	for range 12 {
		var v View
		if strings.HasPrefix(address, p.Site.Config.BaseURL.String()) {
			r := p.AppRequest("GET", address)
			v = p.DoOnce(r)
		} else {
			v = p.SendVia(via, p.AppRequest("GET", address))
		}
		to, ok := v.Refresh()
		if !ok {
			to = v.Header.Get("Location")
		}
		if v.Status/100 != 3 && !ok {
			return v
		}
		if !strings.Contains(to, "://") {
			to = p.Site.Config.BaseURL.Scheme + "://" + p.Site.Config.BaseURL.Host + to
		}
		address = to
	}
	p.T.Fatalf("redirected in circles, last to %s", address)
	return View{}
}

// Join makes the user with an address a member of a group, without an end.
func (s *Site) Join(group, address string) {
	s.T.Helper()
	email, err := directory.ParseEmail(address)
	if err != nil {
		s.T.Fatal(err)
	}
	u, err := s.App.Store.GetUserByEmail(s.T.Context(), email)
	if err != nil {
		s.T.Fatal(err)
	}
	g, err := s.App.Groups.Find(s.T.Context(), group)
	if err == nil {
		err = s.App.Groups.Join(s.T.Context(), event.Origin{}, g.ID, u.ID, time.Time{})
	}
	if err != nil {
		s.T.Fatal(err)
	}
}
