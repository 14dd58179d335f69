package harness

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

// Person is a person with a mailbox and a browser without JavaScript.
type Person struct {
	T        testing.TB
	Site     *Site // the instance that the browser visits
	MailSite *Site // the instance whose local Stytch mails the person
	Email    string

	Jar  http.CookieJar
	read map[string]bool // the mails that NextLink has returned, by ID
}

// NewPerson returns a person with a new browser.
func (s *Site) NewPerson(email string) *Person {
	jar, _ := cookiejar.New(nil) // the error is always nil
	return &Person{T: s.T, Site: s, MailSite: s, Email: email, Jar: jar, read: map[string]bool{}}
}

// At returns the same person with the same browser at another instance.
func (p *Person) At(other *Site) *Person {
	moved := *p
	moved.Site = other
	return &moved
}

// InNewBrowser returns the same person with a new browser.
func (p *Person) InNewBrowser() *Person {
	moved := *p
	moved.Jar, _ = cookiejar.New(nil)
	return &moved
}

// View is a page in the browser.
type View struct {
	*testpage.Page
	Status int
	Header http.Header
	Path   string // below the base URL, with the query
	Body   string
}

// Refresh returns the address that the page loads by itself.
func (v View) Refresh() (address string, ok bool) {
	return strings.CutPrefix(v.Header.Get("Refresh"), "0;url=")
}

// RequestLink requests a sign-in link on the sign-in page and returns the next page.
func (p *Person) RequestLink() View {
	p.T.Helper()
	return p.Submit(p.Get("/"), "Email me a link", "Email address", p.Email)
}

// NextLink waits for the next mail with a sign-in link and returns the link.
func (p *Person) NextLink() string {
	p.T.Helper()
	var link string
	Eventually(p.T, "a mail to "+p.Email, func() bool {
		for _, m := range p.Mailbox() {
			if !p.read[m.ID] {
				p.read[m.ID], link = true, m.Links[0]
				return true
			}
		}
		return false
	})
	return link
}

type Mail struct {
	ID, To, Subject, Text, Code string
	Links                       []string
}

// Mailbox returns the mails of the last day that have a sign-in link, oldest first.
func (p *Person) Mailbox() []Mail {
	p.T.Helper()
	var inbox struct{ Messages []Mail }
	if err := json.Unmarshal([]byte(NewVisitor(p.MailSite).Get("http://"+p.MailSite.Config.Addr+"/dev/inbox.json").Body), &inbox); err != nil {
		p.T.Fatal(err)
	}
	slices.Reverse(inbox.Messages)
	own := slices.DeleteFunc(inbox.Messages, func(m Mail) bool { return m.To != strings.ToLower(p.Email) || len(m.Links) == 0 })
	for _, m := range own {
		u, _ := url.Parse(m.Links[0])
		p.Site.Log.AddSecret(u.Query().Get("token"))
	}
	return own
}

// NextCode waits for the next mail with a sign-in code and returns the code.
func (p *Person) NextCode() string {
	p.T.Helper()
	var code string
	Eventually(p.T, "a code mailed to "+p.Email, func() bool {
		for _, m := range p.Notices() {
			if m.Code != "" && !p.read[m.ID] {
				p.read[m.ID], code = true, m.Code
				return true
			}
		}
		return false
	})
	Eventually(p.T, "a record that the code was sent", func() bool {
		return p.Site.Count("SELECT COUNT(*) FROM email_codes WHERE method_id = ''") == 0
	})
	return code
}

// Notices returns the mails without a sign-in link, oldest first.
func (p *Person) Notices() []Mail {
	p.T.Helper()
	var inbox struct{ Messages []Mail }
	if err := json.Unmarshal([]byte(NewVisitor(p.MailSite).Get("http://"+p.MailSite.Config.Addr+"/dev/inbox.json").Body), &inbox); err != nil {
		p.T.Fatal(err)
	}
	slices.Reverse(inbox.Messages)
	return slices.DeleteFunc(inbox.Messages, func(m Mail) bool { return m.To != strings.ToLower(p.Email) || len(m.Links) > 0 })
}

// SessionCookie returns the browser's session cookie, if it has one.
func (p *Person) SessionCookie() (value string, held bool) {
	for _, c := range p.Jar.Cookies(p.Site.Config.BaseURL) {
		if c.Name == p.Site.Config.CookieName {
			return c.Value, true
		}
	}
	return "", false
}

// NewVisitor returns a person without an email address, for requests in a new browser.
func NewVisitor(s *Site) *Person { return s.NewPerson("") }

