package guard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
)

// CallbackPath is the path on an app's host that a code is brought to.
const CallbackPath = apps.OwnPath + "callback"

// EnterPath is the path of Guestlist's pages that a ticket is brought to.
const EnterPath = "/enter"

// pendingLifetime is how long browsers keep a cookie that isn't a credential yet.
const pendingLifetime = time.Hour

// maxRounds is how often a browser may come back with another cookie than the one that it
// began with.
const maxRounds = 2

// CallbackURL returns the address that brings a code to an app's host. round is that of the
// ticket.
func CallbackURL(a apps.App, code string, round int) string {
	address := a.URL() + CallbackPath + "?code=" + url.QueryEscape(code)
	if round > 0 {
		address += "&round=" + strconv.Itoa(round)
	}
	return address
}

// enterURL returns the address that brings a ticket to Guestlist's host.
func (g *Guard) enterURL(k apps.Ticket) string {
	return g.base + EnterPath + "?t=" + g.opts.Tickets.Seal(k)
}

// signIn returns the answer for a request without a live credential: browsers are sent to
// Guestlist's host, and programs get the address to go to.
func (g *Guard) signIn(r Request, access apps.Access, c credential) Answer {
	if c.token != "" {
		return refuseAccess(access, http.StatusUnauthorized, "app token unknown, revoked or expired")
	}
	if !r.isPage() {
		a := refuseAccess(access, http.StatusUnauthorized, "user unauthenticated")
		// Without a cookie hash, because the answer must not set cookies: several requests
		// of one page would overwrite each other's.
		a.signInAt = g.enterURL(g.opts.Tickets.New(access.App, refererPath(r, access.App), ""))
		return a
	}
	return g.begin(access, r.Target, c.cookie, 0)
}

// begin sends a browser to Guestlist's host. A browser without a cookie gets one. Nothing is
// stored.
func (g *Guard) begin(access apps.Access, target, cookie string, round int) Answer {
	set := ""
	if cookie == "" {
		cookie = apps.NewCredential()
		set = newCookie(access.App, cookie, pendingLifetime)
	}
	k := g.opts.Tickets.New(access.App, target, apps.HashCredential(cookie))
	k.Round = round
	a := redirect(g.enterURL(k))
	a.Access, a.setCookie = access, set
	return a
}

// refererPath returns the path of the page that made a request, if it is one of the app's.
func refererPath(r Request, app apps.App) string {
	u, err := url.Parse(r.Header.Get("Referer"))
	if err != nil {
		return "/"
	}
	if host, ok := apps.ParseHost(u.Scheme, u.Host); !ok || host != app.Host || u.Scheme != app.Scheme {
		return "/"
	}
	return u.RequestURI()
}

// newCookie returns a Set-Cookie header for an app's cookie.
func newCookie(app apps.App, value string, age time.Duration) string {
	c := http.Cookie{
		Name: CookieName(app.Scheme), Value: value, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true,
		Secure: app.Scheme == "https", SameSite: http.SameSiteLaxMode,
	}
	return c.String()
}

// own answers requests for the guard's own paths on an app's host.
func (g *Guard) own(ctx context.Context, r Request, access apps.Access, c credential) Answer {
	switch r.path() {
	case CallbackPath:
		return g.callback(ctx, r, access, c)
	case signOutPath:
		return g.signOut(ctx, r, access)
	case mePath:
		return g.me(r, access)
	}
	return refuseAccess(access, http.StatusNotFound, "not found")
}

// callback redeems the code that a browser brings from Guestlist's host.
func (g *Guard) callback(ctx context.Context, r Request, access apps.Access, c credential) Answer {
	if r.Method != http.MethodGet { // a code must not be spent by a program that looks at links
		return refuseAccess(access, http.StatusMethodNotAllowed, "method not allowed")
	}
	if c.cookie == "" {
		return g.startAgain(r, access, "/", apps.ProblemCookie)
	}
	q := queryOf(r.Target)
	value, path, err := g.opts.Apps.Redeem(ctx, access.App, q.Get("code"), c.cookie)
	round, _ := strconv.Atoi(q.Get("round"))
	switch {
	case errors.Is(err, apps.ErrOtherCookie) && round >= 0 && round < maxRounds:
		return g.begin(access, path, c.cookie, round+1)
	case errors.Is(err, apps.ErrCode):
		return g.startAgain(r, access, "/", apps.ProblemCode)
	case errors.Is(err, apps.ErrLoop):
		return g.startAgain(r, access, "/", apps.ProblemLoop)
	case err != nil:
		return g.unavailable(ctx, r, access, err)
	}
	a := redirect(access.App.URL() + apps.ReturnPath(path))
	a.Access, a.setCookie = access, newCookie(access.App, value, g.opts.SessionDuration)
	return a
}

// startAgain returns a page that explains what went wrong and leads to the app.
func (g *Guard) startAgain(r Request, access apps.Access, path string, problem apps.Problem) Answer {
	a := refuseAccess(access, http.StatusBadRequest, "this address can't be used: open the app again")
	a.page = g.pages.startAgain(access.App, path, problem)
	a.pageTicket = g.opts.Tickets.New(access.App, path, "")
	a.pageTicket.Problem = problem
	return a
}

// queryOf returns the query of a request target. Malformed pairs are left out.
func queryOf(target string) url.Values {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return url.Values{}
	}
	return u.Query()
}
