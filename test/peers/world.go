package peers

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// world is one proxy in front of Guestlist and two apps, with the people who use them.
type world struct {
	t           testing.TB
	proxy       string // its name
	site        *harness.Site
	clock       *harness.Clock
	to          addresses
	certificate certificate
	wiki, board *tool
	mailbox     *mailbox
	admin       *person
	flags       []string
	writers     string // the group's ID
}

// settings of a world.
type settings struct {
	databaseURL string // "" for a new SQLite database
}

// newWorld starts Guestlist, two tools and the proxy.
func newWorld(t testing.TB, p proxy, with settings) *world {
	t.Helper()
	w := &world{
		t: t, proxy: p.name, clock: harness.NewClock(harness.Noon), certificate: newCertificate(t),
		wiki: newTool(t, "wiki"), board: newTool(t, "board"), mailbox: newMailbox(t),
	}
	w.to = addresses{proxy: harness.ReserveAddr(t), people: harness.ReserveAddr(t), wiki: w.wiki.addr, board: w.board.addr}
	placeholder := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	placeholder.Listener.Close()
	var err error
	if placeholder.Listener, err = net.Listen("tcp", w.to.people); err != nil {
		t.Fatal(err)
	}
	placeholder.Start() // so that the proxy doesn't retry to connect
	defer placeholder.Close()
	p.start(t, w.to, w.certificate) // first, because it may skip the test
	placeholder.Close()
	if with.databaseURL == "" {
		with.databaseURL = testdb.SQLite(t)
	}
	w.flags = []string{
		"--guestlist-addr=" + w.to.people, "--guestlist-base-url=https://" + peopleHost, "--guestlist-trusted-proxies=127.0.0.1",
		"--guestlist-local-stytch=on", "--guestlist-local-stytch-limits=off", "--smtp-url=smtp://" + w.mailbox.addr, "--guestlist-admins=ada@example.com",
	}
	w.site = w.startSite(with.databaseURL, w.clock)
	w.admin = w.newPerson("ada@example.com")
	harness.WantPage(w.t.(*testing.T), w.admin.signIn(), 200, "My apps")
	w.createApps()
	return w
}

// createApps adds the two apps. The wiki is for the group Writers and has public paths, the board is
// for everyone.
func (w *world) createApps() {
	w.t.Helper()
	writers, err := w.site.App.Groups.Create(w.t.Context(), operator, "Writers")
	if err != nil {
		w.t.Fatal(err)
	}
	w.writers = writers.ID
	wiki := apps.Input{Name: "Wiki", URL: "https://" + wikiHost, Audience: "groups", GroupIDs: []string{writers.ID}, PublicPaths: "/health\n/public/*"}
	board := apps.Input{Name: "Board", URL: "https://" + boardHost, Audience: "everyone"}
	if w.proxy == "builtin" {
		wiki.Upstream = "http://" + w.wiki.addr
		board.Upstream = "http://" + w.board.addr
	}
	for _, in := range []apps.Input{wiki, board} {
		if _, err := w.site.App.Apps.Create(w.t.Context(), operator, in); err != nil {
			w.t.Fatal(err)
		}
	}
}

// operator is the actor of changes that are made by the tests.
var operator = event.Origin{Actor: event.Operator("test")}

// forTest returns the world for a subtest.
func (w *world) forTest(t *testing.T) *world {
	site, inner := *w.site, *w
	site.T, inner.t, inner.site = t, t, &site
	inner.admin = &person{w.admin.Person.At(&site), &inner}
	inner.admin.T = t
	return &inner
}

// member invites a person with a new address.
func (w *world) member() *person {
	w.t.Helper()
	p := w.newPerson("person." + strings.ToLower(rand.Text()[:12]) + "@example.com")
	w.admin.Invite(p.Email, "name", "Zoë Person")
	return p
}