// OpenLink opens a mailed link and returns the page with the Continue button. That does not
// use the link up.
func (p *Person) OpenLink(link string) View {
	p.T.Helper()
	hop := p.Get(link)
	// A browser with JavaScript continues automatically.
	next, ok := hop.Link("Continue")
	if !ok {
		p.T.Fatalf("the mail leads to a page without a way on: %d %s", hop.Status, hop.Text())
	}
	return p.Get(next)
}

// OpenNextLink waits for the next link and opens it.
func (p *Person) OpenNextLink() View {
	p.T.Helper()
	return p.OpenLink(p.NextLink())
}

// PressContinue presses the Continue button on the page of a mailed link.
func (p *Person) PressContinue(landing View) View {
	p.T.Helper()
	return p.Submit(landing, "Continue")
}

// SignIn signs the person in and returns the page it ends on.
func (p *Person) SignIn() View {
	p.T.Helper()
	p.RequestLink()
	return p.PressContinue(p.OpenNextLink())
}

// Submit fills in the form that has the button and submits it. fill has pairs of label and
// value.
func (p *Person) Submit(page View, button string, fill ...string) View {
	p.T.Helper()
	form, ok := page.Form(button)
	if !ok {
		p.T.Fatalf("%s has no button %q: %d %s", page.Path, button, page.Status, page.Text())
	}
	for i := 0; i < len(fill); i += 2 {
		if err := form.Fill(fill[i], fill[i+1]); err != nil {
			p.T.Fatalf("%s: %v", page.Path, err)
		}
	}
	return p.send(form.Method, form.Action, form.Values)
}

// Post submits a form without loading its page. values has pairs of name and value.
func (p *Person) Post(path string, values ...string) View {
	p.T.Helper()
	form := url.Values{}
	for i := 0; i < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	return p.send("POST", p.Site.Config.BaseURL.Path+path, form)
}

// Get requests a page. The path is below the base URL, or a whole URL.
func (p *Person) Get(path string) View {
	p.T.Helper()
	if !strings.HasPrefix(path, "http") {
		path = p.Site.URL + path
	}
	return p.Do(p.NewRequest("GET", path, nil))
}

// send submits a form or follows a link, as written on a page.
func (p *Person) send(method, action string, form url.Values) View {
	p.T.Helper()
	if method == "GET" {
		if form != nil { // its fields replace the query
			path, _, _ := strings.Cut(action, "?")
			action = path + "?" + form.Encode()
		}
		return p.Do(p.NewRequest("GET", p.Site.Host+action, nil))
	}
	r := p.NewRequest(method, p.Site.Host+action, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.Do(r)
}

// CallAPI sends a JSON body, or none if it is empty. The path is below the base URL.
func (p *Person) CallAPI(method, path, body string) View {
	p.T.Helper()
	r := p.NewRequest(method, p.Site.URL+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return p.Do(r)
}

// NewRequest returns a request as the browser would send it from a page of the site.
func (p *Person) NewRequest(method, address string, body io.Reader) *http.Request {
	p.T.Helper()
	r, err := http.NewRequestWithContext(p.T.Context(), method, address, body)
	if err != nil {
		p.T.Fatal(err)
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	if strings.HasPrefix(r.URL.Path, "/dev/") {
		r.Header.Set("Authorization", "Bearer "+p.MailSite.DevKey())
	}
	return r
}

// Do sends a request and follows redirects, and pages that load another by themselves.
func (p *Person) Do(r *http.Request) View {
	p.T.Helper()
	v, err := p.Try(r, nil)
	if err != nil {
		p.T.Fatal(err)
	}
	if next, ok := v.Refresh(); ok {
		return p.Get(next)
	}
	return v
}

// DoOnce sends a request and does not follow redirects.
func (p *Person) DoOnce(r *http.Request) View {
	p.T.Helper()
	v, err := p.Try(r, NoRedirects)
	if err != nil {
		p.T.Fatal(err)
	}
	return v
}

func NoRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Try sends a request from any goroutine. It follows redirects unless told otherwise.
func (p *Person) Try(r *http.Request, redirects func(*http.Request, []*http.Request) error) (View, error) {
	answer, err := (&http.Client{Transport: p.Site.Transport, Jar: p.Jar, CheckRedirect: redirects, Timeout: 30 * time.Second}).Do(r)
	if err != nil {
		return View{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return View{}, err
	}
	page, err := testpage.Parse(bytes.NewReader(body))
	for _, c := range p.Jar.Cookies(p.Site.Config.BaseURL) {
		p.Site.Log.AddSecret(c.Value)
	}
	path := strings.TrimPrefix(answer.Request.URL.RequestURI(), p.Site.Config.BaseURL.Path)
	return View{page, answer.StatusCode, answer.Header, path, string(body)}, err
}
