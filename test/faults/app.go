package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The protected app of a trial. The instances check access to it for another proxy, and are its proxy
// themselves.
const (
	appHost       = "wiki.localhost"
	appCookieName = "guestlist-app"
)

// createApp creates the app with the group that opens it, and starts its upstream.
func (x *trial) createApp() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Remote-Email", r.Header.Get("Remote-Email"))
	}))
	x.Cleanup(upstream.Close)
	var group struct{ ID string }
	x.create("/api/groups", `{"name":"Readers"}`, &group)
	x.groupID = group.ID
	var app struct{ ID string }
	x.create("/api/apps", fmt.Sprintf(`{"name":"Wiki","url":"http://%s","audience":"groups","groups":[%q],"upstream":%q}`, appHost, group.ID, upstream.URL), &app)
	x.appID = app.ID
}

// create creates something with the administrator's session before there is a fault.
func (x *trial) create(path, body string, created any) {
	resp := x.do(x.adminCookie, "POST", path, body)
	if resp.outcome != acknowledged || json.Unmarshal([]byte(resp.body), created) != nil {
		x.Fatalf("POST %s: status %d %s\n%s", path, resp.status, resp.body, x.instances[0].recentErrors())
	}
}

// atApp sends a browser's request for the app through the built-in proxy of one of the instances. It
// records the response in the ledger.
func (x *trial) atApp(cookie, path string) response {
	r := newRequest(x.anyInstance(), "", "GET", path, "")
	r.Host = appHost
	r.Header.Set("Accept", "text/html")
	return x.doApp(r, cookie, "GET app")
}

// atGuard asks one of the instances about a request for the app, as another proxy does.
func (x *trial) atGuard(cookie string) response {
	r := newRequest(x.anyInstance(), "", "GET", "/guard/forward", "")
	for name, value := range map[string]string{"Method": "GET", "Proto": "http", "Host": appHost, "Uri": "/"} {
		r.Header.Set("X-Forwarded-"+name, value)
	}
	return x.doApp(r, cookie, "GET /guard/forward")
}

// atGuestlist sends a browser's request for a page, which needs the instance's own name.
func (x *trial) atGuestlist(cookie, path string) response {
	i := x.anyInstance()
	r := newRequest(i, cookie, "GET", path, "")
	_, port, _ := net.SplitHostPort(i.addr)
	r.Host = net.JoinHostPort("localhost", port)
	page, _, _ := strings.Cut(path, "?")
	return x.doApp(r, "", "GET "+page)
}

func (x *trial) doApp(r *http.Request, cookie, name string) response {
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: appCookieName, Value: cookie})
	}
	begin := time.Now()
	resp := x.send(r)
	x.ledger.record(resp, time.Since(begin), name)
	return resp
}

// enterApp gets a credential of the app for a session, as a browser does. Each request may go to
// another instance.
func (c *client) enterApp(u *user, s *session) {
	begun := c.atApp("", "/")
	ticket, err := url.Parse(begun.location)
	if err != nil || ticket.Path != "/enter" || begun.appCookie == "" {
		return
	}
	entered := c.atGuestlist(s.cookie, ticket.RequestURI())
	callback, err := url.Parse(entered.location)
	if err != nil || callback.Host != appHost {
		return
	}
	returned := c.atApp(begun.appCookie, callback.RequestURI())
	if returned.status != http.StatusSeeOther || returned.appCookie == "" {
		return
	}
	s.app = returned.appCookie
	c.checkApp(u, s)
}

// access says whether a session that is live opens the app for requests that are sent at a time.
func (x *trial) access(u *user, live certainty, sent time.Time) certainty {
	member := u.member
	if member == yes && !u.memberUntil.IsZero() {
		switch {
		case x.clocksStep.Load(): // an instance may think that it's another time
			member = maybe
		case sent.After(u.memberUntil.Add(10 * time.Millisecond)):
			member = no
		case time.Now().After(u.memberUntil): // it may have ended when the request was read
			member = maybe
		}
	}
	switch {
	case live == no, member == no:
		return no
	case live == yes && member == yes:
		return yes
	}
	return maybe
}