// writer invites a person and adds them to the group Writers until a time, which is zero for no end.
func (w *world) writer(until time.Time) *person {
	w.t.Helper()
	p := w.member()
	if err := w.site.App.Groups.Join(w.t.Context(), operator, w.writers, p.id(), until); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// signedIn returns a writer whose browser has opened the wiki.
func (w *world) signedIn() *person {
	w.t.Helper()
	p := w.writer(time.Time{})
	p.enter(wikiHost, "/signed-in")
	return p
}

// id returns the ID of the person's user.
func (p *person) id() string {
	p.T.Helper()
	return p.w.site.UserID(p.T.(*testing.T), p.Email)
}

// enter opens a page of an app like a browser: it follows redirects, and signs in if that's where they
// lead. It fails the test unless it ends at the app's page.
func (p *person) enter(host, target string) received {
	p.T.Helper()
	v := p.Get("https://" + host + target)
	if v.Heading() == "Sign in" {
		v = p.signInAt(v)
	}
	return p.wantTool(v, host, target)
}

// wantTool checks that a page is the app's response to a request for a target.
func (p *person) wantTool(v harness.View, host, target string) received {
	p.T.Helper()
	var got received
	if err := json.Unmarshal([]byte(v.Body), &got); err != nil || got.Target != target || got.Tool != strings.Split(host, ".")[0] {
		p.T.Fatalf("want %s%s, got %d at %s: %s", host, clip(target), v.Status, clip(v.Path), clip(v.Text()))
	}
	return got
}

// clip shortens a text for a message.
func clip(s string) string {
	if len(s) > 500 {
		return s[:500] + "…"
	}
	return s
}

// unique returns a text that was not used before.
func unique() string { return "probe=" + rand.Text()[:12] }

// probe returns a request target that was not used before.
func probe(path string) string { return path + "?" + unique() }

// appToken creates an app token for a service and returns its secret.
func (w *world) appToken(name string) string {
	w.t.Helper()
	app, err := w.site.App.Apps.Find(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	_, secret, err := w.site.App.Apps.CreateToken(w.t.Context(), operator, app, directory.User{}, apps.TokenRequest{ID: ids.New(), Name: "backup", Days: "7"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.site.Log.AddSecret(secret)
	return secret
}

// reached returns the requests with a target that have reached one of the tools.
func (w *world) reached(target string) []received {
	return append(w.wiki.saw(target), w.board.saw(target)...)
}

// startSite starts Guestlist behind the proxy.
func (w *world) startSite(databaseURL string, c *harness.Clock, more ...string) *harness.Site {
	w.t.Helper()
	s := harness.Start(w.t, databaseURL, c, append(w.flags, more...)...)
	transport := w.certificate.transport(w.to.proxy)
	w.t.Cleanup(transport.CloseIdleConnections)
	s.Host, s.URL, s.Transport = "https://"+peopleHost, "https://"+peopleHost, asBrowser{transport}
	return s
}

// asBrowser adds to navigations the headers that browsers send with them.
type asBrowser struct{ http.RoundTripper }

func (b asBrowser) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		r = r.Clone(r.Context())
		r.Header.Set("Sec-Fetch-Dest", "document")
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	}
	return b.RoundTripper.RoundTrip(r)
}

// mailbox receives everyone's mails.
type mailbox struct {
	addr string

	mu    sync.Mutex
	links map[string][]string // the sign-in links by recipient, oldest first
}

func newMailbox(t testing.TB) *mailbox {
	t.Helper()
	m := &mailbox{links: map[string][]string{}}
	m.addr = harness.ServeSMTP(t, func() smtp.Session { return delivery{m} })
	return m
}

// delivery is one connection to the mail server.
type delivery struct{ *mailbox }

func (delivery) Reset() {}

func (delivery) Logout() error { return nil }

func (delivery) Mail(string, *smtp.MailOptions) error { return nil }

func (delivery) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (d delivery) Data(r io.Reader) error {
	header, text, err := harness.ReadMail(r)
	if err != nil {
		return err
	}
	to := header.Get("To")
	if at := strings.LastIndex(to, "<"); at >= 0 {
		to = strings.Trim(to[at:], "<>")
	}
	if link := harness.MailedLink.FindString(text); link != "" {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.links[to] = append(d.links[to], link)
	}
	return nil
}

// count returns the number of links that were mailed to an address.
func (m *mailbox) count(to string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.links[to])
}

// last returns the latest link that was mailed to an address.
func (m *mailbox) last(to string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.links[to][len(m.links[to])-1]
}

// person is a person with a browser.
type person struct {
	*harness.Person
	w *world
}

func (w *world) newPerson(email string) *person {
	return &person{w.site.NewPerson(email), w}
}

// visitor returns a person with a new browser and without an account.
func (w *world) visitor() *person { return w.newPerson("") }

// inNewBrowser returns the same person with another browser.
func (p *person) inNewBrowser() *person { return &person{p.Person.InNewBrowser(), p.w} }

// signIn signs the person in on Guestlist's own pages.
func (p *person) signIn() harness.View {
	p.T.Helper()
	return p.signInAt(p.Get("/"))
}

// signInAt signs the person in on a sign-in page, and returns the page it ends on.
func (p *person) signInAt(page harness.View) harness.View {
	p.T.Helper()
	before := p.w.mailbox.count(p.Email)
	harness.WantPage(p.T.(*testing.T), p.Submit(page, "Email me a link", "Email address", p.Email), 200, "Check your email")
	harness.Eventually(p.T, "a mail to "+p.Email, func() bool { return p.w.mailbox.count(p.Email) > before })
	return p.PressContinue(p.OpenLink(p.w.mailbox.last(p.Email)))
}

// kind is a kind of request.
type kind struct {
	name   string
	method string
	header []string // pairs of name and value
}

// The kinds of requests that browsers and programs send.
var (
	navigation = kind{"page", "GET", []string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none"}}
	oldBrowser = kind{"page in a browser without Sec-Fetch", "GET", []string{"Accept", "text/html,*/*;q=0.8"}}
	headPage   = kind{"HEAD of a page", "HEAD", navigation.header}
	frame      = kind{"frame", "GET", []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "same-origin"}}
	fetch      = kind{"fetch", "GET", []string{"Accept", "*/*", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "same-origin"}}
	fetchHTML  = kind{"fetch that accepts HTML", "GET", []string{"Accept", "text/html", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "same-origin"}}
	xhr        = kind{"XHR", "GET", []string{"Accept", "text/html, */*", "X-Requested-With", "XMLHttpRequest"}}
	events     = kind{"server-sent events", "GET", []string{"Accept", "text/event-stream", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}}
	socket     = kind{"WebSocket", "GET", []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Origin", "https://" + wikiHost, "Sec-Fetch-Mode", "websocket", "Sec-Fetch-Dest", "websocket"}}
	formPost   = kind{"POST", "POST", []string{"Accept", "text/html", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "same-origin"}}
	preflight  = kind{"OPTIONS preflight", "OPTIONS", []string{"Origin", "https://elsewhere.example.com", "Access-Control-Request-Method", "POST", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}}
	command    = kind{"curl", "GET", []string{"Accept", "*/*", "User-Agent", "curl/7.88.1"}}
)

// programs lists the kinds that aren't answered with a redirect.
var programs = []kind{frame, fetch, fetchHTML, xhr, events, socket, formPost, preflight, command}

// reply is a response, without its body if the request asked for a stream.
type reply struct {
	status int
	header http.Header
	body   string
}

// to returns the Location header.
func (r reply) to() string { return r.header.Get("Location") }

// send sends a request with the browser's cookies, exactly as given, and keeps the cookies of the
// response. host is the one that the connection is for; the Host header may be replaced by more, which
// has pairs of name and value. It follows no redirects.
func (p *person) send(k kind, host, target string, more ...string) reply {
	p.T.Helper()
	conn, answer := p.open(k, host, target, more...)
	defer conn.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil && k.name != events.name {
		p.T.Fatalf("%s %s: %v", k.name, target, err)
	}
	return reply{answer.StatusCode, answer.Header, string(body)}
}

// open is send that leaves the connection open.
func (p *person) open(k kind, host, target string, more ...string) (net.Conn, *http.Response) {
	p.T.Helper()
	conn, answer, err := p.try(k, host, target, more...)
	if err != nil {
		p.T.Fatalf("%s %s: %v", k.name, target, err)
	}
	return conn, answer
}

// try is open for goroutines other than the test's.
func (p *person) try(k kind, host, target string, more ...string) (net.Conn, *http.Response, error) {
	conn, err := tls.Dial("tcp", p.w.to.proxy, &tls.Config{RootCAs: p.w.certificate.known, ServerName: host})
	if err != nil {
		return nil, nil, err
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	address := "https://" + host + "/"
	request, err := http.NewRequest(k.method, address, nil)
	if err != nil {
		return conn, nil, err
	}
	pairs := append(append([]string{"Host", host, "User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}, k.header...), more...)
	var cookies []string
	for _, c := range p.Jar.Cookies(request.URL) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	pairs = append([]string{"Cookie", strings.Join(cookies, "; ")}, pairs...)
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\n", k.method, target)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" || replaced(pairs[i], pairs[i+2:]) {
			continue
		}
		fmt.Fprintf(&text, "%s: %s\r\n", pairs[i], pairs[i+1])
	}
	if body := k.body(); body != "" {
		fmt.Fprintf(&text, "Content-Length: %d\r\n\r\n%s", len(body), body)
	} else {
		text.WriteString("\r\n")
	}
	if _, err := io.WriteString(conn, text.String()); err != nil {
		return conn, nil, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return conn, nil, err
	}
	p.Jar.SetCookies(request.URL, answer.Cookies())
	return conn, answer, nil
}

// replaced reports whether later pairs replace a header that a request has once.
func replaced(name string, later []string) bool {
	if name != "Host" && name != "User-Agent" && name != "Cookie" {
		return false
	}
	for i := 0; i < len(later); i += 2 {
		if later[i] == name {
			return true
		}
	}
	return false
}

// client returns an HTTP client with the browser's cookies.
func (p *person) client() *http.Client {
	return &http.Client{Transport: p.Site.Transport, Jar: p.Jar, CheckRedirect: harness.NoRedirects}
}

// body returns the body that a kind of request has.
func (k kind) body() string {
	if k.method == "POST" {
		return "a=b"
	}
	return ""
}

// urlOf returns the root of a host.
func urlOf(host string) *url.URL { return &url.URL{Scheme: "https", Host: host, Path: "/"} }
