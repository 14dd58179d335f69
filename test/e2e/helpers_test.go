package e2e

import (
	"io"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/guestlist/guestlist/test/harness"
)

// startStandalone runs a public instance with the local Stytch, which sends mails by SMTP,
// behind a trusted TLS proxy. ada@example.com is the administrator.
func startStandalone(t testing.TB, databaseURL string, c *harness.Clock, flags ...string) (*harness.Site, *postOffice) {
	t.Helper()
	post := newPostOffice(t)
	s := harness.Start(t, databaseURL, c, append([]string{
		"--guestlist-base-url=https://guestlist.example", "--guestlist-trusted-proxies=127.0.0.1",
		"--guestlist-local-stytch=on", "--smtp-url=smtp://" + post.addr, "--guestlist-mail-from=login@guestlist.example",
		"--guestlist-admins=ada@example.com",
	}, flags...)...)
	s.Host, s.URL = "https://guestlist.example", "https://guestlist.example"
	s.Transport = harness.TLSProxy{Addr: s.Config.Addr}
	return s, post
}

// postOffice is a mail server that keeps the link of each mail by recipient.
type postOffice struct {
	addr string

	mu    sync.Mutex
	links map[string][]string
}

func newPostOffice(t testing.TB) *postOffice {
	t.Helper()
	post := &postOffice{links: map[string][]string{}}
	post.addr = harness.ServeSMTP(t, func() smtp.Session { return &delivery{post: post} })
	return post
}

// to returns the links that were mailed to an address, oldest first.
func (p *postOffice) to(address string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.links[address]...)
}

// delivery is one SMTP session.
type delivery struct {
	post *postOffice
	to   string
}

func (*delivery) Reset() {}

func (*delivery) Logout() error { return nil }

func (*delivery) Mail(string, *smtp.MailOptions) error { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	_, text, err := harness.ReadMail(r)
	if err != nil {
		return err
	}
	d.post.mu.Lock()
	defer d.post.mu.Unlock()
	if link := harness.MailedLink.FindString(text); link != "" { // otherwise it is a notice
		d.post.links[d.to] = append(d.post.links[d.to], link)
	}
	return nil
}

// nextLink waits until more than seen links were mailed to an address, and returns the
// newest.
func (p *postOffice) nextLink(t testing.TB, address string, seen int) string {
	t.Helper()
	harness.Eventually(t, "a mail to "+address, func() bool { return len(p.to(address)) > seen })
	links := p.to(address)
	return links[len(links)-1]
}