// checkApp compares the response to a request for the app with what was known before. It reports
// whether the response was conclusive.
func (x *trial) checkApp(u *user, s *session) bool {
	if s.app == "" {
		return true
	}
	request, way := x.atGuard, "by another proxy"
	if rand.IntN(2) == 0 {
		request, way = func(cookie string) response { return x.atApp(cookie, "/page") }, "by the built-in proxy"
	}
	live, sent := s.live, time.Now()
	resp := request(s.app)
	before := x.access(u, live, sent)
	switch resp.status {
	case http.StatusOK:
		if resp.remoteEmail != u.email {
			x.ledger.fail(letIn, "a credential of %s is that of %q at the app, asked %s", u.email, resp.remoteEmail, way)
		}
		if before == no {
			x.ledger.fail(letIn, "a credential of %s opens the app after its end (listed: %v, session: %v, member: %v), asked %s",
				u.email, u.listed == yes, live == yes, u.member == yes, way)
		}
		x.ledger.countOpened()
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusSeeOther:
		if before == yes {
			x.ledger.fail(lost, "access of %s to the app that wasn't ended: status %d, asked %s", u.email, resp.status, way)
		}
		x.ledger.countRefusedAtApp()
	default:
		return false
	}
	return true
}

// checkApps checks all credentials and tokens of a user after a change that was acknowledged.
func (x *trial) checkApps(u *user) {
	for _, s := range u.sessions {
		x.checkApp(u, s)
		x.checkGrant(u, s)
	}
}

// join makes a user a member of the group that opens the app. The membership ends after a duration, or
// never if that is 0.
func (c *client) join(u *user, lifetime time.Duration) {
	body, until := "{}", time.Time{}
	if lifetime > 0 {
		until = time.Now().Add(lifetime).Truncate(time.Microsecond)
		body = fmt.Sprintf(`{"until":%q}`, until.UTC().Format(time.RFC3339Nano))
	}
	resp := c.asAdmin("PUT", "/api/groups/"+c.groupID+"/members/"+u.id, body)
	switch {
	case resp.status == http.StatusUnprocessableEntity && lifetime > 0: // it has ended on an instance's clock, or before the request was read
	case resp.outcome == acknowledged:
		u.member, u.memberUntil = yes, until
	case resp.outcome == refused:
		c.unexpected(u, "adding to a group", resp)
	case resp.outcome == unknown:
		u.member, u.memberUntil = maybe, time.Time{}
		u.setUncertain(false)
	}
	c.checkApps(u)
}

// leave ends a user's membership, if there is one.
func (c *client) leave(u *user) {
	if u.member != yes {
		return
	}
	resp := c.asAdmin("DELETE", "/api/groups/"+c.groupID+"/members/"+u.id, "")
	switch resp.outcome {
	case acknowledged:
		u.member, u.memberUntil = no, time.Time{}
	case refused:
		c.unexpected(u, "removing from a group", resp)
	case unknown:
		u.member, u.memberUntil = maybe, time.Time{}
		u.setUncertain(false)
	}
	c.checkApps(u)
}

// leaveAll ends the memberships of the users who have used the app, so that every trial has refusals.
func (c *client) leaveAll() {
	for _, u := range c.users {
		used := slices.ContainsFunc(u.sessions, func(s *session) bool { return s.app != "" })
		if used && u.listed == yes && !u.uncertain {
			c.leave(u)
		}
	}
}

// suspend suspends a user, which ends all sessions, and reinstates them. Users who have never
// signed in are left alone: a suspension cancels an invitation whose outcome isn't known, after
// which their account at Stytch isn't linked before they sign in or the next comparison.
func (c *client) suspend(u *user) {
	if len(u.sessions) == 0 {
		return
	}
	for _, status := range []string{"suspended", "active"} {
		resp := c.asAdmin("PATCH", "/api/users/"+u.id, fmt.Sprintf(`{"status":%q}`, status))
		switch resp.outcome {
		case unsent:
			if status == "active" {
				u.uncertain = true // they stay suspended
			}
			return
		case acknowledged:
			u.endSessions(no)
			for _, s := range u.sessions {
				c.checkSession(u, s)
			}
			c.checkApps(u)
		case refused:
			c.unexpected(u, "suspending", resp)
			return
		case unknown:
			u.setUncertain(false)
			if status == "suspended" {
				u.endSessions(maybe)
			}
			return
		}
	}
}
