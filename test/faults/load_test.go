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

// clients is how many do things at the same time.
const clients = 8

// client does things with people of its own, one after the other.
type client struct {
	*trial
	number int
	people []*person
}

// run does one thing after another until ctx ends.
func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.step()
		select {
		case <-ctx.Done():
		case <-time.After(10*time.Millisecond + rand.N(60*time.Millisecond)): // people are not that quick
		}
	}
}

// step does one thing, by chance.
func (c *client) step() {
	p := c.anybody()
	n := rand.IntN(100)
	switch {
	case p == nil, n < 12:
		c.add()
	case n < 22:
		c.invite(&person{email: c.address(), names: []string{""}})
	case n < 30:
		c.invite(p)
	case n < 48:
		c.edit(p)
	case n < 66:
		c.signIn(p)
	case n < 86:
		c.check(c.people[rand.IntN(len(c.people))]) // also those who are gone
	case n < 92:
		c.signOut(p)
	default:
		c.remove(p)
	}
}

// anybody returns somebody of whom everything is known, if there is one.
func (c *client) anybody() *person {
	var sure []*person
	for _, p := range c.people {
		if p.onList == yes && !p.left {
			sure = append(sure, p)
		}
	}
	if len(sure) < 2 {
		return nil
	}
	return sure[rand.IntN(len(sure))]
}

func (c *client) address() string {
	return fmt.Sprintf("c%d-%d@example.com", c.number, len(c.people))
}

func (c *client) add() {
	p := &person{email: c.address(), names: []string{"New"}}
	a := c.admin("POST", "/api/users", fmt.Sprintf(`{"email":%q,"name":"New"}`, p.email))
	switch a.outcome {
	case unsent:
		return
	case refused:
		c.surprise(p, "putting them on the list", a)
		return
	case acknowledged:
		var made struct{ ID string }
		json.Unmarshal([]byte(a.body), &made) // an empty id is found soon enough
		p.onList, p.id = yes, made.ID
	case unknown:
		p.unsure(true)
	}
	c.people = append(c.people, p)
}

// invite has an invitation mailed to somebody new or on the list.
func (c *client) invite(p *person) {
	isNew := p.id == ""
	a := c.admin("POST", "/api/invite_user", fmt.Sprintf(`{"email":%q}`, p.email))
	switch a.outcome {
	case unsent:
		return
	case refused:
		c.surprise(p, "inviting them", a)
		return
	case acknowledged:
		p.known = p.known || a.status == http.StatusOK
		p.atRisk = p.atRisk || a.status == http.StatusAccepted
		p.onList = yes
	case unknown:
		p.unsure(isNew)
	}
	p.asked++
	if isNew {
		c.people = append(c.people, p)
		p.left = p.left || !c.learn(p)
	}
}

// learn finds out the id of somebody who was invited.
func (c *client) learn(p *person) bool {
	a := c.admin("GET", "/api/users?q="+url.QueryEscape(p.email), "")
	var list struct{ Users []struct{ ID, Email string } }
	if a.outcome != acknowledged || json.Unmarshal([]byte(a.body), &list) != nil {
		return false
	}
	for _, u := range list.Users {
		if u.Email == p.email {
			p.id = u.ID
			return true
		}
	}
	if p.onList == yes {
		c.ledger.found(lost, "%s was invited and is not on the list a moment later", p.email)
	}
	return false
}

func (c *client) edit(p *person) {
	name := fmt.Sprintf("Name %d", rand.IntN(1_000_000))
	a := c.admin("PATCH", "/api/users/"+p.id, fmt.Sprintf(`{"name":%q}`, name))
	switch a.outcome {
	case acknowledged:
		p.names = []string{name}
	case refused:
		c.surprise(p, "editing them", a)
	case unknown:
		p.names = append(p.names, name)
		p.unsure(false)
	}
}

func (c *client) remove(p *person) {
	spare := ""
	if rand.IntN(2) == 0 {
		spare = c.link(p) // to be tried afterwards
	}
	if p.left {
		return
	}
	a := c.admin("DELETE", "/api/users/"+p.id, "")
	switch a.outcome {
	case acknowledged:
		p.onList = no
		p.ended(no)
		for _, s := range p.sessions {
			c.checkSession(p, s)
		}
		if spare != "" {
			c.follow(p, spare)
		}
	case refused:
		c.surprise(p, "removing them", a)
	case unknown:
		p.unsure(true)
	}
}

// admin makes a request that only an administrator may.
func (c *client) admin(method, path, body string) answer {
	return c.ask(c.ada, method, path, body)
}

// surprise notes a refusal for which the client knows no reason: it works on
// people of its own, in order.
func (c *client) surprise(p *person, doing string, a answer) {
	switch a.status {
	case http.StatusTooManyRequests:
	case http.StatusConflict:
		c.ledger.found(doubled, "%s: %s was refused as done already: %s", p.email, doing, a.body)
	default:
		c.ledger.found(lost, "%s: %s was answered %d %s", p.email, doing, a.status, a.body)
	}
	p.left = true
}
