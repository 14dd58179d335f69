package openid

import (
	"fmt"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/test/harness"
)

// linkInterval is how long an address has to wait for another link after too many.
const linkInterval = 2 * time.Minute

// StartGuestlist starts Guestlist behind a proxy that ends TLS, below a path that may be empty, with the
// suite's clients, whose ID tokens are signed with an algorithm. It returns what the suite needs. Ada signs
// in to the clients by links and codes in emails. The clock stands still but for the waits of the modules.
func StartGuestlist(t testing.TB, databaseURL, path, algorithm string) *Provider {
	t.Helper()
	site := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-base-url=https://localhost:PORT"+path, "--guestlist-local-stytch-limits=off")
	p := &Provider{
		Issuer:    site.Config.BaseURL.String(),
		Transport: harness.TLSProxy{Addr: site.Config.Addr},
		Logout:    NewLogoutReceiver(t),
		Now:       site.Clock.Now,
		Wait:      site.Clock.Advance,
	}
	p.RotateKeys = func() error {
		if _, err := site.Command("keys", "rotate-identity"); err != nil {
			return err
		}
		return site.App.Signer.Load(t.Context()) // which it does every 30 seconds
	}
	p.Basic = addClient(site, "basic", "", openid.ClientInput{Algorithm: algorithm, BackchannelLogout: p.Logout.URL})
	p.Second = addClient(site, "second", "", openid.ClientInput{Algorithm: algorithm})
	p.Post = addClient(site, "post", "", openid.ClientInput{Algorithm: algorithm})
	p.Public = addClient(site, "public", "", openid.ClientInput{Algorithm: algorithm, Public: true})
	p.Query = addClient(site, "query", "?dummy1=lorem&dummy2=ipsum", openid.ClientInput{Algorithm: algorithm})
	ada := guestlistUser{site.NewPerson("ada@example.com")}
	p.SignIn = ada.signIn
	p.ConfirmSignOut = ada.confirmSignOut
	return p
}

// addClient adds an app that opens to everyone, and its client with two redirect URIs, of which the first
// has a query.
func addClient(site *harness.Site, name, query string, in openid.ClientInput) Client {
	site.T.Helper()
	home := "https://" + name + ".rp.example.com"
	c := Client{RedirectURI: home + "/callback" + query, PostLogoutRedirectURI: home + "/post_logout_redirect"}
	in.RedirectURIs = c.RedirectURI + "\n" + home + "/other"
	in.PostLogoutURIs = c.PostLogoutRedirectURI
	added := site.AddClient(site.AddAppWith(apps.Input{Name: name, URL: home}), in)
	c.ID = added.App.ID
	c.Secret = added.Secret
	return c
}

// guestlistUser completes Guestlist's pages.
type guestlistUser struct{ *harness.Person }

// signIn signs in, or proves a factor again, and returns the page that leaves Guestlist.
func (u guestlistUser) signIn(b *Browser, page *Page) (*Page, error) {
	u.Site.Clock.Advance(linkInterval)
	if _, ok := page.Form("Email me a link"); ok {
		return u.openLink(b, page)
	}
	if _, ok := page.Form("Email me a code"); ok {
		return u.enterCode(b, page)
	}
	return nil, fmt.Errorf("%s has no way to sign in: status %d, %s", page.URL, page.Status, page.Text())
}

// openLink signs in by a link in an email.
func (u guestlistUser) openLink(b *Browser, page *Page) (*Page, error) {
	if _, err := b.Submit(page, "Email me a link", "Email address", u.Email); err != nil {
		return nil, err
	}
	page, err := b.Open(u.NextLink())
	if err != nil {
		return nil, err
	}
	next, ok := page.Link("Continue")
	if !ok {
		return nil, fmt.Errorf("%s: status %d, %s", page.URL, page.Status, page.Text())
	}
	page, err = b.Open(next)
	if err != nil {
		return nil, err
	}
	return b.Submit(page, "Continue")
}

// enterCode proves a factor by a code in an email.
func (u guestlistUser) enterCode(b *Browser, page *Page) (*Page, error) {
	page, err := b.Submit(page, "Email me a code")
	if err != nil {
		return nil, err
	}
	return b.Submit(page, "Confirm", "Code from the email", u.NextCode())
}

// confirmSignOut presses the button of the page that asks, if it does.
func (u guestlistUser) confirmSignOut(b *Browser, page *Page) (*Page, error) {
	if _, ok := page.Form("Sign out"); !ok {
		return page, nil
	}
	return b.Submit(page, "Sign out")
}
