package openid

import (
	"net/http"
	"time"
)

// Provider is an OpenID provider under test, with what has been registered there for the tests.
type Provider struct {
	Issuer    string
	Transport http.RoundTripper // of the browsers and clients; nil for the default
	PlainHTTP bool              // accepts http where https is required, for a provider on a loopback address

	Basic    Client // uses client_secret_basic
	Second   Client // another that uses client_secret_basic
	Post     Client // uses client_secret_post
	Public   Client // has no secret, and uses PKCE; zero to skip what needs it
	Query    Client // uses client_secret_basic, with a query in its RedirectURI, and has another; zero to skip what needs it
	Unsigned Client // has asked for ID tokens with alg none; zero if the provider has no such client

	// Logout receives logout tokens for Basic. It may be nil, which skips the module that needs it.
	Logout *LogoutReceiver

	// SignIn completes the provider's pages, as the same user every time, beginning with a page that
	// the authorization endpoint has shown. It returns the page that leaves the provider.
	SignIn func(b *Browser, p *Page) (*Page, error)

	// ConfirmSignOut confirms the sign-out on a page that the end session endpoint has shown, and
	// returns the next page. It may be nil, if the provider never asks.
	ConfirmSignOut func(b *Browser, p *Page) (*Page, error)

	// RotateKeys begins to sign with a new key. It may be nil.
	RotateKeys func() error

	// AsksConsent says that SignIn completes a page that asks for consent at every request. A page is then
	// no sign that the user had to sign in again.
	AsksConsent bool

	// IsError reports whether a page shows an error. It may be nil; then a page with a status of 400 or
	// more does.
	IsError func(*Page) bool

	Now  func() time.Time    // nil for time.Now
	Wait func(time.Duration) // lets time pass at the provider; nil for time.Sleep
}

// Client is a client that is registered at the provider.
type Client struct {
	ID, Secret            string
	RedirectURI           string
	PostLogoutRedirectURI string
}

// showsError reports whether a page shows an error.
func (p *Provider) showsError(page *Page) bool {
	if page.Status >= http.StatusBadRequest {
		return true
	}
	return p.IsError != nil && p.IsError(page)
}

// now returns the time at the provider.
func (p *Provider) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// wait lets time pass.
func (p *Provider) wait(d time.Duration) {
	if p.Wait == nil {
		time.Sleep(d)
		return
	}
	p.Wait(d)
}
