package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// maxClients is the number of simultaneous clients.
const maxClients = 8

// client makes requests about users of its own, one at a time.
type client struct {
	*trial
	number int
	users  []*user
}

// run makes requests until ctx ends.
func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.step()
		select {
		case <-ctx.Done():
		case <-time.After(10*time.Millisecond + rand.N(60*time.Millisecond)):
		}
	}
}

// step does one thing, chosen at random.
func (c *client) step() {
	u := c.anyUser()
	n := rand.IntN(150)
	switch {
	case u == nil, n < 12:
		c.add()
	case n < 22:
		c.invite(&user{email: c.newEmail(), names: []string{""}})
	case n < 30:
		c.invite(u)
	case n < 48:
		c.edit(u)
	case n < 66:
		c.signIn(u)
	case n < 86:
		c.check(c.users[rand.IntN(len(c.users))]) // removed users, too
	case n < 92:
		c.signOut(u)
	case n < 100:
		c.remove(u)
	case n < 120:
		c.checkApps(c.users[rand.IntN(len(c.users))])
	case n < 126:
		c.leave(u)
	case n < 132:
		c.join(u, 0)
	case n < 136:
		c.join(u, time.Second)
	case n < 140:
		c.suspend(u)
	case len(u.sessions) > 0:
		c.signInByOpenID(u, u.sessions[rand.IntN(len(u.sessions))])
	}
}

// anyUser returns a listed user without uncertainties, or nil if there are fewer than two.
func (c *client) anyUser() *user {
	var certain []*user
	for _, u := range c.users {
		if u.listed == yes && !u.uncertain {
			certain = append(certain, u)
		}
	}
	if len(certain) < 2 {
		return nil
	}
	return certain[rand.IntN(len(certain))]
}

func (c *client) newEmail() string {
	return fmt.Sprintf("c%d-%d@example.com", c.number, len(c.users))
}

func (c *client) add() {
	u := &user{email: c.newEmail(), names: []string{"New"}}
	resp := c.asAdmin("POST", "/api/users", fmt.Sprintf(`{"email":%q,"name":"New"}`, u.email))
	switch resp.outcome {
	case unsent:
		return
	case refused:
		c.unexpected(u, "adding", resp)
		return
	case acknowledged:
		var added struct{ ID string }
		json.Unmarshal([]byte(resp.body), &added) // an empty id fails later requests
		u.listed = yes
		u.id = added.ID
	case unknown:
		u.setUncertain(true)
	}
	c.users = append(c.users, u)
	if u.listed == yes {
		c.join(u, 0)
	}
}

// invite sends an invitation to a new or listed user.
func (c *client) invite(u *user) {
	isNew := u.id == ""
	resp := c.asAdmin("POST", "/api/invite_user", fmt.Sprintf(`{"email":%q}`, u.email))
	switch resp.outcome {
	case unsent:
		return
	case refused:
		c.unexpected(u, "inviting", resp)
		return
	case acknowledged:
		u.inStytch = u.inStytch || resp.status == http.StatusOK
		u.mayGetTwo = u.mayGetTwo || resp.status == http.StatusAccepted
		u.listed = yes
	case unknown:
		u.setUncertain(isNew)
	}
	u.mailRequests++
	if isNew {
		c.users = append(c.users, u)
		u.uncertain = u.uncertain || !c.fetchID(u)
	}
}

// fetchID sets the id of an invited user. It reports whether it was found.
func (c *client) fetchID(u *user) bool {
	resp := c.asAdmin("GET", "/api/users?q="+url.QueryEscape(u.email), "")
	var list struct{ Users []struct{ ID, Email string } }
	if resp.outcome != acknowledged || json.Unmarshal([]byte(resp.body), &list) != nil {
		return false
	}
	for _, found := range list.Users {
		if found.Email == u.email {
			u.id = found.ID
			return true
		}
	}
	if u.listed == yes {
		c.ledger.fail(lost, "%s was invited and isn't listed", u.email)
	}
	return false
}

func (c *client) edit(u *user) {
	name := fmt.Sprintf("Name %d", rand.IntN(1_000_000))
	resp := c.asAdmin("PATCH", "/api/users/"+u.id, fmt.Sprintf(`{"name":%q}`, name))
	switch resp.outcome {
	case acknowledged:
		u.names = []string{name}
	case refused:
		c.unexpected(u, "editing", resp)
	case unknown:
		u.names = append(u.names, name)
		u.setUncertain(false)
	}
}

func (c *client) remove(u *user) {
	token := ""
	if rand.IntN(2) == 0 {
		token = c.requestLink(u) // to be tried after the removal
	}
	if u.uncertain {
		return
	}
	resp := c.asAdmin("DELETE", "/api/users/"+u.id, "")
	switch resp.outcome {
	case acknowledged:
		u.listed = no
		u.endSessions(no)
		for _, s := range u.sessions {
			c.checkSession(u, s)
			c.checkApp(u, s)
			c.checkGrant(u, s)
		}
		if token != "" {
			c.openLink(u, token)
		}
	case refused:
		c.unexpected(u, "removing", resp)
	case unknown:
		u.setUncertain(true)
	}
}

// asAdmin makes a request with the administrator's session.
func (c *client) asAdmin(method, path, body string) response {
	return c.do(c.adminCookie, method, path, body)
}

// unexpected records a refusal. There is no reason for one, because no other client makes requests
// about the user.
func (c *client) unexpected(u *user, action string, resp response) {
	switch resp.status {
	case http.StatusTooManyRequests:
	case http.StatusConflict:
		c.ledger.fail(doubled, "%s %s was refused as done already: %s", action, u.email, resp.body)
	default:
		c.ledger.fail(lost, "%s %s: status %d %s", action, u.email, resp.status, resp.body)
	}
	u.uncertain = true
}
