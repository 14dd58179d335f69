package app

import "github.com/guestlist/guestlist/internal/openid"

// newOpenIDProvider returns the provider that signs users in to apps.
func (a *App) newOpenIDProvider() *openid.Provider {
	o := openid.Options{Store: a.Store, Sessions: a.Sessions, Signer: a.Signer, Issuer: a.cfg.BaseURL.String(), Now: a.now, Log: a.log}
	if a.telemetry != nil {
		o.ObserveToken = a.telemetry.TokenRequest
	}
	return openid.New(o)
}
