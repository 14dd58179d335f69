package openid

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/testpage"
)

// refreshPrefix begins the header Refresh of a page that loads another by itself.
const refreshPrefix = "0;url="

// maxRedirects is the number of redirects in a row that a browser follows.
const maxRedirects = 20

// Browser is a browser without JavaScript that visits the provider alone: it follows redirects, but not
// to other sites.
type Browser struct {
	ctx    context.Context
	client *http.Client
	home   *url.URL // the issuer
}

// Page is what a browser has received.
type Page struct {
	*testpage.Page
	Status int
	URL    *url.URL
	Body   string
	Left   *url.URL // the address outside the provider that the browser was sent to; nil if it has shown a page
}

// newBrowser returns a browser without cookies.
func (r *run) newBrowser() *Browser {
	home, err := url.Parse(r.p.Issuer)
	r.must(err)
	jar, _ := cookiejar.New(nil) // the error is always nil
	return &Browser{r.ctx, &http.Client{Transport: r.p.Transport, Jar: jar, CheckRedirect: noRedirects, Timeout: time.Minute}, home}
}

func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Open opens an address as a link on another site does.
func (b *Browser) Open(address string) (*Page, error) {
	return b.visit(http.MethodGet, address, nil, "cross-site")
}

// Post submits a form as a page of another site does.
func (b *Browser) Post(address string, form url.Values) (*Page, error) {
	return b.visit(http.MethodPost, address, form, "cross-site")
}

// Submit fills in the form of a page that has the button, and submits it. fill has pairs of label and
// value.
func (b *Browser) Submit(p *Page, button string, fill ...string) (*Page, error) {
	form, ok := p.Form(button)
	if !ok {
		return nil, fmt.Errorf("%s has no button %q: status %d, %s", p.URL, button, p.Status, p.Text())
	}
	for i := 0; i < len(fill); i += 2 {
		if err := form.Fill(fill[i], fill[i+1]); err != nil {
			return nil, fmt.Errorf("%s: %w", p.URL, err)
		}
	}
	action, err := p.URL.Parse(form.Action)
	if err != nil {
		return nil, err
	}
	if form.Method == http.MethodGet {
		action.RawQuery = form.Values.Encode()
		return b.visit(http.MethodGet, action.String(), nil, "same-origin")
	}
	return b.visit(form.Method, action.String(), form.Values, "same-origin")
}

// visit sends a request and follows the answer's redirects.
func (b *Browser) visit(method, address string, form url.Values, site string) (*Page, error) {
	for range maxRedirects {
		answer, err := b.send(method, address, form, site)
		if err != nil {
			return nil, err
		}
		page, next, err := b.read(answer)
		if err != nil || next == nil {
			return page, err
		}
		if next.Scheme != b.home.Scheme || next.Host != b.home.Host {
			page.Left = next
			return page, nil
		}
		if answer.StatusCode != http.StatusTemporaryRedirect && answer.StatusCode != http.StatusPermanentRedirect {
			method = http.MethodGet
			form = nil
		}
		address = next.String()
	}
	return nil, errors.New("too many redirects")
}

// send sends one request.
func (b *Browser) send(method, address string, form url.Values, site string) (*http.Response, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(b.ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
	request.Header.Set("Sec-Fetch-Site", site)
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	request.Header.Set("Sec-Fetch-Dest", "document")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "https://rp.example.com")
		if site == "same-origin" {
			request.Header.Set("Origin", request.URL.Scheme+"://"+request.URL.Host)
		}
	}
	return b.client.Do(request)
}

// read reads an answer. It returns the address that the browser goes on to, or nil.
func (b *Browser) read(answer *http.Response) (*Page, *url.URL, error) {
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := testpage.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	page := &Page{Page: parsed, Status: answer.StatusCode, URL: answer.Request.URL, Body: string(body)}
	location, ok := answer.Header.Get("Location"), answer.StatusCode >= 300 && answer.StatusCode <= 399
	if !ok {
		location, ok = strings.CutPrefix(answer.Header.Get("Refresh"), refreshPrefix)
	}
	if !ok || location == "" {
		return page, nil, nil
	}
	next, err := page.URL.Parse(location)
	return page, next, err
}
