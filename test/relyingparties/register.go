package relyingparties

import (
	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
)

// by is the origin of changes that the tests make.
var by = event.Origin{Actor: event.Operator("test")}

// register makes the tool an app for the group Writers, with a client. It also creates the group
// Night shift.
func (w *world) register() {
	w.t.Helper()
	if _, err := w.site.App.Groups.Create(w.t.Context(), by, "Night shift"); err != nil {
		w.t.Fatal(err)
	}
	r := &w.registration
	app := w.site.AddAppWith(apps.Input{Name: "Tool", URL: r.url("")}, "Writers")
	in := openid.ClientInput{Public: w.party.public, RedirectURIs: r.url(w.party.callback)}
	if w.party.signedOut != "" {
		in.PostLogoutURIs = r.url(w.party.signedOut)
	}
	if w.party.backchannel != "" {
		in.BackchannelLogout = r.url(w.party.backchannel)
	}
	c := w.site.AddClient(app, in)
	r.clientID, r.secret = app.ID, c.Secret
}
