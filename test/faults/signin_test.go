package faults

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// mailWait is how long a person looks into their mailbox before they do
// something else.
const mailWait = 2 * time.Second

// signIn begins a session, if the mail comes.
func (c *client) signIn(p *person) {
	if token := c.link(p); token != "" && !p.left {
		c.follow(p, token)
	}
}

// link asks for a link and returns its token, or that of an earlier mail that was
// not opened yet; empty if no mail comes.
func (c *client) link(p *person) (token string) {
	a := c.ask("", "POST", "/signin", url.Values{"email": {p.email}}.Encode())
	if a.outcome == acknowledged || a.outcome == unknown {
		p.asked++
		p.atRisk = p.atRisk || !p.known || a.outcome == unknown
	}
	if a.outcome != acknowledged {
		return ""
	}
	for begin := time.Now(); time.Since(begin) < mailWait; time.Sleep(50 * time.Millisecond) {
		if token := c.mails.open(p.email); token != "" {
			return token
		}
	}
	return ""
}

// follow presses the button behind a link. Who is not on the list any more must
// not get in by that.
func (c *client) follow(p *person, token string) {
	a := c.ask("", "POST", "/api/authenticate_magic_link", url.Values{"token": {token}}.Encode())
	if a.outcome != acknowledged || a.cookie == "" {
		return
	}
	s := &session{cookie: a.cookie, live: p.onList}
	p.sessions = append(p.sessions, s)
	if p.onList == yes {
		c.ledger.signedIn()
		p.known = true
	}
	c.checkSession(p, s)
}

// check asks about one of the person's sessions, living or dead.
func (c *client) check(p *person) {
	if len(p.sessions) > 0 {
		c.checkSession(p, p.sessions[rand.IntN(len(p.sessions))])
	}
}

// checkSession asks who holds a session's cookie and holds the answer against
// what was known before the question. It reports whether there was a clear answer.
func (c *trial) checkSession(p *person, s *session) bool {
	before := s.live
	a := c.ask(s.cookie, "GET", "/api/session", "")
	switch {
	case a.status == http.StatusOK:
		var who struct {
			User    struct{ Email string }
			Session struct{ ID string }
		}
		json.Unmarshal([]byte(a.body), &who) // nonsense is nobody's address
		s.id = who.Session.ID
		if who.User.Email != p.email {
			c.ledger.found(letIn, "%s is taken for %q", p.email, who.User.Email)
		}
		if before == no {
			c.ledger.found(letIn, "%s, on the list: %v, is let in by a session that has ended", p.email, p.onList == yes)
		}
	case a.status == http.StatusUnauthorized:
		if before == yes {
			c.ledger.found(lost, "%s: a session that nobody ended", p.email)
		}
		s.live = no // and stays so
	default:
		return false
	}
	return true
}

func (c *client) signOut(p *person) {
	for _, s := range p.sessions {
		if s.live != yes {
			continue
		}
		switch a := c.ask(s.cookie, "POST", "/api/logout", ""); a.outcome {
		case acknowledged:
			s.live = no
			c.checkSession(p, s)
		case refused:
			c.surprise(p, "signing out", a)
		case unknown:
			s.live = maybe
		}
		return
	}
}
