package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testpage"
)

// person is somebody with a mailbox and a browser.
type person struct {
	t     testing.TB
	site  *site // whose pages the browser looks at
	mails *site // whose local Stytch mails them
	email string

	jar  http.CookieJar
	read map[string]bool // mails that they have opened, by id
}

// person returns somebody who has a fresh browser.
func (s *site) person(email string) *person {
	jar, _ := cookiejar.New(nil) // its error is always nil
	return &person{t: s.t, site: s, mails: s, email: email, jar: jar, read: map[string]bool{}}
}

// at returns the same person, in the same browser, looking at another instance.
func (p *person) at(other *site) *person {
	moved := *p
	moved.site = other
	return &moved
}

// elsewhere returns the same person in a fresh browser.
func (p *person) elsewhere() *person {
	moved := *p
	moved.jar, _ = cookiejar.New(nil)
	return &moved
}

// view is what a browser shows.
type view struct {
	*testpage.Page
	status int
	header http.Header
	path   string // below the base URL, with the query
	body   string
}

// asks types the address into the sign-in page and returns what comes then.
func (p *person) asks() view {
	p.t.Helper()
	return p.submits(p.get("/"), "Email me a link", "Email address", p.email)
}

// newMail waits for a mail that they have not opened yet and returns its link.
func (p *person) newMail() string {
	p.t.Helper()
	var link string
	eventually(p.t, "a mail to "+p.email, func() bool {
		for _, m := range p.mailbox() {
			if !p.read[m.ID] {
				p.read[m.ID], link = true, m.Links[0]
				return true
			}
		}
		return false
	})
	return link
}

type mail struct {
	ID, To, Subject, Text string
	Links                 []string
}

// mailbox is what the person was mailed in the last day with a link to sign in by,
// oldest first.
func (p *person) mailbox() []mail {
	p.t.Helper()
	var inbox struct{ Messages []mail }
	if err := json.Unmarshal([]byte(newcomer(p.mails).get("http://"+p.mails.cfg.Addr+"/dev/inbox.json").body), &inbox); err != nil {
		p.t.Fatal(err)
	}
	slices.Reverse(inbox.Messages)
	own := slices.DeleteFunc(inbox.Messages, func(m mail) bool { return m.To != strings.ToLower(p.email) || len(m.Links) == 0 })
	for _, m := range own {
		u, _ := url.Parse(m.Links[0])
		p.site.log.secret(u.Query().Get("token"))
	}
	return own
}

// notices are the other mails to the person, oldest first.
func (p *person) notices() []mail {
	p.t.Helper()
	var inbox struct{ Messages []mail }
	if err := json.Unmarshal([]byte(newcomer(p.mails).get("http://"+p.mails.cfg.Addr+"/dev/inbox.json").body), &inbox); err != nil {
		p.t.Fatal(err)
	}
	slices.Reverse(inbox.Messages)
	return slices.DeleteFunc(inbox.Messages, func(m mail) bool { return m.To != strings.ToLower(p.email) || len(m.Links) > 0 })
}

// cookie returns the browser's session cookie.
func (p *person) cookie() (value string, held bool) {
	for _, c := range p.jar.Cookies(p.site.cfg.BaseURL) {
		if c.Name == p.site.cfg.CookieName {
			return c.Value, true
		}
	}
	return "", false
}

// newcomer is a browser that nobody uses for anything.
func newcomer(s *site) *person { return s.person("") }

// opens follows a mailed link to the page it leads to, which spends nothing.
func (p *person) opens(link string) view {
	p.t.Helper()
	hop := p.get(link)
	// The page sends the browser on by itself; the words are for browsers that don't.
	next, ok := hop.Link("Continue")
	if !ok {
		p.t.Fatalf("the mail leads to a page without a way on: %d %s", hop.status, hop.Text())
	}
	return p.get(next)
}

// opensMail opens the link in the next mail.
func (p *person) opensMail() view {
	p.t.Helper()
	return p.opens(p.newMail())
}

// continues presses the button on the page that a mailed link leads to.
func (p *person) continues(landing view) view {
	p.t.Helper()
	return p.submits(landing, "Continue")
}

// signsIn goes all the way and returns the page it ends on.
func (p *person) signsIn() view {
	p.t.Helper()
	p.asks()
	return p.continues(p.opensMail())
}

// submits fills in the page's form that has the button, by labels, and presses it.
func (p *person) submits(page view, button string, fill ...string) view {
	p.t.Helper()
	form, ok := page.Form(button)
	if !ok {
		p.t.Fatalf("%s has no button %q: %d %s", page.path, button, page.status, page.Text())
	}
	for i := 0; i < len(fill); i += 2 {
		if err := form.Fill(fill[i], fill[i+1]); err != nil {
			p.t.Fatalf("%s: %v", page.path, err)
		}
	}
	return p.send(form.Method, form.Action, form.Values)
}

// posts sends a form without having looked at its page. The values alternate
// with their names.
func (p *person) posts(path string, values ...string) view {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	return p.send("POST", p.site.cfg.BaseURL.Path+path, form)
}

// get looks at a page; where it is ours, the path is below the base URL.
func (p *person) get(path string) view {
	p.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = p.site.url + path
	}
	return p.follow(p.request("GET", path, nil))
}

// send follows a form or a link as written on a page.
func (p *person) send(method, action string, form url.Values) view {
	p.t.Helper()
	if method == "GET" {
		if form != nil { // whose fields take the place of a query
			path, _, _ := strings.Cut(action, "?")
			action = path + "?" + form.Encode()
		}
		return p.follow(p.request("GET", p.site.host+action, nil))
	}
	r := p.request(method, p.site.host+action, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.follow(r)
}

// calls sends JSON, or nothing, as a script of our own page would.
func (p *person) calls(method, path, body string) view {
	p.t.Helper()
	r := p.request(method, p.site.url+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return p.follow(r)
}

func (p *person) request(method, address string, body io.Reader) *http.Request {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, address, body)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	if strings.HasPrefix(r.URL.Path, "/dev/") {
		r.Header.Set("Authorization", "Bearer "+p.mails.key())
	}
	return r
}

// follow sends a request and goes where its answer leads.
func (p *person) follow(r *http.Request) view {
	p.t.Helper()
	v, err := p.try(r, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// only sends a request and shows its own answer, also if it leads on.
func (p *person) only(r *http.Request) view {
	p.t.Helper()
	v, err := p.try(r, followNothing)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

func followNothing(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// try is for other goroutines than the test's own.
func (p *person) try(r *http.Request, redirects func(*http.Request, []*http.Request) error) (view, error) {
	answer, err := (&http.Client{Transport: p.site.by, Jar: p.jar, CheckRedirect: redirects, Timeout: 30 * time.Second}).Do(r)
	if err != nil {
		return view{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return view{}, err
	}
	page, err := testpage.Parse(bytes.NewReader(body))
	for _, c := range p.jar.Cookies(p.site.cfg.BaseURL) {
		p.site.log.secret(c.Value)
	}
	path := strings.TrimPrefix(answer.Request.URL.RequestURI(), p.site.cfg.BaseURL.Path)
	return view{page, answer.StatusCode, answer.Header, path, string(body)}, err
}
