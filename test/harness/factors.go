package harness

import (
	"net/http/httptest"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// Authenticator is an authenticator app on a person's phone.
type Authenticator struct {
	Secret        string
	RecoveryCodes []string
	site          *Site
}

// Code returns the code that it shows now.
func (a Authenticator) Code() string {
	a.site.T.Helper()
	code, err := totp.GenerateCode(a.Secret, a.site.Clock.Now())
	if err != nil {
		a.site.T.Fatal(err)
	}
	return code
}

// AddAuthenticator sets up an authenticator app for a person who is signed in at a site with
// CookieKey. The session counts as one that was there before.
func (p *Person) AddAuthenticator() Authenticator {
	p.T.Helper()
	held, _ := p.SessionCookie()
	cookies, err := session.NewCookies(session.CookieOptions{Keys: p.Site.Config.CookieKeys, Name: p.Site.Config.CookieName, Path: "/", MaxAge: time.Hour, Now: p.Site.Clock.Now})
	if err != nil {
		p.T.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", p.Site.Config.CookieName+"="+held)
	token, _ := cookies.Token(r)
	sess, err := p.Site.App.Store.GetSession(p.T.Context(), session.Hash(token))
	if err != nil {
		p.T.Fatal(err)
	}
	account := factor.Account{
		User: sess.User, SessionHash: sess.TokenHash, SessionToken: token, MaySetUp: func(bool) bool { return true },
	}
	setup, err := p.Site.App.Factors.StartTOTP(p.T.Context(), account)
	if err != nil {
		p.T.Fatal(err)
	}
	a := Authenticator{Secret: setup.Secret, RecoveryCodes: setup.RecoveryCodes, site: p.Site}
	by := event.Origin{}.WithActor(sess.UserID, sess.User.Email.Normalized)
	if err := p.Site.App.Factors.ConfirmTOTP(p.T.Context(), by, account, setup.ProviderID, a.Code()); err != nil {
		p.T.Fatal(err)
	}
	p.Site.Log.AddSecret(a.Secret)
	for _, code := range a.RecoveryCodes {
		p.Site.Log.AddSecret(code)
	}
	return a
}
