package guard

import (
	"context"
	"net/http"
	"net/url"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

const signOutPath = apps.OwnPath + "signout"

// signOut ends the session that the credential belongs to, and so the user's access to every
// app in this browser. A link leads to a page on Guestlist's host that asks; a form on the
// app's own pages ends it at once.
func (g *Guard) signOut(ctx context.Context, r Request, access apps.Access) Answer {
	switch {
	case r.isRead():
		a := redirect(g.base + "/signout")
		a.Access = access
		return a
	case r.Method != http.MethodPost:
		return refuseAccess(access, http.StatusMethodNotAllowed, "method not allowed")
	}
	own := &url.URL{Scheme: access.App.Scheme, Host: access.App.Host}
	if !middleware.IsSameOrigin(r.Method, r.Header, access.App.Host, own) {
		return refuseAccess(access, http.StatusForbidden, "request came from another site")
	}
	if sess := access.Session; sess.TokenHash != "" {
		by := r.origin().WithActor(sess.UserID, sess.User.Email.Normalized)
		match := func(other session.Session) bool { return other.TokenHash == sess.TokenHash }
		if _, err := g.opts.Sessions.Revoke(ctx, by, sess.UserID, "signed out", match); err != nil {
			return g.unavailable(ctx, r, access, err)
		}
	}
	a := redirect(g.base + "/?signed-out")
	a.Access, a.setCookie = access, newCookie(access.App, "", -1)
	return a
}

// origin returns the origin of events that the request causes.
func (r Request) origin() event.Origin {
	return event.Origin{Address: r.Browser.Address, UserAgent: r.Browser.UserAgent, RequestID: r.Browser.RequestID}
}
