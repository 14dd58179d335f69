package faults

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// mailTimeout is how long a client waits for an email.
const mailTimeout = 2 * time.Second

// signIn starts a session if an email arrives.
func (c *client) signIn(u *user) {
	if token := c.requestLink(u); token != "" && !u.uncertain {
		c.openLink(u, token)
	}
}

// requestLink requests a sign-in link and returns its token or that of an earlier unused link. It
// returns an empty string if no email arrives.
func (c *client) requestLink(u *user) (token string) {
	resp := c.do("", "POST", "/signin", url.Values{"email": {u.email}}.Encode())
	if resp.outcome == acknowledged || resp.outcome == unknown {
		u.mailRequests++
		u.mayGetTwo = u.mayGetTwo || !u.inStytch || resp.outcome == unknown
	}
	if resp.outcome != acknowledged {
		return ""
	}
	for begin := time.Now(); time.Since(begin) < mailTimeout; time.Sleep(50 * time.Millisecond) {
		if token := c.inbox.takeToken(u.email); token != "" {
			return token
		}
	}
	return ""
}

// openLink signs in with a link. A removed user must not get a working session.
func (c *client) openLink(u *user, token string) {
	resp := c.do("", "POST", "/api/authenticate_magic_link", url.Values{"token": {token}}.Encode())
	if resp.outcome != acknowledged || resp.cookie == "" {
		return
	}
	s := &session{cookie: resp.cookie, live: u.listed}
	u.sessions = append(u.sessions, s)
	if u.listed == yes {
		c.ledger.countSignIn()
		u.inStytch = true
	}
	c.checkSession(u, s)
	if u.member != no {
		c.enterApp(u, s)
		c.signInByOpenID(u, s)
	}
}

// check checks one of the user's sessions, live or not.
func (c *client) check(u *user) {
	if len(u.sessions) > 0 {
		c.checkSession(u, u.sessions[rand.IntN(len(u.sessions))])
	}
}

// checkSession compares the response to a session check with what was known before. It reports
// whether the response was conclusive.
func (x *trial) checkSession(u *user, s *session) bool {
	before := s.live
	resp := x.do(s.cookie, "GET", "/api/session", "")
	switch resp.status {
	case http.StatusOK:
		var body struct {
			User    struct{ Email string }
			Session struct{ ID string }
		}
		json.Unmarshal([]byte(resp.body), &body) // invalid JSON leaves the email empty
		s.id = body.Session.ID
		if body.User.Email != u.email {
			x.ledger.fail(letIn, "a session of %s is that of %q", u.email, body.User.Email)
		}
		if before == no {
			x.ledger.fail(letIn, "a session of %s works after its end (listed: %v)", u.email, u.listed == yes)
		}
	case http.StatusUnauthorized:
		if before == yes {
			x.ledger.fail(lost, "a session of %s that wasn't ended", u.email)
		}
		s.live = no
	default:
		return false
	}
	return true
}

// signOut ends one of the user's sessions.
func (c *client) signOut(u *user) {
	for _, s := range u.sessions {
		if s.live != yes {
			continue
		}
		switch resp := c.do(s.cookie, "POST", "/api/logout", ""); resp.outcome {
		case acknowledged:
			s.live = no
			c.checkSession(u, s)
			c.checkApp(u, s)
			c.checkGrant(u, s)
		case refused:
			c.unexpected(u, "signing out", resp)
		case unknown:
			s.live = maybe
		}
		return
	}
}
